"""The ledger in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from threading import RLock

from formwarden.clock import Clock
from formwarden.stores.breakers import shuts
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.ledger_purging import purge_ledger
from formwarden.stores.memory.outbox import settle, take_due
from formwarden.stores.memory.replies import Shelves
from formwarden.stores.memory.reserving import reserve
from formwarden.stores.ports import (
    REPLIES_OFF,
    Decision,
    Key,
    Outcome,
    ReplyRequest,
    ReplyRow,
    Reputation,
    Reservation,
)
from formwarden.stores.settings import Stores


class MemoryLedger:
    """The sending side of a memory store."""

    def __init__(self, clock: Clock, lock: RLock, inquiries: MemoryInquiries) -> None:
        self._clock = clock
        self._lock = lock
        self._inquiries = inquiries
        self._shelves = Shelves()

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        """Read what stands against, or for, these subjects."""
        with self._lock:
            now, shelves = self._clock.now(), self._shelves
            causes = {subject: shelves.suppressions.cause(subject, now) for subject in subjects}
            return Reputation(
                suppressed={subject: cause for subject, cause in causes.items() if cause is not None},
                breakers=shuts(shelves.accounts, subjects, now),
                replies_off=shelves.suppressions.cause(REPLIES_OFF, now) is not None,
                feedback_seen=shelves.feedback_seen,
                known=any(subject in shelves.known for subject in subjects),
                growth=shelves.growth,
            )

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        """Write the reply's row and take a slot in every budget, all or nothing, in one transaction."""
        with self._lock:
            reservation = reserve(self._shelves, request, self._clock.now())
            if reservation.decision is Decision.SUPPRESS and reservation.new and not request.preview:
                self._inquiries.erase_recipient(request.submission_id)
            return reservation

    async def settle(self, outcome: Outcome, /) -> None:
        """Record what became of a reply: row, budgets, suppression, and the recipient's erasure at its end."""
        with self._lock:
            settle(self._shelves, outcome, self._clock.now(), self._inquiries.erase_recipient)

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        """Take replies that are due, and held ones to look at again; each goes to one caller only."""
        with self._lock:
            return take_due(self._shelves, limit, lease_s, self._clock.now(), self._inquiries.erase_recipient)

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        """Put a subject on the suppression list; `REPLIES_OFF` is the switch for all replies."""
        with self._lock:
            self._shelves.suppressions.add(subject, cause, until)

    async def lift(self, subject: Key, /) -> bool:
        """Take a subject off the list; say whether it was on it."""
        with self._lock:
            return self._shelves.suppressions.lift(subject, self._clock.now())

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        """Read the reply rows of these submissions, by submission id."""
        with self._lock:
            rows = (reply.row for reply in self._shelves.replies.values() if reply.row.submission_id in submissions)
            return {row.submission_id: row for row in rows}

    def shelves(self) -> Shelves:
        """Hand out what lies here, to whoever holds the lock."""
        return self._shelves

    def all(self) -> tuple[ReplyRow, ...]:
        """Return every row."""
        with self._lock:
            return tuple(reply.row for reply in self._shelves.replies.values())

    def suppressed(self, now: float) -> tuple[bool, dict[str, int]]:
        """Say whether the switch is off, and how many subjects stand on the list, by cause."""
        with self._lock:
            causes = self._shelves.suppressions.causes(now)
            return causes.pop(REPLIES_OFF, None) is not None, dict(Counter(sorted(chain(*causes.values()))))

    def has_live_reply(self, submission: bytes) -> bool:
        """Say whether a reply of this submission may still be sent."""
        return any(reply.live and reply.row.submission_id == submission for reply in self._shelves.replies.values())

    def purge(self, settings: Stores, limit: int) -> int:
        """Erase at most `limit` things whose time is over; return how many."""
        return purge_ledger(self._shelves, settings, limit, self._clock.now())
