"""Addresses: one domain at once, many domains, a known one, servers that never answer, and invented names."""

import asyncio
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import Final, Self

import dns.asyncresolver
import dns.nameserver
import dns.resolver
from email_validator import validate_email

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from bench.slow_dns import SlowDns, slow_dns
from formwarden.address.dns_resolver import parse_servers
from formwarden.address.report import AddressReport, CacheState, Status
from formwarden.address.resolvers import resolver_for
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.address.verify import AddressChecker
from formwarden.clock import SystemClock

ONE_DOMAIN: Final = 500  # submissions at once
DOMAINS: Final = 300
DELAY_S: Final = 0.02
THREADS: Final = 50
AT_ONCE: Final = 50
HITS: Final = 5_000
TARPITS: Final = 40  # submissions at once, each of a domain whose server says nothing
LATE_MS: Final = 50  # of the deadline
STALL_MS: Final = 20
INVENTED: Final = 20_000
HOT: Final = 50
GROWTH_MIB: Final = 5


def same_domain(rounds: int, say: Say) -> list[Row]:
    """Count the MX questions of many submissions with one domain that come at the same time."""
    return asyncio.run(_same_domain(rounds, say))


def many_domains(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure addresses a second against a slow name server, beside email-validator's own check."""
    return asyncio.run(_many_domains(rounds, say, max(AT_ONCE, int(DOMAINS * share))))


def known_domain(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure an address whose domain is known, beside a dict and the syntax check."""
    return asyncio.run(_known_domain(rounds, say, max(1, int(HITS * share))))


def tarpits(rounds: int, say: Say) -> list[Row]:
    """Measure how long submissions wait, and the event loop stalls, where name servers say nothing."""
    return asyncio.run(_tarpits(rounds, say))


def invented(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure what invented names leave behind, and whether they push out what is in use."""
    return asyncio.run(_invented(rounds, say, max(1, int(INVENTED * share))))


async def _same_domain(rounds: int, say: Say) -> list[Row]:
    measured = []
    with slow_dns(0.001) as server:
        cached = dns.asyncresolver.Resolver(configure=False)
        cached.nameservers, cached.cache = _nameservers(server), dns.resolver.LRUCache()
        for number in range(1, rounds + 1):
            say(f"one domain, round {number} of {rounds}")
            domain = f"one-{number}.played"
            await asyncio.gather(*(cached.resolve(domain, "MX") for _ in range(ONE_DOMAIN)))
            beside = server.asked()["MX"]
            checker = await _checker(server)
            reports = await asyncio.gather(*(checker.verify(f"p{n}@{domain}") for n in range(ONE_DOMAIN)))
            _all_deliverable(reports)
            measured.append({"dnspython with its cache": float(beside), "formwarden": float(server.asked()["MX"])})
    goal = Goal(bound=1, of_figure=True)
    return rows_of(f"{ONE_DOMAIN} submissions of one domain", "MX questions", measured, goals={"formwarden": goal})


async def _many_domains(rounds: int, say: Say, domains: int) -> list[Row]:
    measured, names = [], (f"d{number}.played" for number in count())
    with slow_dns(DELAY_S) as server:
        for number in range(1, rounds + 1):
            say(f"many domains, round {number} of {rounds}")
            fresh = [[f"a@{next(names)}" for _ in range(domains)] for _ in range(4)]
            measured.append(
                {
                    "email-validator, one by one": _rate(fresh[0], server, threads=1),
                    f"email-validator, {THREADS} threads": _rate(fresh[1], server, threads=THREADS),
                    "formwarden": await _our_rate(fresh[2], server),
                    "formwarden, aiodns": await _our_rate(fresh[3], server, "aiodns"),
                }
            )
    what = f"{domains} domains, answers after {DELAY_S * 1000:.0f} ms"
    beside = [{site: figure for site, figure in each.items() if "one by one" not in site} for each in measured]
    goals = dict.fromkeys(("formwarden", "formwarden, aiodns"), Goal(bound=10, at_least=True))
    threads = dict.fromkeys(goals, Goal(bound=1, at_least=True))
    return [
        *rows_of(what, "addresses/s", measured, goals=goals),
        *rows_of(f"{what}, beside threads", "addresses/s", beside, goals=threads),
    ]


def _rate(addresses: list[str], server: SlowDns, *, threads: int) -> float:
    """Check with email-validator, which asks for MX alone."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = _nameservers(server)

    def check(address: str) -> None:
        validate_email(address, check_deliverability=True, dns_resolver=resolver)

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(check, addresses))
    return len(addresses) / (time.perf_counter() - started)


async def _our_rate(addresses: list[str], server: SlowDns, resolver: str = "dnspython") -> float:
    """Check with formwarden, which asks for MX and for the addresses of the hosts."""
    checker, waiting, reports = await _checker(server, resolver), iter(addresses), list[AddressReport]()

    async def check_some() -> None:
        for address in waiting:
            reports.append(await checker.verify(address))

    started = time.perf_counter()
    await asyncio.gather(*(check_some() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started
    _all_deliverable(reports)
    return len(addresses) / seconds


async def _known_domain(rounds: int, say: Say, hits: int) -> list[Row]:
    measured = []
    with slow_dns(0.0) as server:
        checker, suffixes = await _checker(server), Suffixes()
        await suffixes.load()
        report = await checker.verify("taro@known.played")
        known = {"known.played": report}
        for number in range(1, rounds + 1):
            say(f"known domain, round {number} of {rounds}")
            started = time.process_time()
            for n in range(hits):
                _ = known[check_syntax(f"p{n}@known.played", suffixes).domain or ""]
            bare = time.process_time() - started
            started = time.process_time()
            for n in range(hits):
                report = await checker.verify(f"q{n}@known.played")
            ours = time.process_time() - started
            _all_deliverable([report])
            measured.append({"a dict and the syntax check": bare / hits * 1e6, "formwarden": ours / hits * 1e6})
    return rows_of("address of a known domain", "µs of CPU", measured, goals={"formwarden": Goal(bound=5)})


async def _tarpits(rounds: int, say: Say) -> list[Row]:
    late, stalls, names = [], [], (f"silent-{number}.played" for number in count())
    with slow_dns(0.0) as server:
        for number in range(1, rounds + 1):
            say(f"tarpits, round {number} of {rounds}")
            checker = await _checker(server)
            async with _Watch() as watch:
                found = await asyncio.gather(*(checker.verify(f"a@{next(names)}") for _ in range(TARPITS)))
            if any(report.status is not Status.UNKNOWN for report in found):
                raise RuntimeError("a server that says nothing was believed to have said something")
            slowest = sorted(report.elapsed_ms for report in found)[int(TARPITS * 0.99)]
            late.append({"formwarden": slowest - Address().dns_deadline_s * 1000})
            stalls.append({"formwarden": watch.longest_ms})
    what = f"{TARPITS} silent domains at once"
    return [
        *rows_of(f"{what}: p99 behind the deadline", "ms", late, goals=_at_most(LATE_MS)),
        *rows_of(f"{what}: the event loop stalls", "ms", stalls, goals=_at_most(STALL_MS)),
    ]


class _Watch:
    """How long the event loop kept somebody waiting who was to wake every five milliseconds."""

    EVERY_S: Final = 0.005

    def __init__(self) -> None:
        self.longest_ms = 0.0

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + self.EVERY_S
            await asyncio.sleep(self.EVERY_S)
            self.longest_ms = max(self.longest_ms, (time.perf_counter() - due) * 1000)


async def _invented(rounds: int, say: Say, size: int) -> list[Row]:
    grown, survived, names = [], [], count()
    with slow_dns(0.0) as server:
        for number in range(1, rounds + 1):
            say(f"invented names, round {number} of {rounds}")
            checker = await _checker(server)
            hot = [f"a@hot-{number}-{n}.played" for n in range(HOT)]
            _all_deliverable(await asyncio.gather(*(checker.verify(address) for address in hot)))
            await _flood(checker, names, AT_ONCE * 4)  # whatever is made once is made
            tracemalloc.start()
            await _flood(checker, names, size)
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            reports = [await checker.verify(address) for address in hot]
            grown.append({"formwarden": held / 2**20})
            survived.append({"formwarden": float(sum(report.cache is CacheState.HIT for report in reports))})
    goal = Goal(bound=HOT, at_least=True, of_figure=True)
    return [
        *rows_of(f"{size:,} invented names: memory", "MiB", grown, goals=_at_most(GROWTH_MIB)),
        *rows_of(f"{size:,} invented names: of {HOT} hot ones", "known", survived, goals={"formwarden": goal}),
    ]


async def _flood(checker: AddressChecker, names: Iterator[int], size: int) -> None:
    addresses = (f"a@gone-{number}.played" for number in islice(names, size))

    async def check_some() -> None:
        for address in addresses:
            await checker.verify(address)

    await asyncio.gather(*(check_some() for _ in range(AT_ONCE)))


def _at_most(bound: float) -> dict[str, Goal]:
    return {"formwarden": Goal(bound=bound, of_figure=True)}


async def _checker(server: SlowDns, resolver_name: str = "dnspython") -> AddressChecker:
    settings = Address.model_validate({"dns_servers": server.address, "dns_resolver": resolver_name})
    resolver, suffixes = resolver_for(settings), Suffixes()
    await asyncio.gather(resolver.load(), suffixes.load())
    return AddressChecker(
        resolver, settings=settings, suffixes=suffixes, clock=SystemClock(), own_domains=frozenset()
    )


def _nameservers(server: SlowDns) -> list[str | dns.nameserver.Nameserver]:
    (where,) = parse_servers((server.address,))
    return [dns.nameserver.Do53Nameserver(where.address, where.port)]


def _all_deliverable(reports: list[AddressReport]) -> None:
    """Make sure that what was measured was done."""
    wrong = [report for report in reports if report.status is not Status.DELIVERABLE]
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {len(reports)} were not found: {wrong[0].reason}")
