"""Leases of periodic tasks, and their last runs, in memory."""

from collections.abc import Mapping
from threading import RLock

from formwarden.clock import Clock
from formwarden.stores.runs import LastRun, Run, TaskState, after


class MemoryLeases:
    """Who works, in a memory store."""

    def __init__(self, clock: Clock, lock: RLock) -> None:
        self._clock = clock
        self._lock = lock
        self._leases: dict[str, tuple[str, float, float]] = {}
        self._runs: dict[str, LastRun] = {}

    def lease(self, task: str, holder: str, seconds: float, run: Run | None) -> bool:
        """Take or renew a lease, and write down what its holder tells; False: another holder has it."""
        with self._lock:
            now = self._clock.now()
            other = self._holder(task, now)
            if other is not None and other != holder:
                return False
            self._leases[task] = (holder, now + seconds, seconds)
            self._note(task, holder, run)
            return True

    def release(self, holder: str, runs: Mapping[str, Run]) -> None:
        """End every lease of a holder; what it tells of a task that another took over is not written down."""
        with self._lock:
            mine = [task for task, lease in self._leases.items() if lease[0] == holder]
            for task in mine:
                self._note(task, holder, runs.get(task))
                del self._leases[task]

    def tasks(self) -> Mapping[str, TaskState]:
        """Return where each task stands that was ever leased or run."""
        with self._lock:
            now = self._clock.now()
            return {
                task: TaskState(holder=self._holder(task, now), last=self._runs.get(task))
                for task in sorted({*self._leases, *self._runs})
            }

    def _holder(self, task: str, now: float) -> str | None:
        holder, until, taken_for = self._leases.get(task, ("", 0.0, 0.0))
        return holder if now < until <= now + taken_for else None  # beyond it a clock that was set back has left it

    def _note(self, task: str, holder: str, run: Run | None) -> None:
        if run is not None:
            self._runs[task] = after(self._runs.get(task), run, holder)
