import asyncio

import pytest

from formwarden.address.lookup import LookUp
from formwarden.address.report import Reason
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from tests.address.played_resolver import GOOD, PlayedResolver, a, mx, until
from tests.clock import MovableClock


def look_up(resolver: Resolver, clock: MovableClock) -> LookUp:
    return LookUp("shop.co.jp", "shop.co.jp", resolver, clock, seconds=10.0)


@pytest.mark.anyio
async def test_before_anything_came_all_is_silent(clock: MovableClock) -> None:
    assert look_up(PlayedResolver(GOOD), clock).so_far().reason is Reason.TIMEOUT


@pytest.mark.anyio
async def test_the_best_two_hosts_are_asked_at_once(clock: MovableClock) -> None:
    hosts = DnsAnswer(rcode=Rcode.OK, records=((30, "c.net"), (10, "a.net"), (20, "b.net")), ttl_s=300)
    resolver = PlayedResolver({("shop.co.jp", "MX"): hosts, ("b.net", "A"): a()}, held={"A", "AAAA"})
    asking = look_up(resolver, clock)
    task = asyncio.create_task(asking.ask())
    await until(lambda: resolver.asked.total() == 5)
    task.cancel()

    assert set(resolver.asked) == {("shop.co.jp", "MX"), *((n, t) for n in ("a.net", "b.net") for t in ("A", "AAAA"))}


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
