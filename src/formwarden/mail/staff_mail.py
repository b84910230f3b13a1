"""Writes the staff's mail: every field as it was typed, in the body and nowhere else."""

import re
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import SettingsError
from formwarden.mail.compose import (
    BASIC_HEADERS,
    Composed,
    Draft,
    new_message_id,
    own_address,
    received_text,
    site_label,
    write,
)
from formwarden.mail.headers import Mailbox, parse_mailbox
from formwarden.mail.settings import Mail
from formwarden.site import Site
from formwarden.submission import Fields

STAFF_HEADERS: Final = BASIC_HEADERS | {"reply-to"}
# What a mail program would not show, or would show as something else: C0 but tab and line feed, C1, line and
# paragraph separators, marks that turn the writing round, halves of characters.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# what a framework puts into each form against forged requests: no person wrote it, and none reads it
FRAMEWORKS: Final = re.compile(r"^_?[cx]srf|^authenticity_token$|^__viewstate", re.IGNORECASE)
_UNSEEN_IN_NAME: Final = re.compile("[\t\n]|" + _UNSEEN.pattern)


class StaffMail:
    """Writes one mail for each staff address. Raises SettingsError at construction for one that is no address."""

    def __init__(self, site: Site, mail: Mail, clock: Clock, entropy: Entropy) -> None:
        self._site = site
        self._mail = mail
        self._clock = clock
        self._entropy = entropy
        self._staff = _staff_of(site)

    def compose(
        self,
        *,
        form: str,
        fields: Fields,
        receipt: str,
        received_at: float,
        score: float,
        reply_to: str | None,
        address: str | None,
        uploads: tuple[str, ...] = (),
        subject_prefix: str = "",
        note: str = "",
    ) -> tuple[Composed, ...]:
        """Write an inquiry's mails; none where no staff address is set.

        `uploads` are file names; `address` is the submitter's, `reply_to` the same where answering it is safe.
        Raises ComposeError where no sender is set, or a mail would carry a header that is not ours.
        """
        if not self._staff:
            return ()
        sender = own_address(self._site, self._mail)
        answer_to = _reply_to(reply_to)
        head = (
            f"Form: {shown_name(form)}",
            f"Receipt: {shown_name(receipt)}",
            f"Received: {received_text(received_at, 'en')}",
            f"Score: {score:.1f}",
            *_address_lines(address, answer_to),
            *((f"Note: {shown_name(note)}",) if note else ()),
        )
        text = "\n".join((*head, "", *_field_lines(fields), *_upload_lines(uploads)))
        subject = " ".join((subject_prefix, f"{form}: inquiry {receipt}"))
        return tuple(self._write(sender, to, subject, text, answer_to) for to in self._staff)

    def _write(self, sender: Mailbox, to: Mailbox, subject: str, text: str, reply_to: str | None) -> Composed:
        draft = Draft(
            sender=sender,
            name=site_label(self._site, sender),
            recipient=to,
            subject=subject,
            text=text + "\n",
            date=self._clock.now(),
            message_id=new_message_id(self._entropy, sender),
        )
        data = write(draft, STAFF_HEADERS, reply_to=reply_to)
        return Composed(envelope_from=sender.address, recipient=to.address, data=data)


def shown(value: str) -> str:
    r"""Return what was typed, line ends as they are, and what cannot be seen written as `\x00` or `\u202e`."""
    return _UNSEEN.sub(_escape, value.replace("\r\n", "\n"))


def shown_name(name: str) -> str:
    """Return a name on one line."""
    return _UNSEEN_IN_NAME.sub(_escape, name)


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - what two hex digits hold


def _staff_of(site: Site) -> tuple[Mailbox, ...]:
    mailboxes = [parse_mailbox(address) for address in site.staff_address]
    if None in mailboxes:
        number = mailboxes.index(None) + 1
        raise SettingsError(
            (f"FORMWARDEN_STAFF_ADDRESS: number {number} is not one plain address such as office@example.org",)
        )
    return tuple(dict.fromkeys(mailbox for mailbox in mailboxes if mailbox is not None))


def _reply_to(address: str | None) -> str | None:
    """Return the address if it may stand in a header: one plain address in ASCII."""
    mailbox = parse_mailbox(address) if address is not None else None
    return mailbox.address if mailbox is not None and mailbox.ascii else None


def _address_lines(address: str | None, reply_to: str | None) -> tuple[str, ...]:
    if not address:
        return ()
    line = f"Address: {shown_name(address)}"
    return (line,) if reply_to else (line, "(not in Reply-To: look at it before you answer)")


def _field_lines(fields: Fields) -> tuple[str, ...]:
    lines: list[str] = []
    for name, value in fields.pairs:
        if FRAMEWORKS.search(name):
            continue
        text = shown(value)
        label = f"{shown_name(name)}:"
        lines.extend((label, text, "") if "\n" in text else (f"{label} {text}",))
    return tuple(lines)


def _upload_lines(uploads: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"File: {shown_name(name)}" for name in uploads)
