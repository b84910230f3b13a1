"""A look at a SQLite store from outside: with a connection of its own that can only read."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

import apsw

from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.stores.breakers import shown
from formwarden.stores.ports import REPLIES_OFF, Key, State
from formwarden.stores.sqlite.accounts import SqliteRows
from formwarden.stores.sqlite.asking import about
from formwarden.stores.sqlite.leases import read_tasks
from formwarden.stores.sqlite.migrating import migrations
from formwarden.stores.sqlite.mounts import Mounts, network_type
from formwarden.stores.sqlite.remedies import BUSY, DAMAGED, store_error
from formwarden.stores.statistics import DAY_S, WEEK_S, About, Figures, InquiryCount, ReplyCount

T = TypeVar("T")

MOST: Final = 200_000  # rows counted of a kind, the newest first: a flood must not make the look at it a slow one
LONGEST_S: Final = 10.0  # `MOST` rows take a fifth of a second; what takes ten has a disk that hangs
STEPS: Final = 100_000  # of SQLite's machine between two looks at the clock: some milliseconds
BUSY_MS: Final = 1_000  # readers wait for nobody in write-ahead mode, save for a moment while the log is recovered
WITH_MEASURES: Final = 4  # the first schema that has breakers, alarms and people we know
OLDEST: Final = 2  # the schema that has the runs of tasks

# Each in an index alone, or in a range of the newest rows.
INQUIRIES: Final = """
SELECT form, count(*), coalesce(sum(received_at >= ?), 0) FROM (
    SELECT form, received_at FROM inquiry WHERE state = ? AND received_at >= ? AND received_at <= ?
    ORDER BY received_at DESC LIMIT ?
) GROUP BY form
"""
ENDS: Final = "SELECT coalesce(min(n), 0), coalesce(max(n), 0) FROM reply"
NEXT_REPLY: Final = "SELECT n, created_at FROM reply WHERE n >= ? ORDER BY n LIMIT 1"
REPLIES: Final = """
SELECT state, code, count(*), coalesce(sum(created_at >= ?), 0) FROM reply
WHERE n >= ? AND created_at >= ? AND created_at <= ? GROUP BY state, code ORDER BY state, code
"""
STAFF: Final = """
SELECT count(*), min(received_at) FROM (
    SELECT received_at FROM inquiry WHERE staff = 'due' ORDER BY received_at LIMIT ?
)
"""
SUPPRESSIONS: Final = """
SELECT cause, count(*) FROM (
    SELECT cause FROM suppression WHERE subject <> ? AND (until IS NULL OR until > ?) LIMIT ?
) GROUP BY cause ORDER BY cause
"""
UNTOLD: Final = "SELECT count(*) FROM (SELECT 1 FROM alarm WHERE told_at IS NULL LIMIT ?)"
KNOWN: Final = "SELECT count(*) FROM (SELECT 1 FROM known LIMIT ?)"
SWITCH: Final = "SELECT EXISTS (SELECT 1 FROM suppression WHERE subject = ? AND (until IS NULL OR until > ?))"


class SqliteStatistics:
    """Counts what stands in the files; opens, makes, migrates and locks nothing of the store's own."""

    def __init__(self, durable: Path, volatile: Path, *, clock: Clock, mounts: Mounts, most: int = MOST) -> None:
        self._durable = durable
        self._volatile = volatile
        self._clock = clock
        self._mounts = mounts
        self._most = most

    async def read(self) -> Figures:
        """Count. Raises StoreError with the remedy, also where there is no store: none is made."""
        return await asyncio.to_thread(self._read, self._count)

    async def about(self, subjects: Collection[Key], /, *, limit: int) -> About:
        """Read what stands against these subjects, and the last `limit` replies to them. Raises StoreError."""

        def read(connection: apsw.Connection) -> About:
            return about(connection, subjects, schema=_schema(connection), limit=limit, now=self._clock.now())

        return await asyncio.to_thread(self._read, read)

    def _read(self, question: Callable[[apsw.Connection], T]) -> T:
        if not self._durable.is_file():
            raise StoreError(
                f"there is no store at {self._durable}: run this in the site's working directory, with its settings; "
                "the site makes it at its first request"
            )
        kind = network_type(str(self._durable), self._mounts())
        if kind is not None:
            raise StoreError(f"the store lies on a network file system ({kind}), where SQLite loses data: move it")
        try:
            return self._steady(question)
        except StoreError:
            raise
        except apsw.InterruptError:
            raise StoreError(f"counting took longer than {LONGEST_S:g} s and was given up") from None
        except (apsw.Error, OSError) as error:
            raise store_error(str(self._durable), error) from error

    def _steady(self, question: Callable[[apsw.Connection], T]) -> T:
        """Read a file that nobody has open as it lies there, or one in use through its log.

        A reader that cannot write would leave an empty log behind in the first case.
        """
        if not self._in_use():
            try:
                found = self._look("?immutable=1", question)
            except (*DAMAGED, *BUSY):
                if not self._in_use():
                    raise
            else:
                if not self._in_use():  # else somebody opened it meanwhile: read what he sees
                    return found
        return self._look("", question)

    def _in_use(self) -> bool:
        return Path(f"{self._durable}-wal").exists()

    def _look(self, how: str, question: Callable[[apsw.Connection], T]) -> T:
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        connection = apsw.Connection(f"file:{quote(str(self._durable))}{how}", flags=flags)
        try:
            connection.set_busy_timeout(BUSY_MS)
            end = self._clock.monotonic() + LONGEST_S
            connection.set_progress_handler(lambda: self._clock.monotonic() > end, STEPS)
            connection.execute("BEGIN")  # all figures are of one moment
            return question(connection)
        finally:
            connection.close()

    def _count(self, connection: apsw.Connection) -> Figures:
        schema = _schema(connection)
        tasks = read_tasks(connection, clock=self._clock)
        now = self._clock.now()
        inquiries, replies = self._inquiries(connection, now), self._replies(connection, now)
        waiting: tuple[int, float | None] = connection.execute(STAFF, (self._most,)).get
        causes: list[tuple[str, int]] = list(connection.execute(SUPPRESSIONS, (REPLIES_OFF, now, self._most)))
        by_state = Counter[str]()
        for each in inquiries:
            by_state[each.state] += each.week
        counts = (*by_state.values(), sum(each.week for each in replies), waiting[0], sum(n for _, n in causes))
        figures = Figures(
            now=now,
            counted_up_to=self._most if max(counts) >= self._most else None,
            inquiries=inquiries,
            replies=replies,
            replies_off=bool(connection.execute(SWITCH, (REPLIES_OFF, now)).get),
            staff_waiting=waiting[0],
            staff_oldest=waiting[1],
            suppressions=dict(causes),
            tasks=tasks,
            schema=schema,
            files=_sizes(self._durable, self._volatile),
            free_bytes=shutil.disk_usage(self._durable.parent).free,
        )
        return figures if schema < WITH_MEASURES else _with_measures(figures, connection, self._most)

    def _inquiries(self, connection: apsw.Connection, now: float) -> tuple[InquiryCount, ...]:
        found: list[InquiryCount] = []
        for state in State:
            bounds = (now - DAY_S, state, now - WEEK_S, now + DAY_S, self._most)
            rows: list[tuple[str, int, int]] = list(connection.execute(INQUIRIES, bounds))
            found.extend(InquiryCount(form=form, state=str(state), day=day, week=week) for form, week, day in rows)
        return tuple(sorted(found, key=lambda each: (each.form, each.state)))

    def _replies(self, connection: apsw.Connection, now: float) -> tuple[ReplyCount, ...]:
        first, behind = _replies_since(connection, now - WEEK_S)
        bounds = (now - DAY_S, max(first, behind - self._most), now - WEEK_S, now + DAY_S)
        rows: list[tuple[str, str, int, int]] = list(connection.execute(REPLIES, bounds))
        return tuple(ReplyCount(state=state, code=code, day=day, week=week) for state, code, week, day in rows)


