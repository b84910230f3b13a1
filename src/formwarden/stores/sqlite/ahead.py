"""Bringing back times that a clock set back since has left too far ahead (stores/ahead.py).

Each statement looks along an index, or at the oldest few: where no clock was wrong they find nothing, at no cost.
"""

from typing import Final

import apsw

from formwarden.stores.ahead import AHEAD_S, TALLIES_AHEAD_S
from formwarden.stores.ports import State
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.windows import NONCE_WINDOW_S, PRINT_WINDOW_S

DUE: Final = "UPDATE reply SET due_at = ?1 WHERE state = 'due' AND due_at > ?1"
TAKEN: Final = "UPDATE reply SET lease_until = ?1 WHERE state = 'taken' AND lease_until > ?1"
LOOKED_AT: Final = "UPDATE reply SET check_at = ?1 WHERE state = 'held' AND check_at > ?1"
HELD: Final = """
UPDATE reply SET held_until = held_until - (created_at - ?1), created_at = ?1
WHERE created_at > ?2 AND n IN (SELECT n FROM reply WHERE state = 'held' AND held_until > ?2
                                ORDER BY held_until DESC LIMIT ?3)
"""
CHANGED: Final = """
UPDATE inquiry SET changed_at = ?1
WHERE n IN (SELECT n FROM inquiry WHERE state = ?3 AND changed_at > ?2 LIMIT ?4)
"""
LEASED: Final = """
UPDATE inquiry SET lease_until = ?1
WHERE lease_until > ?2 AND n IN (SELECT n FROM inquiry WHERE state = ?3 ORDER BY changed_at LIMIT ?4)
"""
STAFF: Final = """
UPDATE inquiry SET staff_at = ?1
WHERE staff_at > ?2 AND n IN (SELECT n FROM inquiry WHERE staff = 'due' ORDER BY received_at LIMIT ?3)
"""
PRINTS: Final = "UPDATE print SET over_at = ?1 WHERE print IN (SELECT print FROM print WHERE over_at > ?1 LIMIT ?2)"
TOKENS: Final = "UPDATE token SET over_at = ?1 WHERE nonce IN (SELECT nonce FROM token WHERE over_at > ?1 LIMIT ?2)"
TALLIES: Final = """
DELETE FROM tally
WHERE (key, window, slot) IN (SELECT key, window, slot FROM tally WHERE over_at > ? LIMIT ?)
"""


def bring_back_replies(connection: apsw.Connection, now: float) -> None:
    """Bring back what the outbox waits for; a look too early costs nothing, a lease that is cut stays spent."""
    for sql in (DUE, TAKEN, LOOKED_AT):
        connection.execute(sql, (now + AHEAD_S,))


def bring_back_holds(connection: apsw.Connection, now: float) -> None:
    """Bring back the ends of holds that began ahead, each with its beginning: it lasts as long as it was to last."""
    connection.execute(HELD, (now, now + AHEAD_S, PURGE_STEP))


def bring_back_claims(connection: apsw.Connection, state: State, now: float, lease_s: float) -> None:
    """Bring back changes of inquiries in this state, and leases, to the one that is asked for now."""
    bring_back_changes(connection, state, now)
    connection.execute(LEASED, (now + lease_s, now + AHEAD_S, state, PURGE_STEP))


def bring_back_changes(connection: apsw.Connection, state: State, now: float) -> None:
    """Bring back the moments from which this state's retention counts."""
    connection.execute(CHANGED, (now, now + AHEAD_S, state, PURGE_STEP))


def bring_back_staff(connection: apsw.Connection, now: float, lease_s: float) -> None:
    """Bring back leases and waits of the staff's mail."""
    connection.execute(STAFF, (now + lease_s, now + AHEAD_S, PURGE_STEP))


def bring_back_counters(connection: apsw.Connection, now: float, limit: int) -> None:
    """Bring back nonces and prints, and forget tallies: no window that ends now would count them."""
    connection.execute(PRINTS, (now + PRINT_WINDOW_S, limit))
    connection.execute(TOKENS, (now + NONCE_WINDOW_S, limit))
    connection.execute(TALLIES, (now + TALLIES_AHEAD_S, limit))
