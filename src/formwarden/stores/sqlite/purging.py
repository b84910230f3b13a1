"""Erasing what is over, in small steps under the write lock.

What bounds each kind of row, whoever sends whatever:

- `inquiry`, `body`, `evictable`: FORMWARDEN_STORE_BYTES (room.py); a full store keeps no more, and what is not kept
  gets no reply.
- `reply`: one an inquiry that was kept, for none without. Those that never took a slot, which is what somebody
  without a token can make, go after `SLOTLESS_KEPT_S`; the others, which budgets bound, with their inquiry's facts.
- `spend`: the budgets themselves: a month of the site's replies, some seven rows each.
- `outcome`: one for each attempt at a reply that had a slot, for its end, and for signed evidence about it.
- `suppression`: one for each address that a relay refused; those with an end go then.
- `account`, `probe`: one for each reply that was granted; accounts go with the facts of their time.
- `breaker`: one for each provider group that refused a reply that was granted. A closed one stays while its window or
  its level matters; one of a group without a name goes with the facts of its time, however it stands.
- `newcomer`: `NEWCOMERS_A_DAY` at most are written a day; they go when they were not seen for as long as facts last.
- `known`: by the site's own staff and program, without end.
- `alarm`: one for each breaker that opens or closes, and each complaint; told ones go with the facts of their time.
- `day`, `growth`: one for each day, and one.
- `mark`, `recipient_key`, `lease`: by our own names, never by what is sent.

Each step erases at most so many rows, of bodies at most `STEP_BYTES` (one may be larger), and every kind gets its
share of it, so that a flood of one keeps no other waiting.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final

import apsw

from formwarden.stores.ports import State
from formwarden.stores.retention import (
    PURGE_STEP,
    SLOTLESS_KEPT_S,
    SPENDS_KEPT_S,
    bodies_kept,
    facts_kept_s,
)
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.ahead import bring_back_changes, bring_back_holds
from formwarden.stores.sqlite.measures_purging import bring_back_measures, measure_kinds
from formwarden.stores.sqlite.room import LIVE_REPLY, note_erased
from formwarden.stores.sqlite.settling import REFUND
from formwarden.stores.sqlite.steps import Kind, Step, erase_fairly

IN_CLEAR: Final = f"""
SELECT n, (SELECT length(content) FROM body WHERE body.inquiry = n) FROM inquiry
WHERE clear = 1 AND state = ? AND changed_at <= ? AND staff <> 'due'
AND (EXISTS (SELECT 1 FROM body WHERE body.inquiry = n) OR NOT {LIVE_REPLY}) LIMIT ?
"""  # noqa: S608 - a constant of ours
ERASE: Final = f"""
UPDATE inquiry SET recipient = iif({LIVE_REPLY}, recipient, NULL),
clear = iif({LIVE_REPLY}, recipient IS NOT NULL, 0) WHERE n = ?
"""  # noqa: S608 - a constant of ours
OLD: Final = """
SELECT n, (SELECT length(content) FROM body WHERE body.inquiry = n) FROM inquiry
WHERE received_at <= ? AND staff <> 'due' LIMIT ?
"""
SPENT: Final = "SELECT reply, max(at) FROM spend GROUP BY reply ORDER BY reply LIMIT ?"
OLD_REPLIES: Final = f"""
DELETE FROM reply WHERE n IN (
    SELECT n FROM (SELECT n, created_at, state FROM reply ORDER BY n LIMIT {PURGE_STEP})
    WHERE created_at <= ? AND state NOT IN ('due', 'held', 'taken') LIMIT ?
)
"""  # noqa: S608 - a number of ours; only the oldest are looked at, so no index is needed
SLOTLESS: Final = """
DELETE FROM reply WHERE n IN (
    SELECT n FROM reply WHERE state IN ('suppressed', 'dropped') AND created_at <= ? LIMIT ?
)
"""
OLD_OUTCOMES: Final = "DELETE FROM outcome WHERE id IN (SELECT id FROM outcome WHERE at <= ? LIMIT ?)"
OLD_SUPPRESSIONS: Final = """
DELETE FROM suppression WHERE (subject, cause) IN (SELECT subject, cause FROM suppression WHERE until <= ? LIMIT ?)
"""
Sized = tuple[int, int | None]
"""An inquiry and the bytes of its body."""


def purge_kept(connection: apsw.Connection, now: float, limit: int, *, settings: Stores) -> int:
    """Erase at most `limit` things of the durable file; return how many."""
    bring_back_holds(connection, now)
    bring_back_measures(connection, now)
    for state in State:
        bring_back_changes(connection, state, now)
    facts = now - facts_kept_s(settings)
    kinds: tuple[Kind, ...] = (
        partial(_erase_bodies, kept=bodies_kept(settings), now=now),
        partial(_erase_old, before=facts),
        partial(_erase_spends, before=now - SPENDS_KEPT_S),
        partial(_erase_by, sql=OLD_REPLIES, before=facts),
        partial(_erase_by, sql=SLOTLESS, before=now - min(SLOTLESS_KEPT_S, facts_kept_s(settings))),
        partial(_erase_by, sql=OLD_OUTCOMES, before=facts),
        partial(_erase_by, sql=OLD_SUPPRESSIONS, before=now),
        *measure_kinds(facts, now),
    )
    return erase_fairly(connection, kinds, limit)


def _erase_bodies(
    connection: apsw.Connection, step: Step, limit: int, *, kept: Mapping[State, float], now: float
) -> int:
    erased = 0
    for state, seconds in kept.items():
        over: list[Sized] = list(connection.execute(IN_CLEAR, (state, now - seconds, limit - erased)))
        for number, size in over:
            if step.bytes_of_bodies <= 0:
                return erased
            connection.execute("DELETE FROM body WHERE inquiry = ?", (number,))
            connection.execute(ERASE, (number,))
            note_erased(connection, number)
            erased += _take_off(step, size)
    return erased


def _erase_old(connection: apsw.Connection, step: Step, limit: int, *, before: float) -> int:
    erased = 0
    over: list[Sized] = list(connection.execute(OLD, (before, limit)))
    for number, size in over:
        if step.bytes_of_bodies <= 0:
            return erased
        connection.execute("DELETE FROM body WHERE inquiry = ?", (number,))
        connection.execute("DELETE FROM inquiry WHERE n = ?", (number,))
        erased += _take_off(step, size)
    return erased


def _take_off(step: Step, size: int | None) -> int:
    step.rows -= 1
    step.bytes_of_bodies -= size or 0
    return 1


def _erase_spends(connection: apsw.Connection, step: Step, limit: int, *, before: float) -> int:
    """Erase slots that no budget counts any more; those of one reply are one thing."""
    erased = 0
    least = step.rows - limit
    oldest: list[tuple[int, float]] = list(connection.execute(SPENT, (limit,)))
    for reply, at in oldest:
        if at <= before and step.rows > least:
            connection.execute(REFUND, (reply,))
            step.rows -= connection.changes()
            erased += 1
    return erased


def _erase_by(connection: apsw.Connection, step: Step, limit: int, *, sql: str, before: float) -> int:
    connection.execute(sql, (before, limit))
    step.rows -= connection.changes()
    return connection.changes()
