"""What must not be in the middle of something while this process is copied: event loops, open files, locks.

A child has one thread, the one that forked. What another thread held stays held there for ever.
"""

import os
import threading
from collections.abc import Sequence
from itertools import count
from types import TracebackType
from typing import Final, Protocol
from weakref import ref

LOOPS: Final = 0  # paused first: what they run uses files and locks
FILES: Final = 1  # their threads take locks while they close
LOCKS: Final = 2
PATIENCE_S: Final = 3.0  # a fork waits no longer for one that is held


class Forkable(Protocol):
    """What is told of a fork."""

    def before_fork(self) -> None:
        """Come to rest, and keep everybody out."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew."""


class _Watch:
    """What is told of forks in this process; registered with the first of them."""

    def __init__(self) -> None:
        self._watched: dict[int, tuple[int, ref[Forkable]]] = {}
        self._told: Sequence[Forkable] = ()
        self._calls = count()  # counted in one step: two threads that come first do not register twice

    def add(self, one: Forkable, rank: int) -> None:
        key = id(one)
        self._watched[key] = (rank, ref(one, lambda _: self._watched.pop(key, None)))
        if next(self._calls) == 0:
            os.register_at_fork(
                before=self._before, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
            )

    def _before(self) -> None:
        # one order for all threads: two forks at once do not lock each other
        told = [each for _, _, each in sorted(self._alive(), key=lambda entry: entry[:2])]
        for each in told:
            each.before_fork()
        self._told = told

    def _after_in_parent(self) -> None:
        told, self._told = self._told, ()
        for each in reversed(told):
            each.after_fork_in_parent()

    def _after_in_child(self) -> None:
        self._told = ()
        for _, _, each in self._alive():
            each.after_fork_in_child()

    def _alive(self) -> list[tuple[int, int, Forkable]]:
        watched = [(rank, key, found()) for key, (rank, found) in list(self._watched.items())]
        return [(rank, key, one) for rank, key, one in watched if one is not None]


_WATCH: Final = _Watch()


def watch(one: Forkable, *, rank: int) -> None:
    """Tell it of forks as long as it lives."""
    _WATCH.add(one, rank)


class Lock:
    """A lock that a fork waits for, and that is free in the child; for moments only, and never one within another."""

    __slots__ = ("__weakref__", "_fork_holds", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fork_holds = False
        watch(self, rank=LOCKS)

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()

    def before_fork(self) -> None:
        """Wait for its holder, and take it."""
        if self._lock.acquire(timeout=PATIENCE_S):
            self._fork_holds = True

    def after_fork_in_parent(self) -> None:
        """Give it back."""
        if self._fork_holds:
            self._fork_holds = False
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Be free, whoever held it over there."""
        self._lock = threading.Lock()
        self._fork_holds = False
