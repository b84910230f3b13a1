"""What runs by itself: leased periodic tasks, in any open warden, or by `formwarden work` (G19)."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from weakref import WeakSet

from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults, bug
from formwarden.stores.ports import Store
from formwarden.stores.runs import Run

TICK_S: Final = 0.5  # a reply leaves within seconds, and no visitor waits for it
STOP_GRACE_S: Final = 3.0  # to end an SMTP conversation in, when the server stops
MOST_CANCELS: Final = 10
LEASE_S: Final = 10.0  # a holder that dies is followed after this
TELL_S: Final = 30.0  # a run that did nothing is written down no more often: an idle site writes hardly anything
Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task: its name names the lease, `every_s` its pace; a step that did something is repeated, `most` times."""

    name: str
    every_s: float
    step: Callable[[], Awaitable[int]]
    most: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """How one task went in one pass."""

    task: str
    done: int = 0
    leased: bool = True  # False: left to another holder
    holder: str = ""  # who that is, where it was asked
    error: str = ""  # why it failed


Told = Callable[[Turn], None]
Key = tuple[str, str]  # holder and task


def unheard(_: Turn, /) -> None:
    """Tell nobody: what fails is counted, and what was done stands in the store."""


class Work:
    """Runs the tasks whose lease this process holds, and writes down how they went."""

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
        self._held_until: dict[Key, float] = {}
        self._told: dict[Key, tuple[float, str]] = {}  # when a run was last written down, and its error
        self._untold: dict[Key, Run] = {}
        self._stopped: WeakSet[asyncio.Task[None]] = WeakSet()
        self._stop_grace_s = stop_grace_s

    @property
    def paces(self) -> Mapping[str, float]:
        """Return every task with the seconds between its runs."""
        return MappingProxyType({task.name: task.every_s for task in self._tasks})

    async def run(self, told: Told = unheard) -> None:
        """Go on until stopped or cancelled, telling each turn; a relay that hangs keeps no other task waiting."""
        me = asyncio.current_task()
        paces = [asyncio.ensure_future(self._pace(task, lambda: me in self._stopped, told)) for task in self._tasks]
        try:
            await asyncio.gather(*paces)
        except Exception:  # whom it was told could not hear it: nobody may go on unheard
            if me is not None:
                self._stopped.add(me)
            await asyncio.gather(*paces, return_exceptions=True)
            raise

    async def _pace(self, task: Task, stopped: Stopped, told: Told) -> None:
        while not stopped():
            if self._next.get(task.name, 0.0) <= self._clock.monotonic():
                told(await self._turn(task, stopped))
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

    async def run_once(self) -> tuple[Turn, ...]:
        """Run every task now, whatever its pace: one pass for cron."""
        turns = [await self._turn(task) for task in self._tasks]
        if all(turn.leased for turn in turns):
            return tuple(turns)
        holders = await self._holders()
        return tuple(turn if turn.leased else replace(turn, holder=holders.get(turn.task, "")) for turn in turns)

    async def release(self) -> None:
        """End the leases of this process, so that another one follows at once; call it when nothing runs any more."""
        me = self._me()
        runs = {task: self._untold.pop((who, task)) for who, task in tuple(self._untold) if who == me}
        held = [self._held_until.pop(key) for key in tuple(self._held_until) if key[0] == me]
        if not held:
            return
        try:
            await self._store.release(me, runs)
        except StoreError as error:
            self._faults.count("work", f"its leases stand for {LEASE_S:g} s more: {error}")

    async def _turn(self, task: Task, stopped: Stopped = lambda: False) -> Turn:
        self._next[task.name] = self._clock.monotonic() + task.every_s
        turn = Turn(task=task.name)
        try:
            if not await self._leased(task):
                return replace(turn, leased=False)
        except StoreError as error:
            self._faults.count(f"work {task.name}", str(error))
            return replace(turn, error=str(error))
        began, done, why = self._clock.now(), 0, ""
        try:
            for _ in range(task.most):  # while it finds something; a server that stops waits for one step only
                more = await task.step()
                done += more
                if not more or stopped():
                    break
        except StoreError as error:
            why = str(error)
            self._faults.count(f"work {task.name}", why)
        except Exception as error:  # noqa: BLE001 - one task's bug must not stop the outbox; it is counted and shown
            why = bug(error)
            self._faults.count(f"work {task.name}", why)
        await self._tell(task, Run(started_at=began, ended_at=self._clock.now(), done=done, error=why))
        return replace(turn, done=done, error=why)

    async def _leased(self, task: Task) -> bool:
        """Renew the lease when half of it is over: a renewal is a durable write."""
        key = (self._me(), task.name)
        if self._clock.monotonic() < self._held_until.get(key, 0.0) - LEASE_S / 2:
            return True
        return await self._renew(key, self._untold.get(key) if self._is_tellable(key) else None)

    async def _tell(self, task: Task, run: Run) -> None:
        """Write down how a run went, with a renewal of the lease: so it costs no transaction of its own.

        What did nothing, or failed as before, is told every `TELL_S`, and when the process ends.
        """
        key = (self._me(), task.name)
        self._untold[key] = run
        if not run.done and run.error == self._told.get(key, (0.0, ""))[1] and not self._is_tellable(key):
            return
        try:
            await self._renew(key, run)
        except StoreError as failed:
            self._faults.count(f"work {task.name}", str(failed))

    def _is_tellable(self, key: Key) -> bool:
        return key not in self._told or self._clock.monotonic() >= self._told[key][0] + TELL_S

    async def _renew(self, key: Key, run: Run | None) -> bool:
        now = self._clock.monotonic()
        me, task = key
        if not await self._store.lease(task, me, seconds=LEASE_S, run=run):
            self._held_until.pop(key, None)
            return False
        self._held_until[key] = now + LEASE_S
        if run is not None:
            self._told[key] = now, run.error
            self._untold.pop(key, None)
        return True

    async def _holders(self) -> Mapping[str, str]:
        try:
            tasks = await self._store.tasks()
        except StoreError as error:
            self._faults.count("work", str(error))
            return {}
        return {task: state.holder or "" for task, state in tasks.items()}

    def _me(self) -> str:
        return f"{self._holder}-{os.getpid()}"  # what was held before a fork is the parent's
