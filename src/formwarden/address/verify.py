"""Whether mail to an address may arrive: syntax, then DNS under one deadline."""

import asyncio
from dataclasses import replace
from typing import Final

from formwarden.address.cache import DomainVerdict, VerdictCache
from formwarden.address.canonical import canonical_key
from formwarden.address.flights import Flights
from formwarden.address.outcomes import HostAnswers, Outcome, hosts_to_ask, judge
from formwarden.address.providers import provider_of
from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.clock import Clock

SLOTS: Final = 32  # look-ups under way in one process
KEPT_SLOTS: Final = SLOTS // 4  # for domains seen deliverable before (ruling G33)
LATE: Final = DnsAnswer(rcode=Rcode.TIMEOUT)
UNASKED: Final = DomainVerdict(outcome=Outcome(reason=Reason.NOT_CHECKED))


class AddressChecker:
    """Checks addresses; belongs to no event loop, and holds nothing but verdicts of domains.

    `own_domains` are the site's, in small ASCII letters: they and what lies below are never asked (ruling G33).
    """

    def __init__(
        self,
        resolver: Resolver,
        *,
        settings: Address,
        suffixes: Suffixes,
        clock: Clock,
        own_domains: frozenset[str],
    ) -> None:
        self._resolver = resolver
        self._settings = settings
        self._suffixes = suffixes
        self._clock = clock
        self._own = own_domains
        self._cache = VerdictCache(clock)
        self._flights = Flights[DomainVerdict]()

    async def verify(self, raw: str, *, syntax: AddressReport | None = None) -> AddressReport:
        """Report on one address; whatever ails the resolver makes it *unknown*, and nothing raises.

        `syntax`: what `check_syntax` said of it with the same suffixes, so that it is not parsed twice.
        """
        started = self._clock.monotonic()
        loaded = self._suffixes.loaded
        await self._suffixes.load()
        known = syntax if loaded and syntax is not None else check_syntax(raw, self._suffixes)
        verdict = await self._verdict(known)
        elapsed_ms = (self._clock.monotonic() - started) * 1000
        if verdict is not None:
            return _completed(known, verdict, elapsed_ms)
        own = known.domain is not None and self._is_own(known.domain)
        return replace(known, flags=known.flags | {Flag.OWN_DOMAIN} if own else known.flags, elapsed_ms=elapsed_ms)

    async def _verdict(self, report: AddressReport) -> DomainVerdict | None:
        """Return what DNS says of the domain; None: it is not asked."""
        domain = report.domain
        if report.status is Status.INVALID or domain is None or self._is_own(domain):
            return None
        if self._settings.dns == "off":
            return None
        return self._cache.get(domain) or await self._look_up(domain)

    def _is_own(self, domain: str) -> bool:
        return any(domain == own or domain.endswith(f".{own}") for own in self._own)

    async def _look_up(self, domain: str) -> DomainVerdict:
        limit = SLOTS if self._cache.seen_deliverable(domain) else SLOTS - KEPT_SLOTS
        flight = self._flights.join(domain, limit, lambda: self._ask(domain))
        # Shielded: if the one who asked first goes away, the others still get their answer.
        return UNASKED if flight is None else await asyncio.shield(flight)

    async def _ask(self, domain: str) -> DomainVerdict:
        end = self._clock.monotonic() + self._settings.dns_deadline_s
        mx = await self._question(domain, "MX", end)
        names = hosts_to_ask(domain, mx)
        pairs = [self._question(name, rdtype, end) for name in names for rdtype in ("A", "AAAA")]
        answers = await asyncio.gather(*pairs)
        hosts = {
            name: HostAnswers(a=a, aaaa=aaaa)
            for name, a, aaaa in zip(names, answers[::2], answers[1::2], strict=True)
        }
        outcome = judge(domain, mx, hosts)
        verdict = DomainVerdict(outcome=outcome, provider=provider_of(outcome.mx, self._suffixes))
        self._cache.put(domain, verdict)
        return verdict

    async def _question(self, name: str, rdtype: str, end: float) -> DnsAnswer:
        """Ask within what is left of the one deadline; what came before it is kept."""
        left_s = end - self._clock.monotonic()
        if left_s <= 0:
            return LATE
        try:
            async with asyncio.timeout(left_s):
                return await self._resolver.resolve(name, rdtype, timeout_s=left_s)
        except TimeoutError:
            return LATE


def _completed(report: AddressReport, verdict: DomainVerdict, elapsed_ms: float) -> AddressReport:
    outcome = verdict.outcome
    local = (report.normalized or "").rpartition("@")[0]
    return replace(
        report,
        status=outcome.status,
        reason=outcome.reason,
        flags=report.flags | outcome.flags,
        canonical=canonical_key(local, report.domain or "", verdict.provider),
        mx=outcome.mx,
        provider=verdict.provider,
        elapsed_ms=elapsed_ms,
    )
