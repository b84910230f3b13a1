"""A consistent copy of the durable file while workers write."""

import os
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import apsw

from formwarden.errors import StoreError
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.locks import MODE

PAGES: Final = 256  # in one step, half a megabyte, written through: a long queue of the disk is what workers wait for
PAUSE_S: Final = 0.001  # in real time, in a command of its own
Between = Callable[[], None]
Progress = Callable[[int, int], None]
"""Is told how many pages are done, and how many there are."""


def copy_to(attached: Attached, target: Path, progress: Progress) -> int:
    """Copy one moment of the file; return the copy's bytes. Raises StoreError, also where `target` stands already.

    An open read transaction holds that moment: without one, SQLite begins anew after every commit of another process
    (sqlite.org/backup.html), and would never end beside a busy site. In write-ahead logging readers stop no writer.
    """
    if target.exists() or target.is_symlink():
        raise StoreError(f"{target} stands already: nothing was copied; choose another name, or move it away")
    part = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
    except FileExistsError:
        raise StoreError(f"{part} stands there: another backup runs, or one was broken off; then delete it") from None
    except OSError as error:
        raise StoreError(f"{target.parent} cannot be written ({os.strerror(error.errno or 0)})") from error
    try:
        with attached.as_it_is() as source:
            _copy(source, part, progress)
        _publish(part, target)
    finally:
        for name in (part, Path(f"{part}-journal"), Path(f"{part}-wal"), Path(f"{part}-shm")):
            name.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: apsw.Connection, part: Path, progress: Progress) -> None:
    never = threading.Event()
    descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC)

    def rest() -> None:
        os.fdatasync(descriptor)
        never.wait(PAUSE_S)

    try:
        # closed before the descriptor: closing any of a file drops SQLite's locks on it (howtocorrupt.html, 2.2)
        with closing(apsw.Connection(str(part), flags=apsw.SQLITE_OPEN_READWRITE)) as copy:
            _step_by_step(source, copy, progress, rest)
    finally:
        os.close(descriptor)


def _step_by_step(source: apsw.Connection, copy: apsw.Connection, progress: Progress, between: Between) -> None:
    copy.execute("PRAGMA synchronous = FULL")
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # the moment that is copied
    try:
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(PAGES)
                progress(backup.page_count - backup.remaining, backup.page_count)
                between()
    finally:
        source.execute("ROLLBACK")


def _publish(part: Path, target: Path) -> None:
    """Give the finished copy its name, unless somebody took it meanwhile; what stands is never written over."""
    descriptor = os.open(part, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        target.hardlink_to(part)
    except FileExistsError:
        raise StoreError(f"{target} stands there by now: nothing was copied over it") from None
    with suppress(OSError):  # file systems that know no such thing
        folder = os.open(target.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
