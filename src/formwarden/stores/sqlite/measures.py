"""What limits grow and shrink by, in the durable file."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.stores.ahead import AHEAD_S
from formwarden.stores.breakers import Kind, shown
from formwarden.stores.measuring import day_bounds, newcomers, week_starts
from formwarden.stores.ports import Alarm, Breaker, Day, Growth, Key, Newcomers
from formwarden.stores.sqlite.accounts import SqliteRows
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.tripping import close, tidy

COUNTED: Final = "SELECT wanted, granted, complaints FROM day WHERE day = ?"
ENTERED: Final = """
SELECT count(*), coalesce(sum(hard), 0.0) FROM account WHERE entered_at >= ? AND entered_at < ? AND entered_at <= ?
"""
BEGAN: Final = "SELECT count(*) FROM alarm WHERE at >= ? AND at < ? AND kind <> 'closed'"
FIRST: Final = "SELECT at FROM mark WHERE name = 'first_wanted'"
CAME: Final = "SELECT count(*) FROM newcomer WHERE first_at > ?"
GROWTH: Final = "SELECT cap, day, drip_cap, drip_at, real_at, real_week FROM growth"
GROW: Final = "INSERT OR REPLACE INTO growth VALUES (1, ?, ?, ?, ?, ?, ?)"
KNOW: Final = "INSERT INTO known VALUES (?) ON CONFLICT DO NOTHING"
UNKNOW: Final = "DELETE FROM known WHERE subject = ?"
TAKE: Final = """
UPDATE alarm SET lease_until = ? WHERE id IN (
    SELECT id FROM alarm WHERE told_at IS NULL AND (lease_until IS NULL OR lease_until <= ? OR lease_until > ?)
    ORDER BY id LIMIT ?
) RETURNING id, kind, text, at
"""
UNTOLD: Final = "SELECT count(*) FROM alarm WHERE told_at IS NULL"
TOLD: Final = "UPDATE alarm SET told_at = ? WHERE id = ? AND told_at IS NULL"
GrowthColumns = tuple[int, int, int | None, float | None, float | None, int]


class SqliteMeasures:
    """Beside the ledger of a SQLite store, in its file."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def measure(self, day: int, /) -> tuple[Day, Newcomers, Growth | None]:
        """Read what one day brought, who is new, and what was allowed last."""
        return await self._file.read(partial(self._measure, day))

    async def grow(self, growth: Growth, /, *, after: Growth | None, alarm: str = "") -> bool:
        """Write what is allowed from now on if `after` is what stands."""

        def grow(connection: apsw.Connection) -> bool:
            if growth_of(connection) != after:
                return False
            connection.execute(GROW, growth_columns(growth))
            if alarm:
                SqliteRows(connection).alarm(Kind.DRIP, alarm, self._clock.now())
            return True

        return await self._file.write(grow)

    async def remember(self, subject: Key, /, *, on: bool = True) -> None:
        """Write that this address is one we know, or is not."""

        def remember(connection: apsw.Connection) -> None:
            connection.execute(KNOW if on else UNKNOW, (subject,))

        await self._file.write(remember)

    async def breakers(self) -> Sequence[Breaker]:
        """Read every breaker that is not closed, newest first."""
        return await self._file.read(lambda connection: shown(SqliteRows(connection), self._clock.now()))

    async def close(self, subject: Key, /) -> bool:
        """Close a breaker by hand, its window empty; say whether it was not closed."""
        return await self._file.write(lambda connection: close(SqliteRows(connection), subject, self._clock.now()))

    async def alarms(self, limit: int, /, *, lease_s: float) -> Sequence[Alarm]:
        """Take alarms nobody was told of, oldest first."""

        def take(connection: apsw.Connection) -> tuple[Alarm, ...]:
            now, rows = self._clock.now(), SqliteRows(connection)
            tidy(rows, tuple(row.subject for row in rows.breakers() if row.closes_at is not None), now)
            taken = connection.execute(TAKE, (now + lease_s, now, now + AHEAD_S, limit))
            return tuple(Alarm(id=id_, kind=kind, text=text, at=at) for id_, kind, text, at in sorted(taken))

        return await self._file.write(take)

    async def told(self, ids: Collection[int], /) -> None:
        """Write that these were told."""

        def told(connection: apsw.Connection) -> None:
            now = self._clock.now()
            connection.executemany(TOLD, [(now, each) for each in ids])

        await self._file.write(told)

    async def untold(self) -> int:
        """Count the alarms nobody was told of."""

        def untold(connection: apsw.Connection) -> int:
            return int(connection.execute(UNTOLD).get)

        return await self._file.read(untold)

    def _measure(self, day: int, connection: apsw.Connection) -> tuple[Day, Newcomers, Growth | None]:
        now = self._clock.now()
        counted: tuple[int, int, int] = connection.execute(COUNTED, (day,)).get or (0, 0, 0)
        start, end = day_bounds(day)
        known, hard = connection.execute(ENTERED, (start, end, now)).get
        brought = Day(
            wanted=counted[0],
            granted=counted[1],
            known=known,
            hard=hard,
            complaints=counted[2],
            alarms=connection.execute(BEGAN, (start, end)).get,
        )
        since = [connection.execute(CAME, (moment,)).get for moment in week_starts(now)]
        return brought, newcomers(connection.execute(FIRST).get, since, now), growth_of(connection)


def growth_of(connection: apsw.Connection) -> Growth | None:
    """Read what is allowed by now."""
    row: GrowthColumns | None = connection.execute(GROWTH).get
    if row is None:
        return None
    cap, day, drip_cap, drip_at, real_at, real_week = row
    return Growth(cap=cap, day=day, drip_cap=drip_cap, drip_at=drip_at, real_at=real_at, real_week=real_week)


def growth_columns(growth: Growth) -> GrowthColumns:
    """Return a value as a row."""
    return growth.cap, growth.day, growth.drip_cap, growth.drip_at, growth.real_at, growth.real_week
