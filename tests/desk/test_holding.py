"""How the staff hears of what is held (G25)."""

import pytest

from formwarden.desk.holding import Holding, Mode
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Staff, State
from tests.clock import MovableClock
from tests.mail.gate_samples import memory
from tests.stores.samples import inquiry

SCORES = (0.5, 5.0, 7.9, 8.0, 11.0)  # the first one's endpoint failed


@pytest.fixture
async def store(clock: MovableClock) -> MemoryStore:
    store = memory(clock)
    for score in SCORES:
        await store.inquiries.keep(
            inquiry(int(score * 10), state=State.HELD, score=score, received_at=clock.now()), lease_s=0
        )
    return store


async def due(store: MemoryStore) -> list[float]:
    """The scores of those whose staff mail is due."""
    page = await store.inquiries.find({State.HELD})
    return sorted(row.score for row in page.rows if row.staff is Staff.DUE)


async def busy(store: MemoryStore, clock: MovableClock, count: int) -> None:
    for number in range(count):
        await store.inquiries.keep(inquiry(1000 + number, state=State.DONE, received_at=clock.now()), lease_s=0)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("chosen", "told"), [("digest", []), ("mark", [5.0, 7.9]), ("each", list(SCORES)), (None, [5.0, 7.9])]
)
async def test_g25_each_way_tells_at_once_of_its_own(
    store: MemoryStore, chosen: Mode | None, told: list[float]
) -> None:
    holding = Holding(store.telling, chosen, quarantine=5.0, staff=True)
    assert await holding.step() == len(told)
    assert await holding.step() == 0
    assert await due(store) == told


@pytest.mark.anyio
async def test_g25_fewer_than_twenty_inquiries_in_a_day_are_marked_and_twenty_are_not(
    store: MemoryStore, clock: MovableClock
) -> None:
    holding = Holding(store.telling, None, quarantine=5.0, staff=True)
    await busy(store, clock, 14)
    assert await holding.mode() == "mark"
    await busy(store, clock, 15)
    assert await holding.mode() == "digest"
    assert await holding.step() == 0
    clock.move(86_401.0)
    assert await holding.mode() == "mark"


@pytest.mark.anyio
async def test_where_nobody_is_to_be_told_nothing_is_made_due(store: MemoryStore) -> None:
    assert await Holding(store.telling, "each", quarantine=5.0, staff=False).step() == 0
    assert await due(store) == []
