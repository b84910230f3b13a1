"""Handing replies out to the worker: each to one caller only, what was not finished is spent."""

from typing import Final

import apsw

from formwarden.stores.evidence import leave
from formwarden.stores.outcomes import LOST_REASON, OVER_REASON, lowest_first
from formwarden.stores.ports import ReplyRow
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.sqlite.accounts import SqliteRows
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
# All that wait are looked at in the same moments, and whoever waits with the lowest score comes first (G02).
LOOK_AT_QUEUE: Final = f"""
UPDATE reply SET check_at = ?
WHERE id IN (SELECT id FROM reply WHERE state = 'held' AND score IS NOT NULL AND check_at <= ? ORDER BY score LIMIT ?)
RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of ours
LOOK_AGAIN: Final = f"""
UPDATE reply SET check_at = ?
WHERE id IN (SELECT id FROM reply WHERE state = 'held' AND check_at <= ? AND score IS NULL ORDER BY check_at LIMIT ?)
RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of ours


def take_due(connection: apsw.Connection, limit: int, lease_s: float, now: float) -> tuple[ReplyRow, ...]:
    """Settle what is over, then take what is due, then what is held and to be looked at again; oldest first.

    Of what is held, those that wait in the queue come first, by their score (G02).
    """
    bring_back_replies(connection, now)
    _settle_over(connection, now)
    taken = [row_of(row) for row in connection.execute(DUE, (now + lease_s, now, limit))]
    left = limit - len(taken)
    queue = [row_of(row) for row in connection.execute(LOOK_AT_QUEUE, (now + lease_s, now, left))]
    looked_at = [row_of(row) for row in connection.execute(LOOK_AGAIN, (now + lease_s, now, left - len(queue)))]
    return (*_oldest_first(taken), *lowest_first(queue), *_oldest_first(looked_at))


def _settle_over(connection: apsw.Connection, now: float) -> None:
    lost: list[tuple[bytes, bytes, int]] = list(connection.execute(TAKEN, (now, PURGE_STEP)))
    for reply, submission, attempts in lost:
        connection.execute(NOTE, (b"lease %d of %s" % (attempts, reply), reply, LOST_REASON, now))
        connection.execute(LAST, (LOST_REASON, reply))
        leave(SqliteRows(connection), reply, now)
        end(connection, reply, submission, "lost")
    over: list[tuple[bytes, bytes]] = list(connection.execute(HELD, (now, PURGE_STEP)))
    for reply, submission in over:
        connection.execute(LAST, (OVER_REASON, reply))
        end(connection, reply, submission, "dropped")


def _oldest_first(rows: list[ReplyRow]) -> list[ReplyRow]:
    return sorted(rows, key=lambda row: (row.created_at, row.reply_id))
