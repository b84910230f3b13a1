"""One of several processes that count submissions at a pace; prints how long each waited, in milliseconds."""

import asyncio
import json
import sys
import time
from typing import Final

from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Counters, Key, Observation, Tally
from formwarden.stores.settings import Stores

A_SECOND: Final = 500
WARM: Final = 100  # calls before: opening, and what is loaded at first use
TALLIES: Final = (("client", 600.0, 1), ("network", 3_600.0, 1), ("address", 86_400.0, 2), ("domain", 3_600.0, 1))
"""What a first inquiry is counted by: its scope, its window, and under how many days' keys; and the form, shared."""
PRINTS: Final = 6


def observation(process: int, number: int) -> Observation:
    """Return what one submission leaves: a nonce, five tallies, fingerprints of the text."""
    own = b"%04d%012d" % (process, number)
    tallies = [
        Tally(keys=tuple(Key(b"%d%.1s" % (day, scope.encode()) + own) for day in range(days)), window_s=window_s)
        for scope, window_s, days in TALLIES
    ]
    return Observation(
        nonce=own,
        networks=(Key(b"\x01" + own), Key(b"\x02" + own)),
        body=own,
        tallies=(*tallies, Tally(keys=(Key(b"\x01form"),), window_s=3_600.0)),
        prints=tuple(b"%d" % part + own[1:] for part in range(PRINTS)),
    )


async def _paced(counters: Counters, process: int, start: float, seconds: int) -> list[float]:
    waits: list[float] = []

    async def one(number: int) -> None:
        began = time.perf_counter()
        await counters.observe(observation(process, number))
        waits.append((time.perf_counter() - began) * 1e3)

    for number in range(WARM):
        await one(-1 - number)
    waits.clear()
    async with asyncio.TaskGroup() as running:  # a slow one keeps nobody from beginning
        for number in range(A_SECOND * seconds):
            ahead = start + (number + process / 4) / A_SECOND - time.time()
            if ahead > 0:
                await asyncio.sleep(ahead)
            running.create_task(one(number))
    return waits


async def _main(path: str, start: float, seconds: int, process: int) -> None:
    clock = SystemClock()
    store = open_store(
        f"sqlite:///{path}", clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock)
    )
    waits = await _paced(store.counters, process, start, seconds)
    await store.aclose()
    print(json.dumps(waits))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
