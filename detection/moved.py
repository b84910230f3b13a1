"""The wall clock of a server that we start, which its visitors set forward instead of waiting.

It stands outside of the servers, whose code is untouched: `time.time` is replaced before they are loaded, with the
system's clock plus what stands in a shared file. Durations, timers and time-outs stay real.
"""

import mmap
import os
import struct
import time
from pathlib import Path
from typing import Final

AHEAD: Final = struct.Struct("=d")  # seconds


class MovedClock:
    """The number of seconds by which a server's clock is ahead, in a file that both sides map."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, AHEAD.size)
        self._ahead = mmap.mmap(descriptor, AHEAD.size)
        os.close(descriptor)

    @property
    def ahead_s(self) -> float:
        """By how much it is ahead."""
        (seconds,) = AHEAD.unpack_from(self._ahead)
        return float(seconds)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        AHEAD.pack_into(self._ahead, 0, self.ahead_s + seconds)


def follow(path: Path) -> None:
    """Make this process's wall clock follow the file."""
    clock, system = MovedClock(path), time.time
    time.time = lambda: system() + clock.ahead_s
