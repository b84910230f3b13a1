"""What limits grow and shrink by, in memory."""

from collections.abc import Collection, Sequence
from threading import RLock

from formwarden.clock import Clock
from formwarden.stores.breakers import Kind, shown
from formwarden.stores.measuring import day_bounds
from formwarden.stores.memory.days import Counted
from formwarden.stores.memory.replies import Shelves
from formwarden.stores.ports import Alarm, Breaker, Day, Growth, Key, Newcomers
from formwarden.stores.tripping import close, tidy


class MemoryMeasures:
    """Beside the ledger of a memory store, under its lock."""

    def __init__(self, clock: Clock, lock: RLock, shelves: Shelves) -> None:
        self._clock = clock
        self._lock = lock
        self._shelves = shelves
        self._accounts = shelves.accounts

    async def measure(self, day: int, /) -> tuple[Day, Newcomers, Growth | None]:
        """Read what one day brought, who is new, and what was allowed last."""
        with self._lock:
            return self._day(day), self._shelves.days.newcomers(self._clock.now()), self._shelves.growth

    async def grow(self, growth: Growth, /, *, after: Growth | None, alarm: str = "") -> bool:
        """Write what is allowed from now on if `after` is what stands."""
        with self._lock:
            if self._shelves.growth != after:
                return False
            self._shelves.growth = growth
            if alarm:
                self._accounts.alarm(Kind.DRIP, alarm, self._clock.now())
            return True

    async def remember(self, subject: Key, /, *, on: bool = True) -> None:
        """Write that this address is one we know, or is not."""
        with self._lock:
            if on:
                self._shelves.known[subject] = None
            else:
                self._shelves.known.pop(subject, None)

    async def breakers(self) -> Sequence[Breaker]:
        """Read every breaker that is not closed, newest first."""
        with self._lock:
            return shown(self._accounts, self._clock.now())

    async def close(self, subject: Key, /) -> bool:
        """Close a breaker by hand, its window empty; say whether it was not closed."""
        with self._lock:
            return close(self._accounts, subject, self._clock.now())

    async def alarms(self, limit: int, /, *, lease_s: float) -> Sequence[Alarm]:
        """Take alarms nobody was told of, oldest first."""
        with self._lock:
            now = self._clock.now()
            tidy(
                self._accounts,
                tuple(row.subject for row in self._accounts.breakers() if row.closes_at is not None),
                now,
            )
            return self._accounts.take_alarms(limit, lease_s, now)

    async def told(self, ids: Collection[int], /) -> None:
        """Write that these were told."""
        with self._lock:
            for each in ids:
                if each in self._accounts.kept_alarms:
                    self._accounts.kept_alarms[each].told_at = self._clock.now()

    async def untold(self) -> int:
        """Count the alarms nobody was told of."""
        with self._lock:
            return sum(kept.told_at is None for kept in self._accounts.kept_alarms.values())

    def _day(self, day: int) -> Day:
        start, end = day_bounds(day)
        now = self._clock.now()
        counted = self._shelves.days.days.get(day, Counted())
        entered = [
            row
            for row in self._accounts.accounts.values()
            if row.entered_at is not None and start <= row.entered_at < end and row.entered_at <= now
        ]
        began = [kept.alarm for kept in self._accounts.kept_alarms.values() if kept.alarm.kind != Kind.CLOSED]
        return Day(
            wanted=counted.wanted,
            granted=counted.granted,
            known=len(entered),
            hard=sum(row.hard for row in entered),
            complaints=counted.complaints,
            alarms=sum(start <= alarm.at < end for alarm in began),
        )
