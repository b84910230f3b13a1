"""One look-up for all who ask the same thing at the same time, and a bound on look-ups under way."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from formwarden.forks import Lock

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Flight(Generic[S, T]):
    """What is looked up, and the task that does it."""

    subject: S
    task: asyncio.Task[T]


class Flights(Generic[S, T]):
    """Look-ups under way, by event loop: a task can be awaited only in its own.

    Nothing outlives a loop: one that is closed, or gone, no longer counts. A look-up goes on when nobody waits for
    it any more; whoever gives it to `fly` bounds its time.
    """

    def __init__(self, fly: Callable[[S], Coroutine[object, object, T]]) -> None:
        self._fly = fly
        self._by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Flight[S, T]]] = WeakKeyDictionary()
        self._lock = Lock()

    def under_way(self, key: str) -> Flight[S, T] | None:
        """Return the look-up of this in the running loop, if there is one."""
        with self._lock:
            return self._by_loop.get(asyncio.get_running_loop(), {}).get(key)

    def join(self, key: str, limit: int, subject: S) -> Flight[S, T] | None:
        """Return the look-up of this in the running loop; None where one more would exceed the limit.

        Wait for its task, never cancel it: others wait for it too.
        """
        loop = asyncio.get_running_loop()
        with self._lock:
            flights = self._by_loop.setdefault(loop, {})
            flight = flights.get(key)
            if flight is not None:
                return flight
            if self._count() >= limit:
                return None
            flight = Flight(subject, loop.create_task(self._fly(subject)))
            flights[key] = flight
        flight.task.add_done_callback(lambda task: _land(task, flights, key))
        return flight

    def _count(self) -> int:
        loops = list(self._by_loop)
        for loop in loops:
            if loop.is_closed():  # its tasks hold it, so it would never go by itself
                del self._by_loop[loop]
        return sum(len(flights) for flights in self._by_loop.values())


def _land(task: asyncio.Task[T], flights: dict[str, Flight[S, T]], key: str) -> None:
    flights.pop(key, None)
    if not task.cancelled():
        task.exception()  # seen: who still waits gets it, and where nobody does the loop has nothing to complain of
