"""The staff's outbox: inquiries whose staff mail is due, one at a time or gathered, each at least once (G24)."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Final

from formwarden.clock import Clock
from formwarden.errors import ComposeError, StoreError
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.copies import REFUSED_S, REMEMBERED, Copies, Copy, wait_s, words
from formwarden.mail.gathering import CHARACTERS, Gathering
from formwarden.mail.replies import Replies
from formwarden.mail.sender import NothingLeftError, Sender
from formwarden.mail.settings import Mail
from formwarden.mail.staff_mail import StaffMail, Told, typed_address
from formwarden.mail.staff_settings import DEFAULTS, Staffing
from formwarden.mail.worker import STOPPED, Checker, lease_s, see_through
from formwarden.stores.ports import Inquiries, Inquiry, Staff, State
from formwarden.submission import Fields

FEWEST_COPIES: Final = 5  # conversations that one mail to the staff is given time for, at least
NO_STAFF: Final = "no staff address: set FORMWARDEN_STAFF_ADDRESS"
HELD_PREFIX: Final = "[held]"
HELD: Final = "held {why}: release or discard it in the console"
WAITS: Final = frozenset({State.HELD, State.REJECTED, State.ASKED})

TypedOf = Callable[[Inquiry], tuple[Fields, tuple[str, ...]]]
"""Reads what was typed, and the names of the files that came with it."""


class StaffOutbox:
    """One worker's hands; many may run at once, each inquiry goes to one of them."""

    def __init__(
        self,
        *,
        inquiries: Inquiries,
        replies: Replies,
        mail: StaffMail,
        typed_of: TypedOf,
        sender: Sender,
        checker: Checker,
        forms: Mapping[str, GuardedForm],
        settings: Mail,
        clock: Clock,
        faults: Faults,
        staffing: Staffing = DEFAULTS,
        copies_remembered: int = REMEMBERED,
        characters: int = CHARACTERS,
    ) -> None:
        self._inquiries = inquiries
        self._replies = replies
        self._mail = mail
        self._typed_of = typed_of
        self._checker = checker
        self._forms = forms
        self._staffing = staffing
        self._clock = clock
        self._faults = faults
        deadline_s = settings.send_deadline_s
        self._lease_s = lease_s(deadline_s, max(FEWEST_COPIES, len(mail.staff)))
        self._copies = Copies(sender, deadline_s=deadline_s, faults=faults, remembered=copies_remembered)
        self._gathering = Gathering(
            inquiries=inquiries,
            mail=mail,
            copies=self._copies,
            told_of=self._told,
            per_hour=staffing.staff_per_hour,
            lease_s=self._lease_s,
            clock=clock,
            faults=faults,
            characters=characters,
        )

    async def step(self, limit: int = 20) -> int:
        """Send the staff's mails that are due, then what has to be gathered; return how many. Raises StoreError."""
        per_hour = self._staffing.staff_per_hour
        for handled in range(limit):
            inquiries = await self._inquiries.claim_staff(1, lease_s=self._lease_s, per_hour=per_hour)
            for inquiry in inquiries:
                await self._counted(self._tell(inquiry))
            if not inquiries:
                return handled + await self._gathered()
        return limit

    async def _gathered(self) -> int:
        """Mail one batch; without anybody to mail to, nothing is taken."""
        try:
            return await self._gathering.step() if self._mail.staff else 0
        except StoreError as error:  # due again when its lease is over; who has his copy is remembered
            self._faults.count("inquiries", str(error))
            return 0

    async def _counted(self, telling: Coroutine[object, object, None]) -> None:
        try:
            await telling
        except StoreError as error:
            self._faults.count("inquiries", str(error))

    async def _tell(self, inquiry: Inquiry) -> None:
        try:
            copies = await self._copies_of(inquiry)
        except ComposeError as error:
            self._faults.count("compose", str(error))
            return await self._later(inquiry, str(error), REFUSED_S)
        if not self._mail.staff:
            return await self._later(inquiry, NO_STAFF, REFUSED_S)
        try:
            failed = await self._copies.hand_out(copies)
        except NothingLeftError:
            await see_through(self._later(inquiry, STOPPED, 0.0), self._faults, "inquiries")
            raise
        if failed:
            return await self._later(inquiry, words(failed[-1]), wait_s(failed, len(self._mail.staff)))
        await self._inquiries.staff(inquiry.id, to=Staff.SENT)
        self._copies.told(inquiry.id)
        return None

    async def _copies_of(self, inquiry: Inquiry) -> list[Copy]:
        """Write what is lacking: each of the staff gets his copy once, whatever became of the others'."""
        lacking = [to for to in self._mail.staff if self._copies.lacks(to, inquiry.id)]
        if not lacking:
            return []
        told = self._told(inquiry)
        mails = self._mail.compose(
            form=told.form,
            fields=told.fields,
            receipt=told.receipt,
            received_at=told.received_at,
            score=told.score,
            reply_to=await self._reply_to(inquiry, told.address),
            address=told.address,
            uploads=told.uploads,
            subject_prefix=HELD_PREFIX if inquiry.state in WAITS else "",
            note=told.note,
        )
        return [Copy(mail=mail, about=(inquiry.id,)) for mail in mails if mail.recipient in lacking]

    def _told(self, inquiry: Inquiry) -> Told:
        fields, uploads = self._typed_of(inquiry)
        return Told(
            form=inquiry.form,
            fields=fields,
            receipt=inquiry.receipt,
            received_at=inquiry.received_at,
            score=inquiry.score,
            address=typed_address(self._forms.get(inquiry.form), fields),
            uploads=uploads,
            note=_why_held(inquiry),
        )

    async def _reply_to(self, inquiry: Inquiry, address: str | None) -> str | None:
        """Name the submitter where answering is safe: by people, or by a help desk that answers of its own accord."""
        if address is None:
            return None
        report = await self._checker.verify(address)
        helpdesk = self._staffing.staff_mailbox == "helpdesk"
        safe = self._replies.answered_by_desk if helpdesk else self._replies.answerable
        return address if await safe(inquiry, report) else None

    async def _later(self, inquiry: Inquiry, note: str, seconds: float) -> None:
        due_at = self._clock.now() + seconds
        await self._inquiries.staff(inquiry.id, to=Staff.DUE, note=note, due_at=due_at)


def _why_held(inquiry: Inquiry) -> str:
    """Say why it waits for the owner, in our own words; nothing where it does not."""
    if inquiry.state not in WAITS:
        return ""
    return HELD.format(why=f"({inquiry.note})" if inquiry.note else f"with {inquiry.score:g} points")
