"""What a step of the purge may cost, and what bounds each kind of row."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from formwarden.stores.eviction import STEP_BYTES
from formwarden.stores.ports import OutcomeKind, State
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.counters_purging import purge_counters
from formwarden.stores.sqlite.purging import purge_kept
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.stores.windows import BODIES_PER_NONCE
from tests.clock import MovableClock
from tests.stores.samples import DAY, HOUR, inquiry, key, observation, outcome, send, spend

pytestmark = pytest.mark.anyio
KINDS = 12  # of rows in the durable file that a purge erases
BUDGETS = tuple(spend(f"BUDGET_{number}", f"{number}", limit=10_000) for number in range(7))


@contextmanager
def opened(path: Path) -> Iterator[apsw.Connection]:
    """A file of a closed store, with its write lock."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA secure_delete = 1")
    try:
        with connection:
            yield connection
    finally:
        connection.close()


async def test_ten_mebibytes_are_a_step_of_their_own(store: SqliteStore, tmp_path: Path, clock: MovableClock) -> None:
    for number in range(3):
        body = bytes(STEP_BYTES if number else 10 * 1_048_576)
        await store.inquiries.keep(
            inquiry(number, state=State.REFUSED, body=body, received_at=clock.now()), lease_s=0
        )
    clock.move(HOUR)
    await store.aclose()
    with opened(tmp_path / "store.db") as connection:
        for left in (2, 1, 0):
            assert purge_kept(connection, clock.now(), KINDS, settings=Stores()) == 1
            assert connection.execute("SELECT count(*) FROM body").get == left


async def test_inquiries_that_go_with_their_bodies_are_counted_by_bytes_too(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    for number in range(3):
        body = bytes(STEP_BYTES)
        await store.inquiries.keep(inquiry(number, body=body, received_at=clock.now()), lease_s=0)
    clock.move(90 * DAY)
    await store.aclose()
    with opened(tmp_path / "store.db") as connection:
        for left in (2, 1, 0):
            assert purge_kept(connection, clock.now(), KINDS, settings=Stores()) == 1
            assert connection.execute("SELECT count(*) FROM inquiry").get == left


async def test_a_step_changes_as_many_rows_as_it_may_and_not_seven_times_as_many(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    await asyncio.gather(*(store.ledger.reserve(send(number, *BUDGETS)) for number in range(300)))
    await asyncio.gather(*(store.ledger.settle(outcome(number, OutcomeKind.SENT)) for number in range(300)))
    await store.aclose()
    steps = 0
    with opened(tmp_path / "store.db") as connection:
        for days in (32, 59):  # first the slots alone, then replies and outcomes too
            clock.move(days * DAY)
            for _ in range(300):
                before = connection.total_changes()
                if not purge_kept(connection, clock.now(), PURGE_STEP, settings=Stores()):
                    break
                assert connection.total_changes() - before <= PURGE_STEP + len(BUDGETS)
                steps += 1
        for table in ("reply", "spend", "outcome"):
            assert connection.execute(f"SELECT count(*) FROM {table}").get == 0  # noqa: S608 - ours
    assert steps >= 300 * 9 // PURGE_STEP


async def test_every_kind_of_row_gets_its_share_of_a_step(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    refused = [inquiry(number, state=State.REFUSED, received_at=clock.now()) for number in range(100)]
    await asyncio.gather(*(store.inquiries.keep(each, lease_s=0) for each in refused))
    posts = [observation(b"%d" % number, prints=(b"%d" % number,)) for number in range(100)]
    await asyncio.gather(*(store.counters.observe(each) for each in posts))
    await store.ledger.suppress(key("ann"), cause="soft", until=clock.now())
    clock.move(8 * DAY)
    await store.aclose()
    with opened(tmp_path / "store.db") as connection:
        assert purge_kept(connection, clock.now(), 56, settings=Stores()) == 56
        assert connection.execute("SELECT count(*) FROM suppression").get == 0
        assert connection.execute("SELECT count(*) FROM body").get == 45, "the others leave it their shares"
    with opened(tmp_path / "store-volatile.db") as connection:
        assert purge_counters(connection, clock.now(), 60) > 0
        assert connection.execute("SELECT count(*) FROM token").get < 100
        assert connection.execute("SELECT count(*) FROM print").get < 100


async def test_a_flood_of_inquiries_leaves_the_counters_their_share(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    refused = [inquiry(number, state=State.REFUSED, received_at=clock.now()) for number in range(100)]
    await asyncio.gather(*(store.inquiries.keep(each, lease_s=0) for each in refused))
    prints = tuple(key(f"{number}") for number in range(100))
    await store.counters.observe(observation(None, prints=prints))
    clock.move(8 * DAY)
    assert await store.purge(40) == 40
    await store.aclose()
    with opened(tmp_path / "store-volatile.db") as connection:
        assert connection.execute("SELECT count(*) FROM print").get == 90


async def test_nonces_with_many_bodies_are_counted_by_their_rows(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    pairs = itertools.product(range(20), range(BODIES_PER_NONCE))
    await asyncio.gather(*(store.counters.observe(observation(b"%d" % nonce, b"%d" % body)) for nonce, body in pairs))
    clock.move(3 * DAY)
    await store.aclose()
    with opened(tmp_path / "store-volatile.db") as connection:
        while True:
            before = connection.total_changes()
            if not purge_counters(connection, clock.now(), 100):
                break
            assert connection.total_changes() - before <= 100 + 2 * (BODIES_PER_NONCE + 1)
        assert connection.execute("SELECT count(*) FROM token_body").get == 0


async def test_replies_that_are_not_granted_leave_one_row_each_and_go(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    full = spend("SITE_RATE", "site", limit=0)
    await asyncio.gather(*(store.ledger.reserve(send(number, full)) for number in range(200)))
    clock.move(30 * DAY)
    await store.aclose()
    with opened(tmp_path / "store.db") as connection:
        rows = [connection.execute(f"SELECT count(*) FROM {table}").get for table in ("reply", "spend", "outcome")]  # noqa: S608 - ours
        assert rows == [200, 0, 0]
        assert purge_kept(connection, clock.now(), PURGE_STEP, settings=Stores()) == 200


async def test_replies_without_a_slot_are_found_behind_any_number_of_others(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    await asyncio.gather(*(store.ledger.reserve(send(number, BUDGETS[0])) for number in range(PURGE_STEP + 1)))
    await store.ledger.reserve(send("late", spend("SITE_RATE", "site", limit=0)))
    clock.move(30 * DAY)
    await store.aclose()
    with opened(tmp_path / "store.db") as connection:
        assert purge_kept(connection, clock.now(), PURGE_STEP, settings=Stores()) == 1
        assert connection.execute("SELECT count(*) FROM reply").get == PURGE_STEP + 1
