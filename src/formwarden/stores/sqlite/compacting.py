"""Giving a file's free room back to the disk."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from formwarden.errors import StoreError
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.locks import open_lock, try_lock
from formwarden.stores.sqlite.remedies import BUSY
from formwarden.stores.sqlite.room import used_bytes

QUICK_BYTES: Final = 33_554_432  # in use: rewritten in some tenths of a second, which a site's writers wait out
NEEDED: Final = 2.2  # times the bytes in use: SQLite writes them beside the file, then into its log


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What one file took before, and after."""

    path: str
    before: int
    after: int
    log_stays: bool  # a reader holds the log: it shrinks when that one ends


def compact(attached: Attached, *, beside_a_site: bool) -> Compaction:
    """Rewrite the file without its free pages. Raises StoreError where that cannot be, and says why.

    Writers of the site wait meanwhile, so a large file is not touched while one runs unless `beside_a_site`.
    """
    path = attached.plan.path
    with attached.as_it_is() as connection:
        used = used_bytes(connection)
        if used > QUICK_BYTES and not beside_a_site and site_runs(path):
            raise StoreError(
                f"a site runs with {Path(path).name}, whose writers would wait while {used} bytes are written anew: "
                "inquiries would go to the journal and no reply leave; stop it first, or say --while-running"
            )
        _room_for(int(used * NEEDED), path)
        before = disk_bytes(path)
        attached.patience.until_free(lambda: connection.execute("VACUUM"), BUSY)
        log_stays = False
        try:
            attached.patience.until_free(
                lambda: connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE), BUSY
            )
        except BUSY:
            log_stays = True
        return Compaction(path=path, before=before, after=disk_bytes(path), log_stays=log_stays)


def site_runs(path: str) -> bool:
    """Say whether a process has this file open: one of them holds the lock of checkpoints."""
    lock = open_lock(f"{path}-checkpoint.lock")
    try:
        return not try_lock(lock)
    finally:
        os.close(lock)


def disk_bytes(path: str) -> int:
    """Return the bytes of a file and of the log beside it."""
    return sum(each.stat().st_size for each in (Path(path), Path(f"{path}-wal")) if each.exists())


def _room_for(needed: int, path: str) -> None:
    temporary = os.environ.get("SQLITE_TMPDIR") or tempfile.gettempdir()
    for folder in dict.fromkeys((str(Path(path).parent), temporary)):
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StoreError(
                f"{Path(path).name} needs {needed} bytes free in {folder} to be written anew, and there are {free}: "
                "make room, or set SQLITE_TMPDIR to another disk"
            )
