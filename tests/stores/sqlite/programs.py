"""What the processes of the process tests do; forked from one that opened nothing, or programs of their own."""

import asyncio
import ctypes
import os
import resource
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.ports import Decision, Growth
from formwarden.stores.ports import Queue as Waiting
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.mounts import system_mounts
from formwarden.stores.sqlite.opening import Opener
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.plans import durable_plan
from formwarden.stores.sqlite.store import SqliteStore
from tests.stores.samples import DAY, account, inquiry, observation, send, spend

WAIT_S = 60.0


def new_store(path: str, *, deadline_s: float = 20.0) -> SqliteStore:
    """A store as a worker process has it; patient, for test machines are slow."""
    clock = SystemClock()
    settings = Stores(store_deadline_s=deadline_s)
    return SqliteStore(path, clock=clock, entropy=system_entropy, settings=settings, faults=Faults(clock))


def open_together(folder: str, rounds: int, barrier: Barrier, told: "Queue[object]") -> None:
    """Open one absent file at the same moment as the others, round after round."""

    async def once(path: str) -> bytes:
        store = new_store(path)
        barrier.wait(WAIT_S)
        keys = await store.recipient_keys()
        await store.counters.observe(observation(None))
        await store.aclose()
        return keys[0]

    for number in range(rounds):
        try:
            told.put((number, asyncio.run(once(f"{folder}/{number}.db"))))
        except Exception as error:  # noqa: BLE001 - whatever it was, the test shows it
            told.put((number, repr(error)))


def reserve_together(
    paths: Sequence[str], name: int, limit: int, barrier: Barrier, told: "Queue[dict[str, int]]"
) -> None:
    """Race for one budget of each store, one store after the other."""

    async def race(path: str) -> int:
        store = new_store(path)
        await store.health()
        barrier.wait(WAIT_S)
        site = spend("SITE_RATE", "site", limit=limit, window_s=DAY)
        asked = (store.ledger.reserve(send(f"{name}/{number}", site)) for number in range(limit))
        got = await asyncio.gather(*asked)
        await store.aclose()
        return sum(reservation.decision is Decision.SEND for reservation in got)

    for path in paths:
        told.put({path: asyncio.run(race(path))})


def measure_together(
    paths: Sequence[str], name: int, growth: Growth, barrier: Barrier, told: "Queue[dict[str, int]]"
) -> None:
    """Race for the places of a half-open breaker, for those of the queue, and for what is allowed from now on."""

    async def race(path: str) -> dict[str, int]:
        store = new_store(path)
        await store.health()
        barrier.wait(WAIT_S)
        wait = Waiting(limit=10, until=store_clock.now() + DAY, check_s=60.0, score=0.5)
        full = spend("SITE_RATE", "site", limit=0, shared=True)
        other = [f"{name}/{number}" for number in range(5)]
        probes = (store.ledger.reserve(send(f"p{who}", account=account(who), probe=True)) for who in other)
        queue = (store.ledger.reserve(send(f"q{who}", full, queue=wait)) for who in other)
        got = await asyncio.gather(*probes, *queue)
        grown = await store.measures.grow(replace(growth, cap=growth.cap + 1 + name), after=growth, alarm="grown")
        await store.aclose()
        decisions = [reservation.decision for reservation in got]
        counts = {"probes": decisions.count(Decision.SEND), "queue": decisions.count(Decision.HOLD)}
        return {**counts, "grown": int(grown)}

    store_clock = SystemClock()
    for path in paths:
        told.put(asyncio.run(race(path)))


def migrate_together(folder: str, rounds: int, barrier: Barrier, told: "Queue[str]") -> None:
    """Open files of an older schema at the same moment as the others."""
    surroundings = Patience(WAIT_S, system_entropy), Faults(SystemClock())
    for number in range(rounds):
        plan = durable_plan(f"{folder}/{number}.db")
        opener = Opener(plan, mounts=system_mounts, patience=surroundings[0], faults=surroundings[1])
        barrier.wait(WAIT_S)
        try:
            opener.close(opener.open().connection)
            told.put("")
        except Exception as error:  # noqa: BLE001 - whatever it was, the test shows it
            told.put(repr(error))


async def keep_until_killed(path: str) -> None:
    """Keep inquiries and take slots, and say so after each; somebody will kill us."""
    store = new_store(path)
    site = spend("SITE_RATE", "site", limit=10_000, window_s=DAY)
    number = 0
    while True:
        names = range(number, number + 5)
        await asyncio.gather(
            *(store.inquiries.keep(inquiry(name, body=b"x" * 3000), lease_s=0) for name in names),
            *(store.ledger.reserve(send(name, site)) for name in names),
            *(store.counters.observe(observation(None, prints=(b"%d" % name,))) for name in names),
        )
        number += 5
        print(number, flush=True)  # noqa: T201 - the parent reads it


