"""The SQLite store: a durable file for ledger and inquiries, a volatile one for counters."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.runs import Run, TaskState
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.counters import SqliteCounters
from formwarden.stores.sqlite.counters_purging import purge_counters
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.inquiries import SqliteInquiries
from formwarden.stores.sqlite.leases import SqliteLeases
from formwarden.stores.sqlite.ledger import SqliteLedger
from formwarden.stores.sqlite.measures import SqliteMeasures
from formwarden.stores.sqlite.mounts import Mounts, system_mounts
from formwarden.stores.sqlite.plans import durable_plan, volatile_plan
from formwarden.stores.sqlite.purging import purge_kept
from formwarden.stores.sqlite.room import Room
from formwarden.stores.sqlite.statistics import SqliteStatistics
from formwarden.stores.sqlite.telling import SqliteTelling
from formwarden.stores.sqlite.writer import Surroundings

KEY_BYTES: Final = 32
COUNTERS_SHARE: Final = 4  # one in so many of the things a purge may erase
KEYS_KNOWN_S: Final = 1.0  # a rotation hands its key out for reading at least this long before it writes under it
Step = Callable[[apsw.Connection, float, int], int]
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
        self._clock = clock
        self._entropy = entropy
        self._settings = settings
        durable, volatile = durable_plan(path), volatile_plan(path)
        self._durable = SqliteFile(durable, surroundings)
        self._volatile = SqliteFile(volatile, surroundings)
        self._counters = SqliteCounters(self._volatile, clock, settings.counters_bytes)
        self._room = Room(settings.store_bytes, faults)
        self._ledger = SqliteLedger(self._durable, clock)
        self._measures = SqliteMeasures(self._durable, clock)
        self._inquiries = SqliteInquiries(self._durable, clock, self._room)
        self._telling = SqliteTelling(self._durable, clock)
        self._leases = SqliteLeases(self._durable, clock)
        self._statistics = SqliteStatistics(Path(durable.path), Path(volatile.path), clock=clock, mounts=mounts)
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
    def measures(self) -> SqliteMeasures:
        """What limits grow and shrink by."""
        return self._measures

    @property
    def inquiries(self) -> SqliteInquiries:
        """The owner's side."""
        return self._inquiries

    @property
    def telling(self) -> SqliteTelling:
        """What the staff is told of many inquiries at once."""
        return self._telling

    @property
    def statistics(self) -> SqliteStatistics:
        """Figures of what stands here."""
        return self._statistics

    async def health(self) -> str | None:
        """Say what is wrong and the remedy; None: well. Never raises."""
        for file in (self._durable, self._volatile):
            try:
                await file.write(_well)
            except StoreError as error:
                return str(error)
        return None

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things: whose time is over, and what must go from a store that is nearly full.

        Return how many; more than none: there may be more. A quarter is the counters', whatever floods the rest.
        """
        erased = await self._purge(self._durable, self._purge_durable, limit - limit // COUNTERS_SHARE)
        return erased + await self._purge(self._volatile, purge_counters, limit - erased)

    def _purge_durable(self, connection: apsw.Connection, now: float, limit: int) -> int:
        erased = purge_kept(connection, now, limit, settings=self._settings)
        return erased + self._room.relieve(connection, now, limit - erased)

    async def lease(self, task: str, holder: str, /, *, seconds: float, run: Run | None = None) -> bool:
        """Take or renew the lease of a periodic task; False: another holder has it."""
        return await self._leases.lease(task, holder, seconds, run)

    async def release(self, holder: str, runs: Mapping[str, Run], /) -> None:
        """End every lease of this holder, who tells the last runs that he has not told."""
        await self._leases.release(holder, runs)

    async def tasks(self) -> Mapping[str, TaskState]:
        """Return where each periodic task stands that was ever leased."""
        return await self._leases.tasks()

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
    """Write what stands there already: a disk that is full may still be read."""
    schema: int = connection.execute("PRAGMA user_version").get
    connection.execute(f"PRAGMA user_version = {schema}")
