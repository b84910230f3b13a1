import asyncio
import tracemalloc

import pytest

from formwarden.address.cache import FIRST_FAILURE_S
from formwarden.address.hosts import MAX_HOSTS, MOST_RECORDS, Hosts
from formwarden.address.outcomes import HostAnswers
from formwarden.address.report import Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from tests.address.played_resolver import V4, V6, PlayedResolver, a, checker, mx, until
from tests.clock import MovableClock

NODATA = DnsAnswer(rcode=Rcode.NODATA, soa=True, ttl_s=60)
MANY = {(f"{number}.com", "MX"): mx("mx.host.net") for number in range(40)}


@pytest.mark.anyio
async def test_domains_that_share_a_host_ask_for_it_once_at_the_same_time_and_later(clock: MovableClock) -> None:
    resolver = PlayedResolver(MANY | {("mx.host.net", "A"): a()})
    check = checker(resolver, clock)
    reports = await asyncio.gather(*(check.verify(f"taro@{number}.com") for number in range(20)))
    reports += [await check.verify(f"taro@{number}.com") for number in range(20, 40)]

    assert {report.reason for report in reports} == {Reason.MX_OK}
    assert resolver.asked["mx.host.net", "A"] == 1
    assert resolver.asked["mx.host.net", "AAAA"] == 0
    assert resolver.asked.total() == 41


@pytest.mark.anyio
@pytest.mark.parametrize("v4", [NODATA, a("10.0.0.1"), DnsAnswer(rcode=Rcode.SERVFAIL)])
async def test_ipv6_is_asked_only_where_ipv4_does_not_settle_it(v4: DnsAnswer, clock: MovableClock) -> None:
    table = {("shop.com", "MX"): mx("mx.host.net"), ("mx.host.net", "A"): v4, ("mx.host.net", "AAAA"): a(V6)}
    resolver = PlayedResolver(table)

    assert (await checker(resolver, clock).verify("taro@shop.com")).status is Status.DELIVERABLE
    assert resolver.asked["mx.host.net", "AAAA"] == 1


@pytest.mark.anyio
async def test_a_host_is_kept_for_its_time_which_runs_on_while_it_is_kept(clock: MovableClock) -> None:
    long = DnsAnswer(rcode=Rcode.OK, records=((0, V4),), ttl_s=1000)
    resolver = PlayedResolver({("mx.host.net", "A"): long})
    hosts = Hosts(resolver, clock, limit=2)
    await ask(hosts, "mx.host.net")
    clock.move(400)
    kept = hosts.kept("mx.host.net")
    assert kept is not None
    assert kept.a.ttl_s == pytest.approx(600)
    assert kept.aaaa is None
    clock.move(600)
    assert hosts.kept("mx.host.net") is None


@pytest.mark.anyio
async def test_a_host_that_failed_is_asked_again_after_moments_and_one_that_has_no_address_after_minutes(
    clock: MovableClock,
) -> None:
    hosts = Hosts(PlayedResolver({("sick.net", "A"): DnsAnswer(rcode=Rcode.SERVFAIL)}), clock, limit=2)
    await ask(hosts, "sick.net")
    await ask(hosts, "gone.net")
    assert hosts.kept("sick.net")
    clock.move(FIRST_FAILURE_S)
    assert hosts.kept("sick.net") is None
    assert hosts.kept("gone.net")
    clock.move(60)
    assert hosts.kept("gone.net") is None


@pytest.mark.anyio
async def test_invented_hosts_push_out_each_other_and_a_huge_answer_is_not_kept(clock: MovableClock) -> None:
    huge = DnsAnswer(rcode=Rcode.OK, records=((0, V4),) * (MOST_RECORDS + 1), ttl_s=900)
    hosts = Hosts(PlayedResolver({("huge.net", "A"): huge}), clock, limit=2)
    answers = await ask(hosts, "huge.net")
    assert len(answers.a.records) == MOST_RECORDS + 1
    assert hosts.kept("huge.net") is None

    await ask(hosts, "first.net")
    tracemalloc.start()
    for number in range(MAX_HOSTS + 200):
        await ask(hosts, f"a-host-that-somebody-invented-{number}.net")
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(hosts) == MAX_HOSTS
    assert hosts.kept("first.net") is None
    assert grown < 2_500_000


@pytest.mark.anyio
async def test_where_too_many_hosts_are_asked_a_look_up_asks_on_its_own(clock: MovableClock) -> None:
    resolver = PlayedResolver({})
    resolver.gate = asyncio.Event()
    hosts = Hosts(resolver, clock, limit=1)

    first = hosts.begin("one.net", end=clock.monotonic() + 10)
    assert first is not None
    assert hosts.begin("two.net", end=clock.monotonic() + 10) is None
    assert hosts.under_way("one.net") is first
    await until(lambda: resolver.asked.total() == 1)
    resolver.gate.set()
    assert (await first.task).a.rcode is Rcode.NXDOMAIN


async def ask(hosts: Hosts, name: str) -> HostAnswers:
    flight = hosts.begin(name, end=1e9)
    assert flight is not None
    return await flight.task