def _schema(connection: apsw.Connection) -> int:
    schema: int = connection.execute("PRAGMA user_version").get
    newest = migrations("durable")[-1].number
    if schema > newest:
        raise StoreError(f"the store has schema {schema}, of a newer formwarden (this one has {newest}): upgrade it")
    if schema < OLDEST:
        raise StoreError(f"the store has schema {schema}, of an older formwarden: start the site with this one first")
    return schema


def _with_measures(figures: Figures, connection: apsw.Connection, most: int) -> Figures:
    return replace(
        figures,
        breakers=len(shown(SqliteRows(connection), figures.now)),
        alarms=connection.execute(UNTOLD, (most,)).get,
        known=connection.execute(KNOWN, (most,)).get,
    )


def _replies_since(connection: apsw.Connection, since: float) -> tuple[int, int]:
    """Find the first row of a time by halving, and the end: rows are numbered as they come, without an index by time.

    Where a clock ran wrong for a while, rows of that while may be missed.
    """
    ends: tuple[int, int] = connection.execute(ENDS).get
    low, high = ends[0], ends[1] + 1
    while low < high:
        middle = (low + high) // 2
        row: tuple[int, float] | None = connection.execute(NEXT_REPLY, (middle,)).get
        if row is None or row[1] >= since:
            high = middle
        else:
            low = row[0] + 1
    return low, ends[1] + 1


def _sizes(durable: Path, volatile: Path) -> Mapping[str, int]:
    """Return the bytes of each file of the store that is there."""
    sizes: dict[str, int] = {}
    for path in (durable, Path(f"{durable}-wal"), volatile, Path(f"{volatile}-wal")):
        try:
            sizes[path.name] = path.stat().st_size
        except OSError:  # one that nobody has open has no log; counters are made at the first request
            continue
    return sizes
