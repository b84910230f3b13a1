"""How many replies a day may carry: clean days, bad days, idle months, and the drip."""

from collections.abc import Callable
from dataclasses import replace
from math import inf, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.mail.growth import (
    DAY_S,
    WEEK_S,
    Bounds,
    allowed,
    day_of,
    drip_threshold,
    next_growth,
    said_real,
    weekly_mean,
)
from formwarden.stores.ports import Day, Growth, Newcomers
from tests.soak import runs

NOW = 20_000 * DAY_S + 7_200
TODAY = 20_000
BOUNDS = Bounds(start=50, ceiling=200)
YOUNG = Newcomers()
EXAMPLES = runs(40, 1_000)
CLEAN = Day(wanted=50, granted=50, known=50)


def judge(day: Day, cap: int = 50, *, bounds: Bounds = BOUNDS, proven: bool = True) -> int:
    """Return the cap after yesterday was such a day."""
    growth = Growth(cap=cap, day=TODAY - 2)
    return next_growth(growth, {TODAY - 1: day}, YOUNG, bounds, now=NOW, proven=proven).growth.cap


def regular(weekly: int, week: int, *, weeks: int = 8) -> Newcomers:
    """Return a site of so many weeks with as many new addresses each, and another number in the last."""
    return Newcomers(first_at=NOW - weeks * WEEK_S, week=week, before=(weekly,) * min(4, weeks - 1))


# ------------------------------------------------------------------------------------------------- G06
@pytest.mark.parametrize(
    ("cap", "after"),
    [(50, 70), (70, 98), (98, 137), (137, 191), (191, 200), (200, 200)],
)
def test_g06_a_clean_day_that_was_wanted_grows_by_1_4_up_to_the_ceiling(cap: int, after: int) -> None:
    assert judge(replace(CLEAN, wanted=cap), cap) == after


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (replace(CLEAN, wanted=30), 50),  # 60% is not more than 60%
        (replace(CLEAN, wanted=31), 70),
        (replace(CLEAN, known=9), 50),
        (replace(CLEAN, known=10), 70),
        (replace(CLEAN, known=10, hard=1.0), 70),  # lower bound 1.8%
        (replace(CLEAN, known=100, hard=6.0), 70),  # 2.8%
        (replace(CLEAN, known=100, hard=7.0), 50),  # 3.4%, and no lower than the start
        (replace(CLEAN, complaints=1), 50),
        (replace(CLEAN, alarms=1), 50),
    ],
)
def test_g06_what_makes_a_day_clean(day: Day, after: int) -> None:
    assert judge(day) == after


@pytest.mark.parametrize(
    ("day", "after"),
    [
        (Day(known=100, hard=7.0), 100),
        (Day(known=100, hard=6.0), 140),
        (Day(known=1, hard=1.0), 140),  # one mistyped address
        (Day(known=4, hard=1.5), 100),  # 15%
        (Day(known=0, hard=2.0), 100),  # bounces of older days
        (Day(complaints=1), 100),
        (Day(alarms=1), 100),
        (Day(), 140),
    ],
)
def test_g06_a_bad_day_shrinks_by_1_4(day: Day, after: int) -> None:
    assert judge(day, 140) == after


def test_g06_it_never_shrinks_below_the_start_and_never_grows_from_nothing() -> None:
    assert judge(Day(complaints=1), 55) == 50
    assert judge(CLEAN, 0, bounds=Bounds(start=0, ceiling=200)) == 0


def test_g06_a_small_start_grows_too() -> None:
    assert judge(CLEAN, 1, bounds=Bounds(start=1, ceiling=200)) == 2


def test_g06_a_start_that_a_person_set_above_the_ceiling_stands() -> None:
    assert judge(replace(CLEAN, wanted=500), 500, bounds=Bounds(start=500, ceiling=200)) == 500


