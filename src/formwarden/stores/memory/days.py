"""Days and new people in memory."""

from collections.abc import Collection
from dataclasses import dataclass

from formwarden.stores.ahead import too_far
from formwarden.stores.measuring import NEWCOMERS_A_DAY, day_of, newcomers, seen_again, week_starts
from formwarden.stores.ports import Key, Newcomers


@dataclass(slots=True, kw_only=True)
class Counted:
    """What was counted in a day as it happened."""

    wanted: int = 0
    granted: int = 0
    newcomers: int = 0
    complaints: int = 0


class MemoryDays:
    """Counts by day, and who is new; the ledger holds the lock."""

    def __init__(self) -> None:
        self.days: dict[int, Counted] = {}
        self.people: dict[Key, tuple[float, float]] = {}  # when first, and when last
        self.first_at: float | None = None

    def at(self, now: float) -> Counted:
        """Return the counts of a moment's day."""
        return self.days.setdefault(day_of(now), Counted())

    def meet(self, recipient: tuple[Key, ...], now: float) -> None:
        """Remember that a reply to somebody was wanted."""
        if not recipient:
            return
        for key in recipient:
            if key in self.people:
                first_at, seen_at = self.people[key]
                if seen_again(seen_at, now):
                    self.people[key] = first_at, now
                return
        today = self.at(now)
        if today.newcomers < NEWCOMERS_A_DAY:
            today.newcomers += 1
            self.people[recipient[0]] = now, now
            self.first_at = now if self.first_at is None else min(self.first_at, now)

    def newcomers(self, now: float) -> Newcomers:
        """Say who is new."""
        firsts = [first_at for first_at, _ in self.people.values()]
        return newcomers(self.first_at, [sum(at > start for at in firsts) for start in week_starts(now)], now)

    def bring_back(self, now: float) -> None:
        """Bring back whom a clock that was set back since has met ahead."""
        for key, (first_at, seen_at) in self.people.items():
            if too_far(first_at, now):
                self.people[key] = now, min(seen_at, now)

    def forget(self, subjects: Collection[Key]) -> None:
        """Forget people."""
        for key in subjects:
            self.people.pop(key, None)
