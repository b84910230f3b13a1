"""The clock of several processes, whose date a test sets forward for all of them at once, as NTP does."""

import mmap
import os
import struct
from pathlib import Path

from formwarden.clock import SystemClock

OFFSET = struct.Struct("=d")


class SteppedClock(SystemClock):
    """The system's clock plus what stands in a shared file; durations are untouched."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, OFFSET.size)
        self._offset = mmap.mmap(descriptor, OFFSET.size)
        os.close(descriptor)

    @property
    def offset_s(self) -> float:
        """By how much it was set forward."""
        (seconds,) = OFFSET.unpack_from(self._offset)
        return float(seconds)

    def now(self) -> float:
        return super().now() + self.offset_s

    def step(self, seconds: float) -> None:
        """Set the date forward."""
        OFFSET.pack_into(self._offset, 0, self.offset_s + seconds)
