"""A look at the files from outside makes nothing, changes nothing and waits for nobody."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.ports import Staff, State
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.migrating import migrations
from formwarden.stores.sqlite.mounts import Mounts, system_mounts
from formwarden.stores.sqlite.statistics import INQUIRIES, LONGEST_S, REPLIES, STAFF, SqliteStatistics
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.files import names
from tests.stores.samples import inquiry, key, send

pytestmark = pytest.mark.anyio


def at(path: Path, clock: MovableClock, mounts: Mounts = system_mounts) -> SqliteStore:
    return SqliteStore(
        str(path / "store.db"),
        clock=clock,
        entropy=system_entropy,
        settings=Stores(),
        faults=Faults(clock),
        mounts=mounts,
    )


async def closed(path: Path, clock: MovableClock) -> Path:
    """A store with one inquiry that nobody has open."""
    store = at(path, clock)
    await store.inquiries.keep(inquiry(1, received_at=clock.now()), lease_s=0)
    await store.aclose()
    return path / "store.db"


async def test_where_there_is_no_store_none_is_made(tmp_path: Path, clock: MovableClock) -> None:
    with pytest.raises(
        StoreError, match=r"there is no store at .*store\.db: run this in the site's working directory"
    ):
        await at(tmp_path, clock).statistics.read()
    assert names(tmp_path) == set()


async def test_a_store_that_nobody_has_open_is_left_as_it_lies(tmp_path: Path, clock: MovableClock) -> None:
    path = await closed(tmp_path, clock)
    before, bytes_before = names(tmp_path), path.read_bytes()
    figures = await at(tmp_path, clock).statistics.read()
    assert [each.week for each in figures.inquiries] == [1]
    assert (names(tmp_path), path.read_bytes()) == (before, bytes_before)
    assert dict(figures.files) == {"store.db": len(bytes_before)}
    assert figures.schema == migrations("durable")[-1].number
    assert figures.free_bytes is not None


async def test_what_stands_in_the_log_alone_is_seen_while_a_site_has_it_open(
    tmp_path: Path, clock: MovableClock
) -> None:
    store = at(tmp_path, clock)
    for number in range(3):
        await store.inquiries.keep(inquiry(number, received_at=clock.now()), lease_s=0)
    figures = await at(tmp_path, clock).statistics.read()
    assert [each.week for each in figures.inquiries] == [3]
    assert {"store.db", "store.db-wal"} <= figures.files.keys()
    await store.aclose()


async def test_neither_a_writer_nor_one_who_holds_the_lock_file_keeps_it_waiting(
    tmp_path: Path, clock: MovableClock
) -> None:
    path = await closed(tmp_path, clock)
    writer = apsw.Connection(str(path))
    writer.execute("BEGIN EXCLUSIVE")
    writer.execute("UPDATE inquiry SET state = 'done'")
    descriptor = os.open(f"{path}.lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    figures = await at(tmp_path, clock).statistics.read()
    os.close(descriptor)
    writer.execute("ROLLBACK")
    writer.close()
    assert [(each.state, each.week) for each in figures.inquiries] == [("accepted", 1)]


class Opening(MovableClock):
    """A clock in whose look something happens, once."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens: Callable[[], None] | None = happens

    def now(self) -> float:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        return super().now()


async def test_a_store_that_is_opened_meanwhile_is_read_again(tmp_path: Path, clock: MovableClock) -> None:
    path = await closed(tmp_path, clock)
    writer = apsw.Connection(str(path))
    writer.close()
    others: list[apsw.Connection] = []

    def begin() -> None:
        others.append(apsw.Connection(str(path)))
        others[0].execute("UPDATE inquiry SET state = 'done'")

    figures = await at(tmp_path, Opening(begin)).statistics.read()
    others[0].close()
    assert [(each.state, each.week) for each in figures.inquiries] == [("done", 1)]


async def test_what_seems_damaged_while_somebody_opens_it_is_read_again(tmp_path: Path, clock: MovableClock) -> None:
    path = await closed(tmp_path, clock)
    others: list[apsw.Connection] = []

    def begin() -> None:
        others.append(apsw.Connection(str(path)))
        others[0].execute("UPDATE inquiry SET state = 'done'")
        raise apsw.CorruptError("a page changed below the reader")

    figures = await at(tmp_path, Opening(begin)).statistics.read()
    others[0].close()
    assert [each.state for each in figures.inquiries] == ["done"]


