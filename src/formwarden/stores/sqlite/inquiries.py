"""Inquiries in the durable file, beside the ledger."""

import heapq
from collections.abc import Collection, Sequence
from functools import partial
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.errors import StoreFullError
from formwarden.stores.eviction import FULL, bytes_of
from formwarden.stores.paging import page_key, place_of
from formwarden.stores.ports import Inquiry, Page, Staff, State
from formwarden.stores.sqlite.ahead import bring_back_claims
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.kept import SELECT, Row, answer_text, inquiry_of, insert, row_of
from formwarden.stores.sqlite.room import Room
from formwarden.stores.sqlite.staffing import take_singly, take_together
from formwarden.stores.sqlite.texts import plain

ONE: Final = f"{SELECT} WHERE id = ?"
ANSWERED: Final = """
UPDATE inquiry SET state = 'discarded', note = ?, changed_at = ?, lease_until = 0
WHERE id = ? AND form = ? AND state = 'asked'
"""
MOVE: Final = """
UPDATE inquiry SET state = ?, note = ?, answer = coalesce(?, answer), changed_at = ?, lease_until = ?
WHERE id = ? AND state IN ({})
"""
WAITING: Final = """
SELECT id FROM inquiry WHERE state = ? AND changed_at < ? AND lease_until <= ? ORDER BY changed_at, id LIMIT ?
"""
LEASE: Final = "UPDATE inquiry SET lease_until = ? WHERE id = ?"
STAFF: Final = """
UPDATE inquiry SET staff = ?, staff_note = ?, staff_at = ? WHERE id = ? AND (staff <> 'sent' OR ? = 'sent')
"""
NEWEST: Final = " ORDER BY received_at DESC, id DESC LIMIT ?"
BEYOND: Final = "(received_at, id) < (?, ?)"


class SqliteInquiries:
    """The owner's side of a SQLite store."""

    def __init__(self, file: SqliteFile, clock: Clock, room: Room) -> None:
        self._file = file
        self._clock = clock
        self._room = room

    async def keep(self, inquiry: Inquiry, /, *, lease_s: float, replaces: bytes | None = None) -> Inquiry | None:
        """Store it, its state under a lease; None: it is new, else what this id already is (nothing changes)."""
        now = self._clock.now()
        row = row_of(inquiry, changed_at=now, lease_until=now + lease_s)
        found = await self._file.write(partial(self._keep, inquiry, row, replaces))
        if isinstance(found, StoreFullError):
            raise found
        return found

    async def move(
        self,
        inquiry: bytes,
        /,
        *,
        expect: Collection[State],
        to: State,
        note: str,
        answer: tuple[int, str] | None = None,
        lease_s: float = 0.0,
    ) -> bool:
        """Change the state if it is one of `expect`: of many callers one gets True."""

        def move(connection: apsw.Connection) -> bool:
            now = self._clock.now()
            new = (to, plain(note), answer_text(answer), now, now + lease_s, inquiry)
            connection.execute(MOVE.format(", ".join("?" * len(expect))), (*new, *expect))
            return connection.changes() > 0

        return await self._file.write(move)

    async def claim(self, state: State, limit: int, /, *, older_than: float, lease_s: float) -> Sequence[Inquiry]:
        """Take inquiries in `state` that changed before `older_than` and whose lease is over; oldest first."""

        def claim(connection: apsw.Connection) -> tuple[Inquiry, ...]:
            now = self._clock.now()
            bring_back_claims(connection, state, now, lease_s)
            found = connection.execute(WAITING, (state, older_than, now, limit))
            return _lease(connection, LEASE, now + lease_s, [row[0] for row in found])

        return await self._file.write(claim)

    async def claim_staff(self, limit: int, /, *, lease_s: float, per_hour: int | None = None) -> Sequence[Inquiry]:
        """Take inquiries whose staff mail is due and not leased, oldest first."""

        def claim_staff(connection: apsw.Connection) -> tuple[Inquiry, ...]:
            chosen = take_singly(connection, limit, now=self._clock.now(), lease_s=lease_s, per_hour=per_hour)
            return _all(connection, chosen)

        return await self._file.write(claim_staff)

    async def gather_staff(
        self, limit: int, /, *, lease_s: float, per_hour: int, every_s: float
    ) -> Sequence[Inquiry]:
        """Take what may not go singly in this hour, oldest first, without bodies."""

        def gather_staff(connection: apsw.Connection) -> tuple[Inquiry, ...]:
            now = self._clock.now()
            return take_together(connection, limit, now=now, lease_s=lease_s, per_hour=per_hour, every_s=every_s)

        return await self._file.write(gather_staff)

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "", due_at: float = 0.0) -> bool:
        """Set where the staff mail stands, and end its lease; False: no such inquiry. SENT never goes back."""

        def staff(connection: apsw.Connection) -> bool:
            connection.execute(STAFF, (to, plain(note), due_at, inquiry, to))
            if connection.changes():
                return True
            return connection.execute("SELECT 1 FROM inquiry WHERE id = ?", (inquiry,)).get is not None

        return await self._file.write(staff)

    async def get(self, inquiry: bytes, /) -> Inquiry | None:
        """Read one."""
        return await self._file.read(partial(_one, inquiry))

    async def find(self, states: Collection[State], /, *, after: str | None = None, limit: int = 50) -> Page:
        """Read a page, newest first; no states: all."""
        return await self._file.read(partial(_find, frozenset(states), after, limit))

    def _keep(
        self, inquiry: Inquiry, row: Row, replaces: bytes | None, connection: apsw.Connection
    ) -> Inquiry | StoreFullError | None:
        now = self._clock.now()
        if not self._room.make(connection, bytes_of(inquiry), now):
            return _one(inquiry.id, connection) or StoreFullError(FULL)  # raised here, it would fail its batch first
        if not insert(connection, row, inquiry):
            return _one(inquiry.id, connection)
        if replaces is not None:
            note = f"answered by {plain(inquiry.receipt)}"
            connection.execute(ANSWERED, (note, now, replaces, plain(inquiry.form)))
        return None


