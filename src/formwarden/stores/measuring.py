"""How new people and days are counted: the same in every store (G06, G10)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from formwarden.stores.ahead import too_far
from formwarden.stores.ports import Newcomers

DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
WEEKS_BEFORE: Final = 4  # G10
NEWCOMERS_A_DAY: Final = 1_000  # no more are written: five times what a site may send in one
SEEN_AGAIN_S: Final = DAY_S  # that somebody came again is written once a day


def day_of(now: float) -> int:
    """Return the day in UTC, from the epoch."""
    return int(now // DAY_S)


def day_bounds(day: int) -> tuple[float, float]:
    """Return when a day begins and when the next one does."""
    return day * DAY_S, (day + 1) * DAY_S


def week_starts(now: float) -> Sequence[float]:
    """Return where the last week and the four before it begin, newest first."""
    return [now - weeks * WEEK_S for weeks in range(1, WEEKS_BEFORE + 2)]


def seen_again(seen_at: float, now: float) -> bool:
    """Say whether it is to be written that somebody came again; what a clock ahead has left is written over."""
    return now - seen_at >= SEEN_AGAIN_S or too_far(seen_at, now)


def newcomers(first_at: float | None, since: Sequence[int], now: float) -> Newcomers:
    """Say who is new by how many first came after each of `week_starts`.

    Weeks that were over before anybody came are left out. Whoever is stamped ahead came this week.
    """
    if first_at is None:
        return Newcomers()
    weeks = [more - less for less, more in pairwise(since)]
    ends = week_starts(now)
    before = tuple(count for count, end in zip(weeks, ends, strict=False) if first_at <= end)
    return Newcomers(first_at=min(first_at, now), week=since[0], before=before)
