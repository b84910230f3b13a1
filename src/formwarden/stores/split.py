"""A store whose counters live elsewhere: what may be lost in one place, what must not in another."""

from collections.abc import Mapping, Sequence
from typing import Final

from formwarden.stores.ports import Counters, Inquiries, Ledger, Measures, Store
from formwarden.stores.runs import Run, TaskState
from formwarden.stores.statistics import Statistics
from formwarden.stores.telling import Telling

COUNTERS_SHARE: Final = 4  # one in so many of the things a purge may erase


class SplitStore:
    """Counters from one store, everything else from the other."""

    def __init__(self, durable: Store, volatile: Store) -> None:
        self._durable = durable
        self._volatile = volatile

    @property
    def counters(self) -> Counters:
        """The judging side."""
        return self._volatile.counters

    @property
    def ledger(self) -> Ledger:
        """The sending side."""
        return self._durable.ledger

    @property
    def measures(self) -> Measures:
        """What limits grow and shrink by."""
        return self._durable.measures

    @property
    def telling(self) -> Telling:
        """What the staff is told of many inquiries at once."""
        return self._durable.telling

    @property
    def inquiries(self) -> Inquiries:
        """The owner's side."""
        return self._durable.inquiries

    @property
    def statistics(self) -> Statistics:
        """Figures of what stands here."""
        return self._durable.statistics

    async def health(self) -> str | None:
        """Say what is wrong with either."""
        found = [await self._durable.health(), await self._volatile.health()]
        return "; ".join(each for each in found if each) or None

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things in both together; a quarter is the counters', whatever floods the rest."""
        erased = await self._durable.purge(limit - limit // COUNTERS_SHARE)
        return erased + await self._volatile.purge(max(0, limit - erased))

    async def lease(self, task: str, holder: str, /, *, seconds: float, run: Run | None = None) -> bool:
        """Take or renew the lease of a periodic task."""
        return await self._durable.lease(task, holder, seconds=seconds, run=run)

    async def release(self, holder: str, runs: Mapping[str, Run], /) -> None:
        """End every lease of this holder."""
        await self._durable.release(holder, runs)

    async def tasks(self) -> Mapping[str, TaskState]:
        """Return where each periodic task stands."""
        return await self._durable.tasks()

    async def recipient_keys(self) -> Sequence[bytes]:
        """Return the keys of recipient hashes, newest first."""
        return await self._durable.recipient_keys()

    async def aclose(self) -> None:
        """Close both."""
        await self._durable.aclose()
        await self._volatile.aclose()
