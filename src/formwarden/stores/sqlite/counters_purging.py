"""Erasing counters whose windows are over, in small steps."""

from functools import partial
from typing import Final

import apsw

from formwarden.stores.sqlite.ahead import bring_back_counters
from formwarden.stores.sqlite.steps import Step, erase_fairly

OVER_PRINTS: Final = "DELETE FROM print WHERE print IN (SELECT print FROM print WHERE over_at <= ? LIMIT ?)"
OVER_TALLIES: Final = """
DELETE FROM tally WHERE (key, window, slot) IN (SELECT key, window, slot FROM tally WHERE over_at <= ? LIMIT ?)
"""
OVER_TOKENS: Final = "SELECT nonce FROM token WHERE over_at <= ? LIMIT ?"


def purge_counters(connection: apsw.Connection, now: float, limit: int) -> int:
    """Erase at most `limit` rows whose time is over, a share of each kind; return how many."""
    bring_back_counters(connection, now, limit)
    kinds = (
        partial(_erase_by, sql=OVER_PRINTS, now=now),
        partial(_erase_by, sql=OVER_TALLIES, now=now),
        partial(_erase_tokens, now=now),
    )
    return erase_fairly(connection, kinds, limit)


def _erase_by(connection: apsw.Connection, step: Step, limit: int, *, sql: str, now: float) -> int:
    connection.execute(sql, (now, limit))
    step.rows -= connection.changes()
    return connection.changes()


def _erase_tokens(connection: apsw.Connection, step: Step, limit: int, *, now: float) -> int:
    """Erase nonces with the bodies they came with; one of them is one thing."""
    erased = 0
    least = step.rows - limit
    for (nonce,) in list(connection.execute(OVER_TOKENS, (now, limit))):
        if step.rows <= least:
            break
        connection.execute("DELETE FROM token_body WHERE nonce = ?", (nonce,))
        step.rows -= connection.changes() + 1
        connection.execute("DELETE FROM token WHERE nonce = ?", (nonce,))
        erased += 1
    return erased
