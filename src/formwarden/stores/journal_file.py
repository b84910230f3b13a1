"""The file of the journal: lines are added at its end, taken from its begin, or set aside where nobody can."""

import errno
import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from formwarden.forks import Lock
from formwarden.stores.journal_index import Index, mark_of
from formwarden.stores.journal_lines import ROOM

MODE: Final = 0o600  # it holds what people typed
MOST_OPENINGS: Final = 100  # of a file that others replace while we wait for its lock
COPIED: Final = 1_048_576  # bytes of the rest that are copied at a time
BATCH_BYTES: Final = 4_194_304  # beside one line of any length


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Up to where a file was taken; `mark` says which file, so that no other one loses its lines."""

    mark: bytes = b""
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, without its end, and the place behind it."""

    text: bytes
    behind: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The next lines of a file of this size; behind them it goes on at `end`."""

    lines: tuple[Line, ...]
    end: Place
    size: int


class Opened:
    """The file while its lock is held: nobody else adds or takes anything."""

    def __init__(self, descriptor: int, index: Index, room: int) -> None:
        self._descriptor = descriptor
        self._room = room  # bytes the file may have
        self.index = index

    def add(self, line: bytes, *, reserved: bool = False, reserves: int = 0) -> bool:
        """Write a line and wait for the disk; False: no room. `reserved`: in room that was kept free for it."""
        size = os.fstat(self._descriptor).st_size
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # a process died in mid-line: keep its rest from swallowing this one
        kept_free = 0 if reserved else self.index.keeps * ROOM + reserves
        if size + len(line) + kept_free > self._room:
            return False
        try:
            write_all(self._descriptor, line)
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, size)
            raise
        self.index.update(self._descriptor, size + len(line))
        return True


class JournalFile:
    """One path, shared by processes. Every method blocks, and raises OSError."""

    def __init__(self, path: Path, limit: int) -> None:
        self.path = path
        self.aside = path.with_name(f"{path.name}.aside")
        self._rest = path.with_name(f"{path.name}.rest")
        self._limit = limit
        self._index = Index()
        self._step = Lock()

    @contextmanager
    def opened(self) -> Iterator[Opened]:
        """Open it, making it where it is not, alone among all processes."""
        with self._locked() as descriptor:
            self._index.update(descriptor, os.fstat(descriptor).st_size)
            yield Opened(descriptor, self._index, self._limit - size_of(self.aside))

    def index(self) -> Index:
        """Return what it holds now."""
        with self._reading():
            return self._index

    def batch(self, place: Place, most: int) -> Batch:
        """Read the next lines behind a place, from the begin where that place is in another file."""
        with self._locked() as descriptor:
            start = place.offset if mark_of(descriptor, place.offset) == place.mark else 0
            lines, end = _lines(descriptor, start, most)
            return Batch(lines=lines, end=end, size=os.fstat(descriptor).st_size)

    def newest(self) -> Generator[bytes, None, None]:
        """Read its lines backwards; nobody adds any until the last one was read, or the iterator closed."""
        with self._reading() as text:
            end = len(text)
            while end > 0:
                start = text.rfind(b"\n", 0, end) + 1
                if start < end:
                    yield text[start:end]
                end = start - 1

    def drop(self, place: Place) -> bool:
        """Take everything before a place out of it; False: another process was faster.

        A process that dies here leaves the old file or the new one, whole.
        """
        with self._locked() as descriptor:
            if mark_of(descriptor, place.offset) != place.mark:
                return False
            size = os.fstat(descriptor).st_size
            if place.offset < size:
                self._replace(descriptor, place.offset, size)
            else:
                os.ftruncate(descriptor, 0)
                os.fsync(descriptor)
                self._rest.unlink(missing_ok=True)  # what a process that died in the copying left
        return True

    def set_aside(self, line: bytes) -> bool:
        """Write a line that nobody can take into the file beside it; False: it stands there already."""
        with self._locked():
            beside = os.open(self.aside, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, MODE)
            try:
                fresh = not _holds(beside, line)
                if fresh:
                    write_all(beside, line + b"\n")
                    os.fsync(beside)
            finally:
                os.close(beside)
            _sync_directory(self.path.parent)
        return fresh

    def _replace(self, descriptor: int, start: int, size: int) -> None:
        rest = os.open(self._rest, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, MODE)
        try:
            while start < size:
                piece = os.pread(descriptor, min(COPIED, size - start), start)
                write_all(rest, piece)
                start += len(piece)
            os.fsync(rest)
        finally:
            os.close(rest)
        self._rest.rename(self.path)
        _sync_directory(self.path.parent)

    @contextmanager
    def _reading(self) -> Iterator[mmap | bytes]:
        """Map it; the lock is held meanwhile, for a file that is cut short under a map kills the reader."""
        if not self.path.exists():
            self._index = Index()
            yield b""
            return
        with self._locked() as descriptor:
            size = os.fstat(descriptor).st_size
            self._index.update(descriptor, size)
            if size:
                with mmap(descriptor, size, access=ACCESS_READ) as text:
                    yield text
            else:
                yield b""  # an empty file cannot be mapped

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Open it and hold its lock for one short step; no fork of this process takes the lock along."""
        with self._step:
            descriptor = self._open()
            try:
                yield descriptor
            finally:
                os.close(descriptor)

    def _open(self) -> int:
        """Open the file that stands there once its lock is ours: a lock on one that was replaced is none."""
        for _ in range(MOST_OPENINGS):
            fresh = not self.path.exists()
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if fresh:
                    _sync_directory(self.path.parent)
                if _is_at(descriptor, self.path):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        raise OSError(errno.EBUSY, "the journal is replaced again and again")


def size_of(path: Path) -> int:
    """Return a file's size; 0 also where it cannot be seen."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _lines(descriptor: int, start: int, most: int) -> tuple[tuple[Line, ...], Place]:
    found: list[Line] = []
    begin, size = start, os.fstat(descriptor).st_size
    if size > start:
        with mmap(descriptor, size, access=ACCESS_READ) as text:
            while begin < size and len(found) < most and begin - start < BATCH_BYTES:
                end = text.find(b"\n", begin)
                end = size if end < 0 else end  # torn: its process died, for nobody else is writing now
                behind = min(end + 1, size)
                if end > begin:
                    found.append(Line(text=text[begin:end], behind=_place(descriptor, behind)))
                begin = behind
    return tuple(found), _place(descriptor, begin)


def _place(descriptor: int, offset: int) -> Place:
    return Place(mark=mark_of(descriptor, offset), offset=offset)


def _holds(descriptor: int, line: bytes) -> bool:
    size = os.fstat(descriptor).st_size
    if not size:
        return False
    with mmap(descriptor, size, access=ACCESS_READ) as text:
        return text[: len(line) + 1] == line + b"\n" or text.find(b"\n" + line + b"\n") >= 0


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
