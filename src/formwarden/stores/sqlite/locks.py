"""Locks between processes: the kernel lets go of them when a process dies, however it dies."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from formwarden.stores.sqlite.patience import Patience

MODE = 0o600  # lock files lie beside what people typed; nobody else has business there


def open_lock(path: str) -> int:
    """Open a lock file, making it if need be; the descriptor is not inherited by programs we start."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE)


def try_lock(descriptor: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(path: str, patience: Patience) -> Iterator[int]:
    """Hold the lock file of this path; BlockingIOError when others held it too long."""
    descriptor = open_lock(path)
    try:
        take = partial(fcntl.flock, descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        patience.until_free(take, (BlockingIOError,))
        yield descriptor
    finally:
        os.close(descriptor)
