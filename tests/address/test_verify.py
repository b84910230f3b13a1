import asyncio

import pytest

from formwarden.address.cache import STALE_S
from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.syntax import check_syntax
from formwarden.address.verify import KEPT_SLOTS, SLOTS, AddressChecker
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import Misbehaviour, PlayedDns
from tests.address.played_resolver import GOOD, V4, V6, PlayedResolver, a, checker, mx, until
from tests.clock import MovableClock


@pytest.mark.anyio
async def test_a_deliverable_address_has_hosts_provider_and_key(clock: MovableClock) -> None:
    resolver = PlayedResolver(
        {("shop.co.jp", "MX"): mx("aspmx.l.google.com"), ("aspmx.l.google.com", "A"): a()}, clock=clock
    )
    resolver.slow = {"MX": 0.25}

    report = await checker(resolver, clock).verify(" Info+x@Shop.Co.Jp ")

    assert (report.status, report.reason) == (Status.DELIVERABLE, Reason.MX_OK)
    assert report.mx == ((10, "aspmx.l.google.com"),)
    assert report.provider == "google"
    assert report.canonical == "info@shop.co.jp"
    assert report.registrable == "shop.co.jp"
    assert report.flags == {Flag.ROLE}
    assert report.elapsed_ms == pytest.approx(250)


@pytest.mark.anyio
@pytest.mark.parametrize("raw", ["", "taro", "taro@localhost", "taro@db.internal", "a@x.jp, b@x.jp", "t\ro@x.jp"])
async def test_what_is_no_address_is_never_asked(clock: MovableClock, raw: str) -> None:
    resolver = PlayedResolver(GOOD)

    report = await checker(resolver, clock).verify(raw)

    assert report.status is Status.INVALID
    assert not resolver.asked


@pytest.mark.anyio
async def test_g33_the_sites_own_domain_is_never_asked(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock, own=frozenset({"shop.co.jp"}))

    for raw in ("taro@shop.co.jp", "taro@mail.shop.co.jp"):
        report = await check.verify(raw)
        assert (report.status, report.reason) == (Status.UNKNOWN, Reason.NOT_CHECKED)
        assert Flag.OWN_DOMAIN in report.flags
    assert not resolver.asked
    assert Flag.OWN_DOMAIN not in (await check.verify("taro@myshop.co.jp")).flags


@pytest.mark.anyio
async def test_with_dns_off_nothing_is_asked_and_all_is_unknown(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)

    report = await checker(resolver, clock, settings=Address(dns="off")).verify("taro@shop.co.jp")

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.NOT_CHECKED)
    assert not resolver.asked


@pytest.mark.anyio
async def test_one_hard_stop_covers_all_questions(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD, clock=clock)
    resolver.slow = {"MX": 7.5, "A": 25.0, "AAAA": 25.0}

    report = await checker(resolver, clock).verify("taro@shop.co.jp")

    assert resolver.timeouts[0] == pytest.approx(10.0)
    assert max(resolver.timeouts[1:]) == pytest.approx(2.5)
    assert report.elapsed_ms <= 10_000


@pytest.mark.anyio
async def test_when_the_time_is_over_no_more_is_asked_and_what_is_known_is_kept(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD, clock=clock)
    resolver.slow = {"MX": 10.0}

    report = await checker(resolver, clock).verify("taro@shop.co.jp")

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.MX_TARGET_UNKNOWN)
    assert report.mx == ((10, "mx.shop.co.jp"),)
    assert set(resolver.asked) == {("shop.co.jp", "MX")}


@pytest.mark.anyio
async def test_a_resolver_that_never_comes_back_is_left_at_the_deadline() -> None:
    resolver = PlayedResolver(GOOD)
    resolver.gate = asyncio.Event()  # never set

    report = await checker(resolver, SystemClock(), settings=Address(dns_deadline_s=0.05)).verify("taro@shop.co.jp")

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.TIMEOUT)


