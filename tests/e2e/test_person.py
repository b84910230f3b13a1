"""A person with a real browser, a real relay, real DNS, a real server."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message

import pytest
from playwright.sync_api import Browser

from tests.e2e.demo_site import DemoSite, eventually
from tests.e2e.people import SENTENCE, fill_in, person_browser, visit
from tests.servers.smtp import SmtpPeer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SATZ = "こんにちは。先週からチェロの開放弦が鳴るようになりました。一度見ていただけますか。"
DOMAIN = "workshop-of-strings.net"


@pytest.fixture(scope="module")
def person() -> Iterator[Browser]:
    """A browser that no program seems to drive."""
    with person_browser() as browser:
        yield browser


def mail_to(peer: SmtpPeer, address: str) -> list[Message]:
    return [message_from_bytes(mail.data) for mail in peer.mails if mail.rcpt_tos == (address,)]


def settings(peer: SmtpPeer) -> dict[str, str]:
    return {"smtp_url": peer.url, "site_domain": DOMAIN, "staff_address": f"staff@{DOMAIN}"}


@pytest.mark.parametrize(
    ("language", "scripts", "message", "subject"),
    [
        ("en-GB", True, SENTENCE, "Auto: "),
        ("ja-JP", True, SATZ, "受付番号"),
        ("en-GB", False, SENTENCE, "Auto: "),
    ],
    ids=["english", "japanese", "scripts off"],
)
def test_a_person_is_accepted_the_staff_are_told_and_one_auto_reply_leaves(
    *, person: Browser, language: str, scripts: bool, message: str, subject: str
) -> None:
    address = "hanako.sato.cello@gmail.com"
    with SmtpPeer() as peer, DemoSite(settings(peer)) as site:
        context = visit(person, language=language, scripts=scripts)
        text = fill_in(context, site.url, name="Hanako Sato", address=address, message=message)
        peer.wait_for(2)
        [inquiry] = site.overview().inquiries
        context.close()
    receipt = str(inquiry["receipt"])
    assert receipt in text
    assert message in text
    assert inquiry["state"] == "done"
    [reply], [staff] = mail_to(peer, address), mail_to(peer, f"staff@{DOMAIN}")
    assert reply["Auto-Submitted"] == "auto-generated"
    assert receipt in _subject(reply)
    assert subject in _subject(reply)
    assert message not in _body(reply)
    assert "Hanako" not in _body(reply)
    assert message in _body(staff)
    assert staff["Reply-To"] == address
    assert len(peer.mails) == 2


def test_a_browser_with_scripts_stands_higher_than_one_without(person: Browser) -> None:
    with SmtpPeer() as peer, DemoSite(settings(peer)) as site:
        for scripts in (True, False):
            context = visit(person, language="en-GB", scripts=scripts)
            text = SENTENCE if scripts else SENTENCE[::-1]
            fill_in(context, site.url, name="Hanako", address=f"h.sato{scripts:d}@gmail.com", message=text)
            context.close()
        eventually("both are done", lambda: site.overview().states() == {"done": 2})
        without, with_scripts = site.overview().inquiries
    assert with_scripts["standing"] == "shown"
    assert without["standing"] == "plain"


def _subject(mail: Message) -> str:
    from email.header import decode_header, make_header

    return str(make_header(decode_header(str(mail["Subject"]))))


def _body(mail: Message) -> str:
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()
