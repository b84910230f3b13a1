import asyncio

import pytest

from formwarden.address.hosts import Hosts
from formwarden.address.lookup import LookUp
from formwarden.address.report import Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from tests.address.played_resolver import GOOD, PlayedResolver, a, mx, until
from tests.clock import MovableClock


def look_up(resolver: Resolver, clock: MovableClock) -> LookUp:
    hosts = Hosts(resolver, clock, limit=2)
    return LookUp("shop.co.jp", "shop.co.jp", resolver, clock, hosts=hosts, seconds=10.0)


@pytest.mark.anyio
async def test_before_anything_came_all_is_silent(clock: MovableClock) -> None:
    assert look_up(PlayedResolver(GOOD), clock).so_far().reason is Reason.TIMEOUT


@pytest.mark.anyio
async def test_the_best_two_hosts_are_asked_at_once(clock: MovableClock) -> None:
    hosts = DnsAnswer(rcode=Rcode.OK, records=((30, "c.net"), (10, "a.net"), (20, "b.net")), ttl_s=300)
    resolver = PlayedResolver({("shop.co.jp", "MX"): hosts, ("b.net", "A"): a()}, held={"A", "AAAA"})
    asking = look_up(resolver, clock)
    task = asyncio.create_task(asking.ask())
    await until(lambda: resolver.asked.total() == 3)
    task.cancel()

    assert set(resolver.asked) == {("shop.co.jp", "MX"), ("a.net", "A"), ("b.net", "A")}


@pytest.mark.anyio
async def test_what_came_is_judged_while_the_rest_is_still_under_way(clock: MovableClock) -> None:
    table = {("shop.co.jp", "MX"): mx("mx.host.net"), ("mx.host.net", "A"): a("10.0.0.1")}
    resolver = PlayedResolver(table, held={"AAAA"})
    asking = look_up(resolver, clock)
    task = asyncio.create_task(asking.ask())
    await until(lambda: resolver.asked.total() == 3)
    early = asking.so_far()
    task.cancel()

    assert (early.reason, early.mx) == (Reason.MX_TARGET_UNKNOWN, ((10, "mx.host.net"),))  # not yet `mx_nonglobal`


@pytest.mark.anyio
async def test_at_the_end_the_outcome_is_what_the_answers_say(clock: MovableClock) -> None:
    assert (await look_up(PlayedResolver(GOOD), clock).ask()).reason is Reason.MX_OK
    assert (await look_up(PlayedResolver({}), clock).ask()).reason is Reason.NXDOMAIN


@pytest.mark.anyio
async def test_how_a_domain_sends_is_asked_once_and_only_where_there_is_no_mx(clock: MovableClock) -> None:
    nodata = DnsAnswer(rcode=Rcode.NODATA, soa=True)
    silent = DnsAnswer(rcode=Rcode.OK, records=((0, "v=spf1 -all"),))
    weak = PlayedResolver({("shop.co.jp", "MX"): nodata, ("shop.co.jp", "A"): a(), ("shop.co.jp", "TXT"): silent})
    other = PlayedResolver(GOOD)

    outcome = await look_up(weak, clock).ask()
    await look_up(other, clock).ask()

    assert outcome.reason is Reason.IMPLICIT_MX_A
    assert outcome.flags == {Flag.WEAK, Flag.SPF_REJECT_ALL}
    assert weak.asked == {("shop.co.jp", rdtype): 1 for rdtype in ("MX", "A", "TXT")}
    assert other.asked["shop.co.jp", "TXT"] == 0


@pytest.mark.anyio
async def test_what_a_domain_says_of_sending_never_holds_up_what_is_known_of_receiving(clock: MovableClock) -> None:
    nodata = DnsAnswer(rcode=Rcode.NODATA, soa=True)
    resolver = PlayedResolver({("shop.co.jp", "MX"): nodata, ("shop.co.jp", "A"): a()}, held={"TXT"})
    asking = look_up(resolver, clock)
    task = asyncio.create_task(asking.ask())
    await until(lambda: asking.so_far().status is Status.DELIVERABLE)
    task.cancel()

    assert asking.so_far().flags == {Flag.WEAK, Flag.SPF_UNKNOWN}


@pytest.mark.anyio
async def test_who_joined_a_host_s_look_up_that_ran_out_of_time_asks_again(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD, held={"A"})
    hosts = Hosts(resolver, clock, limit=2)
    short = hosts.begin("mx.shop.co.jp", end=clock.monotonic() + 0.02)
    assert short is not None
    asking = LookUp("shop.co.jp", "shop.co.jp", resolver, clock, hosts=hosts, seconds=10.0)
    task = asyncio.create_task(asking.ask())
    await until(lambda: resolver.asked["shop.co.jp", "MX"] == 1)
    resolver.held.clear()

    assert (await task).reason is Reason.MX_OK
    assert (await short.task).a.rcode is Rcode.TIMEOUT
