"""Processes of one machine whose clocks differ, as containers and virtual machines may have them, on one file."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.ports import Decision, Staff, State
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.soak import runs
from tests.stores.contracts.budgets import most_within
from tests.stores.samples import HOUR, hold, inquiry, observation, send, spend, tally

pytestmark = pytest.mark.anyio
SKEWS_S = (0.0, -1_800.0, 1_200.0)


@pytest.fixture
def clocks() -> tuple[MovableClock, ...]:
    """One a process."""
    return tuple(MovableClock(1_790_000_000.0 + skew) for skew in SKEWS_S)


@pytest.fixture
async def stores(tmp_path: Path, clocks: tuple[MovableClock, ...]) -> AsyncIterator[tuple[SqliteStore, ...]]:
    """One a process, all on one file."""
    opened = tuple(
        SqliteStore(
            str(tmp_path / "store.db"),
            clock=clock,
            entropy=system_entropy,
            settings=Stores(),
            faults=Faults(clock),
        )
        for clock in clocks
    )
    yield opened
    for store in opened:
        await store.aclose()


@pytest.mark.soak
async def test_skewed_processes_exceed_no_budget_in_any_interval_of_their_stamps(
    stores: tuple[SqliteStore, ...], clocks: tuple[MovableClock, ...]
) -> None:
    draw = random.Random(11)  # noqa: S311 - arrivals, the same in every run
    site = spend("SITE_RATE", "site", limit=5)
    stamps: list[float] = []

    async def ask(process: int, name: str) -> None:
        if (await stores[process].ledger.reserve(send(name, site))).decision is Decision.SEND:
            stamps.append(clocks[process].now())

    for number in range(runs(60, 2_000)):
        async with anyio.create_task_group() as group:
            for process in range(len(stores)):
                group.start_soon(ask, process, f"{number} {process}")
        passed = draw.expovariate(1 / 200)
        for clock in clocks:
            clock.move(passed)
    assert len(stamps) > 10
    assert most_within(stamps, HOUR) == 5


async def test_skewed_processes_send_nothing_twice_and_cut_no_lease_of_each_other(
    stores: tuple[SqliteStore, ...], clocks: tuple[MovableClock, ...]
) -> None:
    now, behind, before = stores
    await before.ledger.reserve(send(1))
    await before.inquiries.keep(inquiry(1, staff=Staff.DUE), lease_s=60)
    await before.ledger.reserve(hold(2, hold_until=clocks[2].now() + HOUR))
    assert len(await before.ledger.due(9, lease_s=60)) == 1
    for other in (now, behind):
        assert await other.ledger.due(9, lease_s=60) == ()
        assert await other.inquiries.claim(State.ACCEPTED, 9, older_than=clocks[2].now(), lease_s=60) == ()
        await other.purge(100)
    row = (await now.ledger.replies([b"submission 1"]))[b"submission 1"]
    held = (await now.ledger.replies([b"submission 2"]))[b"submission 2"]
    assert (row.state, held.held_until) == ("taken", clocks[2].now() + HOUR)
    assert len(await behind.inquiries.claim_staff(9, lease_s=60)) == 1
    assert not await behind.inquiries.claim_staff(9, lease_s=60)


async def test_a_skewed_process_counts_again_what_it_sees_when_its_own_time_comes(
    stores: tuple[SqliteStore, ...], clocks: tuple[MovableClock, ...]
) -> None:
    now, _, before = stores
    sent = observation(None, tallies=(tally("client"),), prints=(b"text",))
    await before.counters.observe(sent)
    seen = await now.counters.observe(observation(None, tallies=sent.tallies))
    assert sum(seen.counts.values()) == 0, "what lies ahead is not counted"
    clocks[0].move(1_260)
    assert sum((await now.counters.observe(sent)).counts.values()) == 2
