import asyncio
import time

import pytest

from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.report import AddressReport, Reason
from formwarden.address.resolver import Rcode, Resolver
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.clock import Clock, SystemClock
from formwarden.testing import DNS_ROWS, DnsRow, FakeDNS
from tests.clock import MovableClock

PLAYED = [row for row in DNS_ROWS if row.number != 27]  # that one is the resolver's, not a domain's


async def reports(resolver: Resolver, clock: Clock, domains: list[str], *, at_once: int = 1) -> list[AddressReport]:
    checks = AddressChecker(
        resolver,
        settings=Address(),
        suffixes=Suffixes(),
        clock=clock,
        own_domains=frozenset(),
    )
    found = []
    for start in range(0, len(domains), at_once):
        part = domains[start : start + at_once]
        found += await asyncio.gather(*(checks.verify(f"taro@{domain}") for domain in part))
    return found


def seen(row: DnsRow, report: AddressReport) -> tuple[str, str, str, frozenset[str]]:
    return row.name, str(report.status), str(report.reason), frozenset(map(str, report.flags))


def wanted(row: DnsRow) -> tuple[str, str, str, frozenset[str]]:
    return row.name, row.status, row.reason, row.flags


def test_each_of_the_thirty_rows_has_a_domain_of_its_own() -> None:
    dns = FakeDNS()

    assert {row.number for row in DNS_ROWS} == set(range(1, 31))
    assert len({dns.domain(row.name) for row in DNS_ROWS}) == len(DNS_ROWS)
    assert len({Suffixes().registrable(dns.domain(row.name)) for row in DNS_ROWS}) == len(DNS_ROWS)


@pytest.mark.anyio
async def test_every_row_in_process_is_what_the_table_says(clock: MovableClock) -> None:
    dns = FakeDNS(clock=clock)
    rows = PLAYED

    found = await reports(dns, clock, [dns.domain(row.name) for row in rows])

    assert list(map(seen, rows, found)) == list(map(wanted, rows))


@pytest.mark.anyio
async def test_every_row_over_real_sockets_is_what_the_table_says() -> None:
    dns = FakeDNS()
    rows = [row for row in PLAYED if row.number != 25]
    with dns.served() as address:
        resolver = DnsResolver((address,))
        await resolver.load()
        found = await reports(resolver, SystemClock(), [dns.domain(row.name) for row in rows], at_once=8)

    assert list(map(seen, rows, found)) == list(map(wanted, rows))


@pytest.mark.anyio
async def test_a_rewriting_resolver_answers_for_names_that_do_not_exist_and_for_those_only(
    clock: MovableClock,
) -> None:
    dns = FakeDNS(clock=clock, rewriting=True)

    for name in (dns.domain("resolver_rewrites"), "k7x2.invalid", dns.domain("nxdomain")):
        landed = await dns.resolve(name, "A", timeout_s=1.0)
        assert landed.rcode is Rcode.OK, name
        assert (await dns.resolve(name, "MX", timeout_s=1.0)).rcode is Rcode.NODATA
    assert (await dns.resolve(dns.domain("no_mail_host"), "A", timeout_s=1.0)).rcode is Rcode.NODATA
    assert (await FakeDNS().resolve("k7x2.invalid", "A", timeout_s=1.0)).rcode is Rcode.NXDOMAIN


@pytest.mark.anyio
async def test_row_27_is_played_by_rewriting_and_can_be_ended(clock: MovableClock) -> None:
    (row,) = (each for each in DNS_ROWS if each.number == 27)
    dns = FakeDNS(clock=clock, rewriting=True)
    # the canary goes with the first look-up
    _, *found = await reports(dns, clock, [dns.domain("mx_ok"), dns.domain("nxdomain"), dns.domain(row.name)])
    dns.rewrite(on=False)
    (honest,) = await reports(dns, clock, [dns.domain(row.name)])

    assert [seen(row, each) for each in found] == [wanted(row)] * 2
    assert honest.reason is Reason.NXDOMAIN


@pytest.mark.anyio
async def test_questions_are_counted_by_name_and_type_in_process_and_over_sockets(clock: MovableClock) -> None:
    dns = FakeDNS(clock=clock)
    name = dns.domain("mx_ok")
    await dns.resolve(name.upper(), "MX", timeout_s=1.0)
    with dns.served() as address:
        await DnsResolver((address,)).resolve(name, "MX", timeout_s=1.0)

    assert dns.asked(name, "MX") == 2
    assert dns.asked(name, "A") == 0
    assert dns.queries == {(name, "MX"): 2}