def fork_with_an_open_store(path: str) -> int:
    """Fork while the store is open and in use; parent and child go on, each with connections of its own."""
    store = new_store(path)

    async def use(name: str, *, close: bool) -> None:
        for number in range(20):
            assert await store.inquiries.keep(inquiry(f"{name} {number}"), lease_s=0) is None
            await store.counters.observe(observation(None))
        if close:
            await store.aclose()

    asyncio.run(use("before", close=False))
    busy = threading.Thread(target=asyncio.run, args=(use("busy", close=False),))
    busy.start()
    child = os.fork()
    if child == 0:
        asyncio.run(use("child", close=True))
        os._exit(0)
    asyncio.run(use("parent", close=False))
    busy.join()
    asyncio.run(store.aclose())
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork_behind_pythons_back(path: str) -> int:
    """Fork as C programs do, without telling Python; the child must not touch the file."""
    store = new_store(path)
    asyncio.run(_keep(store, "before"))
    child = ctypes.PyDLL(None).fork()
    if child == 0:
        try:
            asyncio.run(_keep(store, "child"))
        except StoreError as error:
            os._exit(7 if "lazy-apps" in str(error) else 1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    asyncio.run(_keep(store, "parent"))
    return code


async def _keep(store: SqliteStore, name: str) -> None:
    await store.inquiries.keep(inquiry(name), lease_s=0)


async def fill_the_disk(path: str) -> None:
    """Meet the limit of a file's size, which is what a full disk looks like, and come back when there is room."""
    store = new_store(path)
    await store.inquiries.keep(inquiry("before"), lease_s=0)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    kept = 0
    try:
        while True:
            await store.inquiries.keep(inquiry(kept, body=b"x" * 20_000), lease_s=0)
            kept += 1
    except StoreError as error:
        print(error)  # noqa: T201 - the test reads it
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await asyncio.sleep(1.1)  # the store of a real process has a real clock
    await store.inquiries.keep(inquiry("after"), lease_s=0)
    for name in ("before", *range(kept), "after"):
        assert await store.inquiries.get(f"submission {name}".encode()) is not None, name
    assert await store.inquiries.get(f"submission {kept}".encode()) is None, "it was refused, so nothing of it stands"
    print(f"kept {kept}")  # noqa: T201 - the test reads it
    await store.aclose()


async def be_denied(path: str) -> None:
    """Meet rights that somebody has set, say what the store says, set them right, and go on."""
    store = new_store(path)
    try:
        await store.inquiries.keep(inquiry("denied"), lease_s=0)
    except StoreError as error:
        print(error)  # noqa: T201 - the test reads it
    assert await store.health() is not None
    Path(path).parent.chmod(0o700)
    for file in Path(path).parent.iterdir():
        file.chmod(0o600)
    await asyncio.sleep(1.1)  # the store of a real process has a real clock
    await store.inquiries.keep(inquiry("kept"), lease_s=0)
    assert await store.inquiries.get(b"submission denied") is None
    assert await store.health() is None
    await store.aclose()


async def obey(path: str) -> None:
    """Keep one inquiry for each line that comes, of the size it asks for, and say how that went."""
    store = new_store(path)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).split():
        try:
            await store.inquiries.keep(inquiry(line[0].decode(), body=b"x" * int(line[1])), lease_s=0)
            print("kept", flush=True)  # noqa: T201 - the test reads it
        except StoreError as error:
            print(error, flush=True)  # noqa: T201 - the test reads it
    await store.aclose()


async def leave_it_open(path: str) -> None:
    """End without closing."""
    await new_store(path).inquiries.keep(inquiry(1), lease_s=0)


def main(program: str, path: str) -> int:
    """Run one of these by name."""
    forking = {"fork": fork_with_an_open_store, "c-fork": fork_behind_pythons_back}
    if program in forking:
        return forking[program](path)
    programs = {
        "denied": be_denied,
        "fill": fill_the_disk,
        "keep": keep_until_killed,
        "leave": leave_it_open,
        "obey": obey,
    }
    asyncio.run(programs[program](path))
    return 0


if __name__ == "__main__":
    assert Path(sys.argv[2]).parent.is_dir()
    sys.exit(main(sys.argv[1], sys.argv[2]))
