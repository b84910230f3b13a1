"""A memory store that falls ill on command, port by port."""

from collections.abc import Collection, Mapping, Sequence

from formwarden.stores.memory import MemoryStore
from formwarden.stores.memory.counters import MemoryCounters
from formwarden.stores.memory.inquiries import MemoryInquiries
from formwarden.stores.memory.ledger import MemoryLedger
from formwarden.stores.memory.measures import MemoryMeasures
from formwarden.stores.memory.statistics import MemoryStatistics
from formwarden.stores.memory.telling import MemoryTelling
from formwarden.stores.ports import (
    Alarm,
    Breaker,
    Day,
    Growth,
    Inquiry,
    Key,
    Newcomers,
    Observation,
    Observed,
    Outcome,
    Page,
    ReplyRequest,
    ReplyRow,
    Reputation,
    Reservation,
    Staff,
    State,
)
from formwarden.stores.runs import Run, TaskState


class Health:
    """What each operation raises instead of doing its work; `calls` are those that were asked for."""

    def __init__(self) -> None:
        self._errors: dict[str, Exception] = {}
        self.calls: list[str] = []

    def fails(self, what: str, error: Exception | None) -> None:
        """Let a port (`counters`) or one operation (`inquiries.keep`) raise from now on; None: it is well again."""
        if error is None:
            self._errors.pop(what, None)
        else:
            self._errors[what] = error

    def check(self, port: str, operation: str) -> None:
        self.calls.append(f"{port}.{operation}")
        error = self._errors.get(port) or self._errors.get(f"{port}.{operation}")
        if error is not None:
            raise error


class IllCounters:
    def __init__(self, well: MemoryCounters, health: Health) -> None:
        self._well, self._health = well, health

    async def observe(self, observation: Observation, /) -> Observed:
        self._health.check("counters", "observe")
        return await self._well.observe(observation)

    async def forget(self, observation: Observation, /) -> None:
        self._health.check("counters", "forget")
        await self._well.forget(observation)


class IllLedger:
    def __init__(self, well: MemoryLedger, health: Health) -> None:
        self._well, self._health = well, health

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        self._health.check("ledger", "reputation")
        return await self._well.reputation(subjects)

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        self._health.check("ledger", "reserve")
        return await self._well.reserve(request)

    async def settle(self, outcome: Outcome, /) -> None:
        self._health.check("ledger", "settle")
        await self._well.settle(outcome)

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        self._health.check("ledger", "due")
        return await self._well.due(limit, lease_s=lease_s)

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        self._health.check("ledger", "suppress")
        await self._well.suppress(subject, cause=cause, until=until)

    async def lift(self, subject: Key, /) -> bool:
        self._health.check("ledger", "lift")
        return await self._well.lift(subject)

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        self._health.check("ledger", "replies")
        return await self._well.replies(submissions)


class IllMeasures:
    def __init__(self, well: MemoryMeasures, health: Health) -> None:
        self._well, self._health = well, health

    async def measure(self, day: int, /) -> tuple[Day, Newcomers, Growth | None]:
        self._health.check("measures", "measure")
        return await self._well.measure(day)

    async def grow(self, growth: Growth, /, *, after: Growth | None, alarm: str = "") -> bool:
        self._health.check("measures", "grow")
        return await self._well.grow(growth, after=after, alarm=alarm)

    async def remember(self, subject: Key, /, *, on: bool = True) -> None:
        self._health.check("measures", "remember")
        await self._well.remember(subject, on=on)

    async def breakers(self) -> Sequence[Breaker]:
        self._health.check("measures", "breakers")
        return await self._well.breakers()

    async def close(self, subject: Key, /) -> bool:
        self._health.check("measures", "close")
        return await self._well.close(subject)

    async def alarms(self, limit: int, /, *, lease_s: float) -> Sequence[Alarm]:
        self._health.check("measures", "alarms")
        return await self._well.alarms(limit, lease_s=lease_s)

    async def told(self, ids: Collection[int], /) -> None:
        self._health.check("measures", "told")
        await self._well.told(ids)

    async def untold(self) -> int:
        self._health.check("measures", "untold")
        return await self._well.untold()


