"""Opening, closing and setting aside one database file, under a lock that all processes share.

Eight processes that open a fresh file at once fail in most trials without it, whatever SQLite's busy timeout
(measured): switching to write-ahead logging needs the file alone.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.sqlite.locks import MODE, locked
from formwarden.stores.sqlite.migrating import migrate, migrations
from formwarden.stores.sqlite.mounts import Mounts, network_type
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.release import refuse_flawed
from formwarden.stores.sqlite.remedies import BUSY, DAMAGED
from formwarden.stores.sqlite.standing import LOG, MEMORY, Files, belongs_elsewhere, files_at, written

STATEMENTS: Final = 128  # prepared ones that apsw keeps; we have some seventy
PAGE_BYTES: Final = 2_048  # a reservation writes some twelve pages: a third cheaper than with SQLite's 4,096
CACHE_KIB: Final = 8_192  # of each connection at most: with SQLite's 2,000 a busy hour reads its own pages again
LOG_LIMIT: Final = 67_108_864  # bytes: a write-ahead log that grew in a burst shrinks to this again
NOTE_BYTES: Final = 128  # of the lock file at most: which file and log stood here at the last opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One file: where it lies and what it promises."""

    path: str
    kind: str  # of its migrations: durable | volatile
    synchronous: str  # FULL: what is committed survives a power cut
    secure_delete: bool  # erased texts are overwritten
    rebuildable: bool  # damaged, it is set aside and made anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A connection, and the files it really has."""

    connection: apsw.Connection
    files: Files


class Opener:
    """Opens, closes and sets aside one file."""

    def __init__(self, plan: Plan, *, mounts: Mounts, patience: Patience, faults: Faults) -> None:
        self.plan = plan
        self._mounts = mounts
        self._patience = patience
        self._faults = faults

    def open(self) -> Opened:
        """Open the file, making and migrating it if need be; raises StoreError, apsw.Error or OSError."""
        kind = network_type(self.plan.path, self._mounts())
        if kind is not None:
            raise StoreError(
                f"the store lies on a network file system ({kind}), where SQLite loses data: "
                "set FORMWARDEN_STORE_URL to a local disk"
            )
        refuse_flawed(apsw.sqlite_lib_version())
        with locked(self._lock_path, self._patience) as lock:
            if os.path.islink(self.plan.path):  # noqa: PTH114 - as the others here
                raise StoreError(
                    f"the store {Path(self.plan.path).name} has become a link: put the file itself there, or restart "
                    "the site with its place in FORMWARDEN_STORE_URL"
                )
            note = os.pread(lock, NOTE_BYTES, 0)
            files = files_at(self.plan.path)
            if belongs_elsewhere(note, files):
                self._part_from_log()
            elif files[1] is None and files[2] is not None:
                self._forget_index()
            try:
                connection = self._stand(warn=bool(note))
            except DAMAGED as damage:
                if not self.plan.rebuildable:
                    raise
                self._put_away(damage)
                connection = self._stand(warn=False)
            return self._noted(lock, connection)

    def another(self) -> Opened:
        """Open one more connection to a file that stands already."""
        with locked(self._lock_path, self._patience):
            return Opened(connection=self._connect(), files=files_at(self.plan.path))

    def rescue(self, opened: Opened) -> None:
        """Bring what the log still holds into its file, where nobody else will: log or file was taken away.

        Not where a log stands beside our file: either it is ours, or others have made a new one, which ours would
        spoil.
        """
        with locked(self._lock_path, self._patience):
            main, log, _ = files_at(self.plan.path)
            if main != opened.files[0] or log is None:
                with suppress(apsw.Error):
                    opened.connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)

    def close(self, connection: apsw.Connection) -> None:
        """Close a connection; the last one writes the log back and removes it, so openers must wait."""
        try:
            with locked(self._lock_path, self._patience):
                connection.close()
        except OSError:
            connection.close()  # the lock's directory is gone, or somebody hangs on it: no reason to stay open

    def set_aside(self, damaged: Files, damage: Exception) -> None:
        """Rename a damaged file away, unless another process has done so already."""
        with locked(self._lock_path, self._patience):
            if files_at(self.plan.path)[0] == damaged[0]:
                self._put_away(damage)

    def are_at(self, files: Files) -> bool:
        """Say whether the path still names these files."""
        return files_at(self.plan.path) == files

    @property
    def _lock_path(self) -> str:
        return f"{self.plan.path}.lock"

    def _noted(self, lock: int, connection: apsw.Connection) -> Opened:
        """Write into the lock file what stands here: a missing store is worth a warning, a foreign log a rescue."""
        try:
            files = files_at(self.plan.path)
            os.pwrite(lock, written(files).ljust(NOTE_BYTES), 0)
        except BaseException:
            connection.close()
            raise
        return Opened(connection=connection, files=files)

    def _forget_index(self) -> None:
        """Remove the index of a log that was taken away: it would be laid over the new one."""
        Path(f"{self.plan.path}{MEMORY}").unlink(missing_ok=True)
        why = "the log beside it was taken away; if it was in use, its last moments may be gone"
        self._faults.count("store log", why)

    def _part_from_log(self) -> None:
        """Rename the log of a file that stood here before, and forget its shared memory."""
        name = f"{self.plan.path}{LOG}.replaced"
        Path(f"{self.plan.path}{LOG}").replace(name)
        Path(f"{self.plan.path}{MEMORY}").unlink(missing_ok=True)
        why = f"another file stands in its place; the last changes of the one before may be in {Path(name).name}"
        self._faults.count("store replaced", why)

    def _stand(self, *, warn: bool) -> apsw.Connection:
        """Make the file if need be, connect and migrate."""
        if self._make_private() and warn:
            self._faults.count("store made anew", f"{Path(self.plan.path).name} was gone; a new one stands there")
        connection = self._connect()
        try:
            migrate(connection, migrations(self.plan.kind), self._patience)
        except BaseException:
            connection.close()
            raise
        return connection

    def _put_away(self, damage: Exception) -> None:
        self._faults.count(
            "store rebuilt", f"{type(damage).__name__}: the counters were damaged and begin at nothing"
        )
        Path(self.plan.path).replace(f"{self.plan.path}.damaged")
        for rest in (LOG, MEMORY):
            Path(f"{self.plan.path}{rest}").unlink(missing_ok=True)

    def _make_private(self) -> bool:
        """Make an empty file that only its owner may read; False: it stands already.

        Never opens a file that stands: closing it again would drop SQLite's own locks in this process
        (howtocorrupt.html, 2.2).
        """
        try:
            os.close(os.open(self.plan.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
        except FileExistsError:
            return False
        return True

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(self.plan.path, flags=apsw.SQLITE_OPEN_READWRITE, statementcachesize=STATEMENTS)
        try:
            self._patience.until_free(partial(self._prepare, connection), BUSY)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: apsw.Connection) -> None:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a new file; a file that stands keeps its own
        mode: str = connection.execute("PRAGMA journal_mode = WAL").get
        if mode != "wal":
            raise StoreError("the store's file system cannot share memory: set FORMWARDEN_STORE_URL to a local disk")
        connection.execute(f"PRAGMA synchronous = {self.plan.synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_LIMIT}")
        connection.execute(f"PRAGMA secure_delete = {int(self.plan.secure_delete)}")
        connection.execute("PRAGMA trusted_schema = 0")
