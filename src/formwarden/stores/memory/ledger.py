"""The ledger in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from threading import RLock

from formwarden.clock import Clock
from formwarden.stores.ahead import brought_back, too_far
from formwarden.stores.archive import KeptOutcome
from formwarden.stores.memory.budgets import MemoryBudgets
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.suppressions import MemorySuppressions
from formwarden.stores.outcomes import (
    ENDS_AS,
    FEEDBACK,
    LIVE,
    LOST_REASON,
    OVER_REASON,
    REASON_LIMIT,
    REPLIES_OFF_CODE,
    cause_of,
    decision_of,
    hold_end,
    suppression_code,
)
from formwarden.stores.ports import (
    REPLIES_OFF,
    Decision,
    Key,
    Outcome,
    OutcomeKind,
    ReplyRequest,
    ReplyRow,
    Reputation,
    Reservation,
)
from formwarden.stores.retention import SLOTLESS, SLOTLESS_KEPT_S, facts_kept_s
from formwarden.stores.settings import Stores


@dataclass(slots=True, kw_only=True)
class Reply:
    """A row, and what only the worker reads."""

    row: ReplyRow
    check_at: float | None = None
    due_at: float | None = None
    lease_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelves:
    """Where a memory ledger keeps what; not copies."""

    replies: dict[bytes, Reply]
    budgets: MemoryBudgets
    outcomes: dict[bytes, KeptOutcome]
    suppressions: MemorySuppressions


class MemoryLedger:
    """The sending side of a memory store."""

    def __init__(self, clock: Clock, lock: RLock, inquiries: MemoryInquiries) -> None:
        self._clock = clock
        self._lock = lock
        self._inquiries = inquiries
        self._replies: dict[bytes, Reply] = {}
        self._budgets = MemoryBudgets()
        self._outcomes: dict[bytes, KeptOutcome] = {}
        self._suppressions = MemorySuppressions()
        self._feedback_seen = False

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        """Read what stands against, or for, these subjects."""
        with self._lock:
            now = self._clock.now()
            causes = {subject: self._suppressions.cause(subject, now) for subject in subjects}
            return Reputation(
                suppressed={subject: cause for subject, cause in causes.items() if cause is not None},
                replies_off=self._suppressions.cause(REPLIES_OFF, now) is not None,
                feedback_seen=self._feedback_seen,
            )

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        """Write the reply's row and take a slot in every budget, all or nothing, in one transaction."""
        with self._lock:
            now = self._clock.now()
            before = self._replies.get(request.reply_id)
            if before is not None and before.row.state != "held":
                return Reservation(decision=decision_of(before.row.state), code=before.row.code, new=False)
            decision, code = request.decision, request.code
            if decision is Decision.SEND:
                against = self._against(request, now)
                if against is not None:
                    decision, code = Decision.SUPPRESS, against
            if not request.preview:
                self._write(request, now, decision=decision, code=code, before=before)
            return Reservation(decision=decision, code=code, new=True)

    async def settle(self, outcome: Outcome, /) -> None:
        """Record what became of a reply: row, budgets, suppression, and the recipient's erasure at its end."""
        with self._lock:
            self._settle(outcome, self._clock.now())

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        """Take replies that are due, and held ones to look at again; each goes to one caller only."""
        with self._lock:
            now = self._clock.now()
            self._bring_back(now)
            self._settle_over(now)
            due = [reply for reply in self._replies.values() if reply.row.state == "due" and _by(reply.due_at, now)]
            due.sort(key=lambda reply: reply.due_at or 0.0)
            for reply in due[:limit]:
                reply.row = replace(reply.row, state="taken", attempts=reply.row.attempts + 1)
                reply.lease_until = now + lease_s
            left = limit - len(due[:limit])
            held = [
                reply for reply in self._replies.values() if reply.row.state == "held" and _by(reply.check_at, now)
            ]
            held.sort(key=lambda reply: reply.check_at or 0.0)
            for reply in held[:left]:
                reply.check_at = now + lease_s
            return (*_oldest_first(due[:limit]), *_oldest_first(held[:left]))

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        """Put a subject on the suppression list; `REPLIES_OFF` is the switch for all replies."""
        with self._lock:
            self._suppressions.add(subject, cause, until)

    async def lift(self, subject: Key, /) -> bool:
        """Take a subject off the list; say whether it was on it."""
        with self._lock:
            return self._suppressions.lift(subject, self._clock.now())

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        """Read the reply rows of these submissions, by submission id."""
        with self._lock:
            rows = (reply.row for reply in self._replies.values() if reply.row.submission_id in submissions)
            return {row.submission_id: row for row in rows}

    def shelves(self) -> "Shelves":
        """Hand out what lies here, for the archive, which holds the lock."""
        return Shelves(
            replies=self._replies, budgets=self._budgets, outcomes=self._outcomes, suppressions=self._suppressions
        )

    @property
    def feedback_seen(self) -> bool:
        """Whether an outcome has ever been seen (G07)."""
        return self._feedback_seen

    def see_feedback(self) -> None:
        """Take over that one has been seen elsewhere."""
        self._feedback_seen = True

    def all(self) -> tuple[ReplyRow, ...]:
        """Return every row."""
        with self._lock:
            return tuple(reply.row for reply in self._replies.values())

    def suppressed(self, now: float) -> tuple[bool, dict[str, int]]:
        """Say whether the switch is off, and how many subjects stand on the list, by cause."""
        with self._lock:
            causes = self._suppressions.causes(now)
            return causes.pop(REPLIES_OFF, None) is not None, dict(Counter(sorted(chain(*causes.values()))))

    def has_live_reply(self, submission: bytes) -> bool:
        """Say whether a reply of this submission may still be sent."""
        rows = (reply.row for reply in self._replies.values())
        return any(row.submission_id == submission and row.state in LIVE for row in rows)

    def purge(self, settings: Stores, limit: int) -> int:
        """Erase at most `limit` things whose time is over; return how many."""
        now = self._clock.now()
        self._bring_back(now)
        facts = now - facts_kept_s(settings)
        slotless = max(facts, now - SLOTLESS_KEPT_S)
        erased = self._budgets.purge(now, limit)
        old = [
            reply_id
            for reply_id, reply in self._replies.items()
            if reply.row.created_at <= (slotless if reply.row.state in SLOTLESS else facts)
            and reply.row.state not in LIVE
        ][: limit - erased]
        for reply_id in old:
            del self._replies[reply_id]
        erased += len(old)
        forgotten = [name for name, kept in self._outcomes.items() if kept.at <= facts][: limit - erased]
        for name in forgotten:
            del self._outcomes[name]
        erased += len(forgotten)
        return erased + self._suppressions.purge(now, limit - erased)

    def _against(self, request: ReplyRequest, now: float) -> str | None:
        if self._suppressions.cause(REPLIES_OFF, now) is not None:
            return REPLIES_OFF_CODE
        for subject in request.subjects:
            cause = self._suppressions.cause(subject, now)
            if cause is not None:
                return suppression_code(cause)
        if not request.preview:
            self._budgets.clamp(request.spends, now)
        return self._budgets.first_spent(request.spends, now)

    def _write(
        self, request: ReplyRequest, now: float, *, decision: Decision, code: str, before: Reply | None
    ) -> None:
        row = ReplyRow(
            reply_id=request.reply_id,
            submission_id=request.submission_id,
            state="suppressed",
            code=code,
            created_at=now,
        )
        if before is not None:
            row = replace(before.row, state="suppressed", code=code, held_until=None)
        reply = Reply(row=row)
        if decision is Decision.SUPPRESS:
            self._inquiries.erase_recipient(request.submission_id)
        elif decision is Decision.HOLD:
            standing = None if before is None else (before.row.code, before.row.held_until)
            until = hold_end(standing, code, request.hold_until)
            reply = Reply(row=replace(row, state="held", held_until=until), check_at=request.check_at)
        elif request.lease_s is not None:
            reply = Reply(row=replace(row, state="taken", attempts=1), lease_until=now + request.lease_s)
        else:
            reply = Reply(row=replace(row, state="due"), due_at=now)
        if decision is Decision.SEND:
            self._budgets.take(request.spends, request.reply_id, now)
        self._replies[request.reply_id] = reply

    def _settle(self, outcome: Outcome, now: float) -> None:
        if outcome.id in self._outcomes:
            return
        reason = outcome.reason[:REASON_LIMIT]
        self._outcomes[outcome.id] = KeptOutcome(
            id=outcome.id, reply_id=outcome.reply_id, kind=outcome.kind, reason=reason, at=now
        )
        self._feedback_seen = self._feedback_seen or outcome.kind in FEEDBACK
        cause = cause_of(outcome)
        if cause is not None and outcome.subject is not None:
            self._suppressions.add(outcome.subject, cause, outcome.until)
        reply = self._replies.get(outcome.reply_id)
        if reply is None:
            return
        reply.row = replace(reply.row, last=outcome.reason[:REASON_LIMIT])
        if reply.row.state not in LIVE:
            return
        if outcome.kind is OutcomeKind.NOT_SENT:
            if reply.row.state == "taken":
                reply.row = replace(reply.row, state="due")
                reply.due_at = now if outcome.until is None else outcome.until
            return
        if outcome.kind is OutcomeKind.REFUNDED:
            self._budgets.refund(outcome.reply_id)
        self._end(reply, ENDS_AS[outcome.kind])

    def _bring_back(self, now: float) -> None:
        for reply in self._replies.values():
            reply.due_at = brought_back(reply.due_at, now)
            reply.check_at = brought_back(reply.check_at, now)
            reply.lease_until = brought_back(reply.lease_until, now)
            row = reply.row
            if row.held_until is not None and too_far(row.created_at, now):
                held_until = row.held_until - (row.created_at - now)
                reply.row = replace(row, created_at=now, held_until=held_until)

    def _settle_over(self, now: float) -> None:
        for reply in self._replies.values():
            if reply.row.state == "taken" and _by(reply.lease_until, now):
                reply.row = replace(reply.row, last=LOST_REASON)
                self._end(reply, "lost")
            elif reply.row.state == "held" and _by(reply.row.held_until, now):
                reply.row = replace(reply.row, last=OVER_REASON)
                self._end(reply, "dropped")

    def _end(self, reply: Reply, state: str) -> None:
        reply.row = replace(reply.row, state=state, held_until=None)
        self._inquiries.erase_recipient(reply.row.submission_id)


def _by(moment: float | None, now: float) -> bool:
    return moment is not None and moment <= now


def _oldest_first(replies: Sequence[Reply]) -> list[ReplyRow]:
    return sorted((reply.row for reply in replies), key=lambda row: (row.created_at, row.reply_id))
