"""The outbox: takes what is due, composes, sends, settles; a reply at most once, the staff's mail at least once."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Final, Protocol

from formwarden.address.report import AddressReport
from formwarden.clock import Clock
from formwarden.errors import ComposeError, StoreError
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.compose import Composed, Composer
from formwarden.mail.gate import stopped
from formwarden.mail.refusals import Effect, classify
from formwarden.mail.replies import Replies
from formwarden.mail.sender import NothingLeftError, Sender, SendResult, SendState
from formwarden.mail.settings import Mail
from formwarden.mail.settling import outcome_of
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.watched import Watched
from formwarden.stores.ports import Inquiries, Inquiry, Ledger, OutcomeKind, ReplyRow, Staff
from formwarden.submission import Fields

RETRY_S: Final = (60.0, 300.0, 900.0)  # a reply that cannot have left is tried again after these (G15)
STAFF_RETRY_S: Final = 20.0  # so that the staff's mail leaves within a minute of the relay's return
STAFF_REFUSED_S: Final = 900.0  # the relay is well and took another's copy: this address is wrong for longer
COPIES_REMEMBERED: Final = 10_000  # inquiries of which some of the staff have their copy and others do not
STAFF_COPIES: Final = 5  # conversations that one inquiry's staff mail is given time for
OVERHEAD_S: Final = 20.0  # of one mail beside the conversation: store, DNS and QUIT, each at its worst
STOPPED: Final = "the process ended before anything left"
NO_LEFT: Final = "nothing left to send: recipient, form or reply is gone"
NO_STAFF: Final = "no staff address: set FORMWARDEN_STAFF_ADDRESS"

FieldsOf = Callable[[Inquiry], Fields]


class Checker(Protocol):
    """What the outbox needs of the address check."""

    async def verify(self, raw: str, /) -> AddressReport:
        """Report on one address; never raises."""


class Outbox:
    """One worker's hands; many may run at once, each row goes to one of them."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        inquiries: Inquiries,
        replies: Replies,
        composer: Composer,
        staff_mail: StaffMail,
        fields_of: FieldsOf,
        sender: Sender,
        checker: Checker,
        forms: Mapping[str, GuardedForm],
        settings: Mail,
        clock: Clock,
        faults: Faults,
        copies_remembered: int = COPIES_REMEMBERED,
    ) -> None:
        self._ledger = ledger
        self._inquiries = inquiries
        self._replies = replies
        self._composer = composer
        self._staff_mail = staff_mail
        self._fields_of = fields_of
        self._sender = sender
        self._checker = checker
        self._forms = forms
        self._settings = settings
        self._clock = clock
        self._faults = faults
        self._copies_remembered = copies_remembered
        self._copies_taken: dict[bytes, set[str]] = {}  # by inquiry, oldest first: the staff who have their copy

    async def step(self, limit: int = 20) -> int:
        """Send due replies and look at held ones again; return how many were handled. Raises StoreError.

        One is taken at a time: a process that dies loses the one it was sending, not a batch.
        """
        for handled in range(limit):
            rows = await self._ledger.due(1, lease_s=self._lease_s(1))
            for row in rows:
                try:
                    await (self._look_again(row) if row.state == "held" else self._send(row))
                except StoreError as error:  # the row is spent when its lease is over; the others have their turn
                    self._faults.count("ledger", str(error))
            if not rows:
                return handled
        return limit

    async def step_staff(self, limit: int = 20) -> int:
        """Send the staff's mails that are due; return how many inquiries were handled. Raises StoreError."""
        for handled in range(limit):
            inquiries = await self._inquiries.claim_staff(1, lease_s=self._lease_s(STAFF_COPIES))
            for inquiry in inquiries:
                try:
                    await self._tell_staff(inquiry)
                except StoreError as error:  # due again when its lease is over; who has his copy is remembered
                    self._faults.count("inquiries", str(error))
            if not inquiries:
                return handled
        return limit

    async def _send(self, row: ReplyRow) -> None:
        """Send one reply; a process that stops before anything can have left puts it back for another."""
        try:
            ready = await self._ready(row)
        except asyncio.CancelledError:
            await self._put_back(row)
            raise
        if isinstance(ready, str):
            return await self._drop(row, OutcomeKind.REFUNDED, ready)
        mail, watched = ready
        try:
            result = await self._hand_over(mail)
        except NothingLeftError:
            await self._put_back(row)
            raise
        return await self._settle(row, self._effect(row, result), watched)

    async def _ready(self, row: ReplyRow) -> tuple[Composed, Watched] | str:
        """Compose the mail, or say what stands against it by now."""
        inquiry = await self._inquiries.get(row.submission_id)
        reply = self._reply_of(inquiry)
        if inquiry is None or inquiry.recipient is None or reply is None:
            return NO_LEFT
        watched = await self._replies.watched(await self._checker.verify(inquiry.recipient))
        against = await self._against(watched)
        if against is not None:
            return against
        mail = self._compose(row, inquiry, inquiry.recipient, reply)
        return "cannot be composed" if mail is None else (mail, watched)

    async def _put_back(self, row: ReplyRow) -> None:
        back = Effect(kind=OutcomeKind.NOT_SENT, reason=STOPPED, until=self._clock.now())
        await self._finally(self._settle(row, back, Watched()))

    async def _finally(self, last: Coroutine[object, object, None]) -> None:
        """Do a last thing while being cancelled, also where the cancellation comes once more."""
        try:
            await asyncio.shield(asyncio.ensure_future(last))
        except StoreError as error:
            self._faults.count("ledger", str(error))

    async def _against(self, watched: Watched) -> str | None:
        """Name what has come up since the slot was taken: the switch, a suppression, a breaker (G18)."""
        if not self._settings.replies:
            return "AR_OFF"
        return stopped(await self._ledger.reputation(watched.all), watched)

    def _compose(self, row: ReplyRow, inquiry: Inquiry, recipient: str, reply: AutoReply) -> Composed | None:
        try:
            return self._composer.reply(
                reply,
                recipient=recipient,
                language=str(inquiry.facts.get("language", "en")),
                reference=inquiry.receipt,
                received_at=inquiry.received_at,
                reply_id=row.reply_id,
            )
        except ComposeError as error:
            self._faults.count("compose", str(error))
            return None

    def _effect(self, row: ReplyRow, result: SendResult) -> Effect:
        """Say what follows: only what cannot have left is tried again, three times (G15)."""
        effect = classify(result, now=self._clock.now())
        if effect.kind is not OutcomeKind.NOT_SENT:
            return effect
        self._faults.count("relay", effect.reason)
        if row.attempts > len(RETRY_S):
            return Effect(kind=OutcomeKind.REFUNDED, reason=effect.reason)
        due_at = self._clock.now() + RETRY_S[max(row.attempts, 1) - 1]
        return Effect(kind=OutcomeKind.NOT_SENT, reason=effect.reason, until=due_at)

    async def _look_again(self, row: ReplyRow) -> None:
        """Ask DNS again for a reply that waits for it; what waits for the owner is never given out."""
        inquiry = await self._inquiries.get(row.submission_id)
        if inquiry is None or inquiry.recipient is None or self._reply_of(inquiry) is None:
            return await self._drop(row, OutcomeKind.DROPPED, NO_LEFT)
        report = await self._checker.verify(inquiry.recipient)
        await self._replies.decide_again(row, inquiry, report)
        return None

    def _reply_of(self, inquiry: Inquiry | None) -> AutoReply | None:
        form = self._forms.get(inquiry.form) if inquiry is not None else None
        return form.reply if form is not None else None

    async def _drop(self, row: ReplyRow, kind: OutcomeKind, reason: str) -> None:
        await self._settle(row, Effect(kind=kind, reason=reason), Watched())

    async def _settle(self, row: ReplyRow, effect: Effect, watched: Watched) -> None:
        evidence = b"session %d of %s" % (row.attempts, row.reply_id)
        await self._ledger.settle(outcome_of(effect, reply_id=row.reply_id, evidence=evidence, watched=watched))

    async def _tell_staff(self, inquiry: Inquiry) -> None:
        try:
            mails = await self._staff_mails(inquiry)
        except ComposeError as error:
            self._faults.count("compose", str(error))
            return await self._staff_later(inquiry, str(error), STAFF_REFUSED_S)
        if not mails:
            return await self._staff_later(inquiry, NO_STAFF, STAFF_REFUSED_S)
        failed = await self._hand_out(inquiry, mails)
        if failed:
            refused = all(result.state is SendState.REFUSED for result in failed)
            others = len(failed) < len(mails)
            wait_s = STAFF_REFUSED_S if refused and others else STAFF_RETRY_S
            return await self._staff_later(inquiry, _words(failed[-1]), wait_s)
        await self._inquiries.staff(inquiry.id, to=Staff.SENT)
        self._copies_taken.pop(inquiry.id, None)
        return None

    async def _hand_out(self, inquiry: Inquiry, mails: Sequence[Composed]) -> list[SendResult]:
        """Send every copy that is not taken yet, whatever became of the others; return what failed."""
        taken = self._copies_taken.setdefault(inquiry.id, set())
        if len(self._copies_taken) > self._copies_remembered:  # those another process sent are never taken out
            del self._copies_taken[next(iter(self._copies_taken))]
        failed: list[SendResult] = []
        for mail in mails:
            if mail.recipient in taken:
                continue
            try:
                result = await self._hand_over(mail)
            except NothingLeftError:
                await self._finally(self._staff_later(inquiry, STOPPED, 0.0))
                raise
            if result.state is SendState.TAKEN:
                taken.add(mail.recipient)
            else:
                failed.append(result)
                self._faults.count("staff mail", _words(result))
        return failed

    async def _staff_mails(self, inquiry: Inquiry) -> tuple[Composed, ...]:
        fields = self._fields_of(inquiry)
        address = self._address_in(inquiry, fields)
        return self._staff_mail.compose(
            form=inquiry.form,
            fields=fields,
            receipt=inquiry.receipt,
            received_at=inquiry.received_at,
            score=inquiry.score,
            reply_to=address if address is not None and await self._may_answer(inquiry, address) else None,
            address=address,
        )

    def _address_in(self, inquiry: Inquiry, fields: Fields) -> str | None:
        """Read the address from what was typed: the recipient may be erased by now."""
        form = self._forms.get(inquiry.form)
        typed = {value.strip() for value in fields.all(form.address) if value.strip()} if form is not None else set()
        return typed.pop() if len(typed) == 1 else None

    async def _may_answer(self, inquiry: Inquiry, address: str) -> bool:
        return await self._replies.answerable(inquiry, await self._checker.verify(address))

    async def _staff_later(self, inquiry: Inquiry, note: str, seconds: float) -> None:
        due_at = self._clock.now() + seconds
        await self._inquiries.staff(inquiry.id, to=Staff.DUE, note=note, due_at=due_at)

    async def _hand_over(self, mail: Composed) -> SendResult:
        deadline_s = self._settings.send_deadline_s
        return await self._sender.send(mail.envelope_from, mail.recipient, mail.data, deadline_s=deadline_s)

    def _lease_s(self, conversations: int) -> float:
        """Return how long it may take where every conversation runs into its deadline."""
        return conversations * (self._settings.send_deadline_s + OVERHEAD_S)


def _words(result: SendResult) -> str:
    return f"{result.code or ''} {result.text or result.state}".strip()
