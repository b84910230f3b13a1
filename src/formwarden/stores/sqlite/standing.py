"""Which files stand at a path: the same path may come to name others, and SQLite would not notice."""

import os
from typing import Final

Identity = tuple[int, int]
"""Device and inode."""

Files = tuple[Identity | None, Identity | None, Identity | None]
"""The database, its log and its shared memory; None: there is none."""

LOG: Final = "-wal"
MEMORY: Final = "-shm"
NONE: Final = (0, 0)


def files_at(path: str) -> Files:
    """Return what stands there: three looks, microseconds each, for it is asked before every batch."""
    return _at(path), _at(path + LOG), _at(path + MEMORY)


def written(files: Files) -> bytes:
    """Write down a database and its log, for those who open it next."""
    main, log, _ = files
    return b"%d %d %d %d\n" % (*(main or NONE), *(log or NONE))


def belongs_elsewhere(note: bytes, files: Files) -> bool:
    """Say whether the log is the one of a database that stood here before.

    Whoever puts a backup in the place of a file in use leaves that file's log beside the backup, and SQLite would
    lay it over the backup's pages (howtocorrupt.html, 1.4). A log that was copied together with its database is
    another file than the one noted.
    """
    try:
        numbers = tuple(int(word) for word in note.split())
    except ValueError:
        return False
    main, log, _ = files
    return log is not None and numbers[:2] != main and numbers[2:] == log


def _at(path: str) -> Identity | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path made for it costs as much again
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