def _one(inquiry: bytes, connection: apsw.Connection) -> Inquiry | None:
    for row in connection.execute(ONE, (inquiry,)):
        return inquiry_of(row)
    return None


def _lease(connection: apsw.Connection, sql: str, until: float, inquiries: Sequence[bytes]) -> tuple[Inquiry, ...]:
    for inquiry in inquiries:
        connection.execute(sql, (until, inquiry))
    return _all(connection, inquiries)


def _all(connection: apsw.Connection, inquiries: Sequence[bytes]) -> tuple[Inquiry, ...]:
    found = (_one(inquiry, connection) for inquiry in inquiries)
    return tuple(inquiry for inquiry in found if inquiry is not None)


def _find(states: frozenset[State], after: str | None, limit: int, connection: apsw.Connection) -> Page:
    """Read a page of each state along its own index, and merge them: as quick among ten million as among ten."""
    place = place_of(after)
    each: Sequence[State | None] = sorted(states) or [None]
    pages = [_newest(connection, state, place, limit + 1) for state in each]
    merged = heapq.merge(*pages, key=lambda row: (row.received_at, row.id), reverse=True)
    rows = tuple(inquiry for _, inquiry in zip(range(limit + 1), merged, strict=False))
    if len(rows) <= limit:
        return Page(rows=rows, after=None)
    last = rows[limit - 1]
    return Page(rows=rows[:limit], after=page_key(last.received_at, last.id))


def _newest(
    connection: apsw.Connection, state: State | None, place: tuple[float, bytes] | None, limit: int
) -> list[Inquiry]:
    conditions = [*(["state = ?"] if state else []), *([BEYOND] if place else [])]
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    bindings = (*((state,) if state else ()), *(place or ()), limit)
    return [inquiry_of(row) for row in connection.execute(SELECT + where + NEWEST, bindings)]
