"""Time, as a port: nothing else in the package reads a clock or sleeps."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the warden needs of time."""

    def now(self) -> float:
        """Return seconds since the epoch."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean something."""

    async def sleep(self, seconds: float, /) -> None:
        """Wait, letting others run."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float, /) -> None:
        """Wait, letting others run."""
        await asyncio.sleep(seconds)
