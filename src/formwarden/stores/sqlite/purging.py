"""Erasing what is over, in small steps under the write lock."""

from collections.abc import Mapping
from typing import Final

import apsw

from formwarden.stores.ports import State
from formwarden.stores.retention import PURGE_STEP, SPENDS_KEPT_S, bodies_kept, facts_kept_s
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.settling import REFUND

LIVE_REPLY: Final = (
    "EXISTS (SELECT 1 FROM reply WHERE submission = inquiry.id AND reply.state IN ('due', 'held', 'taken'))"
)
IN_CLEAR: Final = f"""
SELECT n FROM inquiry
WHERE clear = 1 AND state = ? AND changed_at <= ? AND staff <> 'due'
AND (EXISTS (SELECT 1 FROM body WHERE body.inquiry = n) OR NOT {LIVE_REPLY}) LIMIT ?
"""  # noqa: S608 - a constant of ours
ERASE: Final = f"""
UPDATE inquiry SET recipient = iif({LIVE_REPLY}, recipient, NULL),
clear = iif({LIVE_REPLY}, recipient IS NOT NULL, 0) WHERE n = ?
"""  # noqa: S608 - a constant of ours
OLD: Final = "SELECT n FROM inquiry WHERE received_at <= ? AND staff <> 'due' LIMIT ?"
SPENT: Final = "SELECT reply, max(at) FROM spend GROUP BY reply ORDER BY reply LIMIT ?"
OLD_REPLIES: Final = f"""
DELETE FROM reply WHERE n IN (
    SELECT n FROM (SELECT n, created_at, state FROM reply ORDER BY n LIMIT {PURGE_STEP})
    WHERE created_at <= ? AND state NOT IN ('due', 'held', 'taken') LIMIT ?
)
"""  # noqa: S608 - a number of ours; only the oldest are looked at, so no index is needed
OLD_OUTCOMES: Final = "DELETE FROM outcome WHERE id IN (SELECT id FROM outcome WHERE at <= ? LIMIT ?)"
OLD_SUPPRESSIONS: Final = """
DELETE FROM suppression WHERE (subject, cause) IN (SELECT subject, cause FROM suppression WHERE until <= ? LIMIT ?)
"""


def purge_kept(connection: apsw.Connection, now: float, limit: int, *, settings: Stores) -> int:
    """Erase at most `limit` things of the durable file; return how many."""
    erased = _erase_bodies(connection, bodies_kept(settings), now, limit)
    facts = now - facts_kept_s(settings)
    erased += _erase_old(connection, facts, limit - erased)
    erased += _erase_spends(connection, now - SPENDS_KEPT_S, limit - erased)
    for sql, before in ((OLD_REPLIES, facts), (OLD_OUTCOMES, facts), (OLD_SUPPRESSIONS, now)):
        connection.execute(sql, (before, limit - erased))
        erased += connection.changes()
    return erased


def _erase_bodies(connection: apsw.Connection, kept: Mapping[State, float], now: float, limit: int) -> int:
    erased = 0
    for state, seconds in kept.items():
        found = connection.execute(IN_CLEAR, (state, now - seconds, limit - erased)).fetchall()
        for row in found:
            connection.execute("DELETE FROM body WHERE inquiry = ?", row)
            connection.execute(ERASE, row)
        erased += len(found)
    return erased


def _erase_old(connection: apsw.Connection, before: float, limit: int) -> int:
    found = connection.execute(OLD, (before, limit)).fetchall()
    for row in found:
        connection.execute("DELETE FROM body WHERE inquiry = ?", row)
        connection.execute("DELETE FROM inquiry WHERE n = ?", row)
    return len(found)


def _erase_spends(connection: apsw.Connection, before: float, limit: int) -> int:
    """Erase slots that no budget counts any more; those of one reply count as one thing."""
    oldest: list[tuple[int, float]] = list(connection.execute(SPENT, (limit,)))
    over = [reply for reply, at in oldest if at <= before]
    for reply in over:
        connection.execute(REFUND, (reply,))
    return len(over)
