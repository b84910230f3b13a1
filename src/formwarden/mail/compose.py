"""Writes the auto-reply: our own text to one recipient, in headers that are all ours (RFC 3834, rules R1 to R21)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import ComposeError
from formwarden.mail.autoreply import REPLY_LIMIT, AutoReply
from formwarden.mail.dkim import HEADER, DkimSigner
from formwarden.mail.headers import Mailbox, check_headers, header_text, parse_mailbox
from formwarden.mail.letter import is_japanese, letter
from formwarden.mail.settings import Mail
from formwarden.mail.stop_links import StopLinks
from formwarden.mail.verp import Verp
from formwarden.site import Site
from formwarden.stores.ports import Key
from formwarden.tokens import Tokens

BASIC_HEADERS: Final = frozenset(
    {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "auto-submitted",
        "x-auto-response-suppress",
    }
)
AUTOMATIC: Final = (
    ("Auto-Submitted", "auto-generated"),  # an HTTP submission is no message to reply to (R10)
    ("X-Auto-Response-Suppress", "All"),  # Exchange knows no Auto-Submitted (R11)
)
REPLY_HEADERS: Final = BASIC_HEADERS | {"content-language"}
NONCE_BYTES: Final = 16  # of a Message-ID
SUBJECT_LIMIT: Final = 400  # characters; what a form's own names may add to the longest template
READABLE_OCTETS: Final = 20_000  # quoted-printable is made letter by letter: above this base64, which is fast
_REFERENCE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/#-]{0,63})")
_JAPAN: Final = timezone(timedelta(hours=9))
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)  # the calendar module follows the server's locale


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """One mail, ready for a relay: its envelope and its bytes."""

    envelope_from: str  # "" is the null sender
    recipient: str
    data: bytes
    stripped: bool = False  # a name was dropped that could be more than one: REFLECT_STRIPPED (row 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One mail before it is bytes. `name` and `subject` are cleaned when it is written."""

    sender: Mailbox
    name: str
    recipient: Mailbox
    subject: str
    text: str
    date: float  # seconds since the epoch
    message_id: str
    extra: tuple[tuple[str, str], ...] = ()
    marks: tuple[tuple[str, str], ...] = AUTOMATIC


class Composer:
    """Writes auto-replies; nothing that a visitor typed reaches them but the recipient's address, and a plain name.

    `signer` signs them (DKIM); `stops` makes the link to stop such mails, where there is a public URL (G30).
    """

    def __init__(
        self,
        site: Site,
        mail: Mail,
        tokens: Tokens,
        clock: Clock,
        entropy: Entropy,
        *,
        signer: DkimSigner | None = None,
        stops: StopLinks | None = None,
    ) -> None:
        self._site = site
        self._mail = mail
        self._verp = Verp(tokens)
        self._clock = clock
        self._entropy = entropy
        self._signer = signer
        self._stops = stops

    def reply(
        self,
        auto: AutoReply,
        *,
        recipient: str,
        language: str,
        reference: str,
        received_at: float,
        reply_id: bytes,
        person: str = "",
        stop: Key | None = None,
    ) -> Composed:
        """Write one auto-reply. Raises ComposeError rather than let anything leave that is not ours.

        `person` is what was typed as a name, read only where the form's text has a slot for it; `stop` is the
        recipient's hash in the ledger, whom the link in the mail stops.
        """
        to = parse_mailbox(recipient)
        if to is None:
            raise ComposeError("the recipient is not one plain address")
        if not _REFERENCE.fullmatch(reference):
            raise ComposeError("the reference is not a number of ours")
        sender = own_address(self._site, self._mail)
        spoken = auto.language_for(language) or ("ja" if is_japanese(auto.text_for(language)) else "en")
        slots = {
            "reference": reference,
            "site": site_label(self._site, sender),
            "received": received_text(received_at, spoken),
        }
        link = None if self._stops is None or stop is None else self._stops.url(stop)
        said = letter(auto, language, slots, person=person, stop=link)
        draft = Draft(
            sender=sender,
            name=slots["site"],
            recipient=to,
            subject=said.subject,
            text=said.text,
            date=self._clock.now(),
            message_id=new_message_id(self._entropy, sender),
            extra=(("Content-Language", said.language),) if said.language else (),
        )
        data = write(draft, REPLY_HEADERS, signer=self._signer)
        if len(data) > REPLY_LIMIT:
            raise ComposeError(f"the reply is {len(data)} octets, at most {REPLY_LIMIT}: shorten its text")
        envelope = self._envelope(sender, reply_id)
        return Composed(envelope_from=envelope, recipient=to.address, data=data, stripped=said.stripped)

    def _envelope(self, sender: Mailbox, reply_id: bytes) -> str:
        if self._mail.envelope == "null":
            return ""
        if self._mail.envelope == "account":
            return sender.address
        return f"{self._verp.make(reply_id, self._clock.now())}@{sender.domain}"


