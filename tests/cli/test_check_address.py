import argparse
import json
from collections.abc import Iterator

import pytest

from formwarden.address.settings import Address
from formwarden.cli.check_address import add_parser, run
from formwarden.demo.played_dns import PlayedDns


@pytest.fixture
def settings() -> Iterator[Address]:
    with PlayedDns().in_thread() as played:
        yield Address(dns_servers=(played.address,))


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(["check-address", *arguments])


def test_json_is_one_object_a_line_in_the_order_given(settings: Address, capsys: pytest.CaptureFixture[str]) -> None:
    addresses = ["info@gmail.com", "taro@gmial.com", "taro", "太郎@docomo.ne.jp", *(["x@y.played"] * 20)]

    assert run(parsed("--json", *addresses), settings) == 0

    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["address"] for report in reports] == addresses
    assert [report["status"] for report in reports][:4] == ["deliverable", "undeliverable", "invalid", "deliverable"]
    assert [report["reason"] for report in reports][:3] == ["mx_ok", "nxdomain", "no_at"]
    assert reports[0]["flags"] == ["freemail", "role"]


def test_the_text_form_tells_status_reason_flags_hosts_and_time(
    settings: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(parsed("info@docomo.ne.jp", "taro@gmial.com"), settings) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("info@docomo.ne.jp: deliverable (mx_ok), ")
    assert lines[0].endswith(" ms")
    assert lines[1:4] == ["  flags: freemail, role", "  mx: 10 mfsmax.docomo.ne.jp", "  provider: docomo"]
    assert lines[4].startswith("taro@gmial.com: undeliverable (nxdomain), ")
    assert len(lines) == 5


def test_nothing_typed_reaches_the_terminal_as_a_command(
    settings: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    run(parsed("\x1b[31mtaro@shop.played", "ta\udcffro@shop.played"), settings)

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b[31mtaro@shop.played" in out
    assert "control_characters" in out


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")

    assert "formwarden check-address --json" in capsys.readouterr().out
