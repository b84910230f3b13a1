"""Numbers from a seed: the same seed draws the same again, on every machine and version of Python."""

import hashlib
from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

WORD: Final = 1 << 64  # one past the largest number of eight bytes


class Chance:
    """Draws numbers one after another; `apart` starts another row of them, which changes nothing here."""

    def __init__(self, seed: int | str) -> None:
        self._seed = str(seed)
        self._drawn = 0

    def apart(self, name: str) -> "Chance":
        """Return numbers of their own, by a name."""
        return Chance(f"{self._seed}/{name}")

    def share(self) -> float:
        """Return a number from 0 to below 1."""
        return self._next() / WORD

    def between(self, low: float, high: float) -> float:
        """Return a number in a range."""
        return low + (high - low) * self.share()

    def number(self, low: int, high: int) -> int:
        """Return a whole number in a range, both ends included."""
        return low + self._next() % (high - low + 1)

    def one(self, of: Sequence[T]) -> T:
        """Return one of several; IndexError if there is none."""
        return of[self.number(0, len(of) - 1)] if of else of[0]

    def some(self, of: Sequence[T], count: int) -> list[T]:
        """Return several different ones, in any order."""
        left, taken = list(of), list[T]()
        while left and len(taken) < count:
            taken.append(left.pop(self.number(0, len(left) - 1)))
        return taken

    def happens(self, share: float) -> bool:
        """Say yes in this share of all draws."""
        return self.share() < share

    def _next(self) -> int:
        self._drawn += 1
        digest = hashlib.blake2b(f"{self._seed}#{self._drawn}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big")
