"""One database file, as asynchronous callers of any event loop see it."""

import asyncio
import os
import threading
from typing import TypeVar

from formwarden.errors import StoreError
from formwarden.forks import FILES, watch
from formwarden.stores.sqlite.batch import Job, Operation
from formwarden.stores.sqlite.lane import Lane
from formwarden.stores.sqlite.opening import Plan
from formwarden.stores.sqlite.remedies import NO_THREAD
from formwarden.stores.sqlite.writer import Surroundings, Writer

T = TypeVar("T")


class SqliteFile:
    """Runs operations in the file's own thread; opened by the first call, also after closing and after a fork.

    The deadline is the caller's: it holds also where the disk hangs.
    """

    def __init__(self, plan: Plan, surroundings: Surroundings) -> None:
        self._plan = plan
        self._surroundings = surroundings
        self._gate = threading.Lock()
        self._lane: Lane | None = None
        self._stolen: Lane | None = None

    @property
    def opening(self) -> object:
        """What changes whenever the file is opened anew."""
        lane = self._lane
        return lane, 0 if lane is None else lane.openings

    async def write(self, operation: Operation[T], /) -> T:
        """Run an operation under the write lock; StoreError: it did not happen, or not in time."""
        return await self._run(operation, reads=False)

    async def read(self, operation: Operation[T], /) -> T:
        """Run an operation that changes nothing."""
        return await self._run(operation, reads=True)

    async def aclose(self) -> None:
        """Finish what was asked for and close; the next call opens again."""
        with self._gate:
            lane, self._lane = self._lane, None
            stop = lane.stop() if lane is not None and lane.alive() else None
        if stop is None:
            return
        try:
            async with asyncio.timeout(self._surroundings.deadline_s):
                await stop.reached()
        except TimeoutError:
            self._surroundings.faults.count("store closing", "took too long; the thread ends by itself")

    async def _run(self, operation: Operation[T], *, reads: bool) -> T:
        job = Job(operation, reads=reads)
        with self._gate:
            self._open_lane().submit(job)
        late = job.loop.call_later(self._surroundings.deadline_s, self._give_up, job)  # half of what a timeout costs
        try:
            return await job.future
        finally:
            late.cancel()

    def _give_up(self, job: Job[T]) -> None:
        if not job.future.done():
            why = "the store did not answer in time: its disk is slow or hangs, or another process holds it"
            self._surroundings.faults.count("store", why)
            job.future.set_exception(StoreError(why))

    def _open_lane(self) -> Lane:
        if self._lane is not None and self._lane.pid != os.getpid():
            self._stolen = self._lane
        if self._stolen is not None:
            raise StoreError(
                "this process was forked with an open store by a program that does not tell Python: "
                "load the application in the worker (uWSGI: lazy-apps)"
            )
        if self._lane is None or not self._lane.alive():
            try:
                self._lane = Lane(Writer(self._plan, self._surroundings))
            except RuntimeError as error:
                raise StoreError(NO_THREAD) from error
            watch(self, rank=FILES)
        return self._lane

    def before_fork(self) -> None:
        """Close the file and keep everybody out: SQLite's state must not be carried over (howtocorrupt.html, 2.6)."""
        self._gate.acquire()
        lane, self._lane = self._lane, None
        if lane is not None and lane.alive() and not lane.stop().wait(self._surroundings.deadline_s):
            self._lane = lane

    def after_fork_in_parent(self) -> None:
        """Let callers in again."""
        self._gate.release()

    def after_fork_in_child(self) -> None:
        """Begin anew; a connection that was open meanwhile must neither be used nor closed here, so it is kept."""
        self._gate = threading.Lock()
        self._stolen, self._lane = self._lane, None
