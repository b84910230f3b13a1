"""Group commit: what fails alone, what fails together, and who waits where."""

import asyncio
import sys
import threading
from functools import partial
from pathlib import Path

import apsw
import pytest

from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.sqlite.batch import Operation
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.lane import QUEUE_LIMIT
from formwarden.stores.sqlite.opening import Plan
from formwarden.stores.sqlite.writer import Surroundings
from tests.clock import MovableClock
from tests.stores.sqlite.conftest import Awaited

pytestmark = pytest.mark.anyio


def mark(name: str, connection: apsw.Connection) -> str:
    connection.execute("INSERT INTO mark VALUES (?, 0)", (name,))
    return name


def mark_and_fail(name: str, error: Exception, connection: apsw.Connection) -> str:
    mark(name, connection)
    raise error


def mark_and_leave(name: str, connection: apsw.Connection) -> str:
    mark(name, connection)
    sys.exit(3)


def marks(connection: apsw.Connection) -> set[str]:
    return {row[0] for row in connection.execute("SELECT name FROM mark")}


class Held:
    """An operation that keeps the file's thread busy until it is let go."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        self._gate = threading.Event()

    def __call__(self, _: apsw.Connection) -> None:
        self._begun.set()
        self._gate.wait(10)

    async def begun(self) -> None:
        """Wait until the thread is busy with it."""
        await asyncio.get_running_loop().run_in_executor(None, self._begun.wait, 10)

    def let_go(self) -> None:
        """Let it end."""
        self._gate.set()


async def in_one_batch(file: SqliteFile, *operations: Operation[str]) -> list[str | BaseException]:
    """Run operations that all stand in the queue before the first of them is looked at."""
    held = Held()
    first = asyncio.ensure_future(file.write(held))
    await held.begun()
    rest = [asyncio.ensure_future(file.write(operation)) for operation in operations]
    await asyncio.sleep(0)
    held.let_go()
    await first
    return list(await asyncio.gather(*rest, return_exceptions=True))


async def test_an_operation_that_fails_takes_only_itself_back(file: SqliteFile, faults: Faults) -> None:
    await file.read(marks)
    bug = LookupError("a bug of ours")
    got = await in_one_batch(
        file,
        partial(mark, "before"),
        partial(mark_and_fail, "failing", bug),
        partial(mark, "before"),
        partial(mark, "after"),
    )
    assert got[:2] == ["before", bug]
    assert isinstance(got[2], StoreError)
    assert got[3] == "after"
    assert await file.read(marks) == {"before", "after"}
    assert faults.of("store operation") == 2


async def test_a_failed_commit_fails_every_operation_and_leaves_nothing(
    file: SqliteFile, clock: MovableClock
) -> None:
    await file.read(marks)

    def refuse_commit(connection: apsw.Connection) -> str:
        connection.set_commit_hook(lambda: True)
        return "done"

    got = await in_one_batch(file, partial(mark, "a"), refuse_commit, partial(mark, "b"))
    assert all(isinstance(error, StoreError) for error in got)
    clock.move(1)
    assert await file.read(marks) == set()
    assert await file.write(partial(mark, "later")) == "later"


async def test_a_file_that_cannot_grow_fails_every_operation_leaves_nothing_and_passes(file: SqliteFile) -> None:
    await file.read(marks)

    def as_large_as_it_may(connection: apsw.Connection) -> str:
        connection.execute("PRAGMA max_page_count = 1").fetchall()
        return "done"

    def large(connection: apsw.Connection) -> str:
        return mark("x" * 100_000, connection)

    got = await in_one_batch(file, partial(mark, "a"), as_large_as_it_may, large, partial(mark, "b"))
    assert [str(error) for error in got] == [
        "the store file.db cannot grow: the disk is full; make room (FullError)"
    ] * 4
    assert await file.read(marks) == set()
    await file.write(lambda connection: connection.execute("PRAGMA max_page_count = 1000000").get)
    assert await file.write(partial(mark, "later")) == "later"


async def test_a_lock_that_another_holds_for_a_moment_is_waited_for(
    plan: Plan, clock: MovableClock, faults: Faults, surroundings: Surroundings
) -> None:
    awaited = Awaited(lambda: other.execute("COMMIT"))
    file = SqliteFile(
        plan,
        Surroundings(clock=clock, entropy=awaited, faults=faults, mounts=surroundings.mounts, deadline_s=10.0),
    )
    await file.read(marks)
    other = apsw.Connection(plan.path)
    other.execute("BEGIN IMMEDIATE")
    assert await file.write(partial(mark, "after it")) == "after it"
    assert awaited.draws == 3
    assert faults.all() == ()
    other.close()
    await file.aclose()


async def test_nobody_writes_between_what_an_operation_reads_and_writes(file: SqliteFile, plan: Plan) -> None:
    await file.read(marks)

    def read_then_write(connection: apsw.Connection) -> str:
        assert marks(connection) == set()
        other = apsw.Connection(plan.path)
        with pytest.raises(apsw.BusyError):
            other.execute("INSERT INTO mark VALUES ('between', 0)")
        other.close()
        return mark("alone", connection)

    assert await file.write(read_then_write) == "alone"
    assert await file.read(marks) == {"alone"}


async def test_many_operations_share_a_commit(file: SqliteFile) -> None:
    commits: list[int] = []

    def note(_connection: apsw.Connection, _name: str, pages: int) -> int:
        commits.append(pages)
        return apsw.SQLITE_OK

    await file.write(lambda connection: connection.set_wal_hook(note))
    commits.clear()
    await in_one_batch(file, *(partial(mark, f"{number}") for number in range(50)))
    assert len(commits) <= 2
    assert len(await file.read(marks)) == 50


async def test_a_caller_that_gives_up_breaks_nothing(file: SqliteFile) -> None:
    await file.read(marks)
    held = Held()
    running = asyncio.ensure_future(file.write(held))
    await held.begun()
    waiting = asyncio.ensure_future(file.write(partial(mark, "given up")))
    await asyncio.sleep(0)
    running.cancel()
    waiting.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    held.let_go()
    assert await file.write(partial(mark, "next")) == "next"
    assert await file.read(marks) == {"next"}


async def test_an_answer_that_takes_too_long_is_a_store_error(
    plan: Plan, clock: MovableClock, faults: Faults, surroundings: Surroundings
) -> None:
    impatient = Surroundings(
        clock=clock, entropy=surroundings.entropy, faults=faults, mounts=surroundings.mounts, deadline_s=1.0
    )
    file = SqliteFile(plan, impatient)
    await file.read(marks)
    held = Held()
    late = await asyncio.gather(file.write(held), file.write(partial(mark, "behind it")), return_exceptions=True)
    held.let_go()
    assert [str(error).partition(":")[0] for error in late] == ["the store did not answer in time"] * 2
    assert all(isinstance(error, StoreError) for error in late)
    await file.aclose()
    assert "behind it" not in await file.read(marks), "nobody waited for it any more"
    await file.aclose()


async def test_several_event_loops_share_a_file(file: SqliteFile) -> None:
    def other_loop(name: str) -> None:
        asyncio.run(asyncio.wait_for(file.write(partial(mark, name)), 10))

    threads = [threading.Thread(target=other_loop, args=(f"loop {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    await file.write(partial(mark, "here"))
    for thread in threads:
        await asyncio.get_running_loop().run_in_executor(None, thread.join)
    assert await file.read(marks) == {"here", "loop 0", "loop 1", "loop 2", "loop 3"}


async def test_a_loop_that_is_gone_breaks_nothing(file: SqliteFile) -> None:
    await file.read(marks)
    held = Held()
    running = asyncio.ensure_future(file.write(held))
    await held.begun()

    def short_loop() -> None:
        loop = asyncio.new_event_loop()
        pending = loop.create_task(file.write(partial(mark, "left behind")))
        loop.run_until_complete(asyncio.sleep(0))
        pending.cancel()
        loop.run_until_complete(asyncio.gather(pending, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=short_loop)
    thread.start()
    await asyncio.get_running_loop().run_in_executor(None, thread.join)
    held.let_go()
    await running
    assert await file.write(partial(mark, "next")) == "next"


async def test_closing_finishes_what_was_asked_for_and_ends_the_threads(file: SqliteFile) -> None:
    others = set(threading.enumerate())  # of stores that other tests of this process left open
    await file.read(marks)
    asked = [asyncio.ensure_future(file.write(partial(mark, f"{number}"))) for number in range(20)]
    await asyncio.sleep(0)
    await file.aclose()
    assert len(await asyncio.gather(*asked)) == 20
    ours = {"formwarden-store", "formwarden-checkpoint"}
    for thread in [each for each in threading.enumerate() if each.name in ours and each not in others]:
        thread.join(10)
        assert not thread.is_alive(), thread.name
    assert len(await file.read(marks)) == 20


async def test_a_writer_that_holds_the_file_too_long_is_an_error_of_the_moment(
    plan: Plan, clock: MovableClock, faults: Faults, surroundings: Surroundings
) -> None:
    file = SqliteFile(plan, surroundings)
    await file.read(marks)
    other = apsw.Connection(plan.path)
    other.execute("BEGIN IMMEDIATE")
    assert await file.read(marks) == set(), "reading waits for no writer"
    impatient = Surroundings(
        clock=clock, entropy=surroundings.entropy, faults=faults, mounts=surroundings.mounts, deadline_s=0.5
    )
    second = SqliteFile(plan, impatient)
    with pytest.raises(StoreError, match=r"was held by another process|did not answer in time"):
        await second.write(partial(mark, "too late"))
    other.execute("COMMIT")
    other.close()
    assert await second.write(partial(mark, "at once")) == "at once"
    assert await file.read(marks) == {"at once"}
    await file.aclose()
    await second.aclose()


async def test_an_operation_that_ends_its_thread_ends_nobody_elses_wait(file: SqliteFile, faults: Faults) -> None:
    await file.read(marks)
    got = await in_one_batch(file, partial(mark, "a"), partial(mark_and_leave, "b"), partial(mark, "c"))
    assert [str(error) for error in got] == [
        "the store met an error of ours (SystemExit): please tell its makers"
    ] * 3
    assert [fault.why.partition(" ")[0] for fault in faults.all()] == ["SystemExit"]
    assert await file.write(partial(mark, "next")) == "next"
    assert await file.read(marks) == {"next"}


async def test_a_machine_without_threads_left_is_a_store_error_and_passes(
    file: SqliteFile, plan: Plan, clock: MovableClock
) -> None:
    await refused_without_threads(file)
    assert await file.read(marks) == set()
    take_away(plan)  # opened anew, it wants another thread that checkpoints
    await refused_without_threads(file)
    clock.move(1)
    assert await file.read(marks) == set()


def take_away(plan: Plan) -> None:
    Path(plan.path).unlink()


async def refused_without_threads(file: SqliteFile) -> None:
    size = threading.stack_size(1 << 46)  # more than there is: no thread can be started
    try:
        with pytest.raises(StoreError, match="could not start a thread"):
            await file.read(marks)
    finally:
        threading.stack_size(size)


async def test_a_queue_that_nobody_empties_is_bounded(file: SqliteFile) -> None:
    held = Held()
    first = asyncio.ensure_future(file.write(held))
    await held.begun()
    waiting = [asyncio.ensure_future(file.read(marks)) for _ in range(QUEUE_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(StoreError, match="behind by 10000 operations"):
        await file.read(marks)
    held.let_go()
    await first
    assert await asyncio.gather(*waiting) == [set()] * QUEUE_LIMIT
