"""Handing replies out to the worker, and what becomes of them, in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from formwarden.stores.ahead import brought_back, too_far
from formwarden.stores.archive import KeptOutcome
from formwarden.stores.evidence import leave, settle_account
from formwarden.stores.memory.replies import Reply, Shelves
from formwarden.stores.outcomes import (
    ENDS_AS,
    LOST_REASON,
    OVER_REASON,
    REASON_LIMIT,
    cause_of,
    is_feedback,
    lowest_first,
)
from formwarden.stores.ports import Outcome, OutcomeKind, ReplyRow

Erase = Callable[[bytes], None]
"""Erases the address that was kept for the reply to a submission."""


def take_due(shelves: Shelves, limit: int, lease_s: float, now: float, erase: Erase) -> tuple[ReplyRow, ...]:
    """Settle what is over, then take what is due, then what is held and to be looked at again; oldest first."""
    bring_back(shelves, now)
    _settle_over(shelves, now, erase)
    due = [reply for reply in shelves.replies.values() if reply.row.state == "due" and _by(reply.due_at, now)]
    due.sort(key=lambda reply: reply.due_at or 0.0)
    for reply in due[:limit]:
        reply.row = replace(reply.row, state="taken", attempts=reply.row.attempts + 1)
        reply.lease_until = now + lease_s
    left = limit - len(due[:limit])
    queue = _look_at_queue(shelves, left, now, lease_s)
    left -= len(queue)
    held = [reply for reply in shelves.held(queued=False) if _by(reply.check_at, now)]
    held.sort(key=lambda reply: reply.check_at or 0.0)
    for reply in held[:left]:
        reply.check_at = now + lease_s
    return (*_oldest_first(due[:limit]), *queue, *_oldest_first(held[:left]))


def settle(shelves: Shelves, outcome: Outcome, now: float, erase: Erase) -> None:
    """Record one piece of evidence; the same id twice changes nothing, and a reply ends only once."""
    if outcome.id in shelves.outcomes:
        return
    reason = outcome.reason[:REASON_LIMIT]
    shelves.outcomes[outcome.id] = KeptOutcome(
        id=outcome.id, reply_id=outcome.reply_id, kind=outcome.kind, reason=reason, at=now
    )
    shelves.feedback_seen = shelves.feedback_seen or is_feedback(outcome)
    cause = cause_of(outcome)
    if cause is not None and outcome.subject is not None:
        shelves.suppressions.add(outcome.subject, cause, outcome.until)
    reply = shelves.replies.get(outcome.reply_id)
    if reply is None:
        settle_account(shelves.accounts, None, outcome, now, state="")
        return
    reply.row = replace(reply.row, last=reason)
    account = shelves.accounts.accounts.get(outcome.reply_id)
    settle_account(shelves.accounts, account, outcome, now, state=reply.row.state)
    if not reply.live:
        return
    if outcome.kind is OutcomeKind.NOT_SENT:
        if reply.row.state == "taken":
            reply.row = replace(reply.row, state="due")
            reply.due_at = now if outcome.until is None else outcome.until
        return
    if outcome.kind is OutcomeKind.REFUNDED:
        shelves.budgets.refund(outcome.reply_id)
    _end(reply, ENDS_AS[outcome.kind], erase)


def bring_back(shelves: Shelves, now: float) -> None:
    """Bring back what the outbox waits for, and holds that began ahead."""
    for reply in shelves.replies.values():
        reply.due_at = brought_back(reply.due_at, now)
        reply.check_at = brought_back(reply.check_at, now)
        reply.lease_until = brought_back(reply.lease_until, now)
        row = reply.row
        if row.held_until is not None and too_far(row.created_at, now):
            held_until = row.held_until - (row.created_at - now)
            reply.row = replace(row, created_at=now, held_until=held_until)


def _settle_over(shelves: Shelves, now: float, erase: Erase) -> None:
    for reply in shelves.replies.values():
        if reply.row.state == "taken" and _by(reply.lease_until, now):
            reply.row = replace(reply.row, last=LOST_REASON)
            leave(shelves.accounts, reply.row.reply_id, now)
            _end(reply, "lost", erase)
        elif reply.row.state == "held" and _by(reply.row.held_until, now):
            reply.row = replace(reply.row, last=OVER_REASON)
            _end(reply, "dropped", erase)


def _look_at_queue(shelves: Shelves, limit: int, now: float, lease_s: float) -> list[ReplyRow]:
    """Take what waits in the queue and is due: whoever waits with the lowest score comes first."""
    due = (reply.row for reply in shelves.held(queued=True) if _by(reply.check_at, now))
    rows = lowest_first(due)[:limit]
    for row in rows:
        shelves.replies[row.reply_id].check_at = now + lease_s
    return rows


def _end(reply: Reply, state: str, erase: Erase) -> None:
    reply.row = replace(reply.row, state=state, held_until=None, score=None)
    erase(reply.row.submission_id)


def _by(moment: float | None, now: float) -> bool:
    return moment is not None and moment <= now


def _oldest_first(replies: Sequence[Reply]) -> list[ReplyRow]:
    return sorted((reply.row for reply in replies), key=lambda row: (row.created_at, row.reply_id))
