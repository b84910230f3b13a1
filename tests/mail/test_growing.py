"""The site's day, grown and shrunk in real stores by what really came back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.growing import NEXT_STEP, UNPROVEN, Growing, bounds_of, mark_real
from formwarden.mail.growth import allowed
from formwarden.mail.settings import Mail
from formwarden.stores.memory import MemoryStore
from formwarden.stores.memory.measures import MemoryMeasures
from formwarden.stores.ports import Day, Growth, Newcomers, Store
from formwarden.stores.settings import Stores
from tests.clock import MovableClock
from tests.ill_store import Health, IllMeasures
from tests.mail.measured import DAY_S, NOON, Replied, opened

pytestmark = pytest.mark.anyio
MAIL = Mail(site_per_day=20, reply_ceiling_per_day=200)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOON)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Store]:
    made = opened(clock, tmp_path / "site.db" if request.param == "sqlite" else None)
    yield made
    await made.aclose()


def growing(store: Store, clock: MovableClock, mail: Mail = MAIL, faults: Faults | None = None) -> Growing:
    return Growing(store.measures, store.ledger, mail=mail, clock=clock, faults=faults or Faults(clock))


async def stands(store: Store) -> Growth | None:
    return (await store.measures.measure(0))[2]


async def cap(store: Store) -> int:
    growth = await stands(store)
    assert growth is not None
    return growth.cap


async def busy_days(store: Store, clock: MovableClock, days: int, *, failed: int = 0) -> Growing:
    """Let so many days pass on which the whole of the start is wanted, and the first few bounce."""
    replied, grower = Replied(store), growing(store, clock)
    await grower.step()
    for _ in range(days):
        await replied.grant(20, failed=failed)
        clock.move(DAY_S)
        await grower.step()
    return grower


async def test_g06_a_site_grows_day_by_day_where_outcomes_are_seen(store: Store, clock: MovableClock) -> None:
    grower = await busy_days(store, clock, 2, failed=1)
    assert await cap(store) == 28  # of the first day only one outcome was known when it was over (G08)
    assert await grower.step() == 0  # the same day again changes nothing
    assert await cap(store) == 28


async def test_g06_a_bad_day_takes_it_back(store: Store, clock: MovableClock) -> None:
    await busy_days(store, clock, 2, failed=1)
    replied = Replied(store, first=1_000)
    await replied.grant(1)
    await replied.complain()
    clock.move(DAY_S)
    assert await growing(store, clock).step() == 1
    assert await cap(store) == 20


async def test_g07_without_any_outcome_nothing_grows_and_the_next_step_is_named_once_a_day(
    store: Store, clock: MovableClock
) -> None:
    faults, replied = Faults(clock), Replied(store)
    grower = growing(store, clock, faults=faults)
    await grower.step()
    assert faults.of(UNPROVEN) == 0  # nothing was sent yet: nothing is missing
    for day in range(1, 4):
        await replied.grant(20)
        clock.move(DAY_S)
        for _ in range(3):
            await growing(store, clock, faults=faults).step()  # each time a fresh process: `work --once`
        assert faults.of(UNPROVEN) == day
    assert await cap(store) == 20
    assert faults.all()[0].why == NEXT_STEP[:300]


async def test_a_site_that_slept_is_judged_for_the_days_it_missed(store: Store, clock: MovableClock) -> None:
    replied, grower = Replied(store), growing(store, clock)
    await grower.step()
    for _ in range(3):
        await replied.grant(20, failed=1)
        clock.move(DAY_S)
    assert await grower.step() == 1
    assert await cap(store) == 39  # 20, 28, 39: two of the three days had outcomes enough
    clock.move(40 * DAY_S)
    assert await grower.step() == 1
    assert await cap(store) == 20  # more than thirty idle days


async def test_an_idle_month_while_awake_begins_anew_too(store: Store, clock: MovableClock) -> None:
    grower = await busy_days(store, clock, 2, failed=1)
    assert await cap(store) == 28
    caps = []
    for _ in range(32):
        clock.move(DAY_S)
        await grower.step()
        caps.append(await cap(store))
    assert caps.count(28) in {29, 30, 31}
    assert caps[-1] == 20


async def test_of_many_processes_one_judges_a_day(clock: MovableClock, tmp_path: Path) -> None:
    stores = [opened(clock, tmp_path / "site.db") for _ in range(4)]
    try:
        await busy_days(stores[0], clock, 1, failed=1)
        await Replied(stores[0], first=1_000).grant(20, failed=1)
        clock.move(DAY_S)
        done = await asyncio.gather(*(growing(each, clock).step() for each in stores))
        assert sum(done) == 1
        assert [await cap(each) for each in stores] == [28] * 4
    finally:
        for each in stores:
            await each.aclose()


async def test_g10_a_drip_is_found_told_and_ended_by_the_owner(store: Store, clock: MovableClock) -> None:
    replied, grower = Replied(store), growing(store, clock)
    for _ in range(21):
        await replied.grant(2)
        await grower.step()
        clock.move(DAY_S)
    days = 0
    while not await store.measures.untold():
        await replied.grant(2 + 10)
        await grower.step()
        clock.move(DAY_S)
        days += 1
        assert days <= 7
    growth = await stands(store)
    assert growth is not None
    assert allowed(growth, bounds_of(MAIL)) == growth.drip_cap == 5
    told = [each for each in await store.measures.alarms(50, lease_s=1.0) if each.kind == "drip"]
    assert (days, len(told)) == (3, 1)  # 14 usual ones and 10 a day more: above 36 on the third day
    assert told[0].text.endswith("at most 5 replies a day now")
    real = await mark_real(store.measures, clock)
    assert real is not None
    assert real.real_week > 30
    assert await stands(store) == real
    assert await mark_real(store.measures, clock) is None  # there is nothing more to say
    await grower.step()
    after = await stands(store)
    assert after is not None
    assert after.drip_cap is None


class Meanwhile(IllMeasures):
    """Measures of a caller who is overtaken after his first question."""

    def __init__(self, well: MemoryMeasures, other: Callable[[], Awaitable[object]]) -> None:
        super().__init__(well, Health())
        self._other = other
        self._asked = 0

    async def measure(self, day: int, /) -> tuple[Day, Newcomers, Growth | None]:
        await self._step()
        return await super().measure(day)

    async def grow(self, growth: Growth, /, *, after: Growth | None, alarm: str = "") -> bool:
        await self._step()
        return await super().grow(growth, after=after, alarm=alarm)

    async def _step(self) -> None:
        self._asked += 1
        if self._asked == 2:
            await self._other()


async def test_what_the_owner_said_meanwhile_is_not_written_over(clock: MovableClock) -> None:
    store = MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())
    drip = Growth(cap=20, day=int(NOON // DAY_S) - 2, drip_cap=5, drip_at=NOON - DAY_S)
    assert await store.measures.grow(drip, after=None)
    late = Meanwhile(store.measures, lambda: mark_real(store.measures, clock))
    assert await Growing(late, store.ledger, mail=MAIL, clock=clock, faults=Faults(clock)).step() == 0
    stood = await stands(store)
    assert stood is not None
    assert stood.real_at == NOON
    assert await growing(store, clock).step() == 0
    later = await stands(store)
    assert later is not None
    assert (later.drip_cap, later.real_at) == (None, NOON)


async def test_the_owner_is_heard_though_the_day_is_judged_meanwhile(clock: MovableClock) -> None:
    store = MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())
    drip = Growth(cap=20, day=int(NOON // DAY_S) - 2, drip_cap=5, drip_at=NOON - DAY_S)
    assert await store.measures.grow(drip, after=None)
    late = Meanwhile(store.measures, growing(store, clock).step)
    real = await mark_real(late, clock)
    assert real is not None
    assert (real.drip_cap, real.day) == (None, int(NOON // DAY_S) - 1)
    assert await stands(store) == real


class Overtaken(IllMeasures):
    """Measures in which somebody else always was first."""

    async def grow(self, growth: Growth, /, *, after: Growth | None, alarm: str = "") -> bool:
        del growth, after, alarm
        return False


async def test_an_owner_who_is_overtaken_again_and_again_is_told_so(clock: MovableClock) -> None:
    store = MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())
    assert await store.measures.grow(Growth(cap=20, day=0, drip_cap=5), after=None)
    with pytest.raises(StoreError, match="try again"):
        await mark_real(Overtaken(store.measures, Health()), clock)
