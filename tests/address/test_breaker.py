import pytest

from formwarden.address.breaker import FAULT, LEAST, OPEN_S, PROBE_S, PROBES, REMEMBERED, WINDOW_S, Breaker
from formwarden.faults import Faults
from tests.clock import MovableClock


@pytest.fixture
def faults(clock: MovableClock) -> Faults:
    return Faults(clock)


@pytest.fixture
def breaker(clock: MovableClock, faults: Faults) -> Breaker:
    return Breaker(clock, faults)


def fail(breaker: Breaker, domains: int) -> None:
    for number in range(domains):
        breaker.note(f"{number}.com", failed=True)


def test_failures_of_many_domains_open_it_for_seconds_and_are_said_once(
    clock: MovableClock, breaker: Breaker, faults: Faults
) -> None:
    fail(breaker, LEAST - 1)
    assert breaker.allows("shop.co.jp")
    fail(breaker, LEAST)
    assert not breaker.allows("shop.co.jp")
    fail(breaker, LEAST)  # what was under way
    assert faults.of(FAULT) == 1
    clock.move(OPEN_S - 1)
    assert not breaker.allows("shop.co.jp")
    clock.move(1)
    assert breaker.allows("shop.co.jp")


def test_a_single_dead_domain_never_opens_it(breaker: Breaker) -> None:
    for _ in range(10 * LEAST):
        breaker.note("dead.com", failed=True)

    assert breaker.closed


def test_more_answers_than_failures_keep_it_closed(breaker: Breaker) -> None:
    for number in range(LEAST):
        breaker.note(f"well-{number}.com", failed=False)
    fail(breaker, LEAST - 1)
    assert breaker.closed
    fail(breaker, LEAST)
    assert not breaker.closed


def test_failures_that_are_long_past_do_not_count(clock: MovableClock, breaker: Breaker) -> None:
    fail(breaker, LEAST - 1)
    clock.move(WINDOW_S)
    breaker.note("late.com", failed=True)

    assert breaker.closed


def test_a_domain_that_answers_after_all_is_no_failure(breaker: Breaker) -> None:
    for number in range(5 * LEAST):
        breaker.note(f"{number}.com", failed=True)
        breaker.note(f"{number}.com", failed=False)

    assert breaker.closed


def test_a_probe_that_is_answered_closes_it(clock: MovableClock, breaker: Breaker) -> None:
    fail(breaker, LEAST)
    clock.move(OPEN_S)

    assert [breaker.allows(f"probe-{number}.com") for number in range(PROBES + 2)] == [True] * PROBES + [False] * 2
    breaker.note("late.com", failed=False)  # was no probe
    assert not breaker.allows("shop.co.jp")
    breaker.note("probe-1.com", failed=False)
    assert breaker.closed
    fail(breaker, LEAST - 1)
    assert breaker.closed


def test_one_dead_domain_among_the_probes_does_not_keep_it_open(clock: MovableClock, breaker: Breaker) -> None:
    fail(breaker, LEAST)
    clock.move(OPEN_S)
    for _ in range(10):
        assert breaker.allows("dead.com")
        breaker.note("dead.com", failed=True)

    assert breaker.allows("shop.co.jp")
    breaker.note("shop.co.jp", failed=False)
    assert breaker.closed


def test_when_all_probes_fail_it_is_open_again(clock: MovableClock, breaker: Breaker) -> None:
    fail(breaker, LEAST)
    clock.move(OPEN_S)
    for number in range(PROBES):
        assert breaker.allows(f"probe-{number}.com")
        breaker.note(f"probe-{number}.com", failed=True)

    clock.move(OPEN_S - 1)
    assert not breaker.allows("shop.co.jp")
    clock.move(1)
    assert breaker.allows("shop.co.jp")


def test_a_probe_that_is_never_heard_of_again_leaves_its_place(clock: MovableClock, breaker: Breaker) -> None:
    fail(breaker, LEAST)
    clock.move(OPEN_S)
    for number in range(PROBES):
        assert breaker.allows(f"lost-{number}.com")
    assert not breaker.allows("shop.co.jp")
    clock.move(PROBE_S)
    assert breaker.allows("shop.co.jp")


def test_what_it_remembers_is_bounded(breaker: Breaker) -> None:
    fail(breaker, LEAST - 1)
    for number in range(2 * REMEMBERED):
        breaker.note(f"well-{number}.com", failed=False)
    fail(breaker, REMEMBERED // 2 - 1)

    assert breaker.closed
    fail(breaker, REMEMBERED // 2)
    assert not breaker.closed
