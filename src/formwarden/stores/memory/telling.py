"""What the staff is told of many inquiries at once, in memory."""

from collections import Counter
from dataclasses import replace
from threading import RLock

from formwarden.clock import Clock
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.ledger import MemoryLedger
from formwarden.stores.memory.room import Kept
from formwarden.stores.ports import Staff, State
from formwarden.stores.statistics import WEEK_S
from formwarden.stores.telling import WEEKS_BEFORE, HeldOnes, Mailed


class MemoryTelling:
    """Beside the inquiries of a memory store."""

    def __init__(self, clock: Clock, lock: RLock, inquiries: MemoryInquiries, ledger: MemoryLedger) -> None:
        self._clock = clock
        self._lock = lock
        self._inquiries = inquiries
        self._ledger = ledger
        self._listed: dict[bytes, int] = {}  # 1: in the digest that is being written, 2: in one that was sent
        self._bulletins: dict[str, tuple[float | None, float]] = {}  # for when it was sent last, end of the lease

    async def came(self, seconds: float, /, *, most: int) -> int:
        """Count the inquiries of the last so many seconds, as far as `most`."""
        since = self._clock.now() - seconds
        return min(most, sum(each.received_at >= since for each in self._inquiries.all()))

    async def tell_held(self, limit: int, /, *, points: tuple[float, float] | None) -> int:
        """Let the staff's mail be due of held inquiries of so many points; return of how many."""
        with self._lock:
            chosen = [
                each for each in self._untold(0) if points is None or points[0] <= each.inquiry.score < points[1]
            ][:limit]
            for kept in chosen:
                kept.inquiry = replace(kept.inquiry, staff=Staff.DUE)
                kept.staff_at = self._clock.now()
            return len(chosen)

    async def open_digest(self, limit: int, /) -> int:
        """Put held inquiries, told nowhere yet, into the digest that is being written; return how many."""
        return self._list(0, 1, limit)

    async def digest(self, limit: int, /) -> HeldOnes:
        """Read the digest that is being written."""
        with self._lock:
            found = [kept.inquiry for kept in self._untold(1)]
        by_form = Counter(each.form for each in found)
        return HeldOnes(
            lowest=tuple(replace(each, body=None) for each in found[:limit]), by_form=dict(sorted(by_form.items()))
        )

    async def close_digest(self, limit: int, /) -> int:
        """Note that what stands in it was told; return of how many."""
        return self._list(1, 2, limit)

    async def bulletin(self, name: str, /) -> float | None:
        """Return for when a repeated mail was sent last; None: it never was."""
        return self._bulletins.get(name, (None, 0.0))[0]

    async def begin_bulletin(self, name: str, /, *, after: float | None, lease_s: float) -> bool:
        """Take a repeated mail that was sent last for `after`: of racing callers one gets True."""
        with self._lock:
            now = self._clock.now()
            last, until = self._bulletins.get(name, (None, 0.0))
            if last != after or now < until <= now + lease_s:
                return False
            self._bulletins[name] = last, now + lease_s
            return True

    async def end_bulletin(self, name: str, /, *, last: float | None) -> None:
        """Note for when it was sent and end the lease; None: it was not sent."""
        with self._lock:
            before = self._bulletins.get(name, (None, 0.0))[0]
            self._bulletins[name] = before if last is None else last, 0.0

    async def mailed(self) -> Mailed:
        """Count the domains that replies were granted to."""
        with self._lock:
            now = self._clock.now()
            granted = [
                (domain, int((now - row.at) // WEEK_S))
                for row in self._ledger.shelves().accounts.accounts.values()
                if (domain := row.account.domain) is not None and row.at <= now
            ]
        weeks = [{domain for domain, week in granted if week == number} for number in range(1 + WEEKS_BEFORE)]
        return Mailed(
            domains=len(weeks[0]),
            new=len(weeks[0].difference(*weeks[1:])),
            before=sum(len(each) for each in weeks[1:]) / WEEKS_BEFORE,
        )

    async def refusal(self, seconds: float, /) -> str | None:
        """Return what a relay said when it last refused a reply."""
        since = self._clock.now() - seconds
        said = [row.last for row in self._ledger.all() if row.state == "refused" and row.created_at >= since]
        return said[-1] if said else None

    def _list(self, stands: int, to: int, limit: int) -> int:
        with self._lock:
            chosen = self._untold(stands)[:limit]
            for kept in chosen:
                self._listed[kept.inquiry.id] = to
            return len(chosen)

    def _untold(self, listed: int) -> list[Kept]:
        """Find the held ones the staff has no mail of, lowest score first."""
        shelf = self._inquiries.shelf()
        self._listed = {each: state for each, state in self._listed.items() if each in shelf}
        found = [
            kept
            for kept in shelf.values()
            if kept.inquiry.state is State.HELD
            and kept.inquiry.staff is Staff.NONE
            and self._listed.get(kept.inquiry.id, 0) == listed
        ]
        return sorted(found, key=lambda kept: (kept.inquiry.score, kept.inquiry.received_at))
