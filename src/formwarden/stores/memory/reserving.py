"""One reservation in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from formwarden.stores.deciding import Decided, decide
from formwarden.stores.memory.accounts import MemoryAccounts
from formwarden.stores.memory.replies import Reply, Shelves
from formwarden.stores.outcomes import decision_of
from formwarden.stores.ports import Decision, Key, ReplyRequest, ReplyRow, Reservation, Spend


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBooks:
    """Answers what a reservation asks."""

    shelves: Shelves
    now: float

    @property
    def rows(self) -> MemoryAccounts:
        """Its breakers."""
        return self.shelves.accounts

    def causes(self, subjects: Collection[Key], /) -> Mapping[Key, str]:
        """Return the strongest cause against those of these subjects that are on the list."""
        found = {subject: self.shelves.suppressions.cause(subject, self.now) for subject in subjects}
        return {subject: cause for subject, cause in found.items() if cause is not None}

    def counts(self, spends: Sequence[Spend], /, *, clamp: bool) -> Sequence[int]:
        """Return how many slots of each budget are taken."""
        if clamp:
            self.shelves.budgets.clamp(spends, self.now)
        return [self.shelves.budgets.count(spend, self.now) for spend in spends]

    def waiting(self) -> int:
        """Return how many replies wait in the queue."""
        return len(self.shelves.held(queued=True))


def reserve(shelves: Shelves, request: ReplyRequest, now: float) -> Reservation:
    """Decide and write; what was decided before is answered again, and a held row may be decided anew."""
    before = shelves.replies.get(request.reply_id)
    if before is not None and before.row.state != "held":
        return Reservation(decision=decision_of(before.row.state), code=before.row.code, new=False)
    books = MemoryBooks(shelves=shelves, now=now)
    decided = decide(books, request, None if before is None else before.before(), now)
    if not request.preview:
        _write(shelves, request, now, decided=decided, before=before)
    return Reservation(decision=decided.decision, code=decided.code, new=True, until=decided.held_until)


def _write(shelves: Shelves, request: ReplyRequest, now: float, *, decided: Decided, before: Reply | None) -> None:
    row = ReplyRow(
        reply_id=request.reply_id,
        submission_id=request.submission_id,
        state="held" if decided.decision is Decision.HOLD else "suppressed",
        code=decided.code,
        created_at=now if before is None else before.row.created_at,
        held_until=decided.held_until,
        last="" if before is None else before.row.last,
        score=decided.score,
    )
    was_wanted = before is not None and before.wanted
    reply = Reply(row=row, check_at=decided.check_at, wanted=decided.wanted or was_wanted)
    reply.recipient = request.subjects[0] if request.subjects else None
    if decided.decision is Decision.SEND:
        _grant(shelves, request, decided, now)
        if request.lease_s is None:
            reply.row, reply.due_at = replace(row, state="due"), now
        else:
            reply.row, reply.lease_until = replace(row, state="taken", attempts=1), now + request.lease_s
    shelves.budgets.mark(decided.marks, request.reply_id, now)
    if decided.wanted and not was_wanted:
        shelves.days.at(now).wanted += 1
        shelves.days.meet(() if request.account is None else request.account.recipient, now)
    shelves.replies[request.reply_id] = reply


def _grant(shelves: Shelves, request: ReplyRequest, decided: Decided, now: float) -> None:
    shelves.budgets.take(request.spends, request.reply_id, now)
    shelves.days.at(now).granted += 1
    if request.account is not None:
        shelves.accounts.open_account(request.reply_id, request.account, now)
    for subject in decided.probe_of:
        shelves.accounts.take_place(subject, request.reply_id)
