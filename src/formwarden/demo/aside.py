"""Serves one of the demo's small servers in a thread of its own, with a loop of its own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final

START_S: Final = 10.0


class Aside:
    """A thread that serves while `serving()` is entered; what it yields is where the server can be reached."""

    def __init__(self, name: str, serving: Callable[[], AbstractAsyncContextManager[str]]) -> None:
        self._name = name
        self._serving = serving
        self._thread: threading.Thread | None = None
        self._leave: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def start(self) -> str:
        """Begin to serve and return the address. Raises OSError where it cannot be had."""
        ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name=self._name, daemon=True)
        self._thread.start()
        return ready.result(timeout=START_S)

    def stop(self) -> None:
        """End the thread and the connections it has."""
        if self._leave is not None:
            loop, leave = self._leave
            loop.call_soon_threadsafe(leave.set)
            self._leave = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve while the block runs."""
        try:
            yield self.start()
        finally:
            self.stop()

    def _run(self, ready: Future[str]) -> None:
        try:
            asyncio.run(self._until_left(ready))
        except OSError as error:
            ready.set_exception(error)

    async def _until_left(self, ready: Future[str]) -> None:
        leave = asyncio.Event()
        async with self._serving() as address:
            self._leave = (asyncio.get_running_loop(), leave)
            ready.set_result(address)
            await leave.wait()
