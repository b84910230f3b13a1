"""The write-ahead log goes back into its file: by one process at a time, beside the writers.

Whoever holds the lock `<file>-checkpoint.lock` leads; when that process dies, the kernel frees the lock and another
takes over within a turn. The pauses are in real time, in a thread of ours: they only spread work.
"""

import os
import threading
from typing import Final

import apsw

from formwarden.errors import StoreError
from formwarden.faults import Faults, bug
from formwarden.stores.sqlite.locks import open_lock, try_lock
from formwarden.stores.sqlite.opening import Opened, Opener
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.remedies import BUSY, NO_THREAD

FAULT: Final = "store checkpoint"
PAUSE_S: Final = 0.2
PAUSE_AFTER_FAULT_S: Final = 5.0  # an ill disk is not asked, and counted, five times a second
LONG_LOG: Final = 8_192  # pages: writers that never pause keep the log from starting anew; then they wait for us once


class Checkpointer:
    """A thread that leads, or waits to lead."""

    def __init__(self, opener: Opener, *, patience: Patience, faults: Faults) -> None:
        self._opener = opener
        self._patience = patience
        self._faults = faults
        self._stop = threading.Event()
        self._lock: int | None = None
        self._opened: Opened | None = None
        self._thread = threading.Thread(target=self._work, name="formwarden-checkpoint", daemon=True)

    def start(self) -> None:
        """Begin; call it once. StoreError: this machine has no thread left."""
        try:
            self._thread.start()
        except RuntimeError as error:
            raise StoreError(NO_THREAD) from error

    def stop(self) -> None:
        """End the thread and give the lead away; returns when it is done."""
        self._stop.set()
        self._thread.join()

    def alive(self) -> bool:
        """Say whether the thread runs."""
        return self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._take_turns()
        finally:
            self._let_go()  # however this thread ends: else nobody leads as long as the process lives

    def _take_turns(self) -> None:
        pause = PAUSE_S
        while not self._stop.wait(pause):
            try:
                self._turn()
                pause = PAUSE_S
            except BUSY:
                pause = PAUSE_S  # another process is closing the file: next time
            except (apsw.Error, OSError, StoreError) as error:
                self._faults.count(FAULT, type(error).__name__)
                self._let_go()
                pause = PAUSE_AFTER_FAULT_S
            except Exception as error:  # noqa: BLE001 - a bug of ours must not let the log grow for ever
                self._faults.count(FAULT, bug(error))
                self._let_go()
                pause = PAUSE_AFTER_FAULT_S

    def _turn(self) -> None:
        if self._lock is None:
            self._lock = open_lock(f"{self._opener.plan.path}-checkpoint.lock")
        if self._opened is None:
            if not try_lock(self._lock):
                return  # another process leads
            self._opened = self._opener.another()
        if not self._opener.are_at(self._opened.files):
            self._opener.rescue(self._opened)
            self._let_go()  # file or log was replaced: begin anew with what stands there now
            return
        connection = self._opened.connection
        pages, _ = connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if pages > LONG_LOG:
            restart = apsw.SQLITE_CHECKPOINT_RESTART
            self._patience.until_free(lambda: connection.wal_checkpoint(mode=restart), BUSY)

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        lock, self._lock = self._lock, None
        try:
            if opened is not None:
                self._opener.close(opened.connection)
        finally:
            if lock is not None:
                os.close(lock)
