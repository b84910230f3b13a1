"""What an operator can do about an error of the store: every StoreError names it."""

import errno
from pathlib import Path
from typing import Final

import apsw

from formwarden.errors import StoreError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
DAMAGED: Final = (apsw.CorruptError, apsw.NotADBError)
BUSY: Final = (apsw.BusyError, apsw.LockedError)
WHOLE_BATCH: Final = (
    *DAMAGED,
    *BUSY,
    apsw.CantOpenError,
    apsw.FullError,
    apsw.IOError,
    apsw.NoMemError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.ReadOnlyError,
)
"""Errors that are the file's, not one operation's."""

KEEPS_OPEN: Final = (*BUSY, apsw.FullError)
"""Errors after which the connection itself is sound."""

UNREADABLE: Final = (
    "is no database of ours or is damaged: move it away (a new one is made, without budgets and inquiries) or put "
    "a backup in its place"
)
NO_ACCESS: Final = (
    "cannot be opened or written: its directory must exist, and this user must have the right to write "
    "there and to the file"
)
NO_THREAD: Final = "the store could not start a thread: this machine or this user is at its limit of them"
REMEDIES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (apsw.CorruptError, UNREADABLE),
    (apsw.NotADBError, UNREADABLE),
    (apsw.FullError, "cannot grow: the disk is full; make room"),
    (apsw.IOError, "could not be read or written: the disk is full, at a limit, or ill; see the system's log"),
    (apsw.CantOpenError, NO_ACCESS),
    (apsw.ReadOnlyError, NO_ACCESS),
    (apsw.PermissionsError, NO_ACCESS),
    (apsw.BusyError, "was held by another process for too long: look for one that hangs, or a backup that locks it"),
    (apsw.LockedError, "was held by another process for too long: look for one that hangs"),
    (apsw.NoMemError, "could not be used: this machine is out of memory"),
    (BlockingIOError, "was being opened by another process for too long: look for one that hangs"),
    (OSError, NO_ACCESS),
)


def store_error(path: str, error: Exception) -> StoreError:
    """Return what callers get for this error, with the file's name and the remedy."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, OSError) and error.errno in FULL:
        error = apsw.FullError()  # of a lock file: the same remedy
    remedy = next((text for kind, text in REMEDIES if isinstance(error, kind)), "refused an operation")
    return StoreError(f"the store {Path(path).name} {remedy} ({type(error).__name__})")
