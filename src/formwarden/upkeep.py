"""Where the periodic work of one warden runs: in its server's loop, else on the background loop (G19)."""

import asyncio
import atexit
import os
from concurrent.futures import wait
from dataclasses import dataclass
from typing import Final

from formwarden.stores.ports import Store
from formwarden.twin import BackgroundLoop
from formwarden.work import STOP_GRACE_S, Told, Work, unheard

EXIT_S: Final = 3.0  # a process that ends waits no longer for its mail on the wire
EXIT_GRACE_S: Final = 2.0  # of it, to end a conversation in; the rest is for putting back what cannot have left


@dataclass(slots=True)
class _Run:
    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[None] | None = None

    def is_over(self) -> bool:
        """Say whether nothing will come of it any more, ended or not."""
        return self.loop.is_closed() or (self.task is not None and self.task.done())


class Upkeep:
    """Keeps the periodic work going in at most one place of a process, under its leases; a fork has none yet."""

    def __init__(self, work: Work, store: Store, loop: BackgroundLoop, *, by_itself: bool) -> None:
        self._work = work
        self._store = store
        self._loop = loop
        self._by_itself = by_itself
        self._runs: dict[int, _Run] = {}  # by process
        self._drained = False  # at exit

    async def begin(self) -> None:
        """Go on in the running loop until `end`, unless it goes on somewhere in this process already."""
        if self._by_itself:
            self.start()

    def start(self, told: Told = unheard) -> "asyncio.Task[None] | None":
        """Go on in the running loop until `end`, also where nothing runs by itself; None: it does so elsewhere."""
        if self._goes_on():
            return None
        run = _Run(asyncio.get_running_loop())
        if self._runs.setdefault(os.getpid(), run) is not run:  # in one step: of two loops one wins
            return None
        run.task = run.loop.create_task(self._work.run(told))
        return run.task

    def nudge(self) -> None:
        """Begin on the background loop, where no lifespan has begun it: also what the last request leaves is sent."""
        if not self._by_itself or self._goes_on():
            return
        if not self._drained:
            self._drained = True
            atexit.register(self._at_exit)
        self._loop.spawn(self.begin())

    async def end(self, grace_s: float = STOP_GRACE_S) -> None:
        """Let the work end its present step, let others follow at once, and close the store; it may begin again."""
        run = self._runs.pop(os.getpid(), None)
        if run is not None and run.task is not None and not run.is_over():
            await self._stop(run.loop, run.task, grace_s)
        if run is None or run.is_over():
            await self._work.release()
        await self._store.aclose()
        if self._drained:
            self._drained = False
            atexit.unregister(self._at_exit)

    async def _stop(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[None], grace_s: float) -> None:
        stopping = self._work.stop(task, grace_s=grace_s)
        if loop is asyncio.get_running_loop():
            await stopping
        elif loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(stopping, loop))
        else:  # a loop that somebody left in the middle: nobody waits there
            stopping.close()

    def _goes_on(self) -> bool:
        run = self._runs.get(os.getpid())
        if run is None or not run.is_over():
            return run is not None
        self._runs.pop(os.getpid(), None)
        return False

    def _at_exit(self) -> None:
        """Settle the mail on the wire; also a child calls this that never began, for it inherits the list."""
        run = self._runs.get(os.getpid())
        if run is not None and run.loop.is_running():
            wait((asyncio.run_coroutine_threadsafe(self.end(EXIT_GRACE_S), run.loop),), EXIT_S)
