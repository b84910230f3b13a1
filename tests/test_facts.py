import asyncio

import pytest

from formwarden.errors import StoreError
from formwarden.facts import Deadline, Facts, gather
from formwarden.faults import Faults
from formwarden.signals.limits import SignalLimits
from formwarden.submission import Fields
from tests.clock import MovableClock


def test_a_deadline_runs_down_and_not_below_zero(clock: MovableClock) -> None:
    deadline = Deadline(clock, 4.0)
    assert deadline.left_s() == 4.0
    clock.move(3.0)
    assert deadline.left_s() == 1.0
    clock.move(3.0)
    assert deadline.left_s() == 0.0


def test_a_stepped_wall_clock_changes_no_deadline(clock: MovableClock) -> None:
    deadline = Deadline(clock, 4.0)
    clock.step(3600)
    assert deadline.left_s() == 4.0


def test_texts_are_cut_to_what_is_scored() -> None:
    facts = Facts(typed=Fields([("a", "x" * 50), ("a", "y"), ("b", "z")]), limits=SignalLimits(scored_characters=10))
    assert facts.texts() == {"a": ("x" * 10, "y"), "b": ("z",)}


async def answered(value: int) -> int:
    return value


async def failing(error: Exception) -> int:
    raise error


async def silent() -> int:
    await asyncio.Event().wait()
    return 1


@pytest.mark.anyio
async def test_an_answered_look_up_is_a_fact(clock: MovableClock) -> None:
    assert await gather("counters", answered(7), Deadline(clock, 1.0), Faults(clock)) == 7


@pytest.mark.anyio
@pytest.mark.parametrize("error", [StoreError("disk full"), TimeoutError("late")])
async def test_a_failed_look_up_is_unknown_and_counted(clock: MovableClock, error: Exception) -> None:
    faults = Faults(clock)
    assert await gather("counters", failing(error), Deadline(clock, 1.0), faults) is None
    assert [(fault.what, fault.why) for fault in faults.all()] == [("counters", str(error))]


@pytest.mark.anyio
async def test_a_look_up_that_is_never_answered_is_unknown_at_the_deadline(clock: MovableClock) -> None:
    faults = Faults(clock)
    assert await gather("dns", silent(), Deadline(clock, 0.01), faults) is None
    assert faults.all()[0].why == "TimeoutError"


@pytest.mark.anyio
async def test_after_the_deadline_nothing_is_waited_for(clock: MovableClock) -> None:
    deadline = Deadline(clock, 1.0)
    clock.move(2.0)
    assert await gather("dns", silent(), deadline, Faults(clock)) is None


@pytest.mark.anyio
async def test_our_own_bug_is_no_unknown(clock: MovableClock) -> None:
    with pytest.raises(KeyError):
        await gather("counters", failing(KeyError("x")), Deadline(clock, 1.0), Faults(clock))
