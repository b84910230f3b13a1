"""Whether the periodic work goes on, as its owner is told (G19)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from formwarden.stores.runs import LastRun, TaskState

IDLE_S: Final = 3_600.0  # G19
IDLE_PACES: Final = 10  # a task that runs once a day is not idle after an hour


class Trouble(StrEnum):
    """What is wrong with the periodic work."""

    NEVER = "work_never"  # no task has ever run
    IDLE = "work_idle"  # none has for an hour
    TASK_IDLE = "task_idle"  # this one has not for ten times its pace, though others have
    TASK_FAILS = "task_fails"  # its last run failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """One warning. `since`: when it last went well, seconds since the epoch; None: never."""

    trouble: Trouble
    task: str = ""  # empty: all of them
    since: float | None = None
    why: str = ""


def warned(tasks: Mapping[str, TaskState], paces: Mapping[str, float], now: float) -> tuple[Warned, ...]:
    """Return what is wrong; `paces`: every task there is, with the seconds between its runs."""
    runs = {name: tasks[name].last if name in tasks else None for name in paces}
    known = [run for run in runs.values() if run is not None]
    if not known:
        return (Warned(trouble=Trouble.NEVER),)
    if not any(_ran_within(IDLE_S, run, now) for run in known):
        return (Warned(trouble=Trouble.IDLE, since=max(run.ended_at for run in known)),)
    return tuple(each for name, run in runs.items() for each in _of_one(name, run, paces[name], now))


def _of_one(name: str, run: LastRun | None, pace_s: float, now: float) -> Iterator[Warned]:
    if run is None or not _ran_within(max(IDLE_S, IDLE_PACES * pace_s), run, now):
        yield Warned(trouble=Trouble.TASK_IDLE, task=name, since=None if run is None else run.ended_at)
    elif run.failed:
        yield Warned(trouble=Trouble.TASK_FAILS, task=name, since=run.succeeded_at, why=run.error)


def _ran_within(seconds: float, run: LastRun, now: float) -> bool:
    return abs(now - run.ended_at) < seconds  # further ahead lies only what a clock wrote that was set back since