@pytest.mark.parametrize(
    ("version", "said"), [(1, "of an older formwarden: start the site"), (99, "of a newer formwarden")]
)
async def test_a_schema_that_is_not_ours_is_named(
    tmp_path: Path, clock: MovableClock, version: int, said: str
) -> None:
    path = await closed(tmp_path, clock)
    connection = apsw.Connection(str(path))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(StoreError, match=f"the store has schema {version}, {said}"):
        await at(tmp_path, clock).statistics.read()


async def test_a_damaged_file_is_named_with_the_remedy_and_left_alone(tmp_path: Path, clock: MovableClock) -> None:
    garbage = b"no database at all, but long enough to be read as a header" * 200
    (tmp_path / "store.db").write_bytes(garbage)
    with pytest.raises(StoreError, match=r"store\.db is no database of ours or is damaged: move it away"):
        await at(tmp_path, clock).statistics.read()
    assert (tmp_path / "store.db").read_bytes() == garbage
    assert names(tmp_path) == {"store.db"}


async def test_g19_a_network_file_system_is_named(tmp_path: Path, clock: MovableClock) -> None:
    await closed(tmp_path, clock)
    with pytest.raises(StoreError, match=r"network file system \(nfs4\)"):
        await at(tmp_path, clock, lambda: f"server:/x {tmp_path} nfs4 rw 0 0").statistics.read()


class Hurrying(MovableClock):
    """A clock by which every look takes long."""

    def monotonic(self) -> float:
        self.move(LONGEST_S)
        return super().monotonic()


async def test_counting_that_takes_too_long_is_given_up(tmp_path: Path, clock: MovableClock) -> None:
    path = await closed(tmp_path, clock)
    connection = apsw.Connection(str(path))
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
        "INSERT INTO suppression SELECT cast(i AS BLOB), 'bounced', NULL FROM n"
    )
    connection.close()
    with pytest.raises(StoreError, match="counting took longer than 10 s and was given up"):
        await at(tmp_path, Hurrying()).statistics.read()


async def test_rows_are_counted_in_an_index_or_a_range_alone(tmp_path: Path, clock: MovableClock) -> None:
    connection = apsw.Connection(str(await closed(tmp_path, clock)))

    def plan(sql: str, *values: object) -> str:
        return "; ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values))

    assert "COVERING INDEX inquiry_state_newest (state=? AND received_at>? AND received_at<?)" in plan(
        INQUIRIES, 0, State.HELD, 0, 0, 1
    )
    assert "USING COVERING INDEX inquiry_staff" in plan(STAFF, 1)
    assert "USING INTEGER PRIMARY KEY (rowid>?)" in plan(REPLIES, 0, 0, 0, 0)
    connection.close()


@pytest.mark.parametrize("old", [0, 1, 2, 7])
async def test_replies_of_the_week_are_found_wherever_they_begin(
    tmp_path: Path, clock: MovableClock, old: int
) -> None:
    store = at(tmp_path, clock)
    for number in range(old):
        await store.ledger.reserve(send(number))
    clock.move(8 * 86_400)
    for number in range(5):
        await store.ledger.reserve(send(100 + number))
    figures = await store.statistics.read()
    await store.aclose()
    assert [(each.day, each.week) for each in figures.replies] == [(5, 5)]


async def test_of_a_flood_the_newest_are_counted_and_it_is_said(tmp_path: Path, clock: MovableClock) -> None:
    store = at(tmp_path, clock)
    for number in range(6):
        await store.inquiries.keep(inquiry(number, received_at=clock.now(), staff=Staff.DUE), lease_s=0)
        await store.ledger.reserve(send(number))
        await store.ledger.suppress(key(f"{number}"), cause="bounced", until=None)

    async def count(most: int) -> tuple[int | None, int, int, int, int]:
        paths = tmp_path / "store.db", tmp_path / "store-volatile.db"
        figures = await SqliteStatistics(*paths, clock=clock, mounts=system_mounts, most=most).read()
        counted = figures.inquiries[0].week, figures.replies[0].week, figures.suppressions["bounced"]
        return figures.counted_up_to, *counted, figures.staff_waiting

    assert await count(6) == (6, 6, 6, 6, 6)
    assert await count(7) == (None, 6, 6, 6, 6)
    assert await count(4) == (4, 4, 4, 4, 4)
    await store.aclose()
