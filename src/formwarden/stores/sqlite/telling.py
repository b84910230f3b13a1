"""What the staff is told of many inquiries at once, in the durable file."""

import math
from collections.abc import Callable, Mapping
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.kept import FIELDS, inquiry_of
from formwarden.stores.statistics import WEEK_S
from formwarden.stores.telling import WEEKS_BEFORE, HeldOnes, Mailed

CAME: Final = "SELECT count(*) FROM (SELECT 1 FROM inquiry WHERE received_at >= ? LIMIT ?)"
TELL: Final = """
UPDATE inquiry SET staff = 'due', staff_at = ?1
WHERE n IN (
    SELECT n FROM inquiry
    WHERE state = 'held' AND staff = 'none' AND listed = 0 AND score >= ?2 AND score < ?3
    ORDER BY score, received_at LIMIT ?4
)
"""
LIST: Final = """
UPDATE inquiry SET listed = ?1
WHERE n IN (SELECT n FROM inquiry WHERE state = 'held' AND staff = 'none' AND listed = ?2 LIMIT ?3)
"""
LOWEST: Final = f"""
SELECT {FIELDS}, NULL FROM inquiry WHERE state = 'held' AND staff = 'none' AND listed = 1
ORDER BY score, received_at LIMIT ?
"""  # noqa: S608 - ours
BY_FORM: Final = """
SELECT form, count(*) FROM inquiry WHERE state = 'held' AND staff = 'none' AND listed = 1 GROUP BY form ORDER BY form
"""
LAST: Final = "SELECT last FROM bulletin WHERE name = ? AND last >= 0"
BEGIN: Final = """
INSERT INTO bulletin (name, last, lease_until) VALUES (?1, ?2, ?3)
ON CONFLICT (name) DO UPDATE SET lease_until = ?3
WHERE last = ?2 AND (lease_until <= ?4 OR lease_until > ?3)
"""
END: Final = "UPDATE bulletin SET last = coalesce(?, last), lease_until = 0 WHERE name = ?"
NEVER: Final = -1.0
EVERY: Final = (-math.inf, math.inf)  # points
DOMAINS: Final = """
SELECT count(DISTINCT domain) FROM account WHERE domain IS NOT NULL AND at > ?1 AND at <= ?2
"""
NEW_DOMAINS: Final = """
SELECT count(*) FROM (
    SELECT min(at) AS first FROM account WHERE domain IS NOT NULL AND at > ?1 AND at <= ?3 GROUP BY domain
) WHERE first > ?2
"""
REFUSAL: Final = "SELECT last FROM reply WHERE state = 'refused' AND created_at >= ? ORDER BY n DESC LIMIT 1"


class SqliteTelling:
    """Beside the inquiries of a SQLite store."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def came(self, seconds: float, /, *, most: int) -> int:
        """Count the inquiries of the last so many seconds, as far as `most`."""
        return await self._file.read(lambda connection: _number(connection, CAME, self._clock.now() - seconds, most))

    async def tell_held(self, limit: int, /, *, points: tuple[float, float] | None) -> int:
        """Let the staff's mail be due of held inquiries of so many points; return of how many."""
        least, below = points or EVERY
        return await self._change(TELL, lambda: (self._clock.now(), least, below, limit))

    async def open_digest(self, limit: int, /) -> int:
        """Put held inquiries, told nowhere yet, into the digest that is being written; return how many."""
        return await self._change(LIST, lambda: (1, 0, limit))

    async def digest(self, limit: int, /) -> HeldOnes:
        """Read the digest that is being written."""

        def digest(connection: apsw.Connection) -> HeldOnes:
            lowest = tuple(inquiry_of(row) for row in connection.execute(LOWEST, (limit,)))
            by_form: Mapping[str, int] = dict(connection.execute(BY_FORM))
            return HeldOnes(lowest=lowest, by_form=by_form)

        return await self._file.read(digest)

    async def close_digest(self, limit: int, /) -> int:
        """Note that what stands in it was told; return of how many."""
        return await self._change(LIST, lambda: (2, 1, limit))

    async def bulletin(self, name: str, /) -> float | None:
        """Return for when a repeated mail was sent last; None: it never was."""

        def bulletin(connection: apsw.Connection) -> float | None:
            last: float | None = connection.execute(LAST, (name,)).get
            return last

        return await self._file.read(bulletin)

    async def begin_bulletin(self, name: str, /, *, after: float | None, lease_s: float) -> bool:
        """Take a repeated mail that was sent last for `after`: of racing callers one gets True."""
        stands = NEVER if after is None else after

        def begin() -> tuple[str, float, float, float]:
            now = self._clock.now()
            return name, stands, now + lease_s, now

        return await self._change(BEGIN, begin) > 0

    async def end_bulletin(self, name: str, /, *, last: float | None) -> None:
        """Note for when it was sent and end the lease; None: it was not sent."""
        await self._change(END, lambda: (last, name))

    async def mailed(self) -> Mailed:
        """Count the domains that replies were granted to."""

        def mailed(connection: apsw.Connection) -> Mailed:
            now = self._clock.now()
            month = now - (1 + WEEKS_BEFORE) * WEEK_S
            before = [
                _number(connection, DOMAINS, now - (week + 1) * WEEK_S, now - week * WEEK_S)
                for week in range(1, 1 + WEEKS_BEFORE)
            ]
            return Mailed(
                domains=_number(connection, DOMAINS, now - WEEK_S, now),
                new=_number(connection, NEW_DOMAINS, month, now - WEEK_S, now),
                before=sum(before) / WEEKS_BEFORE,
            )

        return await self._file.read(mailed)

    async def refusal(self, seconds: float, /) -> str | None:
        """Return what a relay said when it last refused a reply."""

        def refusal(connection: apsw.Connection) -> str | None:
            said: str | None = connection.execute(REFUSAL, (self._clock.now() - seconds,)).get
            return said

        return await self._file.read(refusal)

    async def _change(self, sql: str, values: Callable[[], tuple[str | float | None, ...]]) -> int:
        def change(connection: apsw.Connection) -> int:
            connection.execute(sql, values())
            return connection.changes()

        return await self._file.write(change)


def _number(connection: apsw.Connection, sql: str, *values: float) -> int:
    number: int = connection.execute(sql, values).get
    return number