@pytest.mark.anyio
async def test_a_verdict_is_asked_for_once_and_again_when_its_time_is_over(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock)

    for raw in ("taro@shop.co.jp", "hanako@SHOP.co.jp"):
        assert (await check.verify(raw)).status is Status.DELIVERABLE
    assert resolver.asked["shop.co.jp", "MX"] == 1
    clock.move(300 + STALE_S)
    await check.verify("taro@shop.co.jp")
    assert resolver.asked["shop.co.jp", "MX"] == 2


@pytest.mark.anyio
async def test_a_failure_is_never_kept_as_a_no(clock: MovableClock) -> None:
    resolver = PlayedResolver({("shop.co.jp", "MX"): DnsAnswer(rcode=Rcode.SERVFAIL)})
    check = checker(resolver, clock)
    assert (await check.verify("taro@shop.co.jp")).status is Status.UNKNOWN

    resolver.table.update(GOOD)
    assert (await check.verify("taro@shop.co.jp")).status is Status.UNKNOWN
    clock.move(5)
    assert (await check.verify("taro@shop.co.jp")).status is Status.DELIVERABLE


@pytest.mark.anyio
async def test_all_who_ask_at_once_share_one_look_up(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    resolver.gate = asyncio.Event()
    check = checker(resolver, clock)
    tasks = [asyncio.create_task(check.verify(f"person{number}@shop.co.jp")) for number in range(50)]
    await until(lambda: resolver.asked["shop.co.jp", "MX"] > 0)
    resolver.gate.set()

    assert {report.status for report in await asyncio.gather(*tasks)} == {Status.DELIVERABLE}
    assert resolver.asked["shop.co.jp", "MX"] == 1


@pytest.mark.anyio
async def test_one_who_goes_away_takes_nothing_from_the_others(clock: MovableClock) -> None:
    resolver = PlayedResolver(GOOD)
    resolver.gate = asyncio.Event()
    check = checker(resolver, clock)
    first = asyncio.create_task(check.verify("first@shop.co.jp"))
    await until(lambda: resolver.asked["shop.co.jp", "MX"] > 0)
    second = asyncio.create_task(check.verify("second@shop.co.jp"))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    resolver.gate.set()

    assert (await second).status is Status.DELIVERABLE
    assert resolver.asked["shop.co.jp", "MX"] == 1


@pytest.mark.anyio
async def test_g33_beyond_the_slots_nothing_is_asked_and_a_quarter_is_kept_for_known_domains(
    clock: MovableClock,
) -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, clock)
    await check.verify("taro@shop.co.jp")
    clock.move(300 + STALE_S)  # known, and to be asked again
    resolver.gate = asyncio.Event()
    flood = [asyncio.create_task(check.verify(f"x@invented-{number}.com")) for number in range(SLOTS - KEPT_SLOTS)]
    await until(lambda: len(resolver.asked) >= SLOTS - KEPT_SLOTS)

    late = await check.verify("x@one-more.com")
    known = asyncio.create_task(check.verify("taro@shop.co.jp"))
    await until(lambda: resolver.asked["shop.co.jp", "MX"] == 2)
    resolver.gate.set()

    assert (late.status, late.reason) == (Status.UNKNOWN, Reason.NOT_CHECKED)
    assert (await known).status is Status.DELIVERABLE
    assert {report.reason for report in await asyncio.gather(*flood)} == {Reason.NXDOMAIN}
    assert (await check.verify("x@one-more.com")).reason is Reason.NXDOMAIN  # refusing was not kept as a verdict


def test_a_checker_outlives_event_loops() -> None:
    resolver = PlayedResolver(GOOD)
    check = checker(resolver, MovableClock())

    for _ in range(3):  # a test client makes one loop a request
        assert asyncio.run(check.verify("taro@shop.co.jp")).status is Status.DELIVERABLE


@pytest.mark.anyio
async def test_g04_implicit_mx_is_deliverable_and_marked_weak(clock: MovableClock) -> None:
    nodata = DnsAnswer(rcode=Rcode.NODATA, soa=True)
    table = {("shop.co.jp", "MX"): nodata, ("shop.co.jp", "A"): a(), ("shop.co.jp", "AAAA"): nodata}

    report = await checker(PlayedResolver(table), clock).verify("taro@shop.co.jp")

    assert (report.status, report.reason) == (Status.DELIVERABLE, Reason.IMPLICIT_MX_A)
    assert Flag.WEAK in report.flags
    assert report.provider == "shop.co.jp"