def own_address(site: Site, mail: Mail) -> Mailbox:
    """Return the address all our mail comes from. Raises ComposeError where none is set or it is no address."""
    if mail.mail_from is None and site.site_domain is None:
        raise ComposeError("mail has no sender: set FORMWARDEN_SITE_DOMAIN or FORMWARDEN_MAIL_FROM")
    mailbox = parse_mailbox(mail.mail_from or f"noreply@{site.site_domain}")
    if mailbox is None or not mailbox.ascii:
        name = "FORMWARDEN_MAIL_FROM" if mail.mail_from else "FORMWARDEN_SITE_DOMAIN"
        raise ComposeError(f"{name} makes no plain address such as noreply@example.org")
    return mailbox


def site_label(site: Site, sender: Mailbox) -> str:
    """Return what mails call the site."""
    return header_text(site.site_name or site.site_domain or "") or sender.domain


def received_text(at: float, language: str) -> str:
    """Return a time with its zone as people read it: Japanese has one zone, all others get UTC."""
    if language == "ja":
        time = datetime.fromtimestamp(at, _JAPAN)
        return f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}（日本時間）"
    time = datetime.fromtimestamp(at, UTC)
    if language == "en":
        return f"{time.day} {_MONTHS[time.month - 1]} {time.year}, {time:%H:%M} UTC"
    return f"{time:%Y-%m-%d %H:%M} UTC"


def new_message_id(entropy: Entropy, sender: Mailbox) -> str:
    """Make a Message-ID in our domain that tells nothing."""
    return f"<{entropy(NONCE_BYTES).hex()}@{sender.domain}>"


def write(
    draft: Draft, allowed: frozenset[str], *, reply_to: str | None = None, signer: DkimSigner | None = None
) -> bytes:
    """Serialise a mail, sign it, and parse the bytes again. Raises ComposeError."""
    message = EmailMessage(policy=SMTP if draft.recipient.ascii else SMTPUTF8)
    headers: tuple[tuple[str, str | Address], ...] = (
        ("From", Address(header_text(draft.name), draft.sender.local, draft.sender.domain)),
        ("To", draft.recipient.address),
        *((("Reply-To", reply_to),) if reply_to is not None else ()),
        ("Subject", header_text(draft.subject, SUBJECT_LIMIT)),
        ("Date", format_datetime(datetime.fromtimestamp(draft.date, UTC))),
        ("Message-ID", draft.message_id),
        *draft.marks,
    )
    try:
        for name, value in headers:
            message[name] = value
        message.set_content(draft.text, charset="utf-8", cte=_transfer_encoding(draft.text))
        for name, value in draft.extra:  # after the content, which takes all Content-* headers away
            message[name] = value
        data = message.as_bytes()
    except (ValueError, MessageError) as error:
        raise ComposeError("the mail cannot be written") from error
    if signer is not None:
        data, allowed = signer.sign(data), allowed | {HEADER}
    check_headers(data, allowed, draft.recipient.address, sender=draft.sender.address, reply_to=reply_to)
    return data


def _transfer_encoding(text: str) -> str:
    return "quoted-printable" if text.isascii() and len(text) <= READABLE_OCTETS else "base64"
