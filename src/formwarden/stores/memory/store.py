"""The memory store."""

from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.stores.archive import RecipientKey
from formwarden.stores.memory.archive import MemoryArchive
from formwarden.stores.memory.counters import MemoryCounters
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.leases import MemoryLeases
from formwarden.stores.memory.ledger import MemoryLedger
from formwarden.stores.memory.measures import MemoryMeasures
from formwarden.stores.memory.room import MemoryRoom
from formwarden.stores.memory.statistics import MemoryStatistics
from formwarden.stores.memory.telling import MemoryTelling
from formwarden.stores.runs import Run, TaskState
from formwarden.stores.settings import Stores

KEY_BYTES: Final = 32
OTHERS_SHARE: Final = 4  # one in so many of the things a purge may erase is the ledger's, and one the counters'


class MemoryStore:
    """Everything in this process, under one lock: callers may come from several threads and event loops."""

    def __init__(self, *, clock: Clock, entropy: Entropy, settings: Stores) -> None:
        self._clock = clock
        self._settings = settings
        self._lock = RLock()
        self._entropy = entropy
        self._keys = [RecipientKey(key=entropy(KEY_BYTES), made_at=clock.now())]  # oldest first
        self._leases = MemoryLeases(clock, self._lock)
        self._counters = MemoryCounters(clock, self._lock, settings.counters_bytes)
        room = MemoryRoom(settings.store_bytes, clock, self._has_live_reply)
        self._inquiries = MemoryInquiries(clock, self._lock, room)
        self._ledger = MemoryLedger(clock, self._lock, self._inquiries)
        self._measures = MemoryMeasures(clock, self._lock, self._ledger.shelves())
        self._telling = MemoryTelling(clock, self._lock, self._inquiries, self._ledger)
        self._statistics = MemoryStatistics(clock, self._lock, self._inquiries, self._ledger, self._leases)

    @property
    def counters(self) -> MemoryCounters:
        """The judging side."""
        return self._counters

    @property
    def ledger(self) -> MemoryLedger:
        """The sending side."""
        return self._ledger

    @property
    def measures(self) -> MemoryMeasures:
        """What limits grow and shrink by."""
        return self._measures

    @property
    def inquiries(self) -> MemoryInquiries:
        """The owner's side."""
        return self._inquiries

    @property
    def telling(self) -> MemoryTelling:
        """What the staff is told of many inquiries at once."""
        return self._telling

    @property
    def statistics(self) -> MemoryStatistics:
        """Figures of what stands here."""
        return self._statistics

    async def health(self) -> str | None:
        """Say what is wrong and the remedy; None: well. Never raises."""
        return None

    def _has_live_reply(self, submission: bytes) -> bool:
        return self._ledger.has_live_reply(submission)

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things: whose time is over, and what must go from a store that is nearly full.

        Return how many; more than none: there may be more.
        """
        with self._lock:
            share = limit // OTHERS_SHARE
            erased = self._inquiries.purge(self._settings, limit - 2 * share, self._ledger.has_live_reply)
            erased += self._ledger.purge(self._settings, limit - share - erased)
            return erased + self._counters.purge(self._clock.now(), limit - erased)

    async def lease(self, task: str, holder: str, /, *, seconds: float, run: Run | None = None) -> bool:
        """Take or renew the lease of a periodic task; False: another holder has it."""
        return self._leases.lease(task, holder, seconds, run)

    async def release(self, holder: str, runs: Mapping[str, Run], /) -> None:
        """End every lease of this holder, who tells the last runs that he has not told."""
        self._leases.release(holder, runs)

    async def tasks(self) -> Mapping[str, TaskState]:
        """Return where each periodic task stands that was ever leased."""
        return self._leases.tasks()

    async def recipient_keys(self) -> Sequence[bytes]:
        """Return the keys of recipient hashes, newest first (G20)."""
        return tuple(each.key for each in reversed(self._keys))

    def archive(self) -> MemoryArchive:
        """Return everything here as commands see it."""
        return MemoryArchive(
            keys=self._keys,
            inquiries=self._inquiries,
            ledger=self._ledger,
            lock=self._lock,
            clock=self._clock,
            entropy=self._entropy,
        )

    async def aclose(self) -> None:
        """Do nothing: what is here stays until the process ends."""