ZONE = {
    "mx-ok.com": ["MX 10 mx.mx-ok.com."],
    "mx.mx-ok.com": [f"A {V4}"],
    "half-servfail.com": ["MX 10 mx.sick.com."],
    "implicit-a.com": [f"A {V4}"],
    "implicit-aaaa.com": [f"AAAA {V6}"],
    "implicit-private.com": ["A 192.168.0.1"],
    "web-only.com": ['TXT "v=spf1 -all"'],
    "sends-nothing.com": [f"A {V4}", 'TXT "v=spf1 " " -all"'],
    "sends-nothing-v6.com": [f"AAAA {V6}", 'TXT "v=spf1 -all"'],
    "*.wildcard.com": ["MX 10 mx.mx-ok.com."],
    "alias-gone.com": ["CNAME gone.com."],
    "null-mx.com": ["MX 0 ."],
    "null-mixed.com": ["MX 0 .", "MX 10 mx.mx-ok.com."],
    "dangling.com": ["MX 10 gone.com.", "MX 20 mx.web-only.com.", "A 192.175.48.1"],
    "mx.web-only.com": ['TXT "nothing"'],
    "loopback.com": ["MX 10 mx.loopback.com."],
    "mx.loopback.com": ["A 127.0.0.1", "AAAA ::1"],
    "to-localhost.com": ["MX 10 localhost."],
    "some-private.com": ["MX 10 mx.loopback.com.", "MX 20 mx.mx-ok.com."],
    "ip-literal.com": ["MX 10 192.175.48.1."],
    "mx-alias.com": ["MX 10 alias.mx-ok.com."],
    "alias.mx-ok.com": ["CNAME mx.mx-ok.com."],
    "alias.com": ["CNAME mx-ok.com."],
    "loop.com": ["CNAME pool.com."],
    "pool.com": ["CNAME loop.com."],
    "parked.com": ["MX 10 mx.mailerhost.net."],
    "mx.mailerhost.net": [f"A {V4}"],
    "large.com": [f"MX {number} a-rather-long-name-for-a-host-{number}.mx-ok.com." for number in range(40)],
    "*.mx-ok.com": [f"A {V4}"],
}
MISBEHAVING = {
    "mx.sick.com": Misbehaviour.SERVFAIL,
    "lame.com": Misbehaviour.LAME,
    "servfail.com": Misbehaviour.SERVFAIL,
    "bogus.com": Misbehaviour.BOGUS,
    "refused.com": Misbehaviour.REFUSED,
    "silent.com": Misbehaviour.SILENT,
    "garbage.com": Misbehaviour.GARBAGE,
    "truncated.com": Misbehaviour.TRUNCATED,
    "yxdomain.com": Misbehaviour.YXDOMAIN,
}
REAL_ROWS = [
    (1, "mx-ok.com", Reason.MX_OK, set()),
    (1, "large.com", Reason.MX_OK, set()),
    (2, "half-servfail.com", Reason.MX_TARGET_UNKNOWN, set()),
    (3, "implicit-a.com", Reason.IMPLICIT_MX_A, {Flag.WEAK}),
    (4, "implicit-aaaa.com", Reason.IMPLICIT_MX_AAAA, {Flag.WEAK}),
    (5, "implicit-private.com", Reason.IMPLICIT_MX_NONGLOBAL, set()),
    (6, "web-only.com", Reason.NO_MAIL_HOST, set()),
    (7, "lame.com", Reason.LAME, set()),
    (8, "nowhere.com", Reason.NXDOMAIN, set()),
    (9, "alias-gone.com", Reason.CNAME_DANGLING, set()),
    (10, "null-mx.com", Reason.NULL_MX, set()),
    (11, "null-mixed.com", Reason.MX_OK, {Flag.NULL_MX_MIXED}),
    (12, "dangling.com", Reason.MX_DANGLING, set()),
    (13, "loopback.com", Reason.MX_NONGLOBAL, set()),
    (13, "to-localhost.com", Reason.MX_NONGLOBAL, set()),
    (14, "some-private.com", Reason.MX_OK, {Flag.MX_SOME_NONGLOBAL}),
    (15, "ip-literal.com", Reason.MX_IP_LITERAL, set()),
    (16, "mx-alias.com", Reason.MX_OK, {Flag.MX_CNAME}),
    (17, "alias.com", Reason.MX_OK, set()),
    (18, "loop.com", Reason.CNAME_CHAIN, set()),
    (19, "servfail.com", Reason.SERVFAIL, set()),
    (20, "bogus.com", Reason.DNSSEC_BOGUS, set()),
    (21, "refused.com", Reason.RESOLVER_REFUSED, set()),
    (22, "silent.com", Reason.TIMEOUT, set()),
    (22, "garbage.com", Reason.TIMEOUT, set()),
    (23, "truncated.com", Reason.TRUNCATED, set()),
    (24, "yxdomain.com", Reason.DNS_ERROR, set()),
    (26, "anything.wildcard.com", Reason.MX_OK, set()),
    (28, "parked.com", Reason.MX_OK, {Flag.PARKED_MX}),
    (29, "sends-nothing.com", Reason.IMPLICIT_MX_A, {Flag.WEAK, Flag.SPF_REJECT_ALL}),
    (29, "sends-nothing-v6.com", Reason.IMPLICIT_MX_AAAA, {Flag.WEAK, Flag.SPF_REJECT_ALL}),
]


