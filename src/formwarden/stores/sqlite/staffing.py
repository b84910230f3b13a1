"""Giving out the staff's mail: so many an hour singly, the rest by the quarter of an hour (G24)."""

from collections.abc import Sequence
from typing import Final

import apsw

from formwarden.stores.ports import Inquiry
from formwarden.stores.sqlite.ahead import bring_back_staff
from formwarden.stores.sqlite.kept import FIELDS, inquiry_of
from formwarden.stores.telling import STAFF_WINDOW_S

HEAD: Final = f"SELECT {FIELDS}, NULL FROM inquiry WHERE id = ?"  # noqa: S608 - ours
WAITING: Final = "SELECT id FROM inquiry WHERE staff = 'due' AND staff_at <= ? ORDER BY received_at, id LIMIT ?"
WITH_SLOT: Final = """
SELECT id FROM staff_slot JOIN inquiry ON inquiry.id = staff_slot.inquiry
WHERE staff = 'due' AND staff_at <= ? ORDER BY received_at, id LIMIT ?
"""
WITHOUT_SLOT: Final = """
SELECT id FROM inquiry
WHERE staff = 'due' AND staff_at <= ? AND NOT EXISTS (SELECT 1 FROM staff_slot WHERE inquiry = inquiry.id)
ORDER BY received_at, id LIMIT ?
"""
LEASE: Final = "UPDATE inquiry SET staff_at = ? WHERE id = ?"
OVER: Final = "DELETE FROM staff_slot WHERE at < ?"
AHEAD: Final = "UPDATE staff_slot SET at = ?1 WHERE at > ?1"
USED: Final = "SELECT count(*) FROM staff_slot"
TAKE: Final = "INSERT INTO staff_slot VALUES (?, ?) ON CONFLICT (inquiry) DO UPDATE SET at = excluded.at"


def take_singly(
    connection: apsw.Connection, limit: int, *, now: float, lease_s: float, per_hour: int | None
) -> list[bytes]:
    """Lease the oldest that may go singly; each takes a slot of the hour, or renews its own."""
    bring_back_staff(connection, now, lease_s)
    if per_hour is None:
        chosen = _ids(connection, WAITING, now, limit)
    else:
        free = max(0, per_hour - _used(connection, now))
        chosen = _ids(connection, WITH_SLOT, now, limit)
        chosen += _ids(connection, WITHOUT_SLOT, now, min(free, limit - len(chosen)))
        for inquiry in chosen:
            connection.execute(TAKE, (inquiry, now))
    _lease(connection, chosen, now + lease_s)
    return chosen


def take_together(
    connection: apsw.Connection, limit: int, *, now: float, lease_s: float, per_hour: int, every_s: float
) -> tuple[Inquiry, ...]:
    """Lease those that were due when the last quarter began, if the hour is spent."""
    bring_back_staff(connection, now, lease_s)
    if _used(connection, now) < per_hour:
        return ()
    chosen = _ids(connection, WITHOUT_SLOT, now - now % every_s, limit)
    _lease(connection, chosen, now + lease_s)
    return tuple(inquiry_of(row) for inquiry in chosen for row in connection.execute(HEAD, (inquiry,)))


def _used(connection: apsw.Connection, now: float) -> int:
    connection.execute(OVER, (now - STAFF_WINDOW_S,))
    connection.execute(AHEAD, (now,))
    used: int = connection.execute(USED).get
    return used


def _ids(connection: apsw.Connection, sql: str, until: float, limit: int) -> list[bytes]:
    return [row[0] for row in connection.execute(sql, (until, limit))] if limit > 0 else []


def _lease(connection: apsw.Connection, inquiries: Sequence[bytes], until: float) -> None:
    for inquiry in inquiries:
        connection.execute(LEASE, (until, inquiry))
