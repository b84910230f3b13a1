"""Addresses: look-ups of one domain at once, of many domains, and of a domain that is known."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Final

import dns.asyncresolver
import dns.nameserver
import dns.resolver
from email_validator import validate_email

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from bench.slow_dns import SlowDns, slow_dns
from formwarden.address.dns_resolver import DnsResolver, parse_servers
from formwarden.address.report import AddressReport, Status
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.address.verify import KEPT_SLOTS, SLOTS, AddressChecker
from formwarden.clock import SystemClock

ONE_DOMAIN: Final = 500  # submissions at once
DOMAINS: Final = 300
DELAY_S: Final = 0.02
THREADS: Final = 50
AT_ONCE: Final = SLOTS - KEPT_SLOTS  # as many look-ups of unknown domains as a process has under way
HITS: Final = 5_000


def same_domain(rounds: int, say: Say) -> list[Row]:
    """Count the MX questions of many submissions with one domain that come at the same time."""
    return asyncio.run(_same_domain(rounds, say))


def many_domains(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure addresses a second against a slow name server, beside email-validator's own check."""
    return asyncio.run(_many_domains(rounds, say, max(AT_ONCE, int(DOMAINS * share))))


def known_domain(rounds: int, say: Say, *, share: float = 1.0) -> list[Row]:
    """Measure an address whose domain is known, beside a dict and the syntax check."""
    return asyncio.run(_known_domain(rounds, say, max(1, int(HITS * share))))


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
            fresh = [[f"a@{next(names)}" for _ in range(domains)] for _ in range(3)]
            measured.append(
                {
                    "email-validator, one by one": _rate(fresh[0], server, threads=1),
                    f"email-validator, {THREADS} threads": _rate(fresh[1], server, threads=THREADS),
                    "formwarden": await _our_rate(fresh[2], server),
                }
            )
    what = f"{domains} domains, answers after {DELAY_S * 1000:.0f} ms"
    beside = [{site: figure for site, figure in each.items() if "one by one" not in site} for each in measured]
    goals = {"formwarden": Goal(bound=10, at_least=True)}
    threads = {"formwarden": Goal(bound=1, at_least=True)}
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


async def _our_rate(addresses: list[str], server: SlowDns) -> float:
    """Check with formwarden, which asks for MX and for the addresses of the hosts."""
    checker, waiting, reports = await _checker(server), iter(addresses), list[AddressReport]()

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


async def _checker(server: SlowDns) -> AddressChecker:
    settings = Address(dns_servers=(server.address,))
    resolver, suffixes = DnsResolver(settings.dns_servers), Suffixes()
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
