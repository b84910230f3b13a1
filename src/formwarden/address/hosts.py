"""Addresses of MX hosts, kept by host: many domains share a few, and each is asked once for all of them."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.cache import FIRST_FAILURE_S, NEGATIVE_S, POSITIVE_S
from formwarden.address.flights import Flight, Flights
from formwarden.address.outcomes import HostAnswers, Target, has_global, target_of
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.clock import Clock
from formwarden.forks import Lock

MAX_HOSTS: Final = 1_024  # at most 2 MB; one that is pushed out costs a question, so one segment is enough
MOST_RECORDS: Final = 16  # of a host that is kept: an answer may hold thousands
LATE: Final = DnsAnswer(rcode=Rcode.TIMEOUT)


async def answer_within(resolver: Resolver, clock: Clock, name: str, rdtype: str, *, end: float) -> DnsAnswer:
    """Ask one question within what is left until then."""
    left_s = end - clock.monotonic()
    if left_s <= 0:
        return LATE
    try:
        async with asyncio.timeout(left_s):
            return await resolver.resolve(name, rdtype, timeout_s=left_s)
    except TimeoutError:
        return LATE


class HostLookUp:
    """One host being asked: what has come so far can be judged at any time."""

    def __init__(self, name: str, resolver: Resolver, clock: Clock, *, end: float) -> None:
        self.name = name
        self._resolver = resolver
        self._clock = clock
        self._end = end
        self._a = self._aaaa = LATE

    async def ask(self) -> HostAnswers:
        """Ask for IPv4, and for IPv6 only where that does not settle it."""
        self._a = await self._answer("A")
        if not has_global(self._a):
            self._aaaa = await self._answer("AAAA")
        return self.so_far()

    def so_far(self) -> HostAnswers:
        """Return what is known; who has not answered yet counts as silent."""
        return HostAnswers(a=self._a, aaaa=None if has_global(self._a) else self._aaaa)

    async def _answer(self, rdtype: str) -> DnsAnswer:
        return await answer_within(self._resolver, self._clock, self.name, rdtype, end=self._end)


@dataclass(frozen=True, slots=True)
class _Kept:
    answers: HostAnswers
    until: float  # by the monotonic clock


class Hosts:
    """Bounded; loses the host unused for longest. Safe to use from several threads.

    `limit`: hosts that are asked at once.
    """

    def __init__(self, resolver: Resolver, clock: Clock, *, limit: int) -> None:
        self._resolver = resolver
        self._clock = clock
        self._limit = limit
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._flights = Flights[HostLookUp, HostAnswers](self._fly)
        self._lock = Lock()

    def kept(self, name: str) -> HostAnswers | None:
        """Return what is remembered of a host, with the time that is left of it."""
        now = self._clock.monotonic()
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept.until <= now:
                return None
            self._kept.move_to_end(name)
        a, aaaa = kept.answers.a, kept.answers.aaaa
        left_s = kept.until - now
        return HostAnswers(a=replace(a, ttl_s=left_s), aaaa=None if aaaa is None else replace(aaaa, ttl_s=left_s))

    def under_way(self, name: str) -> Flight[HostLookUp, HostAnswers] | None:
        """Return the look-up of a host in the running loop, if there is one; its time is that of who began it."""
        return self._flights.under_way(name)

    def begin(self, name: str, *, end: float) -> Flight[HostLookUp, HostAnswers] | None:
        """Look up a host in the running loop; None where one more would be too many."""
        return self._flights.join(name, self._limit, HostLookUp(name, self._resolver, self._clock, end=end))

    def __len__(self) -> int:
        return len(self._kept)

    async def _fly(self, look_up: HostLookUp) -> HostAnswers:
        answers = await look_up.ask()
        if sum(len(answer.records) for answer in answers.both) <= MOST_RECORDS:
            until = self._clock.monotonic() + _keep_s(answers)
            with self._lock:
                self._kept[look_up.name] = _Kept(answers, until)
                self._kept.move_to_end(look_up.name)
                while len(self._kept) > MAX_HOSTS:
                    self._kept.popitem(last=False)
        return answers


def _keep_s(answers: HostAnswers) -> float:
    """Keep it as long as a verdict; a failure for moments (RFC 9520)."""
    target = target_of(answers)
    if target is Target.UNKNOWN:
        return FIRST_FAILURE_S
    least, most = POSITIVE_S if target is Target.GLOBAL else NEGATIVE_S
    return min(max(min(answer.ttl_s for answer in answers.both), least), most)