class IllInquiries:
    def __init__(self, well: MemoryInquiries, health: Health) -> None:
        self._well, self._health = well, health

    async def keep(self, inquiry: Inquiry, /, *, lease_s: float, replaces: bytes | None = None) -> Inquiry | None:
        self._health.check("inquiries", "keep")
        return await self._well.keep(inquiry, lease_s=lease_s, replaces=replaces)

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
        self._health.check("inquiries", "move")
        return await self._well.move(inquiry, expect=expect, to=to, note=note, answer=answer, lease_s=lease_s)

    async def claim(self, state: State, limit: int, /, *, older_than: float, lease_s: float) -> Sequence[Inquiry]:
        self._health.check("inquiries", "claim")
        return await self._well.claim(state, limit, older_than=older_than, lease_s=lease_s)

    async def claim_staff(self, limit: int, /, *, lease_s: float, per_hour: int | None = None) -> Sequence[Inquiry]:
        self._health.check("inquiries", "claim_staff")
        return await self._well.claim_staff(limit, lease_s=lease_s, per_hour=per_hour)

    async def gather_staff(
        self, limit: int, /, *, lease_s: float, per_hour: int, every_s: float
    ) -> Sequence[Inquiry]:
        self._health.check("inquiries", "gather_staff")
        return await self._well.gather_staff(limit, lease_s=lease_s, per_hour=per_hour, every_s=every_s)

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "", due_at: float = 0.0) -> bool:
        self._health.check("inquiries", "staff")
        return await self._well.staff(inquiry, to=to, note=note, due_at=due_at)

    async def get(self, inquiry: bytes, /) -> Inquiry | None:
        self._health.check("inquiries", "get")
        return await self._well.get(inquiry)

    async def find(self, states: Collection[State], /, *, after: str | None = None, limit: int = 50) -> Page:
        self._health.check("inquiries", "find")
        return await self._well.find(states, after=after, limit=limit)


class IllStore:
    """The store port over a memory store, with a state of health."""

    def __init__(self, well: MemoryStore, health: Health | None = None) -> None:
        self.well = well
        self.health_of = health or Health()
        self._counters = IllCounters(well.counters, self.health_of)
        self._ledger = IllLedger(well.ledger, self.health_of)
        self._measures = IllMeasures(well.measures, self.health_of)
        self._inquiries = IllInquiries(well.inquiries, self.health_of)
        self.closed = 0

    @property
    def counters(self) -> IllCounters:
        return self._counters

    @property
    def ledger(self) -> IllLedger:
        return self._ledger

    @property
    def measures(self) -> IllMeasures:
        return self._measures

    @property
    def inquiries(self) -> IllInquiries:
        return self._inquiries

    @property
    def telling(self) -> MemoryTelling:
        return self.well.telling

    @property
    def statistics(self) -> MemoryStatistics:
        return self.well.statistics

    def fails(self, what: str, error: Exception | None) -> None:
        """Let a port or one operation raise."""
        self.health_of.fails(what, error)

    async def health(self) -> str | None:
        return await self.well.health()

    async def purge(self, limit: int, /) -> int:
        self.health_of.check("store", "purge")
        return await self.well.purge(limit)

    async def lease(self, task: str, holder: str, /, *, seconds: float, run: Run | None = None) -> bool:
        self.health_of.check("store", "lease")
        return await self.well.lease(task, holder, seconds=seconds, run=run)

    async def release(self, holder: str, runs: Mapping[str, Run], /) -> None:
        self.health_of.check("store", "release")
        await self.well.release(holder, runs)

    async def tasks(self) -> Mapping[str, TaskState]:
        self.health_of.check("store", "tasks")
        return await self.well.tasks()

    async def recipient_keys(self) -> Sequence[bytes]:
        self.health_of.check("store", "recipient_keys")
        return await self.well.recipient_keys()

    async def aclose(self) -> None:
        self.closed += 1
        await self.well.aclose()
