"""Group commit: many operations in one transaction, each in a savepoint of its own."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

import apsw

from formwarden.faults import Faults
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.remedies import BUSY, WHOLE_BATCH, store_error

T = TypeVar("T")
DEFERRED: Final = "BEGIN"
Operation = Callable[[apsw.Connection], T]
"""One atomic step; may be run again if its transaction failed."""


class Task(Protocol):
    """A job of any type."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where its caller waits."""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing."""

    def gone(self) -> bool:
        """Say whether nobody waits any more."""

    def run(self, connection: apsw.Connection, /) -> None:
        """Do the step and note its result."""

    def fail(self, error: Exception, /) -> None:
        """Note an error in place of a result."""

    def settle(self) -> None:
        """Hand the result to the caller; in the caller's loop."""


class Job(Generic[T]):
    """One operation and the caller that waits for it."""

    def __init__(self, operation: Operation[T], *, reads: bool) -> None:
        self.loop = asyncio.get_running_loop()
        self.reads = reads
        self.future: asyncio.Future[T] = self.loop.create_future()
        self._operation = operation
        self._finish: Callable[[], object] = self.future.cancel

    def gone(self) -> bool:
        """Say whether nobody waits any more."""
        return self.future.done()

    def run(self, connection: apsw.Connection, /) -> None:
        """Do the step and note its result."""
        self._finish = partial(self.future.set_result, self._operation(connection))

    def fail(self, error: Exception, /) -> None:
        """Note an error in place of a result."""
        self._finish = partial(self.future.set_exception, error)

    def settle(self) -> None:
        """Hand the result to the caller, if it still waits."""
        if not self.future.done():
            self._finish()


Runner = Callable[[apsw.Connection, Task], None]


class _HalfDoneError(Exception):
    """An operation failed without a savepoint: nobody knows what it has changed."""


def run_batch(
    connection: apsw.Connection, tasks: Sequence[Task], *, path: str, patience: Patience, faults: Faults
) -> None:
    """Run the tasks in one transaction and commit; raises apsw.Error where all of them failed.

    A savepoint copies every page that is changed below it, which costs more than the change. So they are run without,
    and only where one of them fails all are run again, each in a savepoint of its own.
    """
    live = [task for task in tasks if not task.gone()]
    if not live:
        return
    try:
        _run_all(connection, live, _run_bare, patience)
    except _HalfDoneError:
        _run_all(connection, live, partial(_run_alone, path=path, faults=faults), patience)


def deliver(tasks: Sequence[Task]) -> None:
    """Hand results to their callers: one call a loop; a loop that is gone has no callers left."""
    loops: dict[asyncio.AbstractEventLoop, list[Task]] = defaultdict(list)
    for task in tasks:
        loops[task.loop].append(task)
    for loop, waiting in loops.items():
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(_settle, waiting)


def _settle(tasks: Sequence[Task]) -> None:
    for task in tasks:
        task.settle()


def _begin(connection: apsw.Connection, begin: str) -> None:
    _roll_back(connection)  # what an earlier attempt may have left
    connection.execute(begin)
    if begin == DEFERRED:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").get  # noqa: B018 - it begins by reading


def _run_all(connection: apsw.Connection, tasks: Sequence[Task], run: Runner, patience: Patience) -> None:
    """Run the tasks one way and commit, or change nothing."""
    begin = DEFERRED if all(task.reads for task in tasks) else "BEGIN IMMEDIATE"
    patience.until_free(partial(_begin, connection, begin), BUSY)
    try:
        for task in tasks:
            if not task.gone():  # its caller may have given up while others ran
                run(connection, task)
        connection.execute("COMMIT")
    except (apsw.Error, _HalfDoneError):
        _roll_back(connection)
        raise


def _run_bare(connection: apsw.Connection, task: Task) -> None:
    try:
        task.run(connection)
    except WHOLE_BATCH:
        raise
    except Exception as error:
        raise _HalfDoneError from error


def _run_alone(connection: apsw.Connection, task: Task, *, path: str, faults: Faults) -> None:
    """Run one task so that its failing takes nothing but its own changes back."""
    connection.execute("SAVEPOINT task")
    try:
        task.run(connection)
    except WHOLE_BATCH:
        raise
    except Exception as error:  # noqa: BLE001 - an operation of ours that fails must not fail its neighbours
        faults.count("store operation", type(error).__name__)
        connection.execute("ROLLBACK TO task")
        task.fail(store_error(path, error) if isinstance(error, apsw.Error) else error)
    connection.execute("RELEASE task")


def _roll_back(connection: apsw.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
