"""Inquiries in memory."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from threading import RLock

from formwarden.clock import Clock
from formwarden.errors import StoreFullError
from formwarden.stores.ahead import AHEAD_S, too_far
from formwarden.stores.eviction import FULL, bytes_of
from formwarden.stores.memory.room import Kept, MemoryRoom
from formwarden.stores.paging import page_key, place_of
from formwarden.stores.ports import Inquiry, Page, Staff, State
from formwarden.stores.retention import bodies_kept, facts_kept_s
from formwarden.stores.settings import Stores
from formwarden.stores.telling import STAFF_WINDOW_S


class MemoryInquiries:
    """The owner's side of a memory store."""

    def __init__(self, clock: Clock, lock: RLock, room: MemoryRoom) -> None:
        self._clock = clock
        self._lock = lock
        self._room = room
        self._kept: dict[bytes, Kept] = {}
        self._staff_slots: dict[bytes, float] = {}  # by inquiry: when its mail was given out last to go singly

    async def keep(self, inquiry: Inquiry, /, *, lease_s: float, replaces: bytes | None = None) -> Inquiry | None:
        """Store it, its state under a lease; None: it is new, else what this id already is (nothing changes)."""
        with self._lock:
            stands = self._kept.get(inquiry.id)
            if stands is not None:
                return stands.inquiry
            now = self._clock.now()
            if not self._room.make(self._kept, bytes_of(inquiry)):
                raise StoreFullError(FULL)
            kept = replace(inquiry, body=inquiry.content(), spooled=None, changed_at=now)
            self._kept[inquiry.id] = Kept(inquiry=kept, lease_until=now + lease_s)
            asked = self._kept.get(replaces) if replaces is not None else None
            if asked is not None and asked.inquiry.state is State.ASKED and asked.inquiry.form == inquiry.form:
                note = f"answered by {inquiry.receipt}"
                asked.inquiry = replace(asked.inquiry, state=State.DISCARDED, note=note, changed_at=now)
                asked.lease_until = 0.0
            return None

    async def move(
        self,
        inquiry: bytes,
        /,
        *,
        expect: Collection[State],
        to: State,
        note: str,
        answer: tuple[int, str] | None = None,
        lease_s: float = 0.0,
    ) -> bool:
        """Change the state if it is one of `expect`: of many callers one gets True."""
        with self._lock:
            kept = self._kept.get(inquiry)
            if kept is None or kept.inquiry.state not in expect:
                return False
            now = self._clock.now()
            answer = answer if answer is not None else kept.inquiry.answer
            kept.inquiry = replace(kept.inquiry, state=to, note=note, answer=answer, changed_at=now)
            kept.lease_until = now + lease_s
            return True

    async def claim(self, state: State, limit: int, /, *, older_than: float, lease_s: float) -> Sequence[Inquiry]:
        """Take inquiries in `state` that changed before `older_than` and whose lease is over; oldest first."""
        with self._lock:
            now = self._clock.now()
            self._bring_back(now, lease_s)
            waiting = [
                kept
                for kept in self._kept.values()
                if kept.inquiry.state is state and kept.inquiry.changed_at < older_than and kept.lease_until <= now
            ]
            waiting.sort(key=lambda kept: (kept.inquiry.changed_at, kept.inquiry.id))
            for kept in waiting[:limit]:
                kept.lease_until = now + lease_s
            return tuple(kept.inquiry for kept in waiting[:limit])

    async def claim_staff(self, limit: int, /, *, lease_s: float, per_hour: int | None = None) -> Sequence[Inquiry]:
        """Take inquiries whose staff mail is due and not leased, oldest first."""
        with self._lock:
            now = self._clock.now()
            self._bring_back(now, lease_s)
            chosen = self._staff_waiting(now)[:limit]
            if per_hour is not None:
                free = max(0, per_hour - self._staff_used(now))
                again = [kept for kept in self._staff_waiting(now) if kept.inquiry.id in self._staff_slots][:limit]
                others = [kept for kept in self._staff_waiting(now) if kept.inquiry.id not in self._staff_slots]
                chosen = again + others[: min(free, limit - len(again))]
                self._staff_slots.update((kept.inquiry.id, now) for kept in chosen)
            for kept in chosen:
                kept.staff_at = now + lease_s
            return tuple(kept.inquiry for kept in chosen)

    async def gather_staff(
        self, limit: int, /, *, lease_s: float, per_hour: int, every_s: float
    ) -> Sequence[Inquiry]:
        """Take what may not go singly in this hour, oldest first, without bodies."""
        with self._lock:
            now = self._clock.now()
            self._bring_back(now, lease_s)
            if self._staff_used(now) < per_hour:
                return ()
            waiting = self._staff_waiting(now - now % every_s)
            chosen = [kept for kept in waiting if kept.inquiry.id not in self._staff_slots][:limit]
            for kept in chosen:
                kept.staff_at = now + lease_s
            return tuple(replace(kept.inquiry, body=None) for kept in chosen)

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "", due_at: float = 0.0) -> bool:
        """Set where the staff mail stands, and end its lease; False: no such inquiry. SENT never goes back."""
        with self._lock:
            kept = self._kept.get(inquiry)
            if kept is None:
                return False
            if kept.inquiry.staff is not Staff.SENT or to is Staff.SENT:
                kept.inquiry = replace(kept.inquiry, staff=to, staff_note=note)
                kept.staff_at = due_at
            return True

    async def get(self, inquiry: bytes, /) -> Inquiry | None:
        """Read one."""
        with self._lock:
            kept = self._kept.get(inquiry)
            return None if kept is None else kept.inquiry

    async def find(self, states: Collection[State], /, *, after: str | None = None, limit: int = 50) -> Page:
        """Read a page, newest first; no states: all."""
        with self._lock:
            place = place_of(after)
            rows = sorted(
                (
                    kept.inquiry
                    for kept in self._kept.values()
                    if (not states or kept.inquiry.state in states)
                    and (place is None or (kept.inquiry.received_at, kept.inquiry.id) < place)
                ),
                key=lambda row: (row.received_at, row.id),
                reverse=True,
            )
        page = tuple(rows[:limit])
        more = len(rows) > limit
        return Page(rows=page, after=page_key(page[-1].received_at, page[-1].id) if more and page else None)

    def all(self) -> tuple[Inquiry, ...]:
        """Return every one."""
        with self._lock:
            return tuple(kept.inquiry for kept in self._kept.values())

    def shelf(self) -> dict[bytes, Kept]:
        """Hand out what lies here, for the archive, which holds the lock."""
        return self._kept

    def erase_recipient(self, inquiry: bytes) -> None:
        """Erase the address that was kept for the reply."""
        kept = self._kept.get(inquiry)
        if kept is not None:
            kept.inquiry = replace(kept.inquiry, recipient=None)

    def purge(self, settings: Stores, limit: int, has_live_reply: Callable[[bytes], bool]) -> int:
        """Erase what stands in clear beyond its time, and inquiries beyond theirs; return how many."""
        self._bring_back(self._clock.now(), AHEAD_S)
        erased = 0
        for kept in self._over(settings):
            if erased >= limit:
                break
            recipient = kept.inquiry.recipient if has_live_reply(kept.inquiry.id) else None
            if kept.inquiry.body is not None or recipient != kept.inquiry.recipient:
                kept.inquiry = replace(kept.inquiry, body=None, recipient=recipient)
                erased += 1
        before = self._clock.now() - facts_kept_s(settings)
        old = [
            kept.inquiry.id
            for kept in self._kept.values()
            if kept.inquiry.received_at <= before and kept.inquiry.staff is not Staff.DUE
        ][: limit - erased]
        for inquiry in old:
            del self._kept[inquiry]
        erased += len(old)
        return erased + (self._room.relieve(self._kept, limit - erased) if erased < limit else 0)

    def _bring_back(self, now: float, lease_s: float) -> None:
        for kept in self._kept.values():
            if too_far(kept.inquiry.changed_at, now):
                kept.inquiry = replace(kept.inquiry, changed_at=now)
            if too_far(kept.lease_until, now):
                kept.lease_until = now + lease_s
            if too_far(kept.staff_at, now):
                kept.staff_at = now + lease_s

    def _staff_waiting(self, until: float) -> list[Kept]:
        waiting = [kept for kept in self._kept.values() if kept.inquiry.staff is Staff.DUE and kept.staff_at <= until]
        return sorted(waiting, key=lambda kept: (kept.inquiry.received_at, kept.inquiry.id))

    def _staff_used(self, now: float) -> int:
        slots = {each: min(at, now) for each, at in self._staff_slots.items() if at >= now - STAFF_WINDOW_S}
        self._staff_slots = slots
        return len(slots)

    def _over(self, settings: Stores) -> Iterator[Kept]:
        now = self._clock.now()
        seconds = bodies_kept(settings)
        for kept in self._kept.values():
            keep = seconds.get(kept.inquiry.state)
            if keep is not None and kept.inquiry.staff is not Staff.DUE and kept.inquiry.changed_at <= now - keep:
                yield kept
