"""Whether the periodic work goes on, as its owner is told (G19)."""

from dataclasses import replace

import pytest

from formwarden.desk.periodic import IDLE_S, Trouble, Warned, warned
from formwarden.parts import PACES
from formwarden.stores.runs import LastRun, TaskState

NOW = 1_790_000_000.0
DAY_S = 86_400.0
PACE_OF = {"outbox": 0.5, "digest": DAY_S}


def ran(ago: float, *, error: str = "", well: float | None = None) -> TaskState:
    """A task that ran so many seconds ago; `well`: how long ago it last went well."""
    at = NOW - ago
    run = LastRun(holder="a-1", started_at=at, ended_at=at, done=0, succeeded_at=at, failed_at=None, error="")
    if error:
        run = replace(run, failed_at=at, error=error, succeeded_at=None if well is None else NOW - well)
    return TaskState(last=run)


def test_g19_work_that_has_never_run_is_told() -> None:
    assert warned({}, PACES, NOW) == (Warned(trouble=Trouble.NEVER),)
    assert warned({"outbox": TaskState(holder="a-1")}, PACES, NOW) == (Warned(trouble=Trouble.NEVER),)
    assert warned({"of another release": ran(0)}, PACES, NOW) == (Warned(trouble=Trouble.NEVER),)


@pytest.mark.parametrize(("ago", "idle"), [(0.0, False), (IDLE_S - 1, False), (IDLE_S, True), (30 * DAY_S, True)])
def test_g19_no_task_for_an_hour_is_told(ago: float, idle: bool) -> None:  # noqa: FBT001 - a case
    tasks = dict.fromkeys(PACE_OF, ran(ago))
    expected = (Warned(trouble=Trouble.IDLE, since=NOW - ago),) if idle else ()
    assert warned(tasks, PACE_OF, NOW) == expected


def test_g19_a_run_that_lies_ahead_is_of_a_clock_that_was_set_back_and_does_not_count() -> None:
    tasks = dict.fromkeys(PACE_OF, ran(-DAY_S))
    assert warned(tasks, PACE_OF, NOW) == (Warned(trouble=Trouble.IDLE, since=NOW + DAY_S),)
    assert warned(dict.fromkeys(PACE_OF, ran(-30)), PACE_OF, NOW) == ()


def test_one_task_that_stands_still_is_told_though_others_run() -> None:
    tasks = {"outbox": ran(IDLE_S), "digest": ran(60)}
    assert warned(tasks, PACE_OF, NOW) == (Warned(trouble=Trouble.TASK_IDLE, task="outbox", since=NOW - IDLE_S),)
    assert warned({"digest": ran(60)}, PACE_OF, NOW) == (Warned(trouble=Trouble.TASK_IDLE, task="outbox"),)


def test_a_slow_task_is_idle_after_ten_of_its_paces() -> None:
    tasks = {"outbox": ran(1), "digest": ran(10 * DAY_S - 1)}
    assert warned(tasks, PACE_OF, NOW) == ()
    tasks["digest"] = ran(10 * DAY_S)
    assert [each.task for each in warned(tasks, PACE_OF, NOW)] == ["digest"]


def test_a_task_whose_last_run_failed_is_told_with_the_cause() -> None:
    tasks = {"outbox": ran(1, error="disk full", well=90), "digest": ran(1, error="no route")}
    assert warned(tasks, PACE_OF, NOW) == (
        Warned(trouble=Trouble.TASK_FAILS, task="outbox", since=NOW - 90, why="disk full"),
        Warned(trouble=Trouble.TASK_FAILS, task="digest", why="no route"),
    )
