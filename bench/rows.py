"""The durable file with few rows and with many: the gate's step, and the owner's first page."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import apsw

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from bench.requests import Requests
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.ports import Decision, Key, Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore

FEW: Final = 100_000
MANY: Final = 10_000_000
STEPS: Final = 100  # a round
GOAL: Final = Goal(bound=1.5)
BYTES_A_ROW: Final = 600  # of disk, in all tables and indexes; as much again while it is filled
FILL_CACHE_KIB: Final = 4_194_304  # ids are random: their index is filled in memory
PAGE: Final = 50
# N inquiries over ninety days, each with a reply; every seventh row of a budget; a suppression for each hundredth.
FILL: Final = (
    """
    INSERT INTO inquiry (id, receipt, form, state, received_at, changed_at, lease_until, score, hits, evidence, facts,
        content_type, clear, staff, staff_note, staff_at, note)
    SELECT randomblob(16), printf('%08X', value), 'contact',
        CASE value % 20 WHEN 0 THEN 'held' WHEN 1 THEN 'rejected' ELSE 'done' END,
        :now - 7776000.0 + 7776000.0 * value / :n, :now - 7776000.0 + 7776000.0 * value / :n, 0.0, value % 50 / 10.0,
        '{"no_script":2.0,"free_provider":0.5}', '{}', '{"language":"en","address":"deliverable"}',
        'application/x-www-form-urlencoded', 0, 'sent', '', 0.0, ''
    FROM numbers
    """,
    """
    INSERT INTO body SELECT n, zeroblob(1000) FROM inquiry WHERE n > :n - 1000
    """,
    """
    INSERT INTO reply (id, submission, state, code, created_at, attempts)
    SELECT randomblob(17), id, CASE n % 5 WHEN 0 THEN 'suppressed' ELSE 'sent' END,
        CASE n % 5 WHEN 0 THEN 'SITE_RATE' ELSE 'OK' END, received_at, 1
    FROM inquiry
    """,
    """
    INSERT INTO spend SELECT randomblob(17), :now - 2592000.0 + 2592000.0 * value / :n, value FROM numbers
    """,
    """
    INSERT INTO suppression SELECT randomblob(17), 'HARD', NULL FROM numbers WHERE value % 100 = 0
    """,
)
NUMBERS: Final = """
WITH RECURSIVE numbers (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < :n)
"""
INDEXES: Final = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
Step = Callable[[], Awaitable[None]]


class Pace(SystemClock):
    """A date that goes on with the requests: at the machine's own the budgets were spent within a round."""

    def __init__(self) -> None:
        self.at = time.time()

    def now(self) -> float:
        """Return when the last request was made."""
        return self.at


def compared(rounds: int, say: Say, *, few: int = FEW, many: int = MANY, steps: int = STEPS) -> list[Row]:
    """Measure the same steps in a file of `few` rows and in one of `many`."""
    with TemporaryDirectory(prefix="formwarden-bench-") as folder:
        free = shutil.disk_usage(folder).free
        if free < 2 * BYTES_A_ROW * many:
            say(f"rows: left out: {2 * BYTES_A_ROW * many / 1e9:.0f} GB of disk are needed (--rows for fewer)")
            return []
        return asyncio.run(_compared(Path(folder), rounds, say, (few, many), steps))


async def _compared(folder: Path, rounds: int, say: Say, sizes: tuple[int, int], steps: int) -> list[Row]:
    async with AsyncExitStack() as stack:
        stores: dict[str, Store] = {}
        requests = Requests(start=time.time())
        clock = Pace()
        for size in sizes:
            started = time.monotonic()
            store = _store(folder / f"{size}.db", clock)
            await store.recipient_keys()  # makes and migrates the file
            await store.aclose()
            _fill(folder / f"{size}.db", size)
            say(f"rows: {size:,} filled in {time.monotonic() - started:.0f} s")
            stores[f"{size:,} rows"] = store
            stack.push_async_callback(store.aclose)
        gate, page = [], []
        for number in range(rounds + 1):
            say(f"rows, round {number} of {rounds}")
            gate.append(await _in_turns({n: _gate(s, requests, clock) for n, s in stores.items()}, number, steps))
            page.append(await _in_turns({n: _page(s) for n, s in stores.items()}, number, steps))
    goals = {list(stores)[-1]: GOAL}
    return [
        *rows_of("gate: reputation and reservation", "µs", gate[1:], goals=goals),
        *rows_of(f"first page of /warden/, {PAGE} inquiries", "µs", page[1:], goals=goals),
    ]


async def _in_turns(sides: Mapping[str, Step], number: int, steps: int) -> dict[str, float]:
    """Take single steps in turns, so that what disturbs one disturbs the other; return medians."""
    waits: dict[str, list[float]] = {name: [] for name in sides}
    for step in range(steps):
        for name in sorted(sides, reverse=bool((number + step) % 2)):
            started = time.perf_counter()
            await sides[name]()
            waits[name].append((time.perf_counter() - started) * 1e6)
    return {name: median(waits[name]) for name in sides}


def _gate(store: Store, requests: Requests, clock: Pace) -> Step:
    async def step() -> None:
        request, clock.at = requests.next()
        subjects = (*request.subjects, *(Key(b"\x01w%d" % each + request.reply_id) for each in range(4)))
        await store.ledger.reputation(subjects)
        granted = await store.ledger.reserve(request)
        if granted.decision is not Decision.SEND:
            raise RuntimeError(f"a reservation was refused: {granted.code}")

    return step


def _page(store: Store) -> Step:
    async def step() -> None:
        page = await store.inquiries.find((), limit=PAGE)
        await store.ledger.replies([row.id for row in page.rows])

    return step


def _store(path: Path, clock: Pace) -> SqliteStore:
    return SqliteStore(str(path), clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))


def _fill(path: Path, size: int) -> None:
    """Fill the tables by SQL; secondary indexes are made afterwards, by sorting."""
    connection = apsw.Connection(str(path))
    for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{FILL_CACHE_KIB}", "temp_store = FILE"):
        connection.execute(f"PRAGMA {pragma}")
    indexes = list(connection.execute(INDEXES))
    with connection:
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        for statement in FILL:
            connection.execute(NUMBERS + statement, {"n": size, "now": time.time()}, can_cache=False)
        for _, sql in indexes:
            connection.execute(sql)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
