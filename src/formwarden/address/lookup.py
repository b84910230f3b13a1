"""One domain being asked: what has come so far can be judged at any time."""

import asyncio
from typing import Final

from formwarden.address.outcomes import HostAnswers, Outcome, hosts_to_ask, judge
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.clock import Clock

LATE: Final = DnsAnswer(rcode=Rcode.TIMEOUT)


class LookUp:
    """The questions about one domain, all within one time, and their answers as they come."""

    def __init__(self, domain: str, registrable: str, resolver: Resolver, clock: Clock, *, seconds: float) -> None:
        self.domain = domain
        self.registrable = registrable
        self._resolver = resolver
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self._answers: dict[tuple[str, str], DnsAnswer] = {}

    async def ask(self) -> Outcome:
        """Ask everything that decides."""
        await self._question(self.domain, "MX")
        names = hosts_to_ask(self.domain, self._answer(self.domain, "MX"))
        await asyncio.gather(*(self._question(name, rdtype) for name in names for rdtype in ("A", "AAAA")))
        return self.so_far()

    def so_far(self) -> Outcome:
        """Judge what is known; whoever has not answered yet counts as silent."""
        mx = self._answer(self.domain, "MX")
        hosts = {
            name: HostAnswers(a=self._answer(name, "A"), aaaa=self._answer(name, "AAAA"))
            for name in hosts_to_ask(self.domain, mx)
        }
        return judge(self.domain, mx, hosts)

    def _answer(self, name: str, rdtype: str) -> DnsAnswer:
        return self._answers.get((name, rdtype), LATE)

    async def _question(self, name: str, rdtype: str) -> None:
        """Ask within what is left; what came before it is kept."""
        left_s = self._end - self._clock.monotonic()
        if left_s <= 0:
            return
        try:
            async with asyncio.timeout(left_s):
                self._answers[name, rdtype] = await self._resolver.resolve(name, rdtype, timeout_s=left_s)
        except TimeoutError:
            return
