"""Erasing what is over of accounts, breakers, people, alarms and days; bringing back what a wrong clock left ahead.

Each statement looks along an index, at the oldest few, or at a table of a few hundred rows.
"""

from functools import partial
from typing import Final

import apsw

from formwarden.stores.ahead import AHEAD_S
from formwarden.stores.breakers import LEVEL_KEPT_S, PRESUMED_AHEAD_S
from formwarden.stores.measuring import DAY_S, day_of
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.sqlite.accounts import BREAKER_FIELDS, BreakerColumns, SqliteRows, breaker_of
from formwarden.stores.sqlite.steps import Kind, Step

OLD_ACCOUNTS: Final = f"""
DELETE FROM account WHERE reply IN (
    SELECT reply FROM (SELECT reply, at FROM account ORDER BY reply LIMIT {PURGE_STEP}) WHERE at <= ? LIMIT ?
)
"""  # noqa: S608 - a number of ours; only the oldest are looked at, so no index is needed
# Of groups without a name there may be any number; what has one is kept until its level and its window do not matter.
OLD_BREAKERS: Final = """
DELETE FROM breaker WHERE subject IN (
    SELECT subject FROM breaker
    WHERE (tidied = 1 AND closes_at <= ?1) OR (tidied = 0 AND label = '' AND opened_at <= ?1) LIMIT ?2
)
"""
# Along the index of when they came first: those that came again since are few.
OLD_PEOPLE: Final = """
DELETE FROM newcomer WHERE recipient IN (
    SELECT recipient FROM newcomer WHERE first_at <= ?1 AND (seen_at <= ?1 OR seen_at > ?2) LIMIT ?3
)
"""
OLD_ALARMS: Final = """
DELETE FROM alarm WHERE id IN (SELECT id FROM alarm WHERE told_at IS NOT NULL AND at <= ? LIMIT ?)
"""
OLD_DAYS: Final = "DELETE FROM day WHERE day IN (SELECT day FROM day WHERE day < ? OR day > ? LIMIT ?)"
ACCOUNTS: Final = """
UPDATE account SET entered_at = iif(hard > 0, ?1, ?2)
WHERE reply IN (SELECT reply FROM account WHERE entered_at > ?3 LIMIT ?4)
"""
AHEAD: Final = f"""
SELECT {BREAKER_FIELDS} FROM breaker WHERE opened_at > ?1 OR (tidied = 1 AND closes_at > ?1)
"""  # noqa: S608 - a constant of ours
PEOPLE: Final = """
UPDATE newcomer SET first_at = ?1, seen_at = ?1
WHERE recipient IN (SELECT recipient FROM newcomer WHERE first_at > ?2 LIMIT ?3)
"""
ALARMS: Final = "UPDATE alarm SET at = ?1 WHERE told_at IS NULL AND at > ?2"


def measure_kinds(facts: float, now: float) -> tuple[Kind, ...]:
    """Return how each kind of row is erased."""
    return (
        partial(_erase, sql=OLD_ACCOUNTS, bounds=(facts,)),
        partial(_erase, sql=OLD_BREAKERS, bounds=(min(facts, now - LEVEL_KEPT_S),)),
        partial(_erase, sql=OLD_PEOPLE, bounds=(facts, now + AHEAD_S)),
        partial(_erase, sql=OLD_ALARMS, bounds=(facts,)),
        partial(_erase, sql=OLD_DAYS, bounds=(day_of(facts), day_of(now + DAY_S))),
    )


def bring_back_measures(connection: apsw.Connection, now: float) -> None:
    """Bring back what a clock that was set back since has left ahead (stores/ahead.py)."""
    connection.execute(ACCOUNTS, (now, now + DAY_S, now + PRESUMED_AHEAD_S, PURGE_STEP))
    rows: list[BreakerColumns] = list(connection.execute(AHEAD, (now + AHEAD_S,)))
    for row in rows:
        SqliteRows(connection).write_breaker(breaker_of(row).met(now))
    connection.execute(PEOPLE, (now, now + AHEAD_S, PURGE_STEP))
    connection.execute(ALARMS, (now, now + AHEAD_S))


def _erase(connection: apsw.Connection, step: Step, limit: int, *, sql: str, bounds: tuple[float, ...]) -> int:
    connection.execute(sql, (*bounds, limit))
    step.rows -= connection.changes()
    return connection.changes()