def test_g06_a_figure_that_the_settings_no_longer_allow_is_brought_back() -> None:
    assert judge(Day(), 1_000) == 200
    assert judge(Day(), 20) == 50


def test_g06_the_first_time_nothing_is_judged() -> None:
    grown = next_growth(None, {TODAY - 1: CLEAN}, YOUNG, BOUNDS, now=NOW, proven=True)
    assert grown.growth == Growth(cap=50, day=TODAY - 1)
    assert grown.alarm == ""


def test_g06_a_day_is_judged_once_and_today_is_not_over() -> None:
    growth = Growth(cap=50, day=TODAY - 2)
    days = {TODAY - 1: CLEAN, TODAY: CLEAN}
    once = next_growth(growth, days, YOUNG, BOUNDS, now=NOW, proven=True).growth
    assert once == Growth(cap=70, day=TODAY - 1)
    assert next_growth(once, days, YOUNG, BOUNDS, now=NOW, proven=True).growth == once


def test_g06_days_that_passed_unseen_are_judged_in_their_order() -> None:
    growth = Growth(cap=50, day=TODAY - 5)
    days = {TODAY - 4: CLEAN, TODAY - 3: Day(complaints=1), TODAY - 2: CLEAN, TODAY - 1: CLEAN}
    grown = next_growth(growth, days, YOUNG, BOUNDS, now=NOW, proven=True).growth
    assert grown == Growth(cap=98, day=TODAY - 1)  # 70, 50, 70, 98


def test_more_than_thirty_idle_days_begin_anew() -> None:
    growth = Growth(cap=200, day=TODAY - 40)
    idle = {TODAY - number: Day() for number in range(1, 31)}
    assert next_growth(growth, idle, YOUNG, BOUNDS, now=NOW, proven=True).growth.cap == 50
    busy = {**idle, TODAY - 30: Day(wanted=1)}
    assert next_growth(growth, busy, YOUNG, BOUNDS, now=NOW, proven=True).growth.cap == 200
    unread = {number: day for number, day in idle.items() if number != TODAY - 7}
    assert next_growth(growth, unread, YOUNG, BOUNDS, now=NOW, proven=True).growth.cap == 200


def test_a_day_judged_by_a_clock_that_was_ahead_blocks_nobody_for_long() -> None:
    ahead = Growth(cap=70, day=TODAY + 400)
    back = next_growth(ahead, {TODAY - 1: CLEAN}, YOUNG, BOUNDS, now=NOW, proven=True).growth
    assert back == Growth(cap=70, day=TODAY - 1)
    near = Growth(cap=70, day=TODAY + 1)  # a clock set back over midnight: that day is not judged again
    assert next_growth(near, {TODAY - 1: CLEAN}, YOUNG, BOUNDS, now=NOW, proven=True).growth == near


# ------------------------------------------------------------------------------------------------- G07
def test_g07_without_feedback_nothing_grows() -> None:
    assert judge(CLEAN, proven=False) == 50
    assert judge(Day(complaints=1), 140, proven=False) == 100


# ------------------------------------------------------------------------------------------------- G10
@pytest.mark.parametrize(
    ("mean", "threshold"),
    [(0, 30.0), (7, 30.0), (20, 30 + 4 * sqrt(20)), (140, 210 + 4 * sqrt(140))],
)
def test_g10_the_threshold(mean: float, threshold: float) -> None:
    assert drip_threshold(mean) == pytest.approx(threshold)


def test_g10_far_more_new_addresses_than_usual_hold_replies_back_and_alarm() -> None:
    growth = Growth(cap=140, day=TODAY - 1)
    grown = next_growth(growth, {}, regular(140, 258), BOUNDS, now=NOW, proven=True)
    assert grown.growth == replace(growth, drip_cap=30, drip_at=NOW)
    assert grown.alarm == "258 new addresses in 7 days, 140 a week before; at most 30 replies a day now"
    assert allowed(grown.growth, BOUNDS) == 30
    calm = next_growth(growth, {}, regular(140, 257), BOUNDS, now=NOW, proven=True)
    assert calm.growth == growth
    assert calm.alarm == ""


