import argparse
import asyncio
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from formwarden.address.settings import Address
from formwarden.address.verify import KEPT_SLOTS, SLOTS
from formwarden.cli.address_lines import MAX_LINE, address_lines
from formwarden.cli.check_address import AT_ONCE, INTERRUPTED, add_parser, run
from formwarden.demo.played_dns import PlayedDns
from formwarden.testing import FakeDNS

SILENT = SLOTS - KEPT_SLOTS + 2  # more look-ups than may be under way at once


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
    assert reports[0]["flags"] == ["freemail", "provider_syntax", "role"]


def test_the_text_form_tells_status_reason_flags_hosts_and_time(
    settings: Address, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(parsed("info@docomo.ne.jp", "taro@gmial.com"), settings) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("info@docomo.ne.jp: deliverable (mx_ok), ")
    assert lines[0].endswith(" ms")
    assert lines[1:4] == ["  flags: freemail, role", "  mx: 10 mfsmax.docomo.ne.jp", "  provider: docomo"]
    assert lines[4].startswith("taro@gmial.com: undeliverable (nxdomain), ")
    assert lines[5] == "  did you mean: taro@gmail.com"


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


def given_on_stdin(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))


def rows(out: str) -> list[tuple[str, str, str]]:
    return [
        (report["address"], report["status"], report["reason"])
        for report in (json.loads(line) for line in out.splitlines())
    ]


