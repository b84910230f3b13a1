"""Who does a periodic task, and how its last run went: the same in every store."""

from dataclasses import dataclass
from typing import Final

ERROR_LIMIT: Final = 300  # characters of a cause that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a task, as its holder tells it."""

    started_at: float  # seconds since the epoch
    ended_at: float
    done: int  # how much it did
    error: str = ""  # why it failed: words of ours, no text, no address


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The last run of a task that is known, and what is known of those before."""

    holder: str
    started_at: float
    ended_at: float
    done: int
    succeeded_at: float | None  # when a run last ended well
    failed_at: float | None  # when a run last failed
    error: str  # why it did

    @property
    def failed(self) -> bool:
        """Say whether the last run of all failed."""
        return self.failed_at == self.ended_at and self.succeeded_at != self.ended_at


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """Where a task stands."""

    holder: str | None = None  # has its lease now
    last: LastRun | None = None  # None: it has never run, as far as anybody told


def after(before: LastRun | None, run: Run, holder: str) -> LastRun:
    """Return what is known after one more run: an error stays until another takes its place."""
    succeeded_at, failed_at, error = (
        (None, None, "")
        if before is None
        else (
            before.succeeded_at,
            before.failed_at,
            before.error,
        )
    )
    if run.error:
        failed_at, error = run.ended_at, run.error[:ERROR_LIMIT]
    else:
        succeeded_at = run.ended_at
    return LastRun(
        holder=holder,
        started_at=run.started_at,
        ended_at=run.ended_at,
        done=run.done,
        succeeded_at=succeeded_at,
        failed_at=failed_at,
        error=error,
    )
