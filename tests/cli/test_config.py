"""`formwarden config` shows what is in force and where it came from."""

import argparse
import json
from pathlib import Path

import pytest

from formwarden.catalogue import GROUP_OF
from formwarden.cli import config
from formwarden.settings import Settings

SECRET = "s3cr3t" * 6


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    config.add_parser(parser.add_subparsers())
    return parser.parse_args(["config", *argv])


def run(*argv: str, settings: Settings | None = None) -> int:
    return config.run(parsed(*argv), settings or Settings.only(secret_keys=SECRET))


def test_every_setting_is_printed_once_with_unit_origin_and_description(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    settings = Settings.only().describe()
    for setting in settings:
        (row,) = [index for index, line in enumerate(lines) if line.startswith(f"  {setting.name} ")]
        assert setting.unit in lines[row]
        assert lines[row].endswith("code" if setting.name == "secret_keys" else "default")
        assert lines[row + 1].strip() == setting.description
    assert len(settings) == len(GROUP_OF)


def test_columns_are_aligned_over_all_groups(capsys: pytest.CaptureFixture[str]) -> None:
    run(settings=Settings.only(secret_keys=SECRET, site_per_day=77))
    rows = [line for line in capsys.readouterr().out.splitlines() if line.endswith(("  default", "  code"))]
    assert len({row.rindex("  ") for row in rows}) == 1
    assert len(rows) == len(GROUP_OF)


def test_diff_prints_only_what_was_set(capsys: pytest.CaptureFixture[str]) -> None:
    run("--diff", settings=Settings.only(secret_keys=SECRET, site_per_day=77, keep_accepted=True))
    out = capsys.readouterr().out
    assert [line.split()[:2] for line in out.splitlines() if line.endswith("code")] == [
        ["secret_keys", "(set)"],
        ["site_per_day", "77"],
        ["keep_accepted", "on"],
    ]


def test_diff_of_nothing_prints_nothing_and_fails_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--diff", settings=Settings.only()) == 0
    assert capsys.readouterr().out.strip() == ""


def test_json_is_one_object_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    run("--json", settings=Settings.only(secret_keys=SECRET, weights={"too_young": 1.5}, staff_address="a@x.jp"))
    table = json.loads(capsys.readouterr().out)
    assert set(table) == set(GROUP_OF)
    assert table["site_per_day"] == {
        "value": 50,
        "default": 50,
        "unit": "replies in 24 h",
        "origin": "default",
        "group": "mail",
        "description": "far below every host's limit; clean days raise it, or a person (G06)",
    }
    assert table["weights"]["value"] == {"too_young": 1.5}
    assert table["staff_address"]["value"] == ["a@x.jp"]


@pytest.mark.parametrize("argv", [(), ("--json",), ("--diff",), ("--check",)])
def test_secrets_are_printed_in_no_form(capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]) -> None:
    values = {"smtp_url": f"smtp://u:{SECRET}@h", "store_url": f"x://{SECRET}", "console_password": SECRET}
    run(*argv, settings=Settings.only(secret_keys=SECRET, **values))
    captured = capsys.readouterr()
    assert SECRET not in captured.out + captured.err
    assert "(set)" in captured.out


def test_values_are_written_as_they_would_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    run(
        "--diff",
        settings=Settings.only(
            staff_address=["a@x.jp", "b@x.jp"], weights={"a": 1, "b": 0.5}, replies=False, dns_deadline_s=2.5
        ),
    )
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.endswith("code")}
    assert "  a@x.jp b@x.jp  " in rows["staff_address"]
    assert "  a=1 b=0.5  " in rows["weights"]
    assert rows["replies"].split()[1] == "off"
    assert rows["dns_deadline_s"].split()[1] == "2.5"


def test_what_a_warden_misses_is_said_and_fails_only_a_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(settings=Settings.only()) == 0
    assert "secrets.token_urlsafe(32)" in capsys.readouterr().err
    assert run("--check", settings=Settings.only()) == 2
    assert run("--check", settings=Settings.only(secret_keys=SECRET)) == 0


def test_a_weight_of_a_signal_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    run(settings=Settings.only(secret_keys=SECRET, weights="to_young=1"))
    assert "did you mean too_young?" in capsys.readouterr().err


def test_the_origin_is_the_source_that_won(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "formwarden.toml").write_text("[mail]\nsite_per_day = 1\n")
    (tmp_path / ".env").write_text("FORMWARDEN_SITE_PER_HOUR=1\n")
    monkeypatch.setenv("FORMWARDEN_SITE_PER_MINUTE", "1")
    run("--json", settings=Settings())
    table = json.loads(capsys.readouterr().out)
    names = ("site_per_day", "site_per_hour", "site_per_minute", "mode")
    assert [table[name]["origin"] for name in names] == ["formwarden.toml", ".env", "environment", "default"]
