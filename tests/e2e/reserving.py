"""One of several processes that reserve replies on one file as fast as they can; prints how many were granted."""

import asyncio
import sys
import time
from collections import Counter
from random import Random

from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Account, Decision, Key, ReplyRequest, Spend
from formwarden.stores.settings import Stores

WINDOWS = {
    "address": (3_600.0, 1),
    "client": (0.5, 3),
    "network": (1.0, 6),
    "domain": (1.0, 5),
    "provider": (0.5, 9),
    "form": (1.0, 16),
    "site": (2.0, 25),
}
"""Seven budgets whose windows slide while the processes race: seconds, replies."""
OF_A_KIND = {"address": 400, "client": 40, "network": 12, "domain": 16, "provider": 3, "form": 2, "site": 1}
AT_ONCE = 8


def key(kind: str, number: int) -> Key:
    """Name a subject."""
    return Key(f"\x01{kind:<9}{number:06d}".encode())


def request(random: Random, own: bytes) -> ReplyRequest:
    """Ask for one reply to somebody out of a small crowd."""
    drawn = {kind: key(kind, random.randrange(many)) for kind, many in OF_A_KIND.items()}
    spends = tuple(
        Spend(budget=kind, keys=(drawn[kind],), window_s=window_s, limit=limit)
        for kind, (window_s, limit) in WINDOWS.items()
    )
    return ReplyRequest(
        reply_id=own,
        submission_id=own[::-1],
        decision=Decision.SEND,
        code="OK",
        spends=spends,
        account=Account(recipient=(drawn["address"],), provider=drawn["provider"], site=drawn["site"]),
    )


async def _main(url: str, process: int, seconds: float) -> None:
    clock = SystemClock()
    store = open_store(url, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))
    random = Random(process)  # noqa: S311 - whoever races is drawn
    codes = Counter[str]()
    await store.health()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()  # until all are
    start = time.time()
    numbers = iter(range(1_000_000))

    async def some() -> None:
        while time.time() < start + seconds:
            own = b"%04d%012d" % (process, next(numbers))
            codes[(await store.ledger.reserve(request(random, own))).code] += 1

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    await store.aclose()
    sys.stdout.write(f"{codes['OK']} {sum(codes.values())}\n")


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
