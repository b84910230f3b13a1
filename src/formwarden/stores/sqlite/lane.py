"""One thread, its queue and its writer: the life of an open file in one process."""

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from formwarden.errors import StoreError
from formwarden.stores.sqlite.batch import Task, deliver
from formwarden.stores.sqlite.writer import Writer

QUEUE_LIMIT: Final = 10_000  # tasks: a disk that hangs must not fill the memory
BATCH_LIMIT: Final = 256  # tasks in one transaction: others wait for the lock meanwhile


class Stop:
    """The last thing in a queue; `wait()` returns when the file is closed."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._calls: list[Callable[[], None]] = []

    def done(self) -> None:
        """Say that the file is closed."""
        with self._lock:
            self._ended.set()
            calls = tuple(self._calls)
        for call in calls:
            call()

    def wait(self, seconds: float) -> bool:
        """Block until the file is closed; False: it took longer."""
        return self._ended.wait(seconds)

    async def reached(self) -> None:
        """Wait until the file is closed."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(ended.set)

        with self._lock:
            if self._ended.is_set():
                return
            self._calls.append(tell)
        await ended.wait()


class Lane:
    """Takes tasks until it is stopped; what came before the stop is still done."""

    def __init__(self, writer: Writer) -> None:
        self.pid = os.getpid()
        self._writer = writer
        self._queue: SimpleQueue[Task | Stop] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="formwarden-store", daemon=True)
        self._thread.start()

    def submit(self, task: Task) -> None:
        """Put a task into the queue."""
        if self._queue.qsize() >= QUEUE_LIMIT:
            raise StoreError(f"the store is behind by {QUEUE_LIMIT} operations: its disk is too slow or hangs")
        self._queue.put(task)

    def stop(self) -> Stop:
        """End the thread after what was submitted; nothing may be submitted any more."""
        stop = Stop()
        self._queue.put(stop)
        return stop

    @property
    def openings(self) -> int:
        """How often the file was opened so far."""
        return self._writer.openings

    def alive(self) -> bool:
        """Say whether the thread runs."""
        return self._thread.is_alive()

    def _work(self) -> None:
        stop: Stop | None = None
        try:
            while stop is None:
                tasks, stop = self._next()
                if tasks:
                    self._writer.handle(tasks)
                    deliver(tasks)
                del tasks  # an idle thread keeps no body of an inquiry alive
        finally:
            self._writer.close()
            if stop is not None:
                stop.done()

    def _next(self) -> tuple[list[Task], Stop | None]:
        """Wait for a task, and take all that wait with it."""
        tasks: list[Task] = []
        entry = self._queue.get()
        while not isinstance(entry, Stop):
            tasks.append(entry)
            if len(tasks) >= BATCH_LIMIT:
                return tasks, None
            try:
                entry = self._queue.get_nowait()
            except Empty:
                return tasks, None
        return tasks, entry
