"""The resolver port over a table, and checkers that ask it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.clock import Clock
from tests.clock import MovableClock

V4: Final = "192.175.48.1"
V6: Final = "2620:4f:8000::1"


class PlayedResolver:
    """The resolver port over a table; what is not in it does not exist.

    The canary's questions are answered at once and counted apart; None stands for silence.
    """

    def __init__(
        self,
        table: Mapping[tuple[str, str], DnsAnswer],
        *,
        clock: MovableClock | None = None,
        held: Iterable[str] = (),
    ) -> None:
        self.table = dict(table)
        self.held = set(held)  # record types that are never answered
        self.asked: Counter[tuple[str, str]] = Counter()
        self.timeouts: list[float] = []
        self.gate: asyncio.Event | None = None
        self.slow: Mapping[str, float] = {}
        self._clock = clock
        self.canaries: list[str] = []
        self.canary: DnsAnswer | None = DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True)

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        if name.endswith(".invalid"):
            self.canaries.append(name)
            return self.canary or DnsAnswer(rcode=Rcode.TIMEOUT)
        self.asked[name, rdtype] += 1
        self.timeouts.append(timeout_s)
        if self.gate is not None:
            await self.gate.wait()
        if rdtype in self.held:
            await asyncio.Event().wait()
        if self._clock is not None:
            self._clock.move(min(self.slow.get(rdtype, 0.0), timeout_s))
        return self.table.get((name, rdtype), DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True))


def checker(
    resolver: Resolver, clock: Clock, *, own: frozenset[str] = frozenset(), settings: Address | None = None
) -> AddressChecker:
    return AddressChecker(resolver, settings=settings or Address(), suffixes=Suffixes(), clock=clock, own_domains=own)


def mx(host: str) -> DnsAnswer:
    return DnsAnswer(rcode=Rcode.OK, records=((10, host),), ttl_s=300)


def a(text: str = V4) -> DnsAnswer:
    return DnsAnswer(rcode=Rcode.OK, records=((0, text),), ttl_s=300)


GOOD: Final = {("shop.co.jp", "MX"): mx("mx.shop.co.jp"), ("mx.shop.co.jp", "A"): a()}


async def until(ready: Callable[[], bool]) -> None:
    """Let the others run until it is so."""
    for _ in range(10_000):
        if ready():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never was")