async def over_real_sockets(*domains: str, servers: tuple[str, ...] = ()) -> list[AddressReport]:
    async with PlayedDns(ZONE) as dns:
        for name, how in MISBEHAVING.items():
            dns.misbehave(name, how)
        settings = Address(dns_servers=servers or (dns.address,))
        resolver = DnsResolver(settings.dns_servers)
        await resolver.load()
        check = checker(resolver, SystemClock(), settings=settings)
        return await asyncio.gather(*(check.verify(f"taro@{domain}") for domain in domains))


@pytest.mark.anyio
async def test_every_row_over_real_sockets() -> None:
    reports = []
    for start in range(0, len(REAL_ROWS), SLOTS // 5):  # a busy machine must not be late
        part = REAL_ROWS[start : start + SLOTS // 5]
        reports += await over_real_sockets(*(domain for _, domain, _, _ in part))

    rows = [row for row, *_ in REAL_ROWS]
    found = [
        (row, report.domain, report.reason, set(report.flags)) for row, report in zip(rows, reports, strict=True)
    ]
    assert found == REAL_ROWS


@pytest.mark.anyio
async def test_a_resolver_that_is_not_there_is_unknown() -> None:
    async with PlayedDns(ZONE) as gone:
        address = gone.address

    (report,) = await over_real_sockets("mx-ok.com", servers=(address,))

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.TIMEOUT)


@pytest.mark.anyio
async def test_fifty_at_once_make_one_mx_query_over_real_sockets() -> None:
    async with PlayedDns(ZONE) as dns:
        check = checker(DnsResolver((dns.address,)), SystemClock())
        reports = await asyncio.gather(*(check.verify(f"person{number}@mx-ok.com") for number in range(50)))

        assert {report.status for report in reports} == {Status.DELIVERABLE}
        assert dns.queries["mx-ok.com", "MX"] == 1
        assert dns.queries.total() == 3


@pytest.mark.anyio
async def test_syntax_that_was_checked_before_is_not_parsed_again_unless_the_domain_was_a_guess(
    clock: MovableClock,
) -> None:
    suffixes = Suffixes()
    guessed = check_syntax("taro@a.b.city.kobe.jp", suffixes)
    own = frozenset({"kobe.jp"})
    checks = AddressChecker(PlayedResolver({}), settings=Address(), suffixes=suffixes, clock=clock, own_domains=own)
    report = await checks.verify("taro@a.b.city.kobe.jp", syntax=guessed)
    assert (guessed.registrable, report.registrable) == ("kobe.jp", "city.kobe.jp")
    assert report.flags == {Flag.OWN_DOMAIN}
    again = await checks.verify("not parsed", syntax=report)
    assert again.address == "taro@a.b.city.kobe.jp"