@pytest.mark.anyio
async def test_an_own_zone_stands_beside_the_rows_and_what_is_in_neither_does_not_exist(clock: MovableClock) -> None:
    dns = FakeDNS({"Shop.com": ["MX 10 mx.shop.com."]}, clock=clock)

    assert (await dns.resolve("shop.com", "MX", timeout_s=1.0)).records == ((10, "mx.shop.com"),)
    assert (await dns.resolve("gone.com", "MX", timeout_s=1.0)).rcode is Rcode.NXDOMAIN
    assert (await dns.resolve(dns.domain("mx_ok"), "MX", timeout_s=1.0)).rcode is Rcode.OK


@pytest.mark.anyio
async def test_any_domain_can_behave_as_a_row_says_and_then_as_another(clock: MovableClock) -> None:
    dns = FakeDNS({"customer.com": ["MX 10 mx.customer.com."], "mx.customer.com": ["A 192.175.48.1"]}, clock=clock)
    for row in PLAYED:
        dns.behave("Customer.com", row.name)
        name = f"{row.at}.customer.com".removeprefix(".")
        (report,) = await reports(dns, clock, [name])
        assert seen(row, report) == wanted(row)


@pytest.mark.anyio
@pytest.mark.parametrize("named", [".", "shop.com", "mx.shop.com"])
async def test_in_process_a_delay_passes_by_the_clock_and_one_beyond_the_time_is_a_timeout(
    clock: MovableClock, named: str
) -> None:
    dns = FakeDNS({"mx.shop.com": ["A 192.175.48.1"]}, clock=clock)
    dns.slow(named, 1.5)
    before = clock.monotonic()

    assert (await dns.resolve("mx.shop.com", "A", timeout_s=2.0)).rcode is Rcode.OK
    assert clock.monotonic() - before == pytest.approx(1.5)
    assert (await dns.resolve("mx.shop.com", "A", timeout_s=1.0)).rcode is Rcode.TIMEOUT
    assert clock.monotonic() - before == pytest.approx(2.5)


@pytest.mark.anyio
async def test_silence_takes_all_of_the_time_and_nobody_waits_for_it_really(clock: MovableClock) -> None:
    dns = FakeDNS(clock=clock)
    before, real = clock.monotonic(), time.monotonic()

    assert (await dns.resolve(dns.domain("timeout"), "MX", timeout_s=30.0)).rcode is Rcode.TIMEOUT
    assert clock.monotonic() - before == pytest.approx(30.0)
    assert time.monotonic() - real < 5.0


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 60])  # 60 hosts do not fit into a datagram: the answer comes over TCP
async def test_over_sockets_a_delay_is_real_and_others_do_not_wait_for_it(size: int) -> None:
    hosts = [f"MX {number} a-host-with-a-name-of-some-length-{number}.com." for number in range(size)]
    dns = FakeDNS({"shop.com": hosts})
    dns.slow("shop.com", 0.15)
    with dns.served() as address:
        resolver = DnsResolver((address,))
        await resolver.load()
        started = time.monotonic()
        slow = asyncio.create_task(resolver.resolve("shop.com", "MX", timeout_s=2.0))
        quick = await resolver.resolve(dns.domain("mx_ok"), "MX", timeout_s=2.0)
        done_before = not slow.done()
        answer = await slow

    assert (quick.rcode, done_before) == (Rcode.OK, True)
    assert len(answer.records) == size
    assert time.monotonic() - started >= 0.15


def test_a_wrong_record_and_a_row_that_is_none_are_named() -> None:
    with pytest.raises(ValueError, match="record is wrong"):
        FakeDNS({"shop.com": ["MX mx.shop.com."]})
    dns = FakeDNS()
    with pytest.raises(ValueError, match=r"'nothing'.*mx_ok"):
        dns.domain("nothing")
    with pytest.raises(ValueError, match=r"'nothing'.*mx_ok"):
        dns.behave("shop.com", "nothing")


@pytest.mark.anyio
async def test_a_name_that_cannot_be_asked_is_broken(clock: MovableClock) -> None:
    assert (await FakeDNS(clock=clock).resolve("a..com", "MX", timeout_s=1.0)).rcode is Rcode.BROKEN