def test_g10_a_small_site_keeps_five_a_day() -> None:
    grown = next_growth(None, {}, regular(3, 31), BOUNDS, now=NOW, proven=True).growth
    assert grown.drip_cap == 5
    assert next_growth(None, {}, regular(3, 30), BOUNDS, now=NOW, proven=True).growth.drip_cap is None


def test_g10_it_is_told_once_and_stands_until_the_owner_speaks() -> None:
    growth = Growth(cap=140, day=TODAY - 1, drip_cap=30, drip_at=NOW - 3 * DAY_S)
    for week in (900, 10):
        grown = next_growth(growth, {}, regular(140, week), BOUNDS, now=NOW, proven=True)
        assert grown.growth == growth
        assert grown.alarm == ""


def test_g10_growth_stops_meanwhile_and_a_bad_day_still_shrinks() -> None:
    growth = Growth(cap=70, day=TODAY - 2, drip_cap=30, drip_at=NOW - 3 * DAY_S)
    kept = next_growth(growth, {TODAY - 1: replace(CLEAN, wanted=90)}, YOUNG, BOUNDS, now=NOW, proven=True)
    assert kept.growth.cap == 70
    shrunk = next_growth(growth, {TODAY - 1: Day(complaints=1)}, YOUNG, BOUNDS, now=NOW, proven=True)
    assert shrunk.growth.cap == 50


def test_g10_the_day_of_the_drips_own_alarm_is_not_clean_and_shrinks_nothing() -> None:
    at = (TODAY - 1) * DAY_S + 60
    growth = Growth(cap=70, day=TODAY - 2, drip_at=at, real_at=at + 60)
    day = Day(wanted=90, granted=70, known=70, alarms=1)
    assert next_growth(growth, {TODAY - 1: day}, YOUNG, BOUNDS, now=NOW, proven=True).growth.cap == 70
    worse = replace(day, alarms=2)
    assert next_growth(growth, {TODAY - 1: worse}, YOUNG, BOUNDS, now=NOW, proven=True).growth.cap == 50


def test_g10_what_the_owner_calls_real_is_the_measure_for_five_weeks() -> None:
    drip = next_growth(Growth(cap=140, day=TODAY - 1), {}, regular(140, 400), BOUNDS, now=NOW, proven=True).growth
    real = said_real(drip, regular(140, 400), NOW)
    assert (real.drip_cap, real.real_at, real.real_week) == (None, NOW, 400)
    assert allowed(real, BOUNDS) == 140
    for week, holds in ((680, None), (681, 85)):  # 1.5 x 400 + 4 x 20
        grown = next_growth(real, {}, regular(140, week), BOUNDS, now=NOW, proven=True).growth
        assert grown.drip_cap == holds
    later = NOW + 5 * WEEK_S
    people = Newcomers(first_at=NOW - 8 * WEEK_S, week=300, before=(140,) * 4)
    again = next_growth(replace(real, day=day_of(later) - 1), {}, people, BOUNDS, now=later, proven=True)
    assert again.growth.drip_cap == 30


def test_g10_the_first_fourteen_days_have_only_the_cold_cap() -> None:
    for age_s, holds in ((14 * DAY_S - 1, None), (14 * DAY_S, 5)):
        young = Newcomers(first_at=NOW - age_s, week=900, before=(7,))
        assert next_growth(None, {}, young, BOUNDS, now=NOW, proven=True).growth.drip_cap == holds


