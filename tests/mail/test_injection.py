"""Hostile texts through every field that could reach a header; what counts is the bytes the SMTP peer got."""

import base64
import quopri
import re
from collections.abc import Callable, Sequence
from typing import Final

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import ComposeError
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.compose import Composed, Composer
from formwarden.mail.sender import SendState
from formwarden.mail.settings import Mail
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_mail import StaffMail
from formwarden.site import Site
from formwarden.submission import Fields
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.servers.smtp import Delivery, SmtpPeer

NOW: Final = 1_790_000_000.0
STAFF: Final = "office@site.example"
VISITOR: Final = "bob@example.org"
INJECTED: Final = "Bcc: victim@evil.example"
BREAKS: Final = (
    "\r",
    "\n",
    "\r\n",
    "\r\n ",
    "\n\n",
    "\r\n\r\n",
    "\0",
    "\x85",
    "\u2028",
    "\u2029",
    "\x0b",
    "\x0c",
    "\x1e",
)


def _word(text: str, charset: str = "utf-8") -> str:
    return f"=?{charset}?b?{base64.b64encode(text.encode(charset)).decode()}?="


TEXTS: Final = (
    *(f"Bob{separator}{INJECTED}" for separator in BREAKS),
    *(f"{separator}{INJECTED}{separator}" for separator in BREAKS),
    "=?utf-8?q?Bob=0D=0ABcc:_v@x?=",
    "=?UTF-8?Q?Bob=0ABcc:_v@x?=",
    "=?iso-8859-1?q?=0D=0ABcc:_v@x?=",
    "=?utf-8?q?a?==?utf-8?q?=0D=0ABcc:_v@x?=",
    "=?utf-8*en?q?=0D=0ABcc:_v@x?=",
    _word(f"Bob\r\n{INJECTED}"),
    _word(f"Bob\r\n{INJECTED}", "utf-7"),
    _word(_word(f"Bob\r\n{INJECTED}")),
    _word("=?utf-8?q?Bob=0D=0ABcc:_v@x?="),
    "==??utf-8?q?Bob=0D=0ABcc:_v@x?=",
    "=\0?utf-8?q?Bob=0D=0ABcc:_v@x?=",
    "=\u200b?utf-8?q?Bob=0D=0ABcc:_v@x?=",
    "bob@example.org, victim@evil.example",
    "bob@example.org; victim@evil.example",
    "friends: bob@example.org, victim@evil.example;",
    "<victim@evil.example>",
    "Bob <bob@example.org>, Eve <victim@evil.example>",
    '"Bob" <victim@evil.example>',
    '" <victim@evil.example>, "',
    '\\" <victim@evil.example>, \\"',
    "(comment) victim@evil.example",
    "victim@evil.example",
    "\u202emoc.elpmaxe@bob",
    "%0d%0aBcc: victim@evil.example",
    "\ud800\udc00 half",
    "n" * 10_000,
    "名" * 10_000,
    "n " * 5_000 + "\r\n" + INJECTED,
    "x" * 998 + "\r\n" + INJECTED,
    "x" * 100_000,
)
ADDRESSES: Final = tuple(
    address
    for text in TEXTS
    for address in (text, f"bob{text}@example.org", f"bob@example.org{text}", f"{text}bob@example.org", f"bob@{text}")
)


# -------------------------------------------------------------------- a parser that breaks lines wherever anybody may
def headers_of(data: bytes) -> dict[str, str]:
    """Read headers as the most gullible reader would: every line break of Unicode ends a line, words are decoded."""
    headers: dict[str, str] = {}
    name = ""
    for line in data.partition(b"\r\n\r\n")[0].decode("utf-8").splitlines():
        if line[:1] in {" ", "\t"}:
            headers[name] += line
            continue
        name, colon, value = line.partition(":")
        assert colon, f"a line that is no header: {line!r}"
        assert name.lower() not in headers, f"{name} twice"
        name = name.lower()
        headers[name] = value.strip()
    return {name: decoded(value) for name, value in headers.items()}


def decoded(value: str) -> str:
    """Decode encoded words until there is none."""
    pattern = re.compile(r"=\?[^?]*\?([bBqQ])\?([^?]*)\?=")
    while found := pattern.search(value):
        kind, text = found.groups()
        data = base64.b64decode(text) if kind in "bB" else quopri.decodestring(text.replace("_", " "))
        value = value[: found.start()] + data.decode("utf-8", "replace") + value[found.end() :]
        assert len(value.splitlines()) == 1, f"a line break inside {value!r}"
    return value


def mailboxes(value: str) -> list[str]:
    """Find the addresses of a header: what holds an @ when quoted names are gone."""
    return re.findall(r"[^\s<>,;]+@[^\s<>,;]+", re.sub(r'"(?:[^"\\]|\\.)*"', "", value))


