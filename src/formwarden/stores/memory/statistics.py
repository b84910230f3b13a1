"""A look at a memory store."""

from collections import Counter
from collections.abc import Collection
from threading import RLock

from formwarden.clock import Clock
from formwarden.stores.breakers import shown
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.leases import MemoryLeases
from formwarden.stores.memory.ledger import MemoryLedger
from formwarden.stores.ports import Key, Staff
from formwarden.stores.statistics import DAY_S, WEEK_S, About, Figures, InquiryCount, Listed, ReplyCount


class MemoryStatistics:
    """Counts what stands in this process."""

    def __init__(
        self, clock: Clock, lock: RLock, inquiries: MemoryInquiries, ledger: MemoryLedger, leases: MemoryLeases
    ) -> None:
        self._clock = clock
        self._lock = lock
        self._inquiries = inquiries
        self._ledger = ledger
        self._leases = leases

    async def read(self) -> Figures:
        """Count."""
        with self._lock:
            now, shelves = self._clock.now(), self._ledger.shelves()
            kept, rows = self._inquiries.all(), self._ledger.all()
            due = [each.received_at for each in kept if each.staff is Staff.DUE]
            off, causes = self._ledger.suppressed(now)
            came = [(each.received_at, (each.form, str(each.state))) for each in kept]
            asked = [(each.created_at, (each.state, each.code)) for each in rows]
            return Figures(
                now=now,
                inquiries=tuple(
                    InquiryCount(form=form, state=state, day=day, week=week)
                    for (form, state), day, week in _counted(came, now)
                ),
                replies=tuple(
                    ReplyCount(state=state, code=code, day=day, week=week)
                    for (state, code), day, week in _counted(asked, now)
                ),
                replies_off=off,
                staff_waiting=len(due),
                staff_oldest=min(due, default=None),
                suppressions=causes,
                tasks=self._leases.tasks(),
                breakers=len(shown(shelves.accounts, now)),
                alarms=sum(held.told_at is None for held in shelves.accounts.kept_alarms.values()),
                known=len(shelves.known),
            )

    async def about(self, subjects: Collection[Key], /, *, limit: int) -> About:
        """Read what stands against these subjects, and the last `limit` replies to them."""
        with self._lock:
            now, shelves = self._clock.now(), self._ledger.shelves()
            slots = {name for key in subjects for name in shelves.budgets.replies_at(key)}
            rows = [
                reply.row for name, reply in shelves.replies.items() if reply.recipient in subjects or name in slots
            ]
            rows.sort(key=lambda row: (row.created_at, row.reply_id), reverse=True)
            listed = [
                Listed(subject=subject, cause=cause, until=until)
                for subject, cause, until in shelves.suppressions.standing()
                if subject in subjects and (until is None or until > now)
            ]
            return About(listed=tuple(sorted(listed, key=lambda each: each.cause)), replies=tuple(rows[:limit]))


def _counted(found: list[tuple[float, tuple[str, str]]], now: float) -> list[tuple[tuple[str, str], int, int]]:
    week = Counter(name for at, name in found if now - WEEK_S <= at <= now + DAY_S)
    day = Counter(name for at, name in found if now - DAY_S <= at <= now + DAY_S)
    return [(name, day[name], times) for name, times in sorted(week.items())]
