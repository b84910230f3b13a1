"""One domain being asked: what has come so far can be judged at any time."""

import asyncio
from typing import Final

from formwarden.address.flights import Flight
from formwarden.address.hosts import LATE, HostLookUp, Hosts, answer_within
from formwarden.address.outcomes import HostAnswers, Outcome, hosts_to_ask, judge
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.clock import Clock

UNHEARD: Final = HostAnswers(a=LATE, aaaa=LATE)


class LookUp:
    """The questions about one domain, all within one time, and their answers as they come.

    Five at most: MX, and the addresses of two hosts; without MX also how the domain sends (SPF).
    """

    def __init__(
        self, domain: str, registrable: str, resolver: Resolver, clock: Clock, *, hosts: Hosts, seconds: float
    ) -> None:
        self.domain = domain
        self.registrable = registrable
        self._resolver = resolver
        self._clock = clock
        self._hosts = hosts
        self._end = clock.monotonic() + seconds
        self._mx = LATE
        self._txt = LATE
        self._known: dict[str, HostAnswers] = {}
        self._asking: dict[str, HostLookUp] = {}

    async def ask(self) -> Outcome:
        """Ask everything that decides."""
        self._mx = await self._answer("MX")
        if self._mx.rcode is Rcode.NODATA:
            await asyncio.gather(self._itself(), self._sending())
        else:
            names = hosts_to_ask(self.domain, self._mx)
            if len(names) > 1:
                await asyncio.gather(*map(self._target, names))
            elif names:
                await self._target(names[0])
        return self.so_far()

    def so_far(self) -> Outcome:
        """Judge what is known; whoever has not answered yet counts as silent."""
        asking = {name: host.so_far() for name, host in self._asking.items()}
        hosts = asking | self._known
        names = hosts_to_ask(self.domain, self._mx)
        return judge(self.domain, self._mx, {name: hosts.get(name, UNHEARD) for name in names}, self._txt)

    async def _target(self, name: str) -> None:
        """Ask for an MX host, or wait for who asks already; its look-up goes on for others when our time is over."""
        kept = self._hosts.kept(name)
        if kept is not None:
            self._known[name] = kept
            return
        joined = self._hosts.under_way(name)
        flight = joined or self._hosts.begin(name, end=self._end)
        if flight is not None and not await self._heard(name, flight):
            return
        if flight is None or (joined and self._known[name].a.rcode is Rcode.TIMEOUT):
            await self._host(name)  # there is no room for it, or whoever began it had less time than we have

    async def _heard(self, name: str, flight: Flight[HostLookUp, HostAnswers]) -> bool:
        """Wait for a look-up; False: our time was over first."""
        self._asking[name] = flight.subject
        done, _ = await asyncio.wait({flight.task}, timeout=max(0.0, self._end - self._clock.monotonic()))
        if done:
            self._known[name] = flight.task.result()
        return bool(done)

    async def _itself(self) -> None:
        await self._host(self.domain)

    async def _sending(self) -> None:
        self._txt = await self._answer("TXT")

    async def _host(self, name: str) -> None:
        """Ask for a host on our own; nothing of it is kept."""
        self._asking[name] = host = HostLookUp(name, self._resolver, self._clock, end=self._end)
        self._known[name] = await host.ask()

    async def _answer(self, rdtype: str) -> DnsAnswer:
        return await answer_within(self._resolver, self._clock, self.domain, rdtype, end=self._end)
