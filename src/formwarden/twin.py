"""The blocking twin: one background event loop per process, for callers that have none."""

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from formwarden.errors import LateError, RunningLoopError
from formwarden.forks import LOOPS, PATIENCE_S, watch

T = TypeVar("T")
DEADLINE_S: Final = 20.0  # beyond all deadlines of the stores and look-ups of one submission together


class BackgroundLoop:
    """Runs coroutines on a thread of its own; made at the first call, and anew after a fork.

    The thread ends before a fork and goes on in the parent afterwards: nothing is copied in the middle of a step.
    Nothing here is locked, so no thread that is gone can hold a child back.
    """

    def __init__(self) -> None:
        self._by_process: dict[int, _Served] = {}
        self._one_fork = threading.Lock()
        self._paused: _Served | None = None

    def run(self, coroutine: Coroutine[object, object, T], *, deadline_s: float = DEADLINE_S) -> T:
        """Run to the end and return the result; what is late is cancelled. Raises RunningLoopError, LateError."""
        future = self._submit(coroutine)
        if not wait((future,), deadline_s).done and future.cancel():
            raise LateError(f"warden.sync: no end within {deadline_s:g} s; it was cancelled")
        return future.result()

    def run_through(self, coroutine: Coroutine[object, object, T], *, deadline_s: float = DEADLINE_S) -> T:
        """Do the same, but what is late goes on by itself: it may be in the middle of keeping something."""
        future = self._submit(coroutine)
        if not wait((future,), deadline_s).done:
            raise LateError(f"warden.sync: no end within {deadline_s:g} s; it goes on by itself")
        return future.result()

    def spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        """Start and do not wait."""
        self._here().submit(coroutine)

    def close(self) -> None:
        """Cancel what runs and end the loop of this process; the next call makes another."""
        served = self._by_process.pop(os.getpid(), None)
        if served is not None:
            served.end()

    def _submit(self, coroutine: Coroutine[object, object, T]) -> Future[T]:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._here().submit(coroutine)
        coroutine.close()
        raise RunningLoopError(
            "warden.sync inside a running event loop: `await` the warden's own method instead, "
            "as in `await warden.judge(submission)`"
        )

    def _here(self) -> "_Served":
        served = self._by_process.get(os.getpid())
        if served is None:
            watch(self, rank=LOOPS)
            made = _Served()
            served = self._by_process.setdefault(os.getpid(), made)  # of two first callers one wins
            if served is made:
                served.start()
            else:
                made.end()
        return served

    def before_fork(self) -> None:
        """End the thread after its present step."""
        self._one_fork.acquire()
        served = self._by_process.get(os.getpid())
        self._paused = served if served is not None and served.pause() else None

    def after_fork_in_parent(self) -> None:
        """Go on with a new thread."""
        paused, self._paused = self._paused, None
        if paused is not None:
            paused.start()
        self._one_fork.release()

    def after_fork_in_child(self) -> None:
        """Begin anew at the next call."""
        self._one_fork = threading.Lock()
        self._paused = None
        for inherited in self._by_process.values():
            _never_delete(inherited)
        self._by_process = {}


class _Served:
    """One loop, and the thread that runs it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._going: set[object] = set()  # loops know their tasks weakly
        self._ending = False
        self._thread: threading.Thread | None = None

    def submit(self, coroutine: Coroutine[object, object, T]) -> Future[T]:
        """Start a coroutine, and hold it until it has ended."""
        future: Future[T] = Future()
        self._going.add(future)
        future.add_done_callback(self._going.discard)
        self.loop.call_soon_threadsafe(self._begin, coroutine, future)
        return future

    def _begin(self, coroutine: Coroutine[object, object, T], future: Future[T]) -> None:
        """Make a task of it, unless its caller has given up: asyncio would let it go as far as its first pause."""
        if future.cancelled():
            coroutine.close()
            return
        task = self.loop.create_task(coroutine)
        task.add_done_callback(partial(_hand_over, future))
        future.add_done_callback(partial(self._give_up, task))

    def _give_up(self, task: asyncio.Task[T], future: Future[T]) -> None:
        if future.cancelled():
            with suppress(RuntimeError):  # the loop is closed
                self.loop.call_soon_threadsafe(task.cancel)

    def start(self) -> None:
        """Run the loop in a new thread, after the one before it."""
        self._thread = threading.Thread(target=self._run, args=(self._thread,), name="formwarden", daemon=True)
        self._thread.start()

    def pause(self) -> bool:
        """Let the thread end, and wait for it for a while; False: there is none, or the caller is it."""
        if self._thread is None or self._thread is threading.current_thread():
            return False
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        return True

    def end(self) -> None:
        """Cancel what runs and close the loop."""
        self._ending = True
        if self._thread is None:
            self.loop.close()
        else:
            self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        if self._ending:
            self._close()

    def _close(self) -> None:
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


def _hand_over(future: Future[T], task: asyncio.Task[T]) -> None:
    """Tell a waiting thread how the task ended."""
    if task.cancelled():
        future.cancel()
    error = None if task.cancelled() else task.exception()
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(task.result())
    else:
        future.set_exception(error)


def _never_delete(inherited: _Served) -> None:
    """Keep the parent's loop, and all that runs on it, until this process is gone, its interpreter's end included.

    Deleted, the loop closes and its coroutines clean up; both would unregister sockets of the parent, for the two
    processes share the kernel's list of them (epoll), and the parent would wait for ever.
    """
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(inherited))


PROCESS_LOOP: Final = BackgroundLoop()
"""The one that all wardens of a process share; no thread before the first call."""
