"""Leases of periodic tasks, and their last runs, in the durable file."""

from collections.abc import Mapping
from functools import partial
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.stores.runs import LastRun, Run, TaskState, after
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.texts import plain

STANDING: Final = "SELECT holder, until, seconds FROM lease WHERE task = ?"
LEASE: Final = "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)"
MINE: Final = "SELECT task FROM lease WHERE holder = ?"
RELEASE: Final = "DELETE FROM lease WHERE holder = ?"
ALL: Final = "SELECT task, holder, until, seconds FROM lease"
RUN: Final = "SELECT task, holder, started_at, ended_at, done, succeeded_at, failed_at, error FROM run"
ONE_RUN: Final = f"{RUN} WHERE task = ?"
NOTE: Final = "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
RunRow = tuple[str, str, float, float, int, float | None, float | None, str]


class SqliteLeases:
    """Who works, in a SQLite store."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def lease(self, task: str, holder: str, seconds: float, run: Run | None) -> bool:
        """Take or renew a lease, and write down what its holder tells; False: another holder has it."""

        def lease(connection: apsw.Connection) -> bool:
            now = self._clock.now()
            standing: tuple[str, float, float] | None = connection.execute(STANDING, (task,)).get
            other = None if standing is None else _holder(*standing, now)
            if other is not None and other != holder:
                return False
            connection.execute(LEASE, (task, holder, now + seconds, seconds))
            if run is not None:
                _note(connection, task, holder, run)
            return True

        return await self._file.write(lease)

    async def release(self, holder: str, runs: Mapping[str, Run]) -> None:
        """End every lease of a holder; what it tells of a task that another took over is not written down."""

        def release(connection: apsw.Connection) -> None:
            mine: list[tuple[str]] = list(connection.execute(MINE, (holder,)))
            for (task,) in mine:
                if task in runs:
                    _note(connection, task, holder, runs[task])
            connection.execute(RELEASE, (holder,))

        await self._file.write(release)

    async def tasks(self) -> Mapping[str, TaskState]:
        """Return where each task stands that was ever leased or run."""
        return await self._file.read(partial(read_tasks, clock=self._clock))


def read_tasks(connection: apsw.Connection, *, clock: Clock) -> Mapping[str, TaskState]:
    """Read where each task stands; the clock comes last: by an earlier time a new lease would lie too far ahead."""
    leases: dict[str, tuple[str, float, float]] = {task: (a, b, c) for task, a, b, c in connection.execute(ALL)}
    now = clock.now()
    holders = {task: _holder(*lease, now) for task, lease in leases.items()}
    runs = {row[0]: _run_of(row) for row in connection.execute(RUN)}
    return {task: TaskState(holder=holders.get(task), last=runs.get(task)) for task in sorted({*holders, *runs})}


def _holder(holder: str, until: float, taken_for: float, now: float) -> str | None:
    return holder if now < until <= now + taken_for else None  # beyond it a clock that was set back has left it


def _note(connection: apsw.Connection, task: str, holder: str, run: Run) -> None:
    before: RunRow | None = connection.execute(ONE_RUN, (task,)).get
    last = after(None if before is None else _run_of(before), run, holder)
    moments = (last.started_at, last.ended_at, last.done, last.succeeded_at, last.failed_at)
    connection.execute(NOTE, (task, last.holder, *moments, plain(last.error)))


def _run_of(row: RunRow) -> LastRun:
    _, holder, started_at, ended_at, done, succeeded_at, failed_at, error = row
    return LastRun(
        holder=holder,
        started_at=started_at,
        ended_at=ended_at,
        done=done,
        succeeded_at=succeeded_at,
        failed_at=failed_at,
        error=error,
    )
