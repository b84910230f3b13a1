"""The command as a person types it."""

import json
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from formwarden.cli import EXTRAS, main

SRC: Final = Path(__file__).parents[2] / "src"
COMMANDS: Final = ("demo", "config", "check-address", "lists", "reply", "stats", "store", "work", "attack")
LOADED: Final = """
import json, sys
sys.path.insert(0, sys.argv[1])
from formwarden.cli import main
code = main(sys.argv[2:])
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


def formwarden(*argv: str, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with no setting but those given."""
    return subprocess.run(
        [sys.executable, "-m", "formwarden", *argv],
        cwd=cwd,
        env={"PYTHONPATH": str(SRC), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n    {name}" not in out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([command, "--help"])
    assert left.value.code == 0
    assert f"examples:\n  formwarden {command}" in capsys.readouterr().out


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("formwarden ")


@pytest.mark.parametrize(
    "argv", [[], ["no-such"], ["reply"], ["reply", "maybe"], ["work", "--once"], ["config", "x"]]
)
def test_what_makes_no_sense_is_told_on_standard_error(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "usage: formwarden" in captured.err


def test_each_command_is_given_the_settings_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "formwarden.toml").write_text('max_urls = 7\nstore_url = "memory://"\ndns = "off"\n')
    assert main(["config", "--diff"]) == 0
    assert main(["check-address", "--json", "a@example.jp"]) == 0
    assert main(["reply", "off"]) == 2
    captured = capsys.readouterr()
    assert "formwarden.toml" in captured.out
    assert json.loads(captured.out.splitlines()[-1])["status"] == "unknown"
    assert "formwarden.toml store_url: holds nothing outside" in captured.err


def test_a_port_in_use_is_told_before_a_demo_is_put_up(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["demo", "--port", str(taken.getsockname()[1])]) == 2
    assert "it is in use; choose another with --port" in capsys.readouterr().err


@pytest.mark.slow
def test_all_wrong_settings_come_at_once_and_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "formwarden.toml").write_text('[mail]\nsite_per_dya = 1\n[web]\nbody_limit = "big"\n')
    (tmp_path / ".env").write_text("FORMWARDEN_MODE=watch\nOTHER=1\n")
    ended = formwarden("config", cwd=tmp_path, env={"FORMWARDEN_SMTPURL": "smtp://u:hunter2@h"})
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr
    said = [line for line in ended.stderr.splitlines() if line.startswith("  - ")]
    assert [line.split(":")[0] for line in said] == [
        "  - environment FORMWARDEN_SMTPURL",
        "  - formwarden.toml site_per_dya",
        "  - .env FORMWARDEN_MODE",
        "  - formwarden.toml body_limit",
    ]


@pytest.mark.slow
def test_config_runs_in_a_folder_without_anything(tmp_path: Path) -> None:
    ended = formwarden("config", "--json", cwd=tmp_path)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["secret_keys"]["value"] == "(not set)"
    assert "secrets.token_urlsafe(32)" in ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_config_loads_neither_a_server_nor_a_resolver(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-B", "-c", LOADED, str(SRC), "config", "--diff"],
        cwd=tmp_path,
        env={},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    code, modules = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0
    heavy = {"uvicorn", "dns", "apsw", "aiosmtplib", "aiosmtpd", "jinja2", "fastapi", "publicsuffixlist"}
    assert sorted(heavy & set(modules)) == []


@pytest.mark.parametrize("module", sorted(EXTRAS))
def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "needing.py").write_text(f"raise ModuleNotFoundError('gone', name='{module}.inner')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "needing", raising=False)
    assert main(["work", "--once", "--app", "needing:warden"]) == 2
    assert f"pip install 'formwarden[{EXTRAS[module]}]'" in capsys.readouterr().err


def test_a_module_that_the_site_itself_misses_is_its_own_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "missing.py").write_text("import no_such_library_of_the_site\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ModuleNotFoundError, match="no_such_library_of_the_site"):
        main(["work", "--once", "--app", "missing:warden"])
