"""Open files and forks: SQLite keeps locks by process, so no file may be open while this one is copied."""

import os
from collections.abc import Sequence
from typing import Final, Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """What is told of a fork."""

    def before_fork(self) -> None:
        """Close, and keep everybody out."""

    def after_fork_in_parent(self) -> None:
        """Let callers in again."""

    def after_fork_in_child(self) -> None:
        """Begin anew."""


class _Watch:
    """The files of this process; told of forks from the first one on."""

    def __init__(self) -> None:
        self._files: WeakSet[Forkable] = WeakSet()
        self._told: Sequence[Forkable] = ()
        self._registered = False

    def add(self, file: Forkable) -> None:
        self._files.add(file)
        if not self._registered:
            self._registered = True
            os.register_at_fork(
                before=self._before, after_in_parent=self._after_in_parent, after_in_child=self._after_in_child
            )

    def _before(self) -> None:
        told = sorted(self._files, key=id)  # one order for all threads: two forks at once do not lock each other
        for file in told:
            file.before_fork()
        self._told = told

    def _after_in_parent(self) -> None:
        told, self._told = self._told, ()
        for file in told:
            file.after_fork_in_parent()

    def _after_in_child(self) -> None:
        self._told = ()
        for file in tuple(self._files):
            file.after_fork_in_child()


_WATCH: Final = _Watch()


def watch(file: Forkable) -> None:
    """Tell this file of forks as long as it lives."""
    _WATCH.add(file)
