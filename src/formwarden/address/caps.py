"""How many different names each key may bring within a window: else the form is a tool to flood name servers."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from formwarden.clock import Clock
from formwarden.forks import Lock

WINDOW_S: Final = 600.0
KEYS: Final = 2_048  # remembered; the one not seen longest goes first, and with it at most a handful of look-ups

K = TypeVar("K", bound=Hashable)


class UniqueNames(Generic[K]):
    """Different names by key: in no ten minutes more than `most`. Asking for the same name again is free."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._lock = Lock()
        self._names: OrderedDict[K, tuple[tuple[str, float], ...]] = OrderedDict()

    def take(self, key: K, name: str) -> bool:
        """Count this name; False when the key has had its share of names."""
        now = self._clock.monotonic()
        with self._lock:
            before = self._names.get(key, ())
            others = tuple((each, at) for each, at in before if each != name and at > now - WINDOW_S)
            allowed = len(others) < self._most
            self._names[key] = (*others, (name, now)) if allowed else others
            self._names.move_to_end(key)
            while len(self._names) > KEYS:
                self._names.popitem(last=False)
            return allowed

    def __len__(self) -> int:
        return len(self._names)
