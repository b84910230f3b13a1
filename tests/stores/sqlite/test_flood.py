"""Somebody who invents keys, posts and bodies as fast as he can: what grows, what goes, how long a step takes."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.parts import PURGE_ROWS, PURGE_STEPS
from formwarden.stores.ports import Key, Observation, State
from formwarden.stores.retention import PURGE_STEP
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.work import Task, Work
from tests.clock import MovableClock
from tests.proof import Proof
from tests.soak import runs
from tests.stores.samples import DAY, HOUR, inquiry, key, send, spend, tally

pytestmark = [pytest.mark.anyio, pytest.mark.soak]
AT_ONCE = 200  # posts under way
KEYS = 12  # that one submission of a bot may invent: a nonce and its body, four subjects, six fingerprints
STEPS = 20_000  # of a purge: more is one that never ends
PATIENT_S = 20.0  # of a store whose disk others use too; how long a post waited is printed
COUNTERS = ("token", "token_body", "tally", "print")
LEDGER = ("inquiry", "body", "evictable", "reply", "spend", "outcome", "suppression")


def flooding(number: int) -> Observation:
    """All that can be invented, invented."""
    name = f"{number}"
    return Observation(
        nonce=key(f"nonce {name}"),
        networks=(key(f"network {name}"),),
        body=key(f"body {name}"),
        tallies=(
            tally(f"client {name}", window_s=600),
            replace(tally(f"network {name}"), coarse=True),
            tally(f"address {name}", window_s=DAY),
            replace(tally(f"domain {name}"), coarse=True),
            replace(tally("form"), coarse=True),
        ),
        prints=tuple(Key(key(f"print {print_number} {name}")) for print_number in range(6)),
    )


async def in_turns(total: int, one: Callable[[int], Awaitable[object]]) -> None:
    """Do so many, some at once, as a server's processes do."""
    for first in range(0, total, AT_ONCE):
        await asyncio.gather(*(one(number) for number in range(first, min(first + AT_ONCE, total))))


