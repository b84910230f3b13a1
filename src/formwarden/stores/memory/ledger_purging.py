"""Erasing what is over of a memory ledger and its measures."""

from collections.abc import Iterable
from typing import TypeVar

from formwarden.stores.ahead import too_far
from formwarden.stores.breakers import LEVEL_KEPT_S, BreakerRow
from formwarden.stores.measuring import DAY_S, day_of
from formwarden.stores.memory.outbox import bring_back
from formwarden.stores.memory.replies import Shelves
from formwarden.stores.retention import SLOTLESS, SLOTLESS_KEPT_S, facts_kept_s
from formwarden.stores.settings import Stores

K = TypeVar("K")
V = TypeVar("V")


def purge_ledger(shelves: Shelves, settings: Stores, limit: int, now: float) -> int:
    """Erase at most `limit` things whose time is over; return how many."""
    bring_back(shelves, now)
    shelves.accounts.bring_back(now)
    shelves.days.bring_back(now)
    facts = now - facts_kept_s(settings)
    slotless = max(facts, now - SLOTLESS_KEPT_S)
    erased = shelves.budgets.purge(now, limit)
    old = (
        name
        for name, reply in shelves.replies.items()
        if reply.row.created_at <= (slotless if reply.row.state in SLOTLESS else facts) and not reply.live
    )
    erased += _erase(shelves.replies, old, limit - erased)
    old = (name for name, kept in shelves.outcomes.items() if kept.at <= facts)
    erased += _erase(shelves.outcomes, old, limit - erased)
    erased += shelves.suppressions.purge(now, limit - erased)
    return erased + _purge_measures(shelves, facts, limit - erased, now)


def _purge_measures(shelves: Shelves, facts: float, limit: int, now: float) -> int:
    accounts, days = shelves.accounts, shelves.days
    old = (name for name, row in accounts.accounts.items() if row.at <= facts)
    erased = _erase(accounts.accounts, old, limit)
    over = (key for key, row in accounts.rows.items() if _is_over(row, facts, now))
    erased += _erase(accounts.rows, over, limit - erased)
    gone = (
        key
        for key, (first_at, seen_at) in days.people.items()
        if seen_at <= facts or (first_at <= facts and too_far(seen_at, now))
    )
    erased += _erase(days.people, gone, limit - erased)
    told = (
        number for number, kept in accounts.kept_alarms.items() if kept.told_at is not None and kept.alarm.at <= facts
    )
    erased += _erase(accounts.kept_alarms, told, limit - erased)
    past = (day for day in days.days if day < day_of(facts) or day > day_of(now + DAY_S))
    return erased + _erase(days.days, past, limit - erased)


def _is_over(row: BreakerRow, facts: float, now: float) -> bool:
    """Say whether nothing depends on a breaker any more: its window begins later anyway, and its level is nought."""
    closed_at = row.since(now)
    if closed_at is not None:
        return row.tidied and closed_at <= min(facts, now - LEVEL_KEPT_S)
    return not row.label and row.opened_at <= facts  # of a group without a name there may be any number


def _erase(shelf: dict[K, V], names: Iterable[K], limit: int) -> int:
    found = list(names)[: max(0, limit)]
    for name in found:
        del shelf[name]
    return len(found)
