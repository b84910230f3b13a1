"""The memory store."""

from collections.abc import Sequence
from threading import RLock
from typing import Final

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.stores.memory.counters import MemoryCounters
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.ledger import MemoryLedger
from formwarden.stores.settings import Stores

KEY_BYTES: Final = 32


class MemoryStore:
    """Everything in this process, under one lock: callers may come from several threads and event loops."""

    def __init__(self, *, clock: Clock, entropy: Entropy, settings: Stores) -> None:
        self._clock = clock
        self._settings = settings
        self._lock = RLock()
        self._keys = (entropy(KEY_BYTES),)
        self._leases: dict[str, tuple[str, float, float]] = {}
        self._counters = MemoryCounters(clock, self._lock)
        self._inquiries = MemoryInquiries(clock, self._lock)
        self._ledger = MemoryLedger(clock, self._lock, self._inquiries)

    @property
    def counters(self) -> MemoryCounters:
        """The judging side."""
        return self._counters

    @property
    def ledger(self) -> MemoryLedger:
        """The sending side."""
        return self._ledger

    @property
    def inquiries(self) -> MemoryInquiries:
        """The owner's side."""
        return self._inquiries

    async def health(self) -> str | None:
        """Say what is wrong and the remedy; None: well. Never raises."""
        return None

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things whose time is over; return how many."""
        with self._lock:
            erased = self._inquiries.purge(self._settings, limit, self._ledger.has_live_reply)
            erased += self._ledger.purge(self._settings, limit - erased)
            return erased + self._counters.purge(self._clock.now(), limit - erased)

    async def lease(self, task: str, holder: str, /, *, seconds: float) -> bool:
        """Take or renew the lease of a periodic task; False: another holder has it."""
        with self._lock:
            now = self._clock.now()
            other, until, taken_for = self._leases.get(task, (holder, 0.0, 0.0))
            if other != holder and now < until <= now + taken_for:  # beyond it a corrected clock has left it
                return False
            self._leases[task] = (holder, now + seconds, seconds)
            return True

    async def recipient_keys(self) -> Sequence[bytes]:
        """Return the keys of recipient hashes, newest first (G20)."""
        return self._keys

    async def aclose(self) -> None:
        """Do nothing: what is here stays until the process ends."""