def rows(path: Path, tables: tuple[str, ...]) -> int:
    """Rows of these tables."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").get for table in tables)  # noqa: S608 - ours
    finally:
        connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """A purge until nothing is left to purge."""

    things: int
    times_ms: list[float]

    def figures(self) -> dict[str, object]:
        """What is printed of it; the longest waits for the disk, and for whoever else runs here."""
        return {
            "steps": len(self.times_ms),
            "median_step_ms": f"{statistics.median(self.times_ms):.1f}",
            "longest_step_ms": f"{max(self.times_ms):.1f}",
        }


async def purged(store: SqliteStore) -> Purged:
    """Purge step by step."""
    things, times_ms = 0, list[float]()
    for _ in range(STEPS):
        begun = time.perf_counter()
        erased = await store.purge(PURGE_STEP)
        times_ms.append((time.perf_counter() - begun) * 1_000)
        things += erased
        if not erased:
            return Purged(things=things, times_ms=times_ms)
    raise AssertionError("it never ends")


def opened(tmp_path: Path, clock: MovableClock, settings: Stores) -> SqliteStore:
    return SqliteStore(
        str(tmp_path / "store.db"), clock=clock, entropy=system_entropy, settings=settings, faults=Faults(clock)
    )


async def test_invented_keys_fill_their_half_of_the_counters_and_no_more(
    tmp_path: Path, clock: MovableClock, proof: Proof
) -> None:
    posts = runs(1_000, 90_000)
    bound = runs(786_432, 33_554_432)
    store = opened(tmp_path, clock, Stores(counters_bytes=bound))
    volatile = tmp_path / "store-volatile.db"
    known = Observation(
        nonce=None, networks=(), body=b"", tallies=(tally("honest", window_s=DAY),), prints=(b"text",)
    )
    await store.counters.observe(known)
    await in_turns(posts, lambda number: store.counters.observe(flooding(number)))
    seen = await store.counters.observe(known)
    assert (seen.counts, seen.seen) == ({key("honest"): 1}, {b"text": 1})
    assert (await store.counters.observe(flooding(0))).same_body, "a nonce of ours is remembered"
    form = await store.counters.observe(replace(known, tallies=(tally("form"),)))
    assert form.counts == {key("form"): posts}, "the coarsest key has counted every one"
    await store.aclose()
    full_rows, full_bytes = rows(volatile, COUNTERS), volatile.stat().st_size
    assert full_bytes <= bound * 1.1
    clock.move(8 * DAY)
    found = await purged(store)
    await store.aclose()
    proof(
        "invented keys: the counters stay within their bound, and go when their windows are over",
        keys_invented=posts * KEYS,
        bound_bytes=bound,
        bytes_when_full=full_bytes,
        rows_when_full=full_rows,
        rows_after=rows(volatile, COUNTERS),
        **found.figures(),
    )
    assert found.things > 0
    assert rows(volatile, COUNTERS) == 0


async def test_g23_rejected_posts_fill_the_store_to_its_bound_and_lose_nothing_below_eight_points(
    tmp_path: Path, clock: MovableClock, proof: Proof
) -> None:
    posts = runs(600, 40_000)
    bound = runs(1_048_576, 33_554_432)
    store = opened(tmp_path, clock, Stores(store_bytes=bound, store_deadline_s=PATIENT_S))
    facts = {"why": "x" * 1_000}
    body = b"y" * 2_000
    honest = [
        inquiry(f"honest {number}", state=State.HELD, score=6.0, received_at=clock.now()) for number in range(50)
    ]
    for each in honest:
        await store.inquiries.keep(each, lease_s=0)
    longest_ms = 0.0

    async def post(number: int) -> None:
        nonlocal longest_ms
        begun = time.perf_counter()
        bot = inquiry(number, state=State.REJECTED, score=20.0, body=body, facts=facts, received_at=clock.now())
        await store.inquiries.keep(bot, lease_s=0)
        await store.ledger.reserve(send(number, spend("SITE_RATE", "site", limit=15)))
        longest_ms = max(longest_ms, (time.perf_counter() - begun) * 1_000)

    await in_turns(posts, post)
    for each in honest:
        found = await store.inquiries.get(each.id)
        assert found is not None
        assert found.body == each.body
    await store.aclose()
    durable = tmp_path / "store.db"
    full_rows, full_bytes = rows(durable, ("inquiry",)), durable.stat().st_size
    assert full_bytes <= bound * 1.1, "inquiries stop at it; the rows of replies come on top"
    spent, outcomes = rows(durable, ("spend",)), rows(durable, ("outcome",))
    assert (spent, outcomes) == (15, 0), "what was not granted left no slot and no outcome"
    clock.move(91 * DAY)
    purge = await purged(store)
    await store.aclose()
    proof(
        "rejected posts: the store stays within its bound, below eight points nothing goes",
        posts=posts,
        bound_bytes=bound,
        bytes_when_full=full_bytes,
        inquiries_when_full=full_rows,
        rows_after=rows(durable, LEDGER),
        **purge.figures(),
        longest_wait_of_a_post_ms=f"{longest_ms:.1f}",
    )
    assert full_rows < posts
    assert rows(durable, LEDGER) == spent == 15, "the replies that still may leave"


async def test_large_bodies_are_erased_by_their_bytes(tmp_path: Path, clock: MovableClock, proof: Proof) -> None:
    bodies = runs(3, 30)
    size = runs(1_048_576, 10_485_760)
    store = opened(tmp_path, clock, Stores())
    for number in range(bodies):
        refused = inquiry(number, state=State.REFUSED, body=bytes(size), received_at=clock.now())
        await store.inquiries.keep(refused, lease_s=0)
    clock.move(HOUR)
    found = await purged(store)
    await store.aclose()
    assert found.things == bodies
    proof(
        "bodies of ten MiB: one of them is a step of its own",
        bodies=bodies,
        bytes_each=size,
        **found.figures(),
    )


async def test_the_purge_goes_on_while_there_is_more(tmp_path: Path, clock: MovableClock) -> None:
    store = opened(tmp_path, clock, Stores())
    posts = runs(2_000, 20_000)
    prints = tuple(key(f"{number}") for number in range(posts))
    await store.counters.observe(Observation(nonce=None, networks=(), body=b"", prints=prints))
    clock.move(8 * DAY)
    task = Task(name="purge", every_s=30.0, step=lambda: store.purge(PURGE_ROWS), most=PURGE_STEPS)
    work = Work((task,), store=store, holder="one", clock=clock, faults=Faults(clock))
    await work.run_once()
    await store.aclose()
    assert rows(tmp_path / "store-volatile.db", COUNTERS) == 0
    assert posts > PURGE_ROWS
