"""Erasing inquiries from the journal: their lines become empty ones, which nobody reads."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from formwarden.errors import StoreError
from formwarden.stores.journal_lines import Entry, Keep, Move, StaffMove, entry_of
from formwarden.stores.ports import Inquiry


def erase_lines(journal: Path, matches: Callable[[Inquiry], bool]) -> int:
    """Erase the inquiries that match, and what became of them, here and in what was set aside; return how many.

    Nothing is moved, so a process that dies in between loses no other line. Raises StoreError.
    """
    try:
        return sum(_erase(path, matches) for path in (journal, journal.with_name(f"{journal.name}.aside")))
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise StoreError(f"the journal {journal.name} cannot be rewritten ({why}): nothing was erased") from error


def _erase(path: Path, matches: Callable[[Inquiry], bool]) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return 0
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # until it is closed: as the journal's own writers do
        if not os.path.samestat(os.fstat(descriptor), path.stat()):
            return _erase(path, matches)  # a replay has put another file there meanwhile
        places: list[tuple[int, int, Entry | None]] = []
        start = 0
        for line in file:
            places.append((start, len(line), entry_of(line.rstrip(b"\n"))))
            start += len(line)
        gone = {
            entry.what.inquiry.id
            for _, _, entry in places
            if entry is not None and isinstance(entry.what, Keep) and matches(entry.what.inquiry)
        }
        for begin, length, entry in places:
            if entry is not None and _about(entry) in gone:
                os.pwrite(descriptor, b"\n" * length, begin)
        os.fsync(descriptor)
        path.with_name(f"{path.name}.rest").unlink(missing_ok=True)  # half a copy, of a process that died in a replay
        return len(gone)


def _about(entry: Entry) -> bytes | None:
    match entry.what:
        case Keep():
            return entry.what.inquiry.id
        case Move() | StaffMove():
            return entry.what.inquiry
        case _:
            return None