def test_lines_of_standard_input_come_after_the_arguments_and_none_aborts(
    settings: Address, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long = b"a" * (3 * MAX_LINE) + b"@gmail.com"
    lines = [
        b"\xef\xbb\xbfinfo@gmail.com\r", b"", b"  # a comment", b" \t", b"no address", b"\xff\xfe@gmail.com",
        long, "太郎@docomo.ne.jp".encode(), b"taro@gmial.com",
    ]  # fmt: skip
    given_on_stdin(monkeypatch, b"\n".join(lines))

    assert run(parsed("--json", "--stdin", "first@gmail.com"), settings) == 0

    found = rows(capsys.readouterr().out)
    assert [(status, reason) for _, status, reason in found] == [
        ("deliverable", "mx_ok"),
        ("deliverable", "mx_ok"),
        ("invalid", "no_at"),
        ("invalid", "bad_local"),
        ("invalid", "too_long"),
        ("deliverable", "mx_ok"),
        ("undeliverable", "nxdomain"),
    ]
    assert [address for address, *_ in found][:3] == ["first@gmail.com", "info@gmail.com", "no address"]


@pytest.mark.parametrize(
    ("addresses", "code"),
    [
        (("a@gmail.com", "a@silent.com"), 0),
        (("a@gmail.com", "a@gmial.com"), 1),
        (("a@gmail.com", "a"), 1),
    ],
)
def test_with_exit_code_one_bad_address_is_told_and_an_unknown_one_is_not_bad(
    addresses: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    dns = FakeDNS()
    dns.behave("gmail.com", "mx_ok")
    dns.behave("silent.com", "servfail")
    with dns.served() as server:
        settings = Address(dns_servers=(server,))
        assert run(parsed("--exit-code", *addresses), settings) == code
        assert run(parsed(*addresses), settings) == 0
    assert capsys.readouterr().err == ""


def test_without_an_address_there_is_nothing_to_do(settings: Address, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parsed(), settings) == 2
    assert "give an address, or --stdin" in capsys.readouterr().err


def test_no_more_than_the_bound_are_asked_at_once_and_the_order_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    dns = FakeDNS({"*.shop.played": ["MX 10 mx.gmail.com."], "mx.gmail.com": ["A 192.175.48.1"]})
    names = [f"a@n{number}.shop.played" for number in range(3 * AT_ONCE)]
    dns.slow("n0.shop.played", 0.4)  # the first is the last to be known
    with dns.served() as server:
        started = time.monotonic()
        assert run(parsed("--json", *names), Address(dns_servers=(server,))) == 0
        took_s = time.monotonic() - started

    found = rows(capsys.readouterr().out)
    assert [address for address, *_ in found] == names
    assert {status for _, status, _ in found} == {"deliverable"}  # nobody was turned away
    assert took_s >= 0.4


def test_silent_domains_take_no_place_from_those_after_them(capsys: pytest.CaptureFixture[str]) -> None:
    dns = FakeDNS({f"good{number}.com": ["MX 10 mx.mx-ok.played."] for number in range(2 * SILENT)})
    for number in range(SILENT):  # too few among the others to open the breaker
        dns.behave(f"silent{number}.com", "timeout")
    names = [f"a@{kind}.com" for n in range(SILENT) for kind in (f"silent{n}", f"good{2 * n}", f"good{2 * n + 1}")]
    with dns.served() as server:
        assert run(parsed("--json", *names), Address(dns_servers=(server,), dns_deadline_s=0.4)) == 0

    reasons = [reason for _, _, reason in rows(capsys.readouterr().out)]
    assert reasons == ["timeout", "mx_ok", "mx_ok"] * SILENT


def command(server: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    environment = {**os.environ, "FORMWARDEN_DNS_SERVERS": server}
    return [sys.executable, "-m", "formwarden", "check-address", *arguments], environment


@pytest.mark.slow
def test_a_report_comes_before_the_next_line_is_written_and_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    dns = FakeDNS()
    leader, follower = pty.openpty()
    try:
        with dns.served() as server:
            argv, environment = command(server, "--stdin", "--json")
            process = subprocess.Popen(
                argv, env=environment, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=follower
            )
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(f"a@{dns.domain('mx_ok')}\n".encode())
                process.stdin.flush()
                first = json.loads(process.stdout.readline())  # the input goes on; a hang ends with the test's time
                rest, _ = process.communicate(f"a@{dns.domain('nxdomain')}\n".encode() * 40, timeout=60)
        said = os.read(leader, 4096).decode()
    finally:
        os.close(leader)
        os.close(follower)
    assert process.returncode == 0
    assert first["status"] == "deliverable"
    assert len(rest.splitlines()) == 40
    assert "40 checked, 39 undeliverable or invalid" in said


@pytest.mark.slow
def test_a_reader_who_goes_away_is_no_fault(tmp_path: Path) -> None:
    with FakeDNS().served() as server:
        argv, environment = command(server, "--stdin")
        process = subprocess.Popen(
            argv,
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            assert process.stdout is not None
            process.stdout.close()
            process.stdout = None
            _, told = process.communicate(b"no address\n" * 3, timeout=60)
    assert (process.returncode, told) == (0, b"")


@pytest.mark.slow
def test_ctrl_c_prints_what_is_known_also_behind_what_is_not_and_waits_for_no_more_lines(tmp_path: Path) -> None:
    dns = FakeDNS({"good.com": ["MX 10 mx.mx-ok.played."]})
    for name in ("silent.com", "last.com"):
        dns.behave(name, "timeout")
    with dns.served() as server:
        argv, environment = command(server, "--stdin", "--json")
        environment["FORMWARDEN_DNS_DEADLINE_S"] = "60"
        process = subprocess.Popen(
            argv,
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"a@good.com\na@silent.com\n" + b"no address\n" * 4 + b"a@last.com\n")
            process.stdin.flush()  # and it stays open: the command waits for another line
            first = process.stdout.readline()
            end = time.monotonic() + 60
            while not dns.asked("last.com", "MX"):  # what stands before it needs no DNS, and is known by then
                assert time.monotonic() < end
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == INTERRUPTED
            rest, told = process.stdout.read(), process.stderr.read() if process.stderr else b""
    reports = rows((first + rest).decode())
    assert [status for _, status, _ in reports] == ["deliverable"] + ["invalid"] * 4
    assert told == b"check-address: interrupted, 5 reported\n"


@example_settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=200), size=st.sampled_from([0, MAX_LINE - 1, MAX_LINE, 2 * MAX_LINE]))
def test_no_bytes_on_standard_input_raise_and_each_line_is_one_text(text: bytes, size: int) -> None:
    async def read() -> list[str]:
        return [line async for line in address_lines(io.BytesIO(text + b"x" * size))]

    found = asyncio.run(read())

    assert len(found) <= text.count(b"\n") + 1
    assert all(line == line.strip() and line and not line.startswith("#") for line in found)
