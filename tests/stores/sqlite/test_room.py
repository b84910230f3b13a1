"""The bound in size of the durable file."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreFullError
from formwarden.faults import Faults
from formwarden.stores.eviction import STEP_BYTES, Turn
from formwarden.stores.ports import State
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.migrating import migrations
from formwarden.stores.sqlite.room import Room, evict, used_bytes
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.samples import hold, inquiry

pytestmark = pytest.mark.anyio
BOUND = 4 * 1_048_576  # bytes
NOW = 1_790_000_000.0


@pytest.fixture
async def bounded(tmp_path: Path, clock: MovableClock, faults: Faults) -> AsyncIterator[SqliteStore]:
    settings = Stores(store_bytes=BOUND)
    store = SqliteStore(
        str(tmp_path / "store.db"), clock=clock, entropy=system_entropy, settings=settings, faults=faults
    )
    yield store
    await store.aclose()


@contextmanager
def opened(folder: Path) -> Iterator[apsw.Connection]:
    """The file of a closed store, with its write lock."""
    connection = apsw.Connection(str(folder / "store.db"))
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def turns(connection: apsw.Connection) -> dict[str, Turn]:
    """By name, when it is whose turn."""
    found = connection.execute("SELECT id, turn FROM evictable JOIN inquiry ON n = inquiry")
    return {bytes(name).decode().removeprefix("submission "): Turn(turn) for name, turn in found}


async def test_g23_the_file_stays_within_its_bound_whoever_posts(
    bounded: SqliteStore, tmp_path: Path, faults: Faults
) -> None:
    for first in range(0, 400, 20):
        posts = [
            inquiry(number, state=State.REJECTED, score=13.0, body=b"x" * 50_000)
            for number in range(first, first + 20)
        ]
        await asyncio.gather(*(bounded.inquiries.keep(each, lease_s=0) for each in posts))
    await bounded.aclose()
    assert (tmp_path / "store.db").stat().st_size <= BOUND
    assert faults.of("store room") > 0, "the owner is told"


async def test_accepted_inquiries_do_not_pass_the_bound_either(bounded: SqliteStore, tmp_path: Path) -> None:
    full = 0
    for number in range(100):
        try:
            await bounded.inquiries.keep(inquiry(number, body=b"x" * 50_000), lease_s=0)
        except StoreFullError:
            full += 1
    assert 15 <= full <= 30
    await bounded.aclose()
    assert BOUND * 0.9 < (tmp_path / "store.db").stat().st_size <= BOUND


async def test_one_step_overwrites_no_more_than_its_bytes(bounded: SqliteStore, tmp_path: Path) -> None:
    for number in range(3):
        await bounded.inquiries.keep(
            inquiry(number, state=State.REJECTED, score=13.0, body=bytes(1_000_000)), lease_s=0
        )
    await bounded.aclose()
    with opened(tmp_path) as connection:
        assert evict(connection, NOW, target=0, rows=500, step_bytes=1_500_000) == 2
        assert connection.execute("SELECT count(*) FROM body").get == 1
    assert STEP_BYTES < 10 * 1_048_576, "a body of ten MiB is a step of its own"


async def test_one_step_looks_at_no_more_than_its_rows(bounded: SqliteStore, tmp_path: Path) -> None:
    for number in range(20):
        await bounded.inquiries.keep(inquiry(number, state=State.REJECTED, score=13.0), lease_s=0)
    await bounded.aclose()
    with opened(tmp_path) as connection:
        assert evict(connection, NOW, target=0, rows=7, step_bytes=STEP_BYTES) == 7
        assert connection.execute("SELECT count(*) FROM body").get == 13


async def test_what_is_looked_at_and_stays_stops_nothing(bounded: SqliteStore, tmp_path: Path) -> None:
    held = inquiry("released", state=State.REJECTED, score=30.0)
    await bounded.inquiries.keep(held, lease_s=0)
    await bounded.inquiries.keep(inquiry("reply", state=State.REJECTED, score=29.0), lease_s=0)
    await bounded.inquiries.keep(inquiry("erased", state=State.HELD, score=28.0), lease_s=0)
    await bounded.inquiries.keep(inquiry("running", state=State.HELD, score=27.0), lease_s=0)
    await bounded.inquiries.move(held.id, expect={State.REJECTED}, to=State.RELEASED, note="")
    await bounded.inquiries.move(b"submission running", expect={State.HELD}, to=State.RELEASING, note="")
    await bounded.ledger.reserve(hold("reply"))
    await bounded.aclose()
    with opened(tmp_path) as connection:
        connection.execute("DELETE FROM body WHERE inquiry = (SELECT n FROM inquiry WHERE id = 'submission erased')")
        connection.execute(
            "DELETE FROM body WHERE inquiry = (SELECT n FROM inquiry WHERE id = CAST('submission erased' AS BLOB))"
        )
        for _ in range(8):
            if not evict(connection, NOW, target=0, rows=500, step_bytes=STEP_BYTES):
                break
        else:
            raise AssertionError("it never ends")
        left = {bytes(row[0]).decode() for row in connection.execute("SELECT id FROM inquiry")}
        assert left == {"submission reply", "submission running"}, "a reply that may leave and a release keep theirs"
        assert connection.execute("SELECT count(*) FROM evictable").get == 0


async def test_near_duplicates_are_found_when_they_are_kept(bounded: SqliteStore, tmp_path: Path) -> None:
    facts = {"observation": {"prints": ["00", "aa"]}}
    for name, state in (("a", State.REJECTED), ("b", State.HELD), ("c", State.HELD), ("d", State.ASKED)):
        await bounded.inquiries.keep(inquiry(name, state=state, score=9.0, facts=facts), lease_s=0)
    await bounded.inquiries.keep(inquiry("e", state=State.HELD, score=9.0), lease_s=0)
    await bounded.inquiries.keep(inquiry("f", state=State.HELD, score=7.9), lease_s=0)
    await bounded.aclose()
    with opened(tmp_path) as connection:
        assert turns(connection) == {
            "a": Turn.REJECTED,
            "b": Turn.SCORE,
            "c": Turn.ALIKE,
            "d": Turn.ALIKE,
            "e": Turn.SCORE,
        }


async def test_a_row_that_is_gone_leaves_no_turn_to_the_next_of_its_number(
    bounded: SqliteStore, tmp_path: Path
) -> None:
    await bounded.inquiries.keep(inquiry("a", state=State.REJECTED, score=9.0), lease_s=0)
    await bounded.aclose()
    with opened(tmp_path) as connection:
        connection.execute("DELETE FROM inquiry")
        assert turns(connection) == {}
        assert connection.execute("SELECT count(*) FROM evictable").get == 0


def test_a_store_of_an_older_release_knows_what_it_may_evict() -> None:
    connection = apsw.Connection(":memory:")
    steps = migrations("durable")
    number = next(step.number for step in steps if "evictable" in step.sql)
    for step in steps:
        if step.number == number:
            for n, state, score in ((1, "rejected", 12.0), (2, "held", 8.0), (3, "held", 7.9), (4, "held", 9.0)):
                connection.execute(
                    "INSERT INTO inquiry (id, receipt, form, state, received_at, changed_at, lease_until, score, "
                    "hits, evidence, facts, content_type, clear, staff, staff_note, staff_at, note) "
                    "VALUES (?, '', '', ?, 0, 0, 0, ?, '{}', '{}', '{}', '', 1, 'none', '', 0, '')",
                    (b"submission %d" % n, state, score),
                )
                if n < 4:
                    connection.execute("INSERT INTO body VALUES (?, x'00')", (n,))
        connection.execute(step.sql)
    assert turns(connection) == {"1": Turn.REJECTED, "2": Turn.SCORE}
    connection.close()


def test_only_what_is_nearly_full_is_relieved(faults: Faults) -> None:
    connection = apsw.Connection(":memory:")
    for step in migrations("durable"):
        connection.execute(step.sql)
    assert Room(used_bytes(connection) * 2, faults).relieve(connection, NOW, 500) == 0
    assert Room(used_bytes(connection), faults).make(connection, 0, NOW)
    assert not Room(used_bytes(connection), faults).make(connection, 1, NOW)
    assert faults.of("store room") == 0, "nothing was evicted"
    connection.close()