@pytest.mark.parametrize(
    ("weeks", "before", "mean"),
    [
        (1.9, (10,), None),
        (2, (10,), 10),
        (2.9, (10, 4), 10),  # the week before it was not whole
        (3, (10, 4), 7),
        (9, (10, 10, 10, 10), 10),
        (9, (8,), 2),  # weeks without anybody count
    ],
)
def test_g10_with_less_than_four_whole_weeks_the_mean_of_those_there_are(
    weeks: float, before: tuple[int, ...], mean: float | None
) -> None:
    newcomers = Newcomers(first_at=NOW - weeks * WEEK_S, week=1, before=before)
    assert weekly_mean(newcomers, NOW) == mean


# ------------------------------------------------------------------------------------------- properties
DAYS = st.builds(
    Day,
    wanted=st.integers(0, 2_000),
    granted=st.integers(0, 500),
    known=st.integers(0, 500),
    hard=st.integers(0, 200).map(lambda halves: halves / 2),
    complaints=st.sampled_from((0, 0, 0, 1)),
    alarms=st.sampled_from((0, 0, 0, 1)),
)
EDGES = st.builds(Bounds, start=st.integers(0, 300), ceiling=st.integers(0, 1_000))
PEOPLE = st.builds(
    Newcomers,
    first_at=st.none() | st.floats(NOW - 400 * DAY_S, NOW + DAY_S),
    week=st.integers(0, 3_000),
    before=st.lists(st.integers(0, 2_000), max_size=4).map(tuple),
)
GROWTHS = st.none() | st.builds(
    Growth,
    cap=st.integers(0, 2_000),
    day=st.integers(TODAY - 40, TODAY + 5),
    drip_cap=st.none() | st.integers(5, 100),
    drip_at=st.none() | st.floats(NOW - 40 * DAY_S, NOW),
    real_at=st.none() | st.floats(NOW - 60 * DAY_S, NOW + 60 * DAY_S),
    real_week=st.integers(0, 500),
)
SEEN = st.dictionaries(st.integers(TODAY - 35, TODAY), DAYS, max_size=6)


@pytest.mark.soak
@settings(max_examples=EXAMPLES)
@given(growth=GROWTHS, days=SEEN, people=PEOPLE, bounds=EDGES, proven=st.booleans())
def test_no_figure_leaves_its_bounds_and_asking_again_changes_nothing(
    *, growth: Growth | None, days: dict[int, Day], people: Newcomers, bounds: Bounds, proven: bool
) -> None:
    grown = next_growth(growth, days, people, bounds, now=NOW, proven=proven)
    assert bounds.start <= grown.growth.cap <= max(bounds.start, bounds.ceiling)
    assert grown.growth.drip_cap is None or grown.growth.drip_cap >= 5
    assert bool(grown.alarm) == (grown.growth.drip_cap is not None and (growth is None or growth.drip_cap is None))
    assert allowed(grown.growth, bounds) <= grown.growth.cap
    again = next_growth(grown.growth, days, people, bounds, now=NOW, proven=proven)
    assert again.growth == grown.growth
    assert again.alarm == ""


WORSE: tuple[Callable[[Day], Day], ...] = (
    lambda day: replace(day, hard=day.hard + 1),
    lambda day: replace(day, complaints=day.complaints + 1),
    lambda day: replace(day, alarms=day.alarms + 1),
    lambda day: replace(day, wanted=max(0, day.wanted - 30)),
)


@given(day=DAYS, cap=st.integers(0, 300), bounds=EDGES, worse=st.sampled_from(WORSE), proven=st.booleans())
def test_worse_evidence_never_allows_more(
    *, day: Day, cap: int, bounds: Bounds, worse: Callable[[Day], Day], proven: bool
) -> None:
    assert judge(worse(day), cap, bounds=bounds, proven=proven) <= judge(day, cap, bounds=bounds, proven=proven)
    assert judge(day, cap, bounds=bounds, proven=False) <= judge(day, cap, bounds=bounds, proven=True)


@settings(max_examples=30)
@given(st.floats(0, 10_000), st.floats(0, 10_000))
def test_the_busier_a_site_is_the_more_newcomers_are_usual(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert drip_threshold(low) <= drip_threshold(high) < inf
