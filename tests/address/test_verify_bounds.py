"""What one look-up may cost a visitor, the resolver and strangers' name servers."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from itertools import count

import pytest

from formwarden.address.breaker import LEAST, OPEN_S, Breaker
from formwarden.address.cache import STALE_S, DomainVerdict, VerdictCache
from formwarden.address.caps import WINDOW_S, UniqueNames
from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.outcomes import Outcome
from formwarden.address.report import CacheState, Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import NOT_CHECKED, SLOTS, AddressChecker
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import Misbehaviour, PlayedDns
from formwarden.faults import Faults
from tests.address.played_resolver import GOOD, PlayedResolver, a, checker, mx, until
from tests.clock import MovableClock
from tests.soak import runs

QUICK = Address(dns_deadline_s=0.05)
MIB = 1024 * 1024
NETWORK, OTHER = b"network", b"other network"


async def states(check: AddressChecker, *raws: str, client: bytes | None = None) -> list[tuple[Status, CacheState]]:
    reports = [await check.verify(raw, client=client) for raw in raws]
    return [(report.status, report.cache) for report in reports]


# ------------------------------------------------------------------ the deadline, and what goes on behind it
@pytest.mark.anyio
async def test_who_waited_gets_unknown_and_the_look_up_goes_on_and_decides_the_next_time() -> None:
    resolver = PlayedResolver(GOOD)
    resolver.gate = asyncio.Event()
    check = checker(resolver, SystemClock(), settings=QUICK)

    late = await check.verify("taro@shop.co.jp")
    again = await check.verify("taro@shop.co.jp")
    resolver.gate.set()
    await until(lambda: resolver.asked["mx.shop.co.jp", "A"] == 1)
    held = await check.verify("taro@shop.co.jp")

    for report in (late, again):
        assert (report.status, report.reason, report.cache) == (Status.UNKNOWN, Reason.TIMEOUT, CacheState.MISS)
        assert 50 <= report.elapsed_ms < 1000
    assert (held.status, held.provider) == (Status.DELIVERABLE, "shop.co.jp")
    assert resolver.asked["shop.co.jp", "MX"] == 1
    assert (await check.verify("taro@shop.co.jp")).cache is CacheState.HIT


@pytest.mark.anyio
async def test_who_waited_gets_what_is_known_by_then() -> None:
    resolver = PlayedResolver(GOOD, held={"A", "AAAA"})
    check = checker(resolver, SystemClock(), settings=QUICK)

    late = await check.verify("taro@shop.co.jp")
    resolver.held.remove("A")
    other = checker(resolver, SystemClock(), settings=QUICK)
    enough = await other.verify("taro@shop.co.jp")

    assert (late.status, late.reason) == (Status.UNKNOWN, Reason.MX_TARGET_UNKNOWN)
    assert late.mx == ((10, "mx.shop.co.jp"),)
    assert (enough.status, enough.reason) == (Status.DELIVERABLE, Reason.MX_OK)  # one good host is enough


@pytest.mark.anyio
async def test_the_look_up_behind_the_deadline_ends_at_the_hard_stop_and_is_kept_as_a_failure(
    clock: MovableClock,
) -> None:
    resolver = PlayedResolver(GOOD)
    resolver.gate = asyncio.Event()  # never set
    settings = Address(dns_deadline_s=0.02, dns_hard_stop_s=0.06)
    check = checker(resolver, clock, settings=settings)
    assert await states(check, "taro@shop.co.jp") == [(Status.UNKNOWN, CacheState.MISS)]
    assert resolver.timeouts == [pytest.approx(0.06)]

    for _ in range(1000):
        if (await check.verify("taro@shop.co.jp")).cache is CacheState.HIT:
            break
    assert await states(check, "taro@shop.co.jp") == [(Status.UNKNOWN, CacheState.HIT)]
    assert resolver.asked.total() == 1


@pytest.mark.anyio
async def test_a_hard_stop_before_the_deadline_is_the_deadline(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    await checker(resolver, clock, settings=Address(dns_deadline_s=3, dns_hard_stop_s=1)).verify("taro@shop.co.jp")

    assert max(resolver.timeouts) == pytest.approx(3.0)


@pytest.mark.anyio
async def test_a_slow_server_answers_behind_the_deadline_over_real_sockets() -> None:
    async with PlayedDns({"mx-ok.com": ["MX 10 mx.mx-ok.com."], "mx.mx-ok.com": ["A 192.175.48.1"]}) as dns:
        dns.misbehave("mx-ok.com", Misbehaviour.SILENT)
        check = checker(DnsResolver((dns.address,)), SystemClock(), settings=Address(dns_deadline_s=0.1))
        late = await check.verify("taro@mx-ok.com")
        dns.misbehave("mx-ok.com", None)  # it hears the second try
        reports = [late]
        for _ in range(40):
            reports.append(await check.verify("taro@mx-ok.com"))
            if reports[-1].status is Status.DELIVERABLE:
                break

    assert (late.status, late.reason) == (Status.UNKNOWN, Reason.TIMEOUT)
    assert reports[-1].status is Status.DELIVERABLE
    assert max(report.elapsed_ms for report in reports) < 1000


# ------------------------------------------------------------------ what is heard in part
@pytest.mark.anyio
async def test_where_spf_is_late_the_report_says_so_and_the_next_look_up_decides() -> None:
    nodata = DnsAnswer(rcode=Rcode.NODATA, soa=True)
    silent = DnsAnswer(rcode=Rcode.OK, records=((0, "v=spf1 -all"),), ttl_s=300)
    table = {("web.com", "MX"): nodata, ("web.com", "A"): a(), ("web.com", "TXT"): silent}
    resolver = PlayedResolver(table, held={"TXT"})
    clock = MovableClock()
    check = checker(resolver, clock, settings=Address(dns_deadline_s=0.02, dns_hard_stop_s=0.04))

    late = await check.verify("taro@web.com")
    kept = late
    for _ in range(1000):
        kept = await check.verify("taro@web.com")
        if kept.cache is CacheState.HIT:
            break
    resolver.held.clear()
    clock.move(5)
    renewed = await check.verify("taro@web.com")
    hit = await check.verify("taro@web.com")

    assert late.flags == kept.flags == {Flag.WEAK, Flag.SPF_UNKNOWN}
    assert (late.cache, kept.cache) == (CacheState.MISS, CacheState.HIT)
    assert renewed.flags == hit.flags == {Flag.WEAK, Flag.SPF_REJECT_ALL}
    assert hit.cache is CacheState.HIT


@pytest.mark.anyio
@pytest.mark.parametrize("rcode", [Rcode.SERVFAIL, Rcode.TIMEOUT, Rcode.TRUNCATED, Rcode.REFUSED, Rcode.BROKEN])
async def test_where_spf_cannot_be_heard_a_weak_verdict_says_so(rcode: Rcode, clock: MovableClock) -> None:
    nodata = DnsAnswer(rcode=Rcode.NODATA, soa=True)
    table = {("web.com", "MX"): nodata, ("web.com", "A"): a(), ("web.com", "TXT"): DnsAnswer(rcode=rcode)}

    report = await checker(PlayedResolver(table), clock).verify("taro@web.com")

    assert (report.status, report.reason) == (Status.DELIVERABLE, Reason.IMPLICIT_MX_A)
    assert report.flags == {Flag.WEAK, Flag.SPF_UNKNOWN}


# ------------------------------------------------------------------ stale
@pytest.mark.anyio
async def test_a_good_verdict_past_its_time_is_renewed_by_one_look_up_for_all(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock)
    await check.verify("taro@shop.co.jp")
    clock.move(300)

    renewed = await asyncio.gather(*(states(check, "taro@shop.co.jp") for _ in range(5)))

    assert renewed == [[(Status.DELIVERABLE, CacheState.MISS)]] * 5
    assert resolver.asked["shop.co.jp", "MX"] == 2
    assert await states(check, "taro@shop.co.jp") == [(Status.DELIVERABLE, CacheState.HIT)]


@pytest.mark.anyio
async def test_a_good_verdict_past_its_time_is_used_where_its_renewal_is_late(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock, settings=QUICK)
    await check.verify("taro@shop.co.jp")
    clock.move(300)
    resolver.gate = asyncio.Event()

    assert await states(check, *["taro@shop.co.jp"] * 2) == [(Status.DELIVERABLE, CacheState.STALE)] * 2
    resolver.gate.set()
    await until(lambda: resolver.asked["mx.shop.co.jp", "A"] == 2)
    assert await states(check, "taro@shop.co.jp") == [(Status.DELIVERABLE, CacheState.HIT)]
    assert resolver.asked["shop.co.jp", "MX"] == 2


@pytest.mark.anyio
async def test_a_stale_verdict_outlasts_failures_for_a_day_and_a_no_ends_it(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock)
    await check.verify("taro@shop.co.jp")
    resolver.table["shop.co.jp", "MX"] = DnsAnswer(rcode=Rcode.SERVFAIL)
    clock.move(300)
    for asked in range(2, 12):  # the back-off is over each time
        assert await states(check, "taro@shop.co.jp") == [(Status.DELIVERABLE, CacheState.STALE)]
        await settle()
        assert resolver.asked["shop.co.jp", "MX"] == asked
        assert await states(check, "taro@shop.co.jp") == [(Status.DELIVERABLE, CacheState.STALE)]
        clock.move(300)
    del resolver.table["shop.co.jp", "MX"]
    await check.verify("taro@shop.co.jp")
    await settle()
    assert await states(check, "taro@shop.co.jp") == [(Status.UNDELIVERABLE, CacheState.HIT)]


@pytest.mark.anyio
async def test_after_a_day_a_stale_verdict_is_used_no_more(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock)
    await check.verify("taro@shop.co.jp")
    resolver.table["shop.co.jp", "MX"] = DnsAnswer(rcode=Rcode.SERVFAIL)
    clock.move(300 + STALE_S)

    assert await states(check, "taro@shop.co.jp") == [(Status.UNKNOWN, CacheState.MISS)]


# ------------------------------------------------------------------ caps
@pytest.mark.anyio
async def test_names_invented_below_one_domain_are_asked_a_few_times_only(clock: MovableClock) -> None:
    resolver = PlayedResolver({})
    check = checker(resolver, clock)
    names = [f"taro@{number}.victim.co.jp" for number in range(20)]

    reports = [await check.verify(name) for name in names]

    assert [report.reason for report in reports] == [Reason.NXDOMAIN] * 5 + [Reason.NOT_CHECKED] * 15
    assert {report.cache for report in reports[5:]} == {CacheState.NONE}
    assert len(resolver.asked) == 5
    assert check.faults.of(NOT_CHECKED) == 15
    assert (await check.verify("taro@other.co.jp")).reason is Reason.NXDOMAIN
    clock.move(WINDOW_S)
    assert (await check.verify(names[-1])).reason is Reason.NXDOMAIN


@pytest.mark.anyio
async def test_one_network_brings_a_few_new_domains_and_known_ones_without_end(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock)
    await check.verify("taro@shop.co.jp")

    reports = [await check.verify(f"taro@invented-{number}.com", client=NETWORK) for number in range(10)]

    assert [report.reason for report in reports] == [Reason.NXDOMAIN] * 6 + [Reason.NOT_CHECKED] * 4
    assert check.faults.of(NOT_CHECKED) == 4
    assert (await check.verify("taro@shop.co.jp", client=NETWORK)).cache is CacheState.HIT
    clock.move(300 + STALE_S)  # nothing of it is kept but that it was good
    for number in range(6):
        await check.verify(f"taro@more-{number}.com", client=NETWORK)
    assert (await check.verify("taro@shop.co.jp", client=NETWORK)).status is Status.DELIVERABLE
    for client in (OTHER, None):
        assert (await check.verify("taro@invented-9.com", client=client)).reason is Reason.NXDOMAIN


@pytest.mark.anyio
async def test_a_network_over_its_share_uses_up_no_domains_names(clock: MovableClock) -> None:
    check = checker(PlayedResolver({}), clock)
    for number in range(6):
        await check.verify(f"taro@invented-{number}.com", client=NETWORK)
    for number in range(20):
        await check.verify(f"taro@{number}.victim.co.jp", client=NETWORK)

    assert (await check.verify("taro@mail.victim.co.jp", client=OTHER)).reason is Reason.NXDOMAIN


@pytest.mark.anyio
async def test_the_caps_are_settings(clock: MovableClock) -> None:
    settings = Address(dns_names_per_domain=7, dns_new_domains_per_client=9)
    check = checker(PlayedResolver({}), clock, settings=settings)

    below = [await check.verify(f"taro@{number}.victim.com") for number in range(8)]
    other = [await check.verify(f"taro@{number}.com", client=NETWORK) for number in range(10)]

    assert [report.reason for report in below].count(Reason.NOT_CHECKED) == 1
    assert [report.reason for report in other].count(Reason.NOT_CHECKED) == 1


@pytest.mark.anyio
async def test_look_ups_that_nobody_waits_for_any_more_are_under_way_too() -> None:
    resolver = PlayedResolver(GOOD)
    resolver.gate = asyncio.Event()  # never set
    check = checker(resolver, SystemClock(), settings=Address(dns_deadline_s=0.01))
    reports = [await check.verify(f"taro@invented-{number}.com") for number in range(LEAST - 1)]
    reports += await asyncio.gather(*(check.verify(f"taro@more-{number}.com") for number in range(SLOTS)))

    assert [report.reason for report in reports].count(Reason.TIMEOUT) == SLOTS * 3 // 4


# ------------------------------------------------------------------ the breaker
@pytest.mark.anyio
async def test_nobody_waits_for_a_resolver_that_never_answers() -> None:
    clock = MovableClock()
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock, settings=Address(dns_deadline_s=0.02))
    await check.verify("taro@shop.co.jp")
    clock.move(300)
    resolver.gate = asyncio.Event()
    for number in range(LEAST):
        assert (await check.verify(f"taro@{number}.com")).reason is Reason.TIMEOUT
    await settle()
    asked = resolver.asked.total()

    for number in range(100):
        assert (await check.verify(f"taro@more-{number}.com")).reason is Reason.NOT_CHECKED
    assert await states(check, "taro@shop.co.jp") == [(Status.DELIVERABLE, CacheState.STALE)]
    assert resolver.asked.total() == asked
    assert check.faults.of(NOT_CHECKED) == 101
    assert check.faults.of("dns breaker") == 1

    resolver.gate.set()
    clock.move(OPEN_S)
    assert (await check.verify("taro@gone.com")).reason is Reason.NXDOMAIN
    assert (await check.verify("taro@more-0.com")).reason is Reason.NXDOMAIN


@pytest.mark.anyio
@pytest.mark.parametrize("rcode", [Rcode.SERVFAIL, Rcode.TIMEOUT, Rcode.REFUSED, Rcode.BROKEN])
async def test_one_domain_that_fails_never_opens_the_breaker_and_many_do(clock: MovableClock, rcode: Rcode) -> None:
    ill = DnsAnswer(rcode=rcode)
    one = PlayedResolver({(f"{number}.dead.com", "MX"): ill for number in range(100)})
    check = checker(one, clock, settings=Address(dns_names_per_domain=1000))
    for number in range(100):
        assert (await check.verify(f"taro@{number}.dead.com")).status is Status.UNKNOWN
    assert (await check.verify("taro@gone.com")).reason is Reason.NXDOMAIN

    many = checker(PlayedResolver({(f"{number}.com", "MX"): ill for number in range(100)}), clock)
    reasons = [(await many.verify(f"taro@{number}.com")).reason for number in range(100)]
    assert reasons.count(Reason.NOT_CHECKED) == 100 - LEAST


@pytest.mark.anyio
async def test_zones_with_wrong_signatures_and_loops_are_not_the_resolvers_illness(clock: MovableClock) -> None:
    bogus = DnsAnswer(rcode=Rcode.SERVFAIL, extended_error=6)
    answers = dict.fromkeys(range(50), bogus) | dict.fromkeys(range(50, 100), DnsAnswer(rcode=Rcode.CNAME_CHAIN))
    check = checker(PlayedResolver({(f"{number}.com", "MX"): each for number, each in answers.items()}), clock)
    for number in range(100):
        await check.verify(f"taro@{number}.com")

    assert (await check.verify("taro@gone.com")).reason is Reason.NXDOMAIN


# ------------------------------------------------------------------ floods
class Forgetful(PlayedResolver):
    """Answers and remembers nothing, so that only the checker's own memory grows."""

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        assert timeout_s > 0
        return self.table.get((name, rdtype)) or DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True, ttl_s=900)


