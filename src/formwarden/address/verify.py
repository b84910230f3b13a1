"""Whether mail to an address may arrive: syntax, then DNS under one deadline."""

import asyncio
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.breaker import Breaker
from formwarden.address.cache import DomainVerdict, VerdictCache
from formwarden.address.canary import Canary
from formwarden.address.canonical import canonical_key
from formwarden.address.caps import UniqueNames
from formwarden.address.disposable import Disposables
from formwarden.address.flights import Flight, Flights
from formwarden.address.hosts import Hosts
from formwarden.address.lookup import LookUp
from formwarden.address.outcomes import ASKED_TARGETS, WITHOUT_MX, Outcome, rewritten
from formwarden.address.providers import provider_of
from formwarden.address.report import AddressReport, CacheState, Flag, Reason, Status
from formwarden.address.resolver import Resolver
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.suggestion import still_meant
from formwarden.address.syntax import check_syntax
from formwarden.clock import Clock
from formwarden.entropy import Entropy, system_entropy
from formwarden.faults import Faults, bug

# Look-ups under way in one process: fifty unknown domains at once and some that go on behind their deadline. Each has
# three sockets at most, so all have 240 of the 1,024 files that a process may usually open.
SLOTS: Final = 80
KEPT_SLOTS: Final = SLOTS // 4  # for domains seen deliverable before (ruling G33)
NOT_CHECKED: Final = "dns not checked"  # the fault's name
# What a resolver does that is ill. A zone can be ill alike, so the breaker counts domains.
ILL: Final = frozenset({Reason.TIMEOUT, Reason.SERVFAIL, Reason.RESOLVER_REFUSED, Reason.DNS_ERROR})


@dataclass(frozen=True, slots=True)
class _Found:
    """What is known of a domain, and how."""

    verdict: DomainVerdict
    cache: CacheState


UNASKED: Final = _Found(DomainVerdict(outcome=Outcome(reason=Reason.NOT_CHECKED)), CacheState.NONE)


