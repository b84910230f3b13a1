"""How long a client may take to send: counted in seconds that we waited for it, and in nothing else."""

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from formwarden.web.settings import Web

SLOTS: Final = 20  # of one window: what came within a slot is counted as having come at its end
QUICK_S: Final = 0.1  # the first so many seconds are a gift: most bodies need less, and are read without a clock
LOOKS: Final = 3  # turns of the loop that a message which has arrived may take to reach us


class BodyLateError(Exception):
    """The body did not arrive in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceLimits:
    """What is asked of a client."""

    first_bytes: int
    first_s: float  # to send them, or the whole body
    bytes_per_s: int  # from then on
    window_s: float  # over which that is averaged
    whole_s: float  # the most for a whole body

    @classmethod
    def of(cls, web: Web) -> "PaceLimits":
        """Take them from the settings."""
        return cls(
            first_bytes=web.body_first_bytes,
            first_s=web.body_first_s,
            bytes_per_s=web.body_bytes_per_s,
            window_s=web.body_window_s,
            whole_s=web.body_seconds,
        )


class Pace:
    """How a body comes in; `waited` is all the time this client has let us wait."""

    def __init__(self, limits: PaceLimits) -> None:
        self._limits = limits
        self._needed = limits.bytes_per_s * limits.window_s
        self._slot_s = limits.window_s / SLOTS
        self._waited = 0.0
        self._total = 0
        self._since: float | None = None  # when the first bytes were there
        self._slots = deque[tuple[int, int]]()  # number of the slot, bytes; the oldest are dropped once not needed
        self._counted = 0

    def came(self, size: int, waited: float) -> None:
        """Note that so much came after we had waited so long for it."""
        self._waited += waited
        self._total += size
        if self._since is None:
            if self._total >= self._limits.first_bytes:
                self._since = self._waited
            return
        number = int(self._waited / self._slot_s)
        self._counted += size
        if self._slots and self._slots[-1][0] == number:
            size += self._slots.pop()[1]
        self._slots.append((number, size))
        while self._counted - self._slots[0][1] >= self._needed:
            self._counted -= self._slots.popleft()[1]

    def left_s(self) -> float:
        """Return how long we may wait for the next bytes."""
        limits = self._limits
        if self._since is None:
            due = limits.first_s
        elif self._counted >= self._needed:  # until the oldest that is needed leaves the window
            due = (self._slots[0][0] + 1) * self._slot_s + limits.window_s
        else:
            due = self._since + limits.window_s
        return min(due, limits.whole_s) - self._waited


class Watch:
    """`with` it around a read: raises BodyLateError where the client is too slow.

    A body that is there within QUICK_S is not timed. Time is the loop's own, which its timers go by.
    """

    def __init__(self, limits: PaceLimits) -> None:
        self._limits = limits
        self._pace: Pace | None = None  # None: not timed yet
        self._loop = asyncio.get_running_loop()
        self._size = 0
        self._waiting = False
        self._since = 0.0
        self._looks = 0
        self._late = False
        self._handle: asyncio.Handle | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is handled in a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._handle = self._loop.call_later(QUICK_S, self._look)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.cancel()
        if not self._late:
            return
        ours = self._task.uncancel() <= self._cancelling
        if ours and (kind is None or issubclass(kind, asyncio.CancelledError)):
            raise BodyLateError from error

    def waits(self) -> None:
        """Say that we wait for the client from now on."""
        self._waiting = True
        if self._pace is None:
            return
        self._since = self._loop.time()
        if self._handle is None:
            self._look()

    def came(self, size: int) -> None:
        """Say that so many bytes came."""
        self._waiting = False
        if self._pace is None:
            self._size += size
        else:
            self._looks = 0
            self._pace.came(size, self._loop.time() - self._since)

    def _look(self) -> None:
        now = self._loop.time()
        if self._pace is None:
            self._pace = Pace(self._limits)
            self._pace.came(self._size, 0.0)
            self._since = now
        self._handle = None
        if not self._waiting:
            return  # we are busy ourselves; `waits` looks again
        left_s = self._pace.left_s() - (now - self._since)
        if left_s > 0:
            self._handle = self._loop.call_later(left_s, self._look)
        elif self._looks < LOOKS:  # a loop that was held up may have the bytes already
            self._looks += 1
            self._handle = self._loop.call_soon(self._look)
        else:
            self._late = True
            self._task.cancel()
