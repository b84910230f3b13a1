"""`formwarden attack` refuses what is not yours, is bounded, and counts what became of every persona."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from formwarden.cli import main
from formwarden.cli.attack_pace import Pace, StoppedError
from formwarden.cli.attack_table import Found, Tried, line_of, table
from formwarden.testing.personas import BOTS, PEOPLE, Seen, Sent
from tests.browser import found_chromium
from tests.e2e.demo_site import PATIENCE_S, DemoSite, eventually

FORM = (
    b'<form method="post" action="/contact"><input name="name" autocomplete="name">'
    b'<input name="email" type="email"><textarea name="message"></textarea><button>Send</button></form>'
)
COMMAND = """
import signal, sys
from formwarden.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job of a shell in the background would not hear it
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def page(html: bytes, *, posted: int = 200, seen: list[tuple[str, str, str | None]] | None = None) -> Iterator[str]:
    """A site with one page and one answer to posts; it notes method, client and X-Forwarded-For."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, html)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer(posted, b"<p>said")

        def _answer(self, status: int, body: bytes) -> None:
            if seen is not None:
                seen.append((self.command, self.client_address[0], self.headers["x-forwarded-for"]))
            self.send_response(status)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/contact"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "give the URL of the page with the form"),
        (["ftp://127.0.0.1/contact"], "http://… or https://…"),
        (["http://203.0.113.9/contact"], "--i-own-this-site"),
        (["http://203.0.113.9/contact", "--i-own-this-site"], "--recipient-domain DOMAIN is missing"),
        (
            ["http://203.0.113.9/", "--i-own-this-site", "--recipient-domain", "a.example", "--played-providers"],
            "on loopback",
        ),
        (["http://127.0.0.1:1/contact", "--rate", "51"], "at most 50 requests a second"),
        (["http://203.0.113.9/", "--i-own-this-site", "--recipient-domain", "a.example", "--rate", "6"], "at most 5"),
        (["http://127.0.0.1:1/contact", "--persona", "nobody"], "--list shows all"),
        (["http://127.0.0.1:1/contact"], "cannot be reached"),
    ],
)
def test_g37_what_may_not_or_cannot_be_attacked_is_told(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attack", *argv]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("runs", ["0", "1001"])
def test_the_number_of_runs_is_bounded(runs: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["attack", "http://127.0.0.1:1/", "--runs", runs])
    assert "between 1 and 1000" in capsys.readouterr().err


def test_a_page_without_a_form_is_no_target(capsys: pytest.CaptureFixture[str]) -> None:
    with page(b"<p>home") as url:
        assert main(["attack", url]) == 2
    assert "no form on this page (status 200)" in capsys.readouterr().err


def test_visitors_come_from_networks_of_their_own_by_address_or_by_what_a_proxy_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = ["--persona", "blind-poster", "--runs", "3", "--rate", "50"]
    seen: list[tuple[str, str, str | None]] = []
    with page(FORM, seen=seen) as url:
        assert main(["attack", url, *own]) == 0
        direct = [each for each in seen if each[0] == "POST"]
        seen.clear()
        assert main(["attack", url, *own, "--forwarded"]) == 0
        forwarded = [each for each in seen if each[0] == "POST"]
    capsys.readouterr()
    assert [proxy for _, _, proxy in direct] == [None] * 3
    assert {peer for _, peer, _ in forwarded} == {"127.0.0.1"}
    assert len({proxy for _, _, proxy in forwarded}) == 3
    assert all(ip_address(str(proxy)) in ip_network("198.18.0.0/15") for _, _, proxy in forwarded)
    if sys.platform == "linux":  # where all of 127.0.0.0/8 is this machine
        assert len({peer for _, peer, _ in direct}) == 3


@pytest.mark.slow
def test_a_person_who_is_refused_makes_the_exit_code_one(capsys: pytest.CaptureFixture[str]) -> None:
    with page(FORM, posted=403) as url:  # the quickest of all these people: thirteen seconds
        assert main(["attack", url, "--persona", "paster", "--runs", "1", "--seed", "75", "--json"]) == 1
    (line,) = json.loads(capsys.readouterr().out)["personas"]
    assert (line["persona"], line["n"], line["rejected"], line["lost"]) == ("paster", 1, 1, 1)


@pytest.mark.slow
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["table", "json"])
def test_ctrl_c_prints_what_was_done_and_the_exit_code_says_so(form: list[str]) -> None:
    seen: list[tuple[str, str, str | None]] = []
    own = ["--persona", "blind-poster", "--persona", "fill-all", "--runs", "5", "--rate", "50", *form]
    with page(FORM, seen=seen) as url:
        command = [sys.executable, "-c", COMMAND, "attack", url, *own]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        eventually("nobody came", lambda: sum(method == "POST" for method, _, _ in seen) == 5)
        process.send_signal(signal.SIGINT)  # while those who fill in everything wait for some seconds yet
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    if form:
        told = json.loads(out)
        assert told["whole"] is False
        assert [(each["persona"], each["errors"]) for each in told["personas"]] == [("blind-poster", 0)]
        assert told["personas"][0]["visits"] >= 1
    else:
        assert out.splitlines()[1].split()[0] == "blind-poster"
        assert "fill-all" not in out
        assert out.endswith("stopped: this is what was finished\n")


@pytest.mark.browser
@pytest.mark.slow
def test_a_browser_comes_too_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found_chromium()
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path}/site.db"
    own = ["--browser", "--forwarded", "--persona", "plain-headless", "--runs", "1"]
    with DemoSite({"store_url": store, "trusted_proxies": "loopback"}) as site:
        assert main(["attack", f"{site.url}/contact", *own, "--store", store, "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)["personas"]
    assert (line["persona"], line["n"], line["accepted"], line["quarantined"]) == ("plain-headless", 1, 0, 1)


def test_a_browser_persona_without_the_browser_is_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with page(FORM) as url:
        assert main(["attack", url, "--persona", "browser-typist"]) == 2
    assert "--browser adds the browser set" in capsys.readouterr().err


def test_every_persona_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["attack", "--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed[: len(BOTS) + len(PEOPLE)] == [each.name for each in (*BOTS, *PEOPLE)]


@pytest.mark.slow
def test_g29_with_the_store_held_is_told_from_accepted_and_without_it_both_are_thanked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    store = f"sqlite:///{tmp_path}/site.db"
    own = ["--persona", "blind-poster", "--runs", "4", "--rate", "50"]
    with DemoSite({"store_url": store}) as site:
        assert main(["attack", f"{site.url}/contact", *own, "--store", store, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert main(["attack", f"{site.url}/contact", *own]) == 0
        outside = capsys.readouterr().out
    (line,) = told["personas"]
    assert told["store_read"]
    assert (line["n"], line["accepted"], line["auto_replies"], line["errors"]) == (4, 0, 0, 0)
    assert line["quarantined"] + line["asked"] + line["rejected"] == 4
    assert "thanked" in outside.splitlines()[0]
    assert "--store" in outside


def test_a_line_counts_posts_receipts_and_what_was_lost() -> None:
    sent = (
        Sent(status=200, seen=Seen.ASKED, typed_kept=True),
        Sent(status=200, seen=Seen.THANKED, receipt="FW-1", typed_kept=True),
        Sent(status=200, seen=Seen.THANKED, receipt="FW-2", typed_kept=True),
        Sent(status=403, seen=Seen.REJECTED, receipt="FW-3"),
    )
    found = {
        "FW-1": Found(state="done", replied=True),
        "FW-2": Found(state="held", replied=False),
        "FW-3": Found(state="rejected", replied=False),
    }
    tried = [Tried(persona=PEOPLE[0], sent=sent), Tried(persona=PEOPLE[0], error="gone")]
    line = line_of(PEOPLE[0], tried, found)
    assert (line.visits, line.n, line.accepted, line.quarantined) == (2, 4, 1, 1)
    assert (line.rejected, line.asked, line.errors, line.lost, line.replies) == (1, 1, 1, 1, 1)
    outside = line_of(PEOPLE[0], tried, None)
    assert (outside.accepted, outside.quarantined, outside.replies, outside.thanked) == (None, None, None, 2)
    assert table([outside])[1].endswith("?")


def test_a_wait_ends_at_once_when_the_attack_is_stopped() -> None:
    pace = Pace(1_000)
    pace.stop()
    with pytest.raises(StoppedError):
        pace.wait(3_600)
