"""What runs by itself: leased periodic tasks, in any open warden, or by `formwarden work --once` (G19)."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakSet

from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults, bug
from formwarden.stores.ports import Store

TICK_S: Final = 0.5  # a reply leaves within seconds, and no visitor waits for it
STOP_GRACE_S: Final = 3.0  # to end an SMTP conversation in, when the server stops
MOST_CANCELS: Final = 10
LEASE_S: Final = 10.0  # a holder that dies is followed after this
Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: its name names the lease, `every_s` its pace; a step that did something is repeated, `most` times."""

    name: str
    every_s: float
    step: Callable[[], Awaitable[int]]
    most: int = 1


class Work:
    """Runs the tasks whose lease this process holds."""

    def __init__(
        self,
        tasks: Sequence[Task],
        *,
        store: Store,
        holder: str,
        clock: Clock,
        faults: Faults,
        stop_grace_s: float = STOP_GRACE_S,
    ) -> None:
        self._tasks = tuple(tasks)
        self._store = store
        self._holder = holder
        self._clock = clock
        self._faults = faults
        self._next: dict[str, float] = {}
        self._held_until: dict[tuple[str, str], float] = {}
        self._stopped: WeakSet[asyncio.Task[None]] = WeakSet()
        self._stop_grace_s = stop_grace_s

    async def run(self) -> None:
        """Go on until stopped or cancelled; a relay that hangs keeps no other task waiting."""
        me = asyncio.current_task()
        await asyncio.gather(*(self._pace(task, lambda: me in self._stopped) for task in self._tasks))

    async def _pace(self, task: Task, stopped: Stopped) -> None:
        while not stopped():
            if self._is_due(task):
                await self._one(task, stopped)
            await self._clock.sleep(TICK_S)

    async def stop(self, running: asyncio.Task[None], *, grace_s: float | None = None) -> None:
        """Let `running` end its step, so that a mail on the wire is settled; cancel it when that takes too long.

        Cancelled again and again: `asyncio.wait_for` before Python 3.12 swallows a cancellation that comes at the
        moment its own result does, and libraries wait by it.
        """
        grace_s = self._stop_grace_s if grace_s is None else grace_s
        self._stopped.add(running)
        await asyncio.wait({running}, timeout=grace_s)
        for _ in range(MOST_CANCELS):
            if running.done():
                return
            running.cancel()
            await asyncio.wait({running}, timeout=grace_s)
        self._faults.count("work", "the periodic work did not end")

    async def run_due(self) -> int:
        """Run what is due by its pace; return how much was done."""
        return sum([await self._one(task) for task in self._tasks if self._is_due(task)])

    async def run_once(self) -> int:
        """Run every task now, whatever its pace: one pass for cron."""
        return sum([await self._one(task) for task in self._tasks])

    def _is_due(self, task: Task) -> bool:
        return self._next.get(task.name, 0.0) <= self._clock.monotonic()

    async def _one(self, task: Task, stopped: Stopped = lambda: False) -> int:
        self._next[task.name] = self._clock.monotonic() + task.every_s
        try:
            return await self._steps(task, stopped) if await self._leased(task) else 0
        except StoreError as error:
            self._faults.count(f"work {task.name}", str(error))
        except Exception as error:  # noqa: BLE001 - one task's bug must not stop the outbox; it is counted and shown
            self._faults.count(f"work {task.name}", bug(error))
        return 0

    async def _steps(self, task: Task, stopped: Stopped) -> int:
        """Repeat a step while it finds something to do; a server that stops waits for one step only."""
        done = 0
        for _ in range(task.most):
            more = await task.step()
            done += more
            if not more or stopped():
                break
        return done

    async def _leased(self, task: Task) -> bool:
        """Renew the lease when half of it is over: a renewal is a durable write."""
        now = self._clock.monotonic()
        holder = f"{self._holder}-{os.getpid()}"  # what was held before a fork is the parent's
        if now < self._held_until.get((holder, task.name), 0.0) - LEASE_S / 2:
            return True
        held = await self._store.lease(task.name, holder, seconds=LEASE_S)
        self._held_until[holder, task.name] = now + LEASE_S if held else 0.0
        return held
