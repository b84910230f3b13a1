"""The blocking twin: one background event loop per process, for callers that have none."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Final, TypeVar

from formwarden.errors import RunningLoopError

T = TypeVar("T")
DEADLINE_S: Final = 30.0


class BackgroundLoop:
    """Runs coroutines on a thread of its own; made at the first call, and anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    def run(self, coroutine: Coroutine[object, object, T], *, deadline_s: float = DEADLINE_S) -> T:
        """Run to the end and return the result. Raises RunningLoopError inside a loop, TimeoutError when late."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            coroutine.close()
            raise RunningLoopError("warden.sync inside a running event loop: `await` the warden's own method instead")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running())
        try:
            return future.result(deadline_s)
        except FutureTimeoutError:
            future.cancel()
            raise

    def spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        """Start and do not wait."""
        asyncio.run_coroutine_threadsafe(coroutine, self._running())

    def close(self) -> None:
        """Stop the loop; the next call makes another."""
        with self._lock:
            if self._loop is not None and self._pid == os.getpid():
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                self._pid = os.getpid()
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="formwarden", daemon=True).start()
            return self._loop


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()
