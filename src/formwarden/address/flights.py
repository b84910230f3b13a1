"""One look-up for all who ask the same thing at the same time, and a bound on look-ups under way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from formwarden.forks import Lock

T = TypeVar("T")


class Flights(Generic[T]):
    """Look-ups under way, by event loop: a task can be awaited only in its own.

    Nothing outlives a loop: one that is closed, or gone, no longer counts.
    """

    def __init__(self) -> None:
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Task[T]]] = WeakKeyDictionary()
        self._lock = Lock()

    def join(self, key: str, limit: int, start: Callable[[], Coroutine[object, object, T]]) -> asyncio.Task[T] | None:
        """Return the task that looks this up in the running loop; None where one more would exceed the limit.

        Await it through `asyncio.shield`: others wait for it too.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            flights = self._by_loop.setdefault(loop, {})
            flight = flights.get(key)
            if flight is not None:
                return flight
            if self._count() >= limit:
                return None
            flight = loop.create_task(start())
            flights[key] = flight
        flight.add_done_callback(lambda _: flights.pop(key, None))
        return flight

    def _count(self) -> int:
        loops = list(self._by_loop)
        for loop in loops:
            if loop.is_closed():  # its tasks hold it, so it would never go by itself
                del self._by_loop[loop]
        return sum(len(flights) for flights in self._by_loop.values())
