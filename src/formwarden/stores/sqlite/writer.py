"""What one thread does with one file: open it, run batches, notice that it is ill, try again later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults, bug
from formwarden.stores.sqlite.batch import Task, run_batch
from formwarden.stores.sqlite.checkpoint import Checkpointer
from formwarden.stores.sqlite.mounts import Mounts
from formwarden.stores.sqlite.opening import Opened, Opener, Plan
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.remedies import DAMAGED, KEEPS_OPEN, store_error

TRY_AGAIN_S: Final = 1.0  # an ill file is opened again no sooner: an outage costs each call one quick error


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every file of a store is given."""

    clock: Clock
    entropy: Entropy
    faults: Faults
    mounts: Mounts
    deadline_s: float


class Writer:
    """Owns the connection; all of it happens in one thread."""

    def __init__(self, plan: Plan, surroundings: Surroundings) -> None:
        self._plan = plan
        self._clock = surroundings.clock
        self._faults = surroundings.faults
        self._patience = Patience(surroundings.deadline_s, surroundings.entropy)
        self._opener = Opener(plan, mounts=surroundings.mounts, patience=self._patience, faults=self._faults)
        self._opened: Opened | None = None
        self.openings = 0  # so far
        self._checkpointer: Checkpointer | None = None
        self._illness: tuple[str, float] | None = None  # and when to try again

    def handle(self, tasks: Sequence[Task]) -> None:
        """Run tasks; each of them has its result or its error afterwards."""
        if self._illness is not None and self._clock.monotonic() < self._illness[1]:
            _fail_all(tasks, self._illness[0])
            return
        try:
            self._run(tasks)
        except DAMAGED as error:
            self._rebuild(tasks, error)
        except (apsw.Error, OSError) as error:
            _fail_all(tasks, self._ill(error))
        except BaseException as error:  # noqa: BLE001 - everybody waits for this thread: not even an exit ends it
            self.close()
            self._faults.count("store", bug(error))
            _fail_all(tasks, f"the store met an error of ours ({type(error).__name__}): please tell its makers")

    def close(self) -> None:
        """Close the file, if it is open."""
        if self._checkpointer is not None:
            self._checkpointer.stop()
            self._checkpointer = None
        if self._opened is not None:
            opened, self._opened = self._opened, None
            self._opener.close(opened.connection)

    def _run(self, tasks: Sequence[Task]) -> None:
        if self._opened is not None and not self._opener.are_at(self._opened.files):
            self._leave()  # a backup put in its place, a rebuilt one, none, or a log that somebody removed
        if self._opened is None:
            self._opened = self._opener.open()
            self.openings += 1
            self._illness = None
        if self._checkpointer is None or not self._checkpointer.alive():
            self._checkpointer = self._new_checkpointer()
        run_batch(self._opened.connection, tasks, path=self._plan.path, patience=self._patience, faults=self._faults)

    def _new_checkpointer(self) -> Checkpointer:
        checkpointer = Checkpointer(self._opener, patience=self._patience, faults=self._faults)
        checkpointer.start()
        return checkpointer

    def _leave(self) -> None:
        """Leave files that are no longer at the path."""
        try:
            if self._opened is not None:
                self._opener.rescue(self._opened)
        finally:
            self.close()

    def _rebuild(self, tasks: Sequence[Task], damage: Exception) -> None:
        """Make a damaged file of counters anew and run the tasks there; a ledger is never made anew."""
        opened = self._opened
        if opened is None or not self._plan.rebuildable:
            _fail_all(tasks, self._ill(damage))
            return
        try:
            self.close()
            self._opener.set_aside(opened.files, damage)
            self._run(tasks)
        except (apsw.Error, OSError) as error:
            _fail_all(tasks, self._ill(error))

    def _ill(self, error: Exception) -> str:
        """Note what is wrong and return it; only errors of the moment leave the file open."""
        why = str(store_error(self._plan.path, error))
        self._faults.count("store", why)
        if self._opened is None or not isinstance(error, KEEPS_OPEN):
            self.close()
            self._illness = why, self._clock.monotonic() + TRY_AGAIN_S
        return why


def _fail_all(tasks: Sequence[Task], why: str) -> None:
    for task in tasks:
        task.fail(StoreError(why))
