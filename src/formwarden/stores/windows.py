"""The windows of what judging remembers: the same in every store.

Tallies are counted in slots of a sixtieth of their window. They only judge, so a count may hold events up to a
sixtieth of the window too old; budgets of replies are exact and live in the ledger. Slots that a corrected clock
left in the future are not counted: a lost counter lowers a score, nothing else.
"""

from typing import Final

NONCE_WINDOW_S: Final = 172_800.0  # a token is stale after 24 h; the other day is for skewed clocks
PRINT_WINDOW_S: Final = 604_800.0  # campaigns come in waves over days
BODIES_PER_NONCE: Final = 64  # four make a replay; what comes beyond these is counted and not remembered
SLOTS: Final = 60


def slot_width(window_s: float) -> float:
    """Return the length of a slot in seconds."""
    return window_s / SLOTS


def slot_at(now: float, window_s: float) -> int:
    """Return the slot that an event of this moment falls into."""
    return int(now // slot_width(window_s))


def slots_within(now: float, window_s: float) -> tuple[int, int]:
    """Return the first and the last slot that touch the window which ends now."""
    last = slot_at(now, window_s)
    return last - SLOTS, last


def slot_over_at(slot: int, window_s: float) -> float:
    """Return the moment from which no window touches this slot any more."""
    return (slot + SLOTS + 1) * slot_width(window_s)