def assert_harmless(delivery: Delivery, sent: Composed, expected: set[str]) -> None:
    headers = headers_of(delivery.data)
    assert delivery.rcpt_tos == (sent.recipient,)
    assert set(headers) == expected
    assert headers["to"] == sent.recipient
    assert mailboxes(headers["from"]) == ["noreply@site.example"]
    assert delivery.mail_from == sent.envelope_from
    assert delivery.mail_from.endswith("@site.example")
    assert all(len(line) <= 998 for line in delivery.data.split(b"\r\n"))


# ------------------------------------------------------------------------------------------------------------- fields
def staff(**hostile: str) -> tuple[Composed, ...]:
    site = Site(site_domain="site.example", site_name=hostile.get("site_name"), staff_address=(STAFF,))
    return StaffMail(site, Mail(), MovableClock(NOW), system_entropy).compose(
        form=hostile.get("form", "contact"),
        fields=Fields([(hostile.get("field", "message"), hostile.get("value", "hello"))]),
        uploads=(hostile.get("file", "a.pdf"),),
        receipt=hostile.get("receipt", "F-1"),
        received_at=NOW,
        score=0.0,
        reply_to=hostile.get("reply_to"),
        address=hostile.get("address", VISITOR),
        subject_prefix=hostile.get("subject_prefix", ""),
        note=hostile.get("note", ""),
    )


def reply(**hostile: str) -> tuple[Composed, ...]:
    """Write a reply; none where it was refused."""
    site = Site(site_domain="site.example", site_name=hostile.get("site_name"))
    clock = MovableClock(NOW)
    tokens = Tokens(("k" * 32,), clock=clock, entropy=system_entropy)
    try:
        composed = Composer(site, Mail(), tokens, clock, system_entropy).reply(
            AutoReply(),
            recipient=hostile.get("recipient", VISITOR),
            language=hostile.get("language", "ja"),
            reference=hostile.get("reference", "F-1"),
            received_at=NOW,
            reply_id=bytes(16),
        )
    except ComposeError:
        return ()
    return (composed,)


async def through(peer: SmtpPeer, mails: Sequence[Composed]) -> tuple[Delivery, ...]:
    peer.clear()
    sender = SmtpSender(peer.url, hello="web.site.example")
    for mail in mails:
        result = await sender.send(mail.envelope_from, mail.recipient, mail.data, deadline_s=10.0)
        assert result.state is SendState.TAKEN, result
    return await peer.arrived(len(mails))


async def assert_nothing_is_added(
    write: Callable[..., tuple[Composed, ...]],
    field: str,
    texts: Sequence[str],
    may_add: frozenset[str] = frozenset(),
) -> int:
    """Write with each text in this field, send what is written, and compare with a mail without it."""
    (plain,) = write()
    expected = set(headers_of(plain.data))
    mails = [mail for text in texts for mail in write(**{field: text})]
    with SmtpPeer() as peer:
        for sent, delivery in zip(mails, await through(peer, mails), strict=True):
            assert_harmless(delivery, sent, expected | (set(headers_of(sent.data)) & may_add))
            assert sent.recipient == plain.recipient or field == "recipient"
    return len(mails)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "field", ["site_name", "form", "receipt", "field", "value", "file", "address", "subject_prefix", "note"]
)
async def test_r21_no_text_adds_a_header_to_the_staffs_mail_and_none_keeps_it_from_leaving(field: str) -> None:
    assert await assert_nothing_is_added(staff, field, TEXTS) == len(TEXTS)


@pytest.mark.anyio
async def test_r21_no_address_adds_more_than_one_reply_to_to_the_staffs_mail() -> None:
    sent = await assert_nothing_is_added(staff, "reply_to", ADDRESSES, frozenset({"reply-to"}))
    assert sent == len(ADDRESSES)
    for text in ADDRESSES:
        (mail,) = staff(reply_to=text)
        assert headers_of(mail.data).get("reply-to", text) == text


@pytest.mark.anyio
@pytest.mark.parametrize("field", ["site_name", "reference", "language"])
async def test_r21_no_text_adds_a_header_to_a_reply(field: str) -> None:
    sent = await assert_nothing_is_added(reply, field, TEXTS)
    assert sent == {"site_name": len(TEXTS), "reference": 0, "language": len(TEXTS)}[field]


@pytest.mark.anyio
async def test_r05_no_address_makes_a_reply_go_anywhere_else() -> None:
    accepted = [text for text in ADDRESSES if reply(recipient=text)]
    await assert_nothing_is_added(reply, "recipient", accepted)
    # only those that are one plain address, as odd as it may look, got a mail; the victim's own is one of them
    assert set(accepted) <= {text for text in ADDRESSES if re.fullmatch(r"[^\s@,;:<>()\"\\]+@[a-z0-9.-]+", text)}
    assert all(mail.recipient == text for text in accepted for mail in reply(recipient=text))
