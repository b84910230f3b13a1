"""`formwarden attack` refuses what is not yours, is bounded, and counts what became of every persona."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from formwarden.cli import main
from formwarden.cli.attack_pace import Pace, StoppedError
from formwarden.cli.attack_table import Found, Tried, line_of, table
from formwarden.testing.personas import BOTS, PEOPLE, Seen, Sent
from tests.e2e.demo_site import DemoSite


@contextmanager
def page(html: bytes) -> Iterator[str]:
    """A site that shows the same page to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(html)))
            self.end_headers()
            self.wfile.write(html)

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
