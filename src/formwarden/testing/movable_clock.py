"""A clock that a test moves by hand, so that nobody waits."""

from typing import Final

from formwarden.clock import SystemClock

BEGINNING: Final = 1_790_000_000.0  # seconds since the epoch: a day in September 2026


class Clock:
    """Stands still until it is moved; whatever sleeps by it moves it, and waits for nobody.

    ```
    clock = Clock()
    warden = Warden(form, settings=settings, clock=clock)
    clock.move(10_800)  # three hours pass
    ```
    """

    def __init__(self, now: float = BEGINNING) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return self._monotonic

    async def sleep(self, seconds: float, /) -> None:
        """Let the time pass, and others run."""
        self.move(seconds)
        await SystemClock().sleep(0)

    def move(self, seconds: float) -> None:
        """Let time pass; ValueError: it never runs backwards."""
        if not seconds >= 0:
            raise ValueError(f"{seconds} s: time does not run backwards")
        self._now += seconds
        self._monotonic += seconds
