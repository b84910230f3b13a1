"""Handing replies out to the worker: each to one caller only, what was not finished is spent."""

from typing import Final

import apsw

from formwarden.stores.outcomes import LOST_REASON, OVER_REASON
from formwarden.stores.ports import ReplyRow
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.sqlite.ahead import bring_back_replies
from formwarden.stores.sqlite.replies import COLUMNS, row_of
from formwarden.stores.sqlite.settling import end

TAKEN: Final = "SELECT id, submission, attempts FROM reply WHERE state = 'taken' AND lease_until <= ? LIMIT ?"
HELD: Final = "SELECT id, submission FROM reply WHERE state = 'held' AND held_until <= ? LIMIT ?"
NOTE: Final = "INSERT INTO outcome VALUES (?, ?, 'lost', ?, ?) ON CONFLICT DO NOTHING"
LAST: Final = "UPDATE reply SET last = ? WHERE id = ?"
DUE: Final = f"""
UPDATE reply SET state = 'taken', lease_until = ?, due_at = NULL, attempts = attempts + 1
WHERE id IN (SELECT id FROM reply WHERE state = 'due' AND due_at <= ? ORDER BY due_at LIMIT ?)
RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of ours
LOOK_AGAIN: Final = f"""
UPDATE reply SET check_at = ?
WHERE id IN (SELECT id FROM reply WHERE state = 'held' AND check_at <= ? ORDER BY check_at LIMIT ?)
RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of ours


def take_due(connection: apsw.Connection, limit: int, lease_s: float, now: float) -> tuple[ReplyRow, ...]:
    """Settle what is over, then take what is due, then what is held and to be looked at again; oldest first."""
    bring_back_replies(connection, now)
    _settle_over(connection, now)
    taken = [row_of(row) for row in connection.execute(DUE, (now + lease_s, now, limit))]
    left = limit - len(taken)
    looked_at = [row_of(row) for row in connection.execute(LOOK_AGAIN, (now + lease_s, now, left))]
    return (*_oldest_first(taken), *_oldest_first(looked_at))


def _settle_over(connection: apsw.Connection, now: float) -> None:
    lost: list[tuple[bytes, bytes, int]] = list(connection.execute(TAKEN, (now, PURGE_STEP)))
    for reply, submission, attempts in lost:
        connection.execute(NOTE, (b"lease %d of %s" % (attempts, reply), reply, LOST_REASON, now))
        connection.execute(LAST, (LOST_REASON, reply))
        end(connection, reply, submission, "lost")
    over: list[tuple[bytes, bytes]] = list(connection.execute(HELD, (now, PURGE_STEP)))
    for reply, submission in over:
        connection.execute(LAST, (OVER_REASON, reply))
        end(connection, reply, submission, "dropped")


def _oldest_first(rows: list[ReplyRow]) -> list[ReplyRow]:
    return sorted(rows, key=lambda row: (row.created_at, row.reply_id))
