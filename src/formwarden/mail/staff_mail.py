"""Writes the staff's mail: every field as it was typed, in the body and nowhere else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import SettingsError
from formwarden.forms import GuardedForm
from formwarden.mail.compose import (
    AUTOMATIC,
    BASIC_HEADERS,
    Composed,
    Draft,
    new_message_id,
    own_address,
    received_text,
    site_label,
    write,
)
from formwarden.mail.dkim import DkimSigner
from formwarden.mail.headers import Mailbox, parse_mailbox
from formwarden.mail.settings import Mail
from formwarden.mail.staff_settings import DEFAULTS, Staffing
from formwarden.site import Site
from formwarden.submission import Fields

STAFF_HEADERS: Final = BASIC_HEADERS | {"reply-to"}
# What a mail program would not show, or would show as something else: C0 but tab and line feed, C1, line and
# paragraph separators, marks that turn the writing round, halves of characters.
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# what a framework puts into each form against forged requests: no person wrote it, and none reads it
FRAMEWORKS: Final = re.compile(r"^_?[cx]srf|^authenticity_token$|^__viewstate", re.IGNORECASE)
_UNSEEN_IN_NAME: Final = re.compile("[\t\n]|" + _UNSEEN.pattern)
SHORT: Final = 40  # characters: what is no longer is written out again, though the one above has it too


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One inquiry as the staff is told of it. `address` is the submitter's."""

    form: str
    fields: Fields
    receipt: str
    received_at: float
    score: float
    address: str | None
    uploads: tuple[str, ...] = ()  # file names
    note: str = ""


class StaffMail:
    """Writes one mail for each staff address. Raises SettingsError at construction for one that is no address."""

    def __init__(
        self,
        site: Site,
        mail: Mail,
        clock: Clock,
        entropy: Entropy,
        staffing: Staffing = DEFAULTS,
        *,
        signer: DkimSigner | None = None,
    ) -> None:
        self._site = site
        self._mail = mail
        self._clock = clock
        self._entropy = entropy
        self._signer = signer
        self._marks = () if staffing.staff_mailbox == "helpdesk" else AUTOMATIC  # a help desk suspends such mail
        self._staff = {mailbox.address: mailbox for mailbox in _staff_of(site)}

    @property
    def staff(self) -> tuple[str, ...]:
        """Who gets it."""
        return tuple(self._staff)

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
        told = Told(
            form=form,
            fields=fields,
            receipt=receipt,
            received_at=received_at,
            score=score,
            address=address,
            uploads=uploads,
            note=note,
        )
        answer_to = _reply_to(reply_to)
        text = entry(told, answer_to=answer_to)
        subject = " ".join((subject_prefix, f"{form}: inquiry {receipt}"))
        return tuple(self.letter(to, subject, text, reply_to=answer_to) for to in self._staff)

    def letter(self, to: str, subject: str, text: str, *, reply_to: str | None = None) -> Composed:
        """Write one mail of our own words to one of the staff. Raises ComposeError as `compose` does."""
        sender = own_address(self._site, self._mail)
        draft = Draft(
            sender=sender,
            name=site_label(self._site, sender),
            recipient=self._staff[to],
            subject=subject,
            text=text + "\n",
            date=self._clock.now(),
            message_id=new_message_id(self._entropy, sender),
            marks=self._marks,
        )
        data = write(draft, STAFF_HEADERS, reply_to=reply_to, signer=self._signer)
        return Composed(envelope_from=sender.address, recipient=to, data=data)


def entry(told: Told, *, answer_to: str | None = None, above: Told | None = None) -> str:
    """Return what the staff reads of one inquiry; long fields that are those of the one `above` are not repeated."""
    head = (
        f"Form: {shown_name(told.form)}",
        f"Receipt: {shown_name(told.receipt)}",
        f"Received: {received_text(told.received_at, 'en')}",
        f"Score: {told.score:.1f}",
        *_address_lines(told.address, answer_to),
        *((f"Note: {shown_name(told.note)}",) if told.note else ()),
    )
    return "\n".join((*head, "", *_field_lines(told.fields, above), *_upload_lines(told.uploads)))


def typed_address(form: GuardedForm | None, fields: Fields) -> str | None:
    """Read the address from what was typed: the recipient may be erased by now. None where it is not one."""
    typed = {value.strip() for value in fields.all(form.address) if value.strip()} if form is not None else set()
    return typed.pop() if len(typed) == 1 else None


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


def _field_lines(fields: Fields, above: Told | None) -> tuple[str, ...]:
    lines: list[str] = []
    known: Sequence[tuple[str, str]] = above.fields.pairs if above is not None else ()
    for name, value in fields.pairs:
        if FRAMEWORKS.search(name):
            continue
        text = shown(value)
        if above is not None and len(value) > SHORT and (name, value) in known:
            text = f"(the same as in {shown_name(above.receipt)})"
        label = f"{shown_name(name)}:"
        lines.extend((label, text, "") if "\n" in text else (f"{label} {text}",))
    return tuple(lines)


def _upload_lines(uploads: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"File: {shown_name(name)}" for name in uploads)
