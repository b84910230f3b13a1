"""A worker with everything around it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from urllib.parse import parse_qsl, urlencode

from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.compose import Composer
from formwarden.mail.copies import REMEMBERED
from formwarden.mail.gathering import CHARACTERS
from formwarden.mail.outbox import Outbox
from formwarden.mail.replies import Replies
from formwarden.mail.sender import Sender, SendResult, SendState
from formwarden.mail.settings import Mail
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.staff_outbox import StaffOutbox
from formwarden.mail.staff_settings import Staffing
from formwarden.scoring import Verdict
from formwarden.site import Site
from formwarden.stores.ports import Inquiries, Inquiry, Ledger, Staff, Store
from formwarden.submission import Fields
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.mail.gate_samples import (
    CLIENTS,
    FORMS,
    OPEN,
    SITE,
    RecordingSender,
    Reports,
    inquiry_of,
    numbered_entropy,
    row_of,
    verdict,
)

ANN = "ann@example.com"
MINUTE = 60.0
QUARTER = 900.0
TAKEN = SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued")
DEAD = SendResult(state=SendState.REFUSED, code=550, text="5.1.1 no such user")
POLICY = SendResult(state=SendState.REFUSED, code=550, text="5.7.1 we do not like you")
DOWN = SendResult(state=SendState.NOT_SENT, text="connect: refused")
BROKEN = SendResult(state=SendState.UNKNOWN, text="DATA: connection lost")
OFFICE, BOSS = "office@example.org", "boss@example.org"


def fields_of(inquiry: Inquiry) -> Fields:
    return Fields(parse_qsl((inquiry.body or b"").decode()))


def typed_of(inquiry: Inquiry) -> tuple[Fields, tuple[str, ...]]:
    return fields_of(inquiry), ()


@dataclass(kw_only=True)
class Desk:
    """One worker with everything around it."""

    store: Store
    clock: MovableClock
    settings: Mail = OPEN
    site: Site = SITE
    forms: Mapping[str, GuardedForm] = field(default_factory=lambda: FORMS)
    sender: Sender = field(default_factory=RecordingSender)
    checker: Reports = field(default_factory=Reports)
    ledger: Ledger | None = None
    inquiries: Inquiries | None = None
    copies_remembered: int = REMEMBERED
    staffing: Staffing = field(default_factory=Staffing)
    characters: int = CHARACTERS

    def __post_init__(self) -> None:
        ledger = self.ledger or self.store.ledger
        self.faults = Faults(self.clock)
        self.tokens = Tokens(("a key of thirty-two characters..",), clock=self.clock, entropy=numbered_entropy())
        self.replies = Replies(
            ledger,
            self.store.recipient_keys,
            CLIENTS,
            settings=self.settings,
            site=self.site,
            forms=FORMS,
            clock=self.clock,
            faults=self.faults,
        )
        self.outbox = Outbox(
            ledger=ledger,
            inquiries=self.inquiries or self.store.inquiries,
            replies=self.replies,
            composer=Composer(self.site, self.settings, self.tokens, self.clock, numbered_entropy()),
            fields_of=fields_of,
            sender=self.sender,
            checker=self.checker,
            forms=self.forms,
            settings=self.settings,
            clock=self.clock,
            faults=self.faults,
        )
        self.staff_outbox = StaffOutbox(
            inquiries=self.inquiries or self.store.inquiries,
            replies=self.replies,
            mail=StaffMail(self.site, self.settings, self.clock, numbered_entropy(), self.staffing),
            staffing=self.staffing,
            characters=self.characters,
            typed_of=typed_of,
            sender=self.sender,
            checker=self.checker,
            forms=self.forms,
            settings=self.settings,
            clock=self.clock,
            faults=self.faults,
            copies_remembered=self.copies_remembered,
        )

    @property
    def relay(self) -> RecordingSender:
        assert isinstance(self.sender, RecordingSender)
        return self.sender

    async def accept(self, wanted: Verdict, **kept: object) -> str:
        """Keep the inquiry and ask for its reply, as the way does."""
        await self.store.inquiries.keep(inquiry_of(wanted, **kept), lease_s=0.0)
        return (await self.replies.reply(wanted)).code

    async def state(self, wanted: Verdict) -> str:
        return (await row_of(self.store, wanted)).state

    async def tell_staff(self, wanted: Verdict) -> None:
        body = urlencode({"email": wanted.address or "", "message": "hello there"}).encode()
        await self.store.inquiries.keep(inquiry_of(wanted, body=body, staff=Staff.DUE), lease_s=0.0)

    async def staff_of(self, wanted: Verdict) -> tuple[Staff, str]:
        kept = await self.store.inquiries.get(wanted.id)
        assert kept is not None
        return kept.staff, kept.staff_note


class DyingSender:
    """The process ends in mid-conversation, after the relay has the whole mail."""

    def __init__(self) -> None:
        self.mails = 0

    async def send(self, _envelope_from: str, _recipient: str, _data: bytes, /, *, deadline_s: float) -> SendResult:
        self.mails += 1
        raise asyncio.CancelledError(deadline_s)


async def tell_many(
    desk: Desk, count: int, *, prints: Sequence[str] = (), message: str = "hello there"
) -> list[Verdict]:
    """Keep so many inquiries whose staff mail is due from now on."""
    told = []
    for _ in range(count):
        asked = verdict()
        body = urlencode({"email": asked.address or "", "message": message}).encode()
        facts = {"observation": {"prints": list(prints)}, "standing": "shown", "judged": "accept"}
        await desk.store.inquiries.keep(inquiry_of(asked, body=body, staff=Staff.NONE, facts=facts), lease_s=0.0)
        await desk.store.inquiries.staff(asked.id, to=Staff.DUE, due_at=desk.clock.now())
        told.append(asked)
    return told


def texts(desk: Desk, to: str = OFFICE) -> list[str]:
    mails = [mail for mail in desk.relay.mails if mail.recipient == to]
    return [message_from_bytes(mail.data, policy=default).get_content().replace("\r\n", "\n") for mail in mails]


def subjects(desk: Desk) -> list[str]:
    return [str(message_from_bytes(mail.data, policy=default)["Subject"]) for mail in desk.relay.mails]


async def drain(desk: Desk, hours: float, pace_s: float = 60.0) -> None:
    """Let the worker run for so long."""
    for _ in range(int(hours * 3_600.0 / pace_s)):
        while await desk.staff_outbox.step():
            pass
        desk.clock.move(pace_s)