def test_what_is_remembered_of_twenty_thousand_invented_names_is_little(clock: MovableClock) -> None:
    cache, breaker = VerdictCache(clock), Breaker(clock, Faults(clock))
    names, clients = UniqueNames[str](clock, 5), UniqueNames[bytes](clock, 6)
    tracemalloc.start()
    for number in range(20_000):
        name = f"a-name-that-somebody-invented-{number}.com"
        assert names.take(name, name)
        assert clients.take(number.to_bytes(32, "big"), name)
        breaker.note(name, failed=False)
        cache.put(name, DomainVerdict(outcome=Outcome(reason=Reason.NXDOMAIN, ttl_s=number)))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 5 * MIB


@pytest.mark.anyio
@pytest.mark.soak
async def test_thousands_of_invented_names_cost_little_memory_and_no_hot_verdict(clock: MovableClock) -> None:
    hot = [f"shop-{number}.co.jp" for number in range(50)]
    table = {("mx.host.net", "A"): a()} | {(name, "MX"): mx("mx.host.net") for name in hot}
    check = checker(Forgetful(table), clock)
    for name in hot:
        await check.verify(f"taro@{name}")
    names: Iterator[int] = count()

    async def flood(size: int) -> None:
        for number in (next(names) for _ in range(size)):
            await check.verify(f"taro@invented-{number}.com", client=number.to_bytes(4, "big"))

    await flood(50)
    tracemalloc.start()
    await flood(runs(500, 20_000))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert grown < 5 * MIB
    assert await states(check, *(f"taro@{name}" for name in hot)) == [(Status.DELIVERABLE, CacheState.HIT)] * 50


