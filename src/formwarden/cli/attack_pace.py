"""Real time in an attack: everything waits for its turn, and stops at once when it is told to."""

import threading

from formwarden.clock import SystemClock


class StoppedError(Exception):
    """The attack was ended before this visit was."""


class Pace:
    """So many requests a second, whoever makes them."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._clock = SystemClock()
        self._next = self._clock.monotonic()
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def take(self) -> None:
        """Wait for a turn. Raises StoppedError."""
        with self._lock:
            now = self._clock.monotonic()
            self._next = max(self._next, now)
            wait, self._next = self._next - now, self._next + self._step
        self.wait(wait)

    def wait(self, seconds: float) -> None:
        """Let seconds pass. Raises StoppedError."""
        if self._stopped.wait(seconds):
            raise StoppedError

    def stop(self) -> None:
        """End every wait."""
        self._stopped.set()
