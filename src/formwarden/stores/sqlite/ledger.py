"""The ledger in the durable file: the row of a reply is its outbox row too (G15)."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.stores.breakers import shuts
from formwarden.stores.outcomes import strongest
from formwarden.stores.ports import (
    REPLIES_OFF,
    Key,
    Outcome,
    ReplyRequest,
    ReplyRow,
    Reputation,
    Reservation,
)
from formwarden.stores.sqlite.accounts import SqliteRows
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.measures import growth_of
from formwarden.stores.sqlite.outbox import take_due
from formwarden.stores.sqlite.replies import COLUMNS, row_of
from formwarden.stores.sqlite.reserving import reserve
from formwarden.stores.sqlite.settling import causes_of, set_suppression, settle

MARKED: Final = "SELECT count(*) FROM mark WHERE name = 'feedback_seen'"
KNOWN: Final = "SELECT EXISTS (SELECT 1 FROM known WHERE subject IN ({}))"
LIFTED: Final = "DELETE FROM suppression WHERE subject = ? AND (until IS NULL OR until > ?)"
BY_SUBMISSION: Final = f"SELECT {COLUMNS} FROM reply WHERE submission = ?"  # noqa: S608 - a constant of ours


class SqliteLedger:
    """The sending side of a SQLite store."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        """Read what stands against, or for, these subjects."""
        return await self._file.read(partial(self._reputation, tuple(subjects)))

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        """Write the reply's row and take a slot in every budget, all or nothing, in one transaction."""
        run = self._file.read if request.preview else self._file.write
        return await run(lambda connection: reserve(connection, request, self._clock.now()))

    async def settle(self, outcome: Outcome, /) -> None:
        """Record what became of a reply: row, budgets, suppression, and the recipient's erasure at its end."""
        await self._file.write(lambda connection: settle(connection, outcome, self._clock.now()))

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        """Take replies that are due, and held ones to look at again; each goes to one caller only."""
        return await self._file.write(lambda connection: take_due(connection, limit, lease_s, self._clock.now()))

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        """Put a subject on the suppression list; `REPLIES_OFF` is the switch for all replies."""
        await self._file.write(partial(set_suppression, subject=subject, cause=cause, until=until))

    async def lift(self, subject: Key, /) -> bool:
        """Take a subject off the list; say whether it was on it."""
        return await self._file.write(partial(self._lift, subject))

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        """Read the reply rows of these submissions, by submission id."""
        return await self._file.read(partial(_replies, tuple(submissions)))

    def _reputation(self, subjects: Sequence[Key], connection: apsw.Connection) -> Reputation:
        now = self._clock.now()
        causes = causes_of(connection, (*subjects, REPLIES_OFF), now)
        return Reputation(
            suppressed={subject: strongest(causes[subject]) for subject in subjects if subject in causes},
            replies_off=REPLIES_OFF in causes,
            feedback_seen=connection.execute(MARKED).get > 0,
            breakers=shuts(SqliteRows(connection), subjects, now),
            known=bool(connection.execute(KNOWN.format(", ".join("?" * len(subjects))), subjects).get),
            growth=growth_of(connection),
        )

    def _lift(self, subject: Key, connection: apsw.Connection) -> bool:
        connection.execute(LIFTED, (subject, self._clock.now()))
        return connection.changes() > 0


def _replies(submissions: Sequence[bytes], connection: apsw.Connection) -> Mapping[bytes, ReplyRow]:
    found = (row_of(row) for key in submissions for row in connection.execute(BY_SUBMISSION, (key,)))
    return {row.submission_id: row for row in found}