@pytest.mark.anyio
async def test_what_is_not_asked_has_no_cache_state(clock: MovableClock) -> None:
    off = checker(PlayedResolver(GOOD), clock, settings=Address(dns="off"))
    own = checker(PlayedResolver(GOOD), clock, own=frozenset({"shop.co.jp"}))

    assert await states(off, "taro@shop.co.jp", "no address") == [
        (Status.UNKNOWN, CacheState.NONE),
        (Status.INVALID, CacheState.NONE),
    ]
    assert await states(own, "taro@shop.co.jp") == [(Status.UNKNOWN, CacheState.NONE)]


@pytest.mark.anyio
async def test_a_resolver_with_a_bug_is_counted_also_where_nobody_waits(clock: MovableClock) -> None:
    class Broken(PlayedResolver):
        async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
            await super().resolve(name, rdtype, timeout_s=timeout_s)
            raise RuntimeError("taro")

    resolver = Broken({})
    resolver.gate = asyncio.Event()
    check = AddressChecker(resolver, settings=QUICK, suffixes=Suffixes(), clock=clock, own_domains=frozenset[str]())
    assert (await check.verify("taro@shop.co.jp")).reason is Reason.TIMEOUT
    resolver.gate.set()
    await settle()

    (fault,) = check.faults.all()
    assert fault.what == "dns"
    assert fault.why.startswith("RuntimeError at ")


async def settle() -> None:
    """Let everything that can go on without time go on."""
    for _ in range(50):
        await asyncio.sleep(0)
