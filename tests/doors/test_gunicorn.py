"""Flask and Django under gunicorn: sync and threaded, with and without `--preload`; the examples as they stand."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from formwarden import GuardedForm, Settings, Warden
from formwarden.demo.played_dns import PlayedDns
from formwarden.desk.overview import Row
from formwarden.desk.rebuild import parsed
from formwarden.stores.ports import State
from tests.doors.gunicorns import gunicorn
from tests.e2e.demo_site import page_fields
from tests.servers.smtp import SmtpPeer
from tests.test_examples import BROWSER

pytestmark = pytest.mark.slow
APPS = ("flask_contact:app", "django_contact:application")
STAFF = "staff@shop-1.played"
PERSON = "hanako@gmail.com"
TYPED = {"name": "Hanako", "email": PERSON, "message": "Do you repair violins from the twenties? 修理できますか"}
PHOTO = ("violin 1.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "image/png")
BOT = {"name": "Bob", "email": "bob@gmail.com\r\nBcc: ann@gmail.com", "message": "Cheap backlinks!"}


@dataclass
class Surroundings:
    """What lies outside of a site."""

    relay: SmtpPeer
    dns: PlayedDns

    def settings(self, directory: Path) -> dict[str, str]:
        return {
            "secret_keys": "k" * 40,
            "site_domain": "shop-1.played",
            "staff_address": STAFF,
            "smtp_url": self.relay.url,
            "dns_servers": self.dns.address,
            "store_url": f"sqlite:///{directory}/fw.db",
            "weights": "too_young=0",  # these people read and type in no time
            "on_hold": "digest",  # what is held before the fork is told another day
        }


@pytest.fixture(scope="module")
def surroundings() -> Iterator[Surroundings]:
    with SmtpPeer() as relay, PlayedDns().in_thread() as dns:
        yield Surroundings(relay=relay, dns=dns)


async def kept(settings: dict[str, str]) -> tuple[Row, ...]:
    """What the owner sees."""
    warden = Warden(GuardedForm("contact"), settings=Settings.only(**settings, work="cron"))
    rows = (await warden.overview()).rows
    await warden.aclose()
    return rows


def recipients(relay: SmtpPeer) -> list[str]:
    return sorted(address for mail in relay.mails for address in mail.rcpt_tos)


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["", "preload"])
@pytest.mark.parametrize("worker", ["sync", "gthread"])
@pytest.mark.parametrize("app", APPS, ids=["flask", "django"])
def test_a_site_takes_inquiries_and_answers_bots(
    app: str, worker: str, preload: tuple[str, ...], surroundings: Surroundings, tmp_path: Path
) -> None:
    relay, settings = surroundings.relay, surroundings.settings(tmp_path)
    relay.clear()
    workers = ("--workers", "2" if preload else "1", "--worker-class", worker, "--threads", "2")
    with (
        gunicorn(app, tmp_path, settings, *workers, *preload) as served,
        httpx2.Client(base_url=served.url, headers=BROWSER, timeout=30) as browser,
    ):
        # a person: page and style sheet, a form with a file, the copy, both mails; nobody asks for anything more
        page = browser.get("/contact")
        assert page.headers["cache-control"] == "private, no-store"
        (style,) = re.findall(r'href="(\S+\.css)"', page.text)
        assert browser.get(style).headers["content-type"] == "text/css; charset=utf-8"
        sent = {**page_fields(page.text), **TYPED}
        own = {"origin": served.url, "referer": f"{served.url}/contact"}
        answer = browser.post("/contact", data=sent, files={"photo": PHOTO}, headers=own)
        assert answer.is_redirect, answer.text
        thanks = browser.get(answer.headers["location"])
        assert TYPED["message"] in thanks.text
        assert "csrf" not in thanks.text
        assert browser.get("/thanks").status_code == 200
        relay.wait_for(2)

        # a bot that tries to add recipients: answered by a page of ours, and kept with its reasons
        hidden = {name: value for name, value in page_fields(browser.get("/contact").text).items() if value}
        refused = browser.post("/contact", data=hidden | BOT, headers={"user-agent": "python-requests/2.32"})
        assert (refused.status_code, "FW-" in refused.text) == (403, True)

        # a second click, wherever it goes: the same answer, and no second mail
        for _ in range(3):
            again = browser.post("/contact", data=sent, files={"photo": PHOTO}, headers=own)
            assert again.headers["location"].partition("?")[0] == answer.headers["location"].partition("?")[0]
    log = served.log.read_text(encoding="utf-8")
    assert ("before the fork: recorded=True" in log) == bool(preload)
    assert "Traceback" not in log

    rows = asyncio.run(kept(settings))
    by_state = {row.inquiry.state: row for row in rows}
    assert set(by_state) == {State.DONE, State.REJECTED, *([State.HELD] if preload else [])}
    body = parsed(by_state[State.DONE].inquiry)
    assert (body.fields["message"], body.contents) == (TYPED["message"], (PHOTO[1],))
    assert [upload.filename for upload in body.uploads] == [PHOTO[0]]
    assert parsed(by_state[State.REJECTED].inquiry).fields["message"] == BOT["message"]
    assert recipients(relay) == [PERSON, STAFF]
