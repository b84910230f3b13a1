"""How many replies a day may carry by now: growth by clean days, and the drip that no other budget sees (G06, G10).

A day is judged once, when it is over in UTC. What stands here is arithmetic alone; mail/growing.py asks the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Final

from formwarden.stores.breaking import DEFAULT, Share
from formwarden.stores.ports import Day, Growth, Newcomers

DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
CLEAN_KNOWN: Final = 10  # outcomes; fewer say nothing good of a day (G06)
CLEAN_BOUND: Final = 0.03  # lower bound of the failed share of a clean day (G06)
ONE_FAILURE: Final = 1.0  # one mistyped address on a quiet day proves no share, whatever its lower bound
WANTED: Final = (3, 5)  # of the cap: nobody needs a larger one below that (G06)
STEP: Final = (7, 5)  # x 1.4: what senders with a name to lose double in two days at most
IDLE_DAYS: Final = 30  # providers forget a sender that was silent for so long: it starts again
AHEAD_DAYS: Final = 2  # a judged day further ahead was written by a clock that was set back since
DRIP_LEAST: Final = 30.0  # new addresses a week; below that a week is too small to compare
DRIP_TIMES: Final = 1.5
DRIP_SPREADS: Final = 4.0  # of a weekly number that varies by chance alone, by its square root
DRIP_DAY: Final = 5  # replies a day that a drip leaves at least
YOUNG_S: Final = 2 * WEEK_S  # there is nothing to compare with yet
WEEKS: Final = 4
REAL_S: Final = (WEEKS + 1) * WEEK_S  # by then the weekly mean knows what the owner said


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Between what the site's replies a day move. The start may be above the ceiling: a person set it."""

    start: int
    ceiling: int

    def within(self, cap: int) -> int:
        """Return the figure, no lower than the start and no higher than the ceiling."""
        return max(self.start, min(cap, self.ceiling))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """What is allowed from now on, and what the owner must hear; `alarm` is empty where there is nothing."""

    growth: Growth
    alarm: str = ""


def day_of(now: float) -> int:
    """Return the number of a day in UTC."""
    return int(now // DAY_S)


def allowed(growth: Growth | None, bounds: Bounds) -> int:
    """Return how many replies a day may carry now."""
    if growth is None:
        return bounds.start
    cap = bounds.within(growth.cap)
    return cap if growth.drip_cap is None else min(cap, growth.drip_cap)


def next_growth(
    growth: Growth | None,
    days: Mapping[int, Day],
    newcomers: Newcomers,
    bounds: Bounds,
    *,
    now: float,
    proven: bool,
) -> Grown:
    """Judge the days that are over and were not judged, then look for a drip.

    `days`: what was read of days before today, by number; one that is missing is passed over. `proven`: an outcome
    has been seen; before that nothing grows (G07). Asked again with the same, it changes nothing.
    """
    yesterday = day_of(now) - 1
    if growth is None:
        return _watch_drip(Growth(cap=bounds.start, day=yesterday), newcomers, now)
    grown = replace(growth, cap=bounds.within(growth.cap))
    if grown.day > yesterday + 1 + AHEAD_DAYS:
        grown = replace(grown, day=yesterday)
    for number in range(max(grown.day + 1, min(days, default=yesterday)), yesterday + 1):
        if number in days:
            grown = replace(grown, cap=_next_cap(grown, number, days[number], bounds, proven=proven))
    if is_idle(days, yesterday + 1):
        grown = replace(grown, cap=bounds.start)
    return _watch_drip(replace(grown, day=max(grown.day, yesterday)), newcomers, now)


def is_idle(days: Mapping[int, Day], today: int) -> bool:
    """Tell whether no reply was wanted on any of the last thirty days, all of which were read."""
    return all(number in days and not days[number].wanted for number in range(today - IDLE_DAYS, today))


def said_real(growth: Growth, newcomers: Newcomers, now: float) -> Growth:
    """Return what is allowed when the owner says that the week's new addresses are real people (G10)."""
    return replace(growth, drip_cap=None, real_at=now, real_week=newcomers.week)


def weekly_mean(newcomers: Newcomers, now: float) -> float | None:
    """Return the mean of the whole weeks before the last seven days, four at most; None: the site is too young."""
    if newcomers.first_at is None or now - newcomers.first_at < YOUNG_S:
        return None
    whole = min(WEEKS, int((now - newcomers.first_at) // WEEK_S) - 1)
    return sum(newcomers.before[:whole]) / whole


def drip_threshold(mean: float) -> float:
    """Return how many new addresses a week may bring where so many are usual."""
    return max(DRIP_LEAST, DRIP_TIMES * mean + DRIP_SPREADS * sqrt(mean))


def _next_cap(growth: Growth, number: int, day: Day, bounds: Bounds, *, proven: bool) -> int:
    cap, (up, down) = growth.cap, STEP
    drips = int(growth.drip_at is not None and day_of(growth.drip_at) == number)
    if _is_bad(day, alarms=day.alarms - drips):  # a drip holds replies back by a cap of its own
        return bounds.within(cap * down // up)
    usable = proven and growth.drip_cap is None and day.wanted * WANTED[1] > cap * WANTED[0]
    if cap and usable and not day.alarms and day.known >= CLEAN_KNOWN:
        return bounds.within(max(cap + 1, cap * up // down))
    return cap


def _is_bad(day: Day, *, alarms: int) -> bool:
    """Tell whether a day speaks against us: complaints, a provider's distrust, or too many failures."""
    if day.complaints or alarms > 0:
        return True
    share = Share(known=max(day.known, ceil(day.hard)), hard=day.hard)
    return day.hard > ONE_FAILURE and share.lower_bound(DEFAULT.z) > CLEAN_BOUND


def _watch_drip(growth: Growth, newcomers: Newcomers, now: float) -> Grown:
    """Hold replies back where far more new addresses come than is usual, until the owner says that they are real."""
    mean = weekly_mean(newcomers, now)
    if growth.drip_cap is not None or mean is None:
        return Grown(growth=growth)
    if growth.real_at is not None and abs(now - growth.real_at) < REAL_S:
        mean = max(mean, growth.real_week)
    if newcomers.week <= drip_threshold(mean):
        return Grown(growth=growth)
    cap = max(DRIP_DAY, int(DRIP_TIMES * mean / 7))
    alarm = f"{newcomers.week} new addresses in 7 days, {mean:.0f} a week before; at most {cap} replies a day now"
    return Grown(growth=replace(growth, drip_cap=cap, drip_at=now), alarm=alarm)
