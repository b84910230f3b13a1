"""Bodies too large for memory: each in one file without a name, and a bound for all of them together."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from tempfile import TemporaryFile
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar

from formwarden.allowance import Allowance, NoRoomError, Share
from formwarden.clock import Clock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SLOW_S: Final = 0.05  # a step on a file takes a tenth of a millisecond, and on a busy processor a few
SLOW_FOR_S: Final = 10.0  # how long a disk that was slow is taken for slow
THREADS: Final = 2  # hashing and waiting for a disk; more would only take the processor from the event loop
VECTORS: Final = 512  # buffers of one write; systems take 1,024

T = TypeVar("T")


class Spool:
    """One body in a file without a name: written at its end, read anywhere.

    Its file lives as long as anybody uses it: the request until `close`, every window until it is closed. What a
    cancelled request left with the store lives until the store has dropped it. Raises OSError.
    """

    def __init__(self, directory: str | None, share: Share) -> None:
        self._share = share
        self._lock = Lock()
        self._users = 1
        self._open = True
        with TemporaryFile(buffering=0, dir=directory) as file:
            self._descriptor = os.dup(file.fileno())
        self.size = 0

    def append(self, chunks: Sequence[bytes]) -> None:
        """Write at the end. Blocks as long as the disk is slow."""
        with self.use() as descriptor:
            for first in range(0, len(chunks), VECTORS):
                views = [memoryview(chunk) for chunk in chunks[first : first + VECTORS]]
                while views:
                    views = _after(views, os.writev(descriptor, views))
            self.size += sum(len(chunk) for chunk in chunks)

    def read(self) -> bytes:
        """Return all of it. Blocks."""
        return self.read_at(0, self.size)

    def read_at(self, start: int, length: int) -> bytes:
        """Return the bytes from there, fewer only at the end. Blocks as long as the disk is asked."""
        length = min(length, self.size - start)
        with self.use() as descriptor:
            read = os.pread(descriptor, length, start)
            while len(read) < length:
                read += self._more(descriptor, length - len(read), start + len(read))
        return read

    def read_into(self, buffer: "WriteableBuffer", start: int) -> int:
        """Read from there into a buffer, and return how many bytes."""
        with self.use() as descriptor:
            return os.preadv(descriptor, [buffer], start)

    def window(self, start: int, length: int) -> BinaryIO:
        """Return a part of it as a file that can be read and not written, and that outlives the request."""
        return BufferedReader(_Window(self, start, min(length, self.size - start)))

    def close(self) -> None:
        """Use it no more."""
        if self._open:
            self._open = False
            self.leave()

    def enter(self) -> int:
        """Keep the file open until `leave`."""
        with self._lock:
            if not self._users:
                raise OSError(errno.EBADF, "the body is gone: its request has ended")
            self._users += 1
            return self._descriptor

    def leave(self) -> None:
        """End what `enter` began; the last one closes the file."""
        with self._lock:
            self._users -= 1
            if self._users:
                return
        os.close(self._descriptor)
        self._share.release()

    @contextmanager
    def use(self) -> Iterator[int]:
        """Use the file: it is not closed meanwhile, and its number given to another one."""
        descriptor = self.enter()
        try:
            yield descriptor
        finally:
            self.leave()

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):
            self.close()

    def _more(self, descriptor: int, length: int, start: int) -> bytes:
        if not (more := os.pread(descriptor, length, start)):
            raise OSError(errno.EIO, "a body's file has become shorter")
        return more


class Spools:
    """Makes spools, and works on them: at once while the disk is quick, in threads of its own while it is not."""

    def __init__(self, *, directory: str | None, budget: int, clock: Clock) -> None:
        self.allowance = Allowance(budget)
        self._directory = directory
        self._clock = clock
        self._slow_until = clock.monotonic()
        self._threads: tuple[int, ThreadPoolExecutor] | None = None

    def open(self, share: Share) -> Spool:
        """Make an empty one. Raises NoRoomError."""
        try:
            return Spool(self._directory, share)
        except OSError as error:
            raise _no_room(error) from error

    async def append(self, spool: Spool, chunks: Sequence[bytes]) -> None:
        """Write at the end of one. Raises NoRoomError."""
        try:
            await self.step(lambda: spool.append(chunks))
        except OSError as error:
            raise _no_room(error) from error

    async def step(self, step: Callable[[], T]) -> T:
        """Run a short step: here, which costs no switch of threads, until one was slow."""
        started = self._clock.monotonic()
        if started < self._slow_until:
            return await self.aside(step)
        result = step()
        now = self._clock.monotonic()
        if now - started > SLOW_S:
            self._slow_until = now + SLOW_FOR_S
        return result

    async def aside(self, step: Callable[[], T]) -> T:
        """Run a long step in a thread: the loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._pool(), step)

    def _pool(self) -> ThreadPoolExecutor:
        here = os.getpid()
        if self._threads is None or self._threads[0] != here:  # a fork has no threads
            self._threads = (here, ThreadPoolExecutor(THREADS, thread_name_prefix="formwarden-spool"))
        return self._threads[1]


class _Window(RawIOBase):
    """A part of a spool as a file of its own place."""

    def __init__(self, spool: Spool, start: int, length: int) -> None:
        spool.enter()
        self._spool: Spool | None = spool
        self._start = start
        self._length = length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._length - self._at)]
        read = self._there().read_into(view, self._start + self._at) if view else 0
        self._at += read
        return read

    def readall(self) -> bytes:
        rest = self._there().read_at(self._start + self._at, max(0, self._length - self._at))
        self._at += len(rest)
        return rest

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        if at < 0:
            raise ValueError("negative seek position")
        self._at = at
        return at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        spool, self._spool = self._spool, None
        if spool is not None:
            spool.leave()
        super().close()

    def _there(self) -> Spool:
        if self._spool is None:
            raise ValueError("I/O operation on closed file")
        return self._spool


def _after(views: Sequence[memoryview], written: int) -> list[memoryview]:
    """Return what is left to write."""
    left = list(views)
    while left and written >= len(left[0]):
        written -= len(left.pop(0))
    if left and written:
        left[0] = left[0][written:]
    return left


def _no_room(error: OSError) -> NoRoomError:
    why = os.strerror(error.errno) if error.errno else type(error).__name__
    return NoRoomError(f"{why} (FORMWARDEN_SPOOL_DIR)")
