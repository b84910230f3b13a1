"""Locks between processes: the kernel lets go of them when a process dies, however it dies."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from formwarden.errors import StoreError
from formwarden.stores.sqlite.patience import Patience

NOT_OURS: Final = frozenset({errno.EACCES, errno.EPERM, errno.EISDIR, errno.ELOOP})
MODE: Final = 0o600  # lock files lie beside what people typed; nobody else has business there


def open_lock(path: str) -> int:
    """Open a lock file, making it if need be; the descriptor is not inherited by programs we start.

    StoreError: it stands there, and is another user's, a link or a directory.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, MODE)
    except OSError as error:
        if error.errno not in NOT_OURS or not os.path.lexists(path):
            raise  # the directory or the disk does not let us
        raise StoreError(
            f"the lock file {Path(path).name} cannot be used ({type(error).__name__}): it must be a plain file of "
            "the user who runs the site; remove it, or run everything that opens the store as one user"
        ) from error


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
