"""The outbox: takes what is due, composes, sends, settles; a reply at most once (G15)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.report import Flag, Status
from formwarden.clock import Clock
from formwarden.errors import ComposeError, StoreError
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.breaker_settings import breaking_of
from formwarden.mail.compose import Composed, Composer
from formwarden.mail.gate import stopped
from formwarden.mail.refusals import Effect, classify
from formwarden.mail.replies import Replies
from formwarden.mail.sender import NothingLeftError, Sender, SendResult
from formwarden.mail.settings import Mail
from formwarden.mail.settling import outcome_of
from formwarden.mail.watched import Watched, provider_group
from formwarden.mail.worker import STOPPED, Checker, lease_s, see_through
from formwarden.stores.ports import Inquiries, Inquiry, Ledger, OutcomeKind, ReplyRow
from formwarden.submission import Fields

RETRY_S: Final = (60.0, 300.0, 900.0)  # a reply that cannot have left is tried again after these (G15)
STRIPPED: Final = "REFLECT_STRIPPED"  # before a relay's word: the mail that it took is the minimal one (row 12)
UNHEARD: Final = "DNS does not tell who takes mail for this domain"
NO_LEFT: Final = "nothing left to send: recipient, form or reply is gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A mail that nothing stands against, and whom its outcome concerns."""

    mail: Composed
    watched: Watched
    group: str  # the recipient's provider group


class Outbox:
    """One worker's hands; many may run at once, each row goes to one of them."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        inquiries: Inquiries,
        replies: Replies,
        composer: Composer,
        fields_of: Callable[[Inquiry], Fields],
        sender: Sender,
        checker: Checker,
        forms: Mapping[str, GuardedForm],
        settings: Mail,
        clock: Clock,
        faults: Faults,
    ) -> None:
        self._ledger = ledger
        self._inquiries = inquiries
        self._replies = replies
        self._composer = composer
        self._fields_of = fields_of
        self._sender = sender
        self._checker = checker
        self._forms = forms
        self._settings = settings
        self._breaking = breaking_of(settings)
        self._clock = clock
        self._faults = faults

    async def step(self, limit: int = 20) -> int:
        """Send due replies and look at held ones again; return how many were handled. Raises StoreError.

        One is taken at a time: a process that dies loses the one it was sending, not a batch.
        """
        for handled in range(limit):
            rows = await self._ledger.due(1, lease_s=lease_s(self._settings.send_deadline_s))
            for row in rows:
                try:
                    await (self._look_again(row) if row.state == "held" else self._send(row))
                except StoreError as error:  # the row is spent when its lease is over; the others have their turn
                    self._faults.count("ledger", str(error))
            if not rows:
                return handled
        return limit

    async def _send(self, row: ReplyRow) -> None:
        """Send one reply; a process that stops before anything can have left puts it back for another."""
        try:
            ready = await self._ready(row)
        except asyncio.CancelledError:
            await self._put_back(row)
            raise
        if ready is None:
            return await self._settle(row, self._again(row, UNHEARD), Watched())
        if isinstance(ready, str):
            return await self._drop(row, OutcomeKind.REFUNDED, ready)
        try:
            result = await self._hand_over(ready.mail)
        except NothingLeftError:
            await self._put_back(row)
            raise
        effect = self._effect(row, result, ready.group)
        if ready.mail.stripped:
            effect = replace(effect, reason=f"{STRIPPED} {effect.reason}")
        return await self._settle(row, effect, ready.watched)

    async def _ready(self, row: ReplyRow) -> Ready | str | None:
        """Compose the mail, or say what stands against it by now; None: DNS does not tell who takes it.

        Without its provider nobody knows whether the breaker that opened since is this one's.
        """
        inquiry = await self._inquiries.get(row.submission_id)
        reply = self._reply_of(inquiry)
        if inquiry is None or inquiry.recipient is None or reply is None:
            return NO_LEFT
        report = await self._checker.verify(inquiry.recipient)
        if report.status is Status.UNDELIVERABLE:
            return "ADDR_UNDELIVERABLE"
        watched = await self._replies.watched(report)
        against = await self._against(watched)
        if against is not None:
            return against
        if report.status is Status.UNKNOWN and Flag.OWN_DOMAIN not in report.flags:  # one's own is never asked (G33)
            return None
        mail = self._compose(row, inquiry, inquiry.recipient, reply, watched)
        return (
            "cannot be composed" if mail is None else Ready(mail=mail, watched=watched, group=provider_group(report))
        )

    async def _put_back(self, row: ReplyRow) -> None:
        back = Effect(kind=OutcomeKind.NOT_SENT, reason=STOPPED, until=self._clock.now())
        await see_through(self._settle(row, back, Watched()), self._faults, "ledger")

    async def _against(self, watched: Watched) -> str | None:
        """Name what has come up since the slot was taken: the switch, a suppression, a breaker (G18)."""
        if not self._settings.replies:
            return "AR_OFF"
        return stopped(await self._ledger.reputation(watched.all), watched)

    def _compose(
        self, row: ReplyRow, inquiry: Inquiry, recipient: str, reply: AutoReply, watched: Watched
    ) -> Composed | None:
        try:
            return self._composer.reply(
                reply,
                recipient=recipient,
                language=str(inquiry.facts.get("language", "en")),
                reference=inquiry.receipt,
                received_at=inquiry.received_at,
                reply_id=row.reply_id,
                person=self._fields_of(inquiry).get(self._forms[inquiry.form].person, "") if reply.name else "",
                stop=watched.address[0] if watched.address else None,
            )
        except ComposeError as error:
            self._faults.count("compose", str(error))
            return None

    def _effect(self, row: ReplyRow, result: SendResult, group: str) -> Effect:
        """Say what follows: only what cannot have left is tried again, three times (G15)."""
        effect = classify(result, now=self._clock.now(), group=group)
        if effect.kind is not OutcomeKind.NOT_SENT:
            return effect
        self._faults.count("relay", effect.reason)
        return self._again(row, effect.reason)

    def _again(self, row: ReplyRow, reason: str) -> Effect:
        if row.attempts > len(RETRY_S):
            return Effect(kind=OutcomeKind.REFUNDED, reason=reason)
        due_at = self._clock.now() + RETRY_S[max(row.attempts, 1) - 1]
        return Effect(kind=OutcomeKind.NOT_SENT, reason=reason, until=due_at)

    async def _look_again(self, row: ReplyRow) -> None:
        """Decide again of a reply that waits for DNS, or for a shared budget (the lowest score first, G02).

        What waits for the owner is never given out.
        """
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
        outcome = outcome_of(
            effect, reply_id=row.reply_id, evidence=evidence, watched=watched, breaking=self._breaking
        )
        await self._ledger.settle(outcome)

    async def _hand_over(self, mail: Composed) -> SendResult:
        deadline_s = self._settings.send_deadline_s
        return await self._sender.send(mail.envelope_from, mail.recipient, mail.data, deadline_s=deadline_s)
