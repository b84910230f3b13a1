"""The file goes away before, in the middle of or during every step, and comes back."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.steps import STEPS, Step

pytestmark = pytest.mark.anyio
every_step = pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
TIMES = 50  # opening a file takes longer than the impatient store waits only on a machine that is very busy


@pytest.fixture
async def impatient(tmp_path: Path, clock: MovableClock, faults: Faults) -> AsyncIterator[SqliteStore]:
    """Another store on the same file, which gives up soon."""
    settings = Stores(store_deadline_s=0.1)
    store = SqliteStore(
        str(tmp_path / "store.db"), clock=clock, entropy=system_entropy, settings=settings, faults=faults
    )
    yield store
    await store.aclose()


@pytest.fixture
def well(clock: MovableClock) -> MemoryStore:
    """A store that is never ill, and says what the answer should have been."""
    return MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())


def path_of(step: Step, folder: Path) -> Path:
    """The file that a step writes to."""
    return folder / ("store-volatile.db" if step.volatile else "store.db")


@contextmanager
def connected(path: Path) -> Iterator[apsw.Connection]:
    """A connection of another program."""
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(3_000)
    try:
        yield connection
    finally:
        connection.close()


def tables(connection: apsw.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]


def everything(connection: apsw.Connection) -> dict[str, list[tuple[object, ...]]]:
    """All that stands in a file."""
    return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables(connection)}  # noqa: S608 - names that the schema says


async def awake(store: Store) -> None:
    """Wait until it is open."""
    for _ in range(TIMES):
        if await store.health() is None:
            return
    pytest.fail("it does not open")


@every_step
async def test_a_step_that_breaks_off_in_the_middle_has_changed_nothing_and_may_be_asked_again(
    store: SqliteStore, well: MemoryStore, tmp_path: Path, step: Step
) -> None:
    await awake(store)
    broken = 0
    with connected(path_of(step, tmp_path)) as other:
        for number, table in enumerate(tables(other)):
            await step.prepare(store, number)
            await step.prepare(well, number)
            before = everything(other)
            for kind in ("INSERT", "UPDATE", "DELETE"):  # the row is written, and then the step fails
                other.execute(
                    f"CREATE TRIGGER broken_{kind} AFTER {kind} ON {table} BEGIN SELECT RAISE(FAIL, 'gone'); END"
                )
            try:
                answer = await step.run(store, number)
            except StoreError:
                broken += 1
                assert everything(other) == before
                answer = None
            for kind in ("INSERT", "UPDATE", "DELETE"):
                other.execute(f"DROP TRIGGER broken_{kind}")
            if everything(other) == before:
                answer = await step.run(store, number)
            assert answer == await step.run(well, number)
            assert everything(other) != before
    assert broken, "no table of this file is written by this step"


@every_step
async def test_a_step_that_finds_the_file_locked_fails_and_another_process_takes_it_when_it_is_free(
    store: SqliteStore, impatient: SqliteStore, well: MemoryStore, tmp_path: Path, step: Step
) -> None:
    await awake(store)
    await awake(impatient)
    await step.prepare(store, 1)
    await step.prepare(well, 1)
    with connected(path_of(step, tmp_path)) as other:
        before = everything(other)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError):
            await step.run(impatient, 1)
        other.execute("ROLLBACK")
        assert everything(other) == before
    assert await step.run(store, 1) == await step.run(well, 1)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param((step, instead), id=f"{name}, {instead}")
        for name, step in STEPS.items()
        for instead in ("a directory", "no database")
        if instead == "a directory" or not step.volatile  # damaged counters are rebuilt: test_opening.py
    ],
)
async def test_a_step_that_finds_another_thing_in_its_place_fails_until_the_file_is_back(
    store: SqliteStore, well: MemoryStore, tmp_path: Path, clock: MovableClock, case: tuple[Step, str]
) -> None:
    step, instead = case
    path = path_of(step, tmp_path)
    await awake(store)
    await step.prepare(store, 1)
    await step.prepare(well, 1)
    path.rename(tmp_path / "moved")
    if instead == "a directory":
        path.mkdir()
    else:
        path.write_bytes(b"long enough to be read as a header, and no database at all" * 100)
    for _ in range(2):
        with pytest.raises(StoreError):
            await step.run(store, 1)
    assert await store.health() is not None
    if instead == "a directory":
        path.rmdir()
    (tmp_path / "moved").rename(path)
    clock.move(1)
    assert await store.health() is None
    assert await step.run(store, 1) == await step.run(well, 1)
