"""The SQLite store: a durable file for ledger and inquiries, a volatile one for counters."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.counters import SqliteCounters, purge_counters
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.inquiries import SqliteInquiries
from formwarden.stores.sqlite.ledger import SqliteLedger
from formwarden.stores.sqlite.mounts import Mounts, system_mounts
from formwarden.stores.sqlite.opening import Plan
from formwarden.stores.sqlite.purging import purge_kept
from formwarden.stores.sqlite.writer import Surroundings

KEY_BYTES: Final = 32
KEYS_KNOWN_S: Final = 1.0  # a rotation hands its key out for reading at least this long before it writes under it
Step = Callable[[apsw.Connection, float, int], int]
LEASED: Final = "SELECT holder, until, seconds FROM lease WHERE task = ?"
LEASE: Final = "INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)"
KEYS: Final = "SELECT key FROM recipient_key ORDER BY n DESC"


class SqliteStore:
    """One machine, any number of processes. Nothing is opened before the first call."""

    def __init__(
        self,
        path: str,
        *,
        clock: Clock,
        entropy: Entropy,
        settings: Stores,
        faults: Faults,
        mounts: Mounts = system_mounts,
    ) -> None:
        surroundings = Surroundings(
            clock=clock, entropy=entropy, faults=faults, mounts=mounts, deadline_s=settings.store_deadline_s
        )
        durable = Path(path).absolute()
        volatile = durable.with_name(f"{durable.stem}-volatile{durable.suffix}")
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        self._durable = SqliteFile(
            Plan(path=str(durable), kind="durable", synchronous="FULL", secure_delete=True, rebuildable=False),
            surroundings,
        )
        self._volatile = SqliteFile(
            Plan(path=str(volatile), kind="volatile", synchronous="OFF", secure_delete=False, rebuildable=True),
            surroundings,
        )
        self._counters = SqliteCounters(self._volatile, clock)
        self._ledger = SqliteLedger(self._durable, clock)
        self._inquiries = SqliteInquiries(self._durable, clock)
        self._known: tuple[tuple[bytes, ...], object, float] | None = None

    @property
    def counters(self) -> SqliteCounters:
        """The judging side."""
        return self._counters

    @property
    def ledger(self) -> SqliteLedger:
        """The sending side."""
        return self._ledger

    @property
    def inquiries(self) -> SqliteInquiries:
        """The owner's side."""
        return self._inquiries

    async def health(self) -> str | None:
        """Say what is wrong and the remedy; None: well. Never raises."""
        for file in (self._durable, self._volatile):
            try:
                await file.write(_well)
            except StoreError as error:
                return str(error)
        return None

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things whose time is over; return how many."""
        erased = await self._purge(self._durable, partial(purge_kept, settings=self._settings), limit)
        return erased + await self._purge(self._volatile, purge_counters, limit - erased)

    async def lease(self, task: str, holder: str, /, *, seconds: float) -> bool:
        """Take or renew the lease of a periodic task; False: another holder has it."""

        def lease(connection: apsw.Connection) -> bool:
            now = self._clock.now()
            standing: tuple[str, float, float] | None = connection.execute(LEASED, (task,)).get
            if standing is not None:
                other, until, taken_for = standing
                if other != holder and now < until <= now + taken_for:  # beyond it a corrected clock has left it
                    return False
            connection.execute(LEASE, (task, holder, now + seconds, seconds))
            return True

        return await self._durable.write(lease)

    async def recipient_keys(self) -> Sequence[bytes]:
        """Return the keys of recipient hashes, newest first; the first is made when it is first asked for (G20).

        They are remembered for a second of one opening: a backup put in the file's place has others.
        """
        opening = self._durable.opening
        if self._known is not None:
            keys, known_of, until = self._known
            if known_of == opening and self._clock.monotonic() < until:
                return keys
        keys = await self._read_keys()
        if self._durable.opening == opening:  # at the first call it has just been opened: the next one remembers
            self._known = keys, opening, self._clock.monotonic() + KEYS_KNOWN_S
        return keys

    async def _read_keys(self) -> tuple[bytes, ...]:

        def recipient_keys(connection: apsw.Connection) -> tuple[bytes, ...]:
            keys = tuple(row[0] for row in connection.execute(KEYS))
            if not keys:
                keys = (self._entropy(KEY_BYTES),)
                row = (keys[0], self._clock.now())
                connection.execute("INSERT INTO recipient_key (key, made_at) VALUES (?, ?)", row)
            return keys

        return await self._durable.write(recipient_keys)

    async def aclose(self) -> None:
        """Close; may be opened again by the next call."""
        await self._durable.aclose()
        await self._volatile.aclose()

    async def _purge(self, file: SqliteFile, step: Step, limit: int) -> int:
        """Erase in transactions of `PURGE_STEP`, so that others get the write lock between them."""
        erased = 0
        while erased < limit:
            size = min(PURGE_STEP, limit - erased)
            done = await file.write(partial(self._step, step, size))
            erased += done
            if done < size:
                break
        return erased

    def _step(self, step: Step, size: int, connection: apsw.Connection) -> int:
        return step(connection, self._clock.now(), size)


def _well(connection: apsw.Connection) -> None:
    """Do nothing, having been given the write lock."""
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
