"""The arithmetic of a breaker, by figures that were worked out by hand."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.stores.breaking import (
    DAY_S,
    DEFAULT,
    HOUR_S,
    Breaking,
    Cause,
    Known,
    Share,
    complaints_trip,
    shares,
    trips,
)

WELL = Known(hard=0.0)
HARD = Known(hard=1.0)
SOFT = Known(hard=0.5)


@pytest.mark.parametrize(
    ("hard", "known", "bound"),
    [
        (0, 0, 0.0),
        (0, 50, 0.0),
        (1, 1, 0.206543),
        (5, 5, 0.565508),
        (5, 100, 0.021543),
        (13, 100, 0.077571),
        (14, 100, 0.085263),
        (20, 1_000, 0.012984),
        (2.5, 20, 0.039566),
    ],
)
def test_g09_the_lower_bound_is_wilsons(hard: float, known: int, bound: float) -> None:
    # (p + z²/2n - z √(p(1-p)/n + z²/4n²)) / (1 + z²/n) with z = 1.96, on paper
    assert Share(hard=hard, known=known).lower_bound(DEFAULT.z) == pytest.approx(bound, abs=1e-6)


@pytest.mark.parametrize(
    ("hard", "well", "opens"),
    [
        (4, 0, False),
        (5, 0, True),
        (5, 22, True),
        (5, 23, False),
        (13, 87, False),
        (14, 86, True),
        (14, 900, True),
    ],
)
def test_g09_a_breaker_opens_at_five_hard_failures_whose_share_is_surely_above_eight_in_a_hundred(
    hard: int,
    well: int,
    opens: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert trips([*[HARD] * hard, *[WELL] * well], DEFAULT) is opens


def spread(hard: int, known: int) -> list[Known]:
    """So many failures, evenly among so many outcomes."""
    at = {number * known // hard for number in range(hard)}
    return [HARD if number in at else WELL for number in range(known)]


@pytest.mark.parametrize(("hard", "opens"), [(52, False), (53, True)])
def test_g09_a_slow_leak_opens_it_too(hard: int, opens: bool) -> None:  # noqa: FBT001 - a column of the table
    outcomes = spread(hard, 1_000)
    assert sum(each.hard for each in outcomes[:100]) <= 6
    assert trips(outcomes, DEFAULT) is opens


def test_g09_only_the_last_ones_count() -> None:
    assert trips([*[WELL] * 99, *[HARD] * 5], DEFAULT) is False
    assert shares([*[WELL] * 1_500, *[HARD] * 500], (100, 1_000)) == (Share(known=100), Share(known=1_000))


def test_g09_it_works_from_as_many_as_there_are() -> None:
    assert shares([HARD, WELL, WELL], (100, 1_000)) == (Share(known=3, hard=1.0),) * 2
    assert shares([], (100,)) == (Share(),)


def test_g08_half_points_add_up() -> None:
    assert trips([SOFT] * 9, DEFAULT) is False
    assert trips([SOFT] * 10, DEFAULT) is True
    assert trips([*[HARD] * 4, SOFT], DEFAULT) is False
    assert trips([*[HARD] * 4, SOFT, SOFT], DEFAULT) is True


def test_g12_a_network_a_domain_and_an_identity_count_once_as_failed_and_once_as_delivered() -> None:
    one = [Known(hard=1.0, network=(b"today", b"day %d" % number)) for number in range(9)]
    assert shares(one, (100,)) == (Share(known=1, hard=1.0),)
    domain = [Known(hard=1.0, network=(b"%d" % number,), domain=b"example.com") for number in range(9)]
    assert shares(domain, (100,)) == (Share(known=1, hard=1.0),)
    well = [Known(hard=0.0, network=(b"today",)) for _ in range(9)]
    assert shares([*one, *well], (100,)) == (Share(known=2, hard=1.0),)


def test_g12_a_network_is_met_again_under_yesterdays_key() -> None:
    old, new = Known(hard=1.0, network=(b"monday",)), Known(hard=1.0, network=(b"tuesday", b"monday"))
    assert shares([new, old], (100,)) == (Share(known=1, hard=1.0),)


def test_g12_strangers_at_a_provider_each_count() -> None:
    assert shares([HARD] * 7, (100,)) == (Share(known=7, hard=7.0),)


OUTCOMES = st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=120)


def strangers(hards: list[float]) -> list[Known]:
    """Outcomes that have nothing in common."""
    return [Known(hard=hard, network=(b"n%d" % number,), domain=b"d%d" % number) for number, hard in enumerate(hards)]


@given(OUTCOMES.map(strangers), st.randoms(use_true_random=False))
def test_the_order_of_strangers_within_a_window_changes_nothing(outcomes: list[Known], draw: random.Random) -> None:
    figures = Breaking(ratios=DEFAULT.ratios[1:])  # all of these are within the longer window
    shuffled = draw.sample(outcomes, len(outcomes))
    assert trips(shuffled, figures) is trips(outcomes, figures)


@given(OUTCOMES, st.data())
def test_what_was_delivered_besides_never_opens_it_sooner(hards: list[float], data: st.DataObject) -> None:
    outcomes = strangers(hards)
    place = data.draw(st.integers(0, len(outcomes)))
    more = [*outcomes[:place], Known(hard=0.0, network=(b"besides",)), *outcomes[place:]]
    assert trips(outcomes, DEFAULT) or not trips(more, DEFAULT)


@given(OUTCOMES, st.data())
def test_a_failure_in_place_of_a_delivery_never_keeps_it_closed(hards: list[float], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, max(0, len(hards) - 1)))
    worse = [1.0 if number == place else hard for number, hard in enumerate(hards)]
    assert trips(strangers(worse), DEFAULT) or not trips(strangers(hards), DEFAULT)


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([b"a", b"b", b"c"])), max_size=60))
def test_three_networks_never_open_a_breaker_by_themselves(rows: list[tuple[float, bytes]]) -> None:
    assert not trips([Known(hard=hard, network=(network,)) for hard, network in rows], DEFAULT)


@pytest.mark.parametrize(
    ("cause", "lengths"),
    [
        (Cause.RATIO, [4 * HOUR_S, DAY_S, 3 * DAY_S, 3 * DAY_S]),
        (Cause.COMPLAINT, [4 * HOUR_S, DAY_S, 3 * DAY_S, 3 * DAY_S]),
        (Cause.REPUTATION, [4 * HOUR_S, DAY_S, None, None]),
        (Cause.CONFIG, [None, None, None, None]),
    ],
)
def test_g09_each_time_in_a_row_it_stays_open_longer(cause: Cause, lengths: list[float | None]) -> None:
    assert [DEFAULT.opens_for(cause, level) for level in range(4)] == lengths


def complaint(network: bytes, domain: bytes) -> Known:
    """What somebody called unwanted."""
    return Known(hard=1.0, network=(network,), domain=domain)


def test_g13_two_complaints_of_strangers_open_the_site() -> None:
    one, other = complaint(b"n1", b"d1"), complaint(b"n2", b"d2")
    assert not complaints_trip([one], DEFAULT, recent=1, sent=10)
    assert complaints_trip([one, other], DEFAULT, recent=2, sent=10)
    assert not complaints_trip([one, other], DEFAULT, recent=1, sent=10), "the older one is too old"
    for cousin in (complaint(b"n1", b"d2"), complaint(b"n2", b"d1")):
        assert not complaints_trip([one, cousin], DEFAULT, recent=2, sent=10)


def test_g13_two_strangers_are_found_behind_one_who_is_like_both() -> None:
    like_both = complaint(b"n1", b"d2")
    strangers_behind = [complaint(b"n1", b"d1"), complaint(b"n2", b"d2")]
    assert complaints_trip([like_both, *strangers_behind], DEFAULT, recent=3, sent=10)


@pytest.mark.parametrize(("complaints", "sent", "opens"), [(1, 999, False), (1, 1_000, True), (1, 1_001, False)])
def test_g13_one_of_a_thousand_opens_the_site(
    complaints: int,
    sent: int,
    opens: bool,  # noqa: FBT001 - a column of the table
) -> None:
    found = [complaint(b"n", b"d")] * complaints
    assert complaints_trip(found, DEFAULT, recent=0, sent=sent) is opens
