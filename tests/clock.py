"""A clock that tests move by hand."""

import asyncio
import math
from typing import Final

STANDS: Final = 1_000_000  # sleeps at a standing clock: more is a loop without an end


class MovableClock:
    """Stands still until it is moved; `sleep` moves it."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now
        self._monotonic = 1000.0
        self.until = math.inf  # `sleep` moves it no further: what another thread does takes no time
        self._stood = 0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float, /) -> None:
        if self._now < self.until:
            self.move(seconds)
        else:
            self._stood += 1
            assert self._stood < STANDS, "nobody moves it"
        await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an administrator or NTP does; durations are untouched."""
        self._now += seconds
