"""Row 27: a resolver that answers for names that do not exist, in process and over real sockets."""

import asyncio

import pytest

from formwarden.address.canary import EVERY_S, FAULT, UNANSWERED_S, WHILE_REWRITING_S
from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.report import AddressReport, CacheState, Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.address.settings import Address
from formwarden.clock import SystemClock
from formwarden.testing import FakeDNS
from tests.address.played_resolver import GOOD, V4, V6, PlayedResolver, a, checker, until
from tests.clock import MovableClock

NODATA = DnsAnswer(rcode=Rcode.NODATA, soa=True)
WITHOUT_MX = (  # what rows 3 to 6 are made of
    {("web.com", "A"): a()},
    {("web.com", "A"): NODATA, ("web.com", "AAAA"): a(V6)},
    {("web.com", "A"): a("10.0.0.1"), ("web.com", "AAAA"): NODATA},
    {("web.com", "A"): NODATA, ("web.com", "AAAA"): NODATA},
)


def zone(table: dict[tuple[str, str], DnsAnswer]) -> PlayedResolver:
    return PlayedResolver(GOOD | {("web.com", "MX"): NODATA} | table)


@pytest.mark.anyio
@pytest.mark.parametrize("table", WITHOUT_MX, ids=["row 3", "row 4", "row 5", "row 6"])
async def test_row_27_whatever_is_without_mx_is_unknown_while_the_canary_is_answered(
    table: dict[tuple[str, str], DnsAnswer], clock: MovableClock
) -> None:
    resolver = zone(table)
    check = checker(resolver, clock)
    honest = await check.verify("taro@web.com")
    resolver.canary = a()
    clock.move(EVERY_S)
    await check.verify("taro@gone.com")
    await until(lambda: check.faults.of(FAULT) == 1)

    report = await check.verify("taro@web.com")

    assert honest.status is not Status.UNKNOWN
    assert (report.status, report.reason, report.mx) == (Status.UNKNOWN, Reason.RESOLVER_REWRITES, ())
    assert report.cache is CacheState.MISS  # what was found before is believed no more
    assert not report.flags & {Flag.WEAK, Flag.SPF_REJECT_ALL}
    assert (await check.verify("taro@shop.co.jp")).status is Status.DELIVERABLE
    assert (await check.verify("taro@gone.com")).reason is Reason.NXDOMAIN


@pytest.mark.anyio
async def test_row_27_ends_when_the_canary_does_not_exist_again(clock: MovableClock) -> None:
    resolver = zone(WITHOUT_MX[0])
    resolver.canary = a()
    check = checker(resolver, clock)
    await check.verify("taro@shop.co.jp")
    await until(lambda: check.faults.of(FAULT) == 1)
    assert (await check.verify("taro@web.com")).reason is Reason.RESOLVER_REWRITES

    resolver.canary = DnsAnswer(rcode=Rcode.NXDOMAIN)
    clock.move(WHILE_REWRITING_S)
    await check.verify("taro@gone.com")
    await asyncio.sleep(0)

    report = await check.verify("taro@web.com")
    assert (report.status, report.reason) == (Status.DELIVERABLE, Reason.IMPLICIT_MX_A)
    assert check.faults.of(FAULT) == 1


@pytest.mark.anyio
async def test_the_canary_is_asked_with_the_first_look_up_and_then_rarely_under_another_name(
    clock: MovableClock,
) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock, settings=Address(dns_new_domains_per_client=1000))
    assert resolver.canaries == []
    for number in range(50):
        await check.verify(f"taro@{number}.com")
    assert len(resolver.canaries) == 1
    clock.move(EVERY_S - 1)
    await check.verify("taro@50.com")
    assert len(resolver.canaries) == 1
    clock.move(1)
    await check.verify("taro@51.com")

    assert len(set(resolver.canaries)) == 2
    assert all(len(name) == len("0123456789abcdef.invalid") for name in resolver.canaries)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "said", [None, DnsAnswer(rcode=Rcode.SERVFAIL), DnsAnswer(rcode=Rcode.NODATA), DnsAnswer(rcode=Rcode.OK)]
)
async def test_a_canary_that_nobody_answers_says_nothing_and_is_asked_again_in_a_minute(
    said: DnsAnswer | None, clock: MovableClock
) -> None:
    resolver = zone(WITHOUT_MX[0])
    resolver.canary = said
    check = checker(resolver, clock)
    assert (await check.verify("taro@web.com")).reason is Reason.IMPLICIT_MX_A
    clock.move(UNANSWERED_S)
    await check.verify("taro@gone.com")

    assert len(resolver.canaries) == 2
    assert not check.faults.all()


@pytest.mark.anyio
async def test_nobody_waits_for_the_canary() -> None:
    class Slow(PlayedResolver):
        async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
            answer = await super().resolve(name, rdtype, timeout_s=timeout_s)
            if name.endswith(".invalid"):
                await asyncio.Event().wait()
            return answer

    resolver = Slow({("web.com", "MX"): NODATA, ("web.com", "A"): a(V4)})

    report = await checker(resolver, SystemClock()).verify("taro@web.com")

    assert (report.reason, len(resolver.canaries)) == (Reason.IMPLICIT_MX_A, 1)
    assert report.elapsed_ms < 1000


@pytest.mark.anyio
async def test_row_27_over_real_sockets_and_its_end(clock: MovableClock) -> None:
    dns = FakeDNS(rewriting=True)
    domain, typed = dns.domain("resolver_rewrites"), "taro@no-such-shop.played"
    with dns.served() as address:
        check = checker(DnsResolver((address,)), clock, settings=Address(dns_deadline_s=5))
        await check.verify(f"taro@{dns.domain('mx_ok')}")
        await until(lambda: check.faults.of(FAULT) == 1)
        found = [await check.verify(f"taro@{domain}"), await check.verify(typed)]
        dns.rewrite(on=False)
        clock.move(WHILE_REWRITING_S)
        after: list[AddressReport] = []
        for number in range(100):
            after.append(await check.verify(typed))
            if after[-1].reason is Reason.NXDOMAIN:
                break
            clock.move(number)  # its failure is kept for a while

    assert [(report.status, report.reason) for report in found] == [(Status.UNKNOWN, Reason.RESOLVER_REWRITES)] * 2
    assert after[-1].status is Status.UNDELIVERABLE