class AddressChecker:
    """Checks addresses; belongs to no event loop, and holds nothing but verdicts of domains and counts.

    `own_domains` are the site's, in small ASCII letters: they and what lies below are never asked (ruling G33).
    What was not asked, and why, is counted in `faults`.
    """

    def __init__(
        self,
        resolver: Resolver,
        *,
        settings: Address,
        suffixes: Suffixes,
        clock: Clock,
        own_domains: frozenset[str],
        faults: Faults | None = None,
        entropy: Entropy = system_entropy,
    ) -> None:
        self._resolver = resolver
        self._settings = settings
        self._suffixes = suffixes
        self._clock = clock
        self._own = own_domains
        self._disposables = Disposables(settings.disposable_allowed)
        self.faults = faults or Faults(clock)
        self._cache = VerdictCache(clock)
        self._flights = Flights[LookUp, DomainVerdict](self._ask)
        self._seconds = max(settings.dns_deadline_s, settings.dns_hard_stop_s)
        self._hosts = Hosts(resolver, clock, limit=SLOTS * ASKED_TARGETS)
        self._canary = Canary(resolver, clock, entropy, self.faults, changed=self._look_anew)
        self._breaker = Breaker(clock, self.faults)
        self._names = UniqueNames[str](clock, settings.dns_names_per_domain)
        self._clients = UniqueNames[bytes](clock, settings.dns_new_domains_per_client)

    async def load(self) -> None:
        """Read the lists that are slow to read, in threads, once."""
        await self._suffixes.load()
        await self._disposables.load()

    async def verify(
        self, raw: str, *, syntax: AddressReport | None = None, client: bytes | None = None
    ) -> AddressReport:
        """Report on one address; whatever ails the resolver makes it *unknown*, and nothing raises.

        `syntax`: what `check_syntax` said of it with the same suffixes, so that it is not parsed twice.
        `client`: whose network asks; None for what we ask ourselves, and for a client that is not known.
        """
        started = self._clock.monotonic()
        loaded = self._suffixes.loaded
        await self.load()
        known = self._marked(syntax if loaded and syntax is not None else check_syntax(raw, self._suffixes))
        # from here: the lists are read once a process, as a warden opens
        found = await self._find(known, client, self._clock.monotonic() + self._settings.dns_deadline_s)
        elapsed_ms = (self._clock.monotonic() - started) * 1000
        return replace(known, elapsed_ms=elapsed_ms) if found is None else _completed(known, found, elapsed_ms)

    def _marked(self, report: AddressReport) -> AddressReport:
        """Add what the text alone cannot tell: the site's own domains, and those of throw-away mailboxes."""
        if report.domain is None:
            return report
        if self._is_own(report.domain):  # whatever it looks like, it is no slip
            return replace(report, flags=report.flags | {Flag.OWN_DOMAIN}, suggestion=None)
        disposable = self._disposables.lists(report.domain)
        return replace(report, flags=report.flags | {Flag.DISPOSABLE}) if disposable else report

    async def _find(self, report: AddressReport, client: bytes | None, end: float) -> _Found | None:
        """Return what DNS says of the domain; None: it is not asked."""
        domain = report.domain
        if report.status is Status.INVALID or domain is None or self._is_own(domain):
            return None
        if self._settings.dns == "off":
            return None
        kept = self._cache.get(domain)
        if kept is not None:
            return _Found(kept, CacheState.HIT)
        stale = self._cache.stale(domain)
        if stale is None:
            return await self._look_up(domain, report.registrable or domain, client, end)
        if self._cache.refresh_due(domain):
            found = await self._look_up(domain, report.registrable or domain, client, end)
            if found.verdict.outcome.status is not Status.UNKNOWN:
                return found
        return _Found(stale, CacheState.STALE)  # RFC 8767: only when DNS does not say

    def _is_own(self, domain: str) -> bool:
        return any(domain == own or domain.endswith(f".{own}") for own in self._own)

    async def _look_up(self, domain: str, registrable: str, client: bytes | None, end: float) -> _Found:
        """Wait for a look-up until the deadline; it goes on without us, and fills the cache."""
        flight = self._flights.under_way(domain) or self._start(domain, registrable, client)
        if flight is None:
            return UNASKED
        # Waiting never cancels it: if the one who asked first goes away, the others still get their answer.
        done, _ = await asyncio.wait({flight.task}, timeout=max(0.0, end - self._clock.monotonic()))
        if done:
            return _Found(flight.task.result(), CacheState.MISS)
        outcome = flight.subject.so_far()
        self._breaker.note(registrable, failed=outcome.reason in ILL)
        return _Found(self._verdict(outcome), CacheState.MISS)

    def _start(self, domain: str, registrable: str, client: bytes | None) -> Flight[LookUp, DomainVerdict] | None:
        """Begin a look-up; None where it would exceed a bound, which is counted."""
        known = self._cache.seen_deliverable(domain)
        look_up = LookUp(domain, registrable, self._resolver, self._clock, hosts=self._hosts, seconds=self._seconds)
        why = "too many look-ups under way"
        # The network first: one that is over its share must use up no domain's names.
        if not known and client is not None and not self._clients.take(client, domain):
            why = "too many new domains from one network"
        elif not known and not self._names.take(registrable, domain):
            why = "too many names below one registrable domain"
        elif not self._breaker.allows(registrable):
            why = "the resolver fails"
        elif flight := self._flights.join(domain, SLOTS if known else SLOTS - KEPT_SLOTS, look_up):
            self._canary.look()
            return flight
        self.faults.remark(NOT_CHECKED, why)
        return None

    async def _ask(self, look_up: LookUp) -> DomainVerdict:
        try:
            outcome = await look_up.ask()
        except Exception as error:
            self.faults.count("dns", bug(error))  # perhaps nobody waits for it any more
            raise
        self._breaker.note(look_up.registrable, failed=outcome.reason in ILL)
        verdict = self._verdict(outcome)
        self._cache.put(look_up.domain, verdict)
        return verdict

    def _look_anew(self) -> None:
        """Forget what a resolver that invents answers made look like a domain without MX, and the reverse."""
        self._cache.drop(WITHOUT_MX | {Reason.RESOLVER_REWRITES})

    def _verdict(self, outcome: Outcome) -> DomainVerdict:
        if self._canary.rewrites:
            outcome = rewritten(outcome)
        return DomainVerdict(outcome=outcome, provider=provider_of(outcome.mx, self._suffixes))


def _completed(report: AddressReport, found: _Found, elapsed_ms: float) -> AddressReport:
    verdict, outcome = found.verdict, found.verdict.outcome
    local = (report.normalized or "").rpartition("@")[0]
    arrives = outcome.status is Status.DELIVERABLE
    return replace(
        report,
        status=outcome.status,
        reason=outcome.reason,
        flags=report.flags | outcome.flags,
        canonical=canonical_key(local, report.domain or "", verdict.provider),
        mx=outcome.mx,
        provider=verdict.provider,
        suggestion=still_meant(report.suggestion, report.domain or "") if arrives else report.suggestion,
        elapsed_ms=elapsed_ms,
        cache=found.cache,
    )
