"""The same table of outcomes through aiodns: what it cannot tell apart is *unknown*, never *undeliverable*."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from typing import Final

import dns.message
import pytest

from formwarden.address.aiodns_resolver import QUESTIONS, AiodnsResolver
from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.report import Flag, Reason, Status
from formwarden.address.resolver import Rcode
from formwarden.address.resolvers import resolver_for
from formwarden.address.settings import Address
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import PlayedDns
from formwarden.demo.played_zone import PlayedZone
from formwarden.errors import SettingsError
from formwarden.testing import DNS_ROWS, FakeDNS
from tests.address.hostile_server import HostileServer, cut, many_mx, serving
from tests.address.played_resolver import checker, until
from tests.clock import MovableClock

pytest.importorskip("aiodns", reason="there is no wheel of pycares for this system")

ZONE = {
    "shop.com": ["MX 10 MX1.Shop.com.", "MX 20 mx2.shop.com.", 'TXT "v=spf1 " "-all"'],
    "mx1.shop.com": ["A 192.175.48.1", "A 192.175.48.2", "AAAA 2620:4f:8000::1"],
    "null-mx.com": ["MX 0 ."],
    "alias.com": ["CNAME shop.com."],
    "alias-empty.com": ["CNAME mx1.shop.com."],
}
# c-ares says only "no data", so nobody knows whether a server that knows the zone said it; an alias that leads
# nowhere is "not found"; signatures, truncation and bytes that are no answer have no words of their own.
OTHERWISE: Final[Mapping[str, Reason]] = {
    "no_mail_host": Reason.LAME,
    "cname_dangling": Reason.NXDOMAIN,
    "dnssec_bogus": Reason.SERVFAIL,
    "garbage": Reason.DNS_ERROR,
    "truncated": Reason.DNS_ERROR,
    "no_resolver": Reason.TIMEOUT,  # over a socket nobody answers
}


@pytest.mark.anyio
async def test_every_row_over_real_sockets_is_what_the_table_says_or_unknown() -> None:
    dns = FakeDNS()
    rows = [row for row in DNS_ROWS if row.number != 27]
    with dns.served() as address:
        resolver = AiodnsResolver((address,))
        await resolver.load()
        check = checker(resolver, SystemClock(), settings=Address(dns_deadline_s=0.3, dns_hard_stop_s=0.3))
        # One after the other: bytes that are no answer make c-ares close the socket that all questions share.
        found = [await check.verify(f"taro@{dns.domain(row.name)}") for row in rows]

    assert [(row.name, report.reason) for row, report in zip(rows, found, strict=True)] == [
        (row.name, OTHERWISE.get(row.name, row.reason)) for row in rows
    ]
    for row, report in zip(rows, found, strict=True):
        assert report.status in {row.status, Status.UNKNOWN}, row.name
        assert report.flags == {Flag(each) for each in row.flags}, row.name
    assert not resolver.faults.all()


@pytest.mark.anyio
async def test_row_27_is_heard_by_the_canary(clock: MovableClock) -> None:
    dns = FakeDNS(rewriting=True)
    with dns.served() as address:
        check = checker(AiodnsResolver((address,)), clock, settings=Address(dns_deadline_s=5))
        await check.verify(f"taro@{dns.domain('mx_ok')}")
        await until(lambda: check.faults.of("dns rewrites") == 1)
        report = await check.verify(f"taro@{dns.domain('resolver_rewrites')}")

    assert (report.status, report.reason) == (Status.UNKNOWN, Reason.RESOLVER_REWRITES)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "rdtype"),
    [
        ("shop.com", "MX"),
        ("mx1.shop.com", "A"),
        ("mx1.shop.com", "AAAA"),
        ("null-mx.com", "MX"),
        ("alias.com", "MX"),
        ("alias-empty.com", "MX"),
        ("shop.com", "TXT"),
    ],
)
async def test_it_answers_as_dnspython_does(name: str, rdtype: str) -> None:
    async with PlayedDns(ZONE) as played:
        ours = await AiodnsResolver((played.address,)).resolve(name, rdtype, timeout_s=1.0)
        other = await DnsResolver((played.address,)).resolve(name, rdtype, timeout_s=1.0)

    assert sorted(ours.records) == sorted(other.records)
    assert (ours.rcode, ours.soa, ours.canonical) == (other.rcode, other.soa, other.canonical)
    assert ours.ttl_s == other.ttl_s


@pytest.mark.anyio
async def test_an_alias_that_a_lame_server_leaves_open_is_unknown() -> None:
    class Lame:
        def answer(self, query: dns.message.Message) -> dns.message.Message:
            response = PlayedZone(ZONE).answer(query)
            response.authority.clear()
            return response

    async with PlayedDns(Lame()) as played:
        resolver = AiodnsResolver((played.address,))
        answer = await resolver.resolve("alias-empty.com", "MX", timeout_s=1.0)
        report = await checker(resolver, SystemClock()).verify("taro@alias-empty.com")
        host = await resolver.resolve("alias-empty.com", "A", timeout_s=1.0)

    assert (answer.rcode, answer.soa, answer.canonical) == (Rcode.NODATA, False, "mx1.shop.com")
    assert (host.rcode, report.reason) == (Rcode.OK, Reason.IMPLICIT_MX_A)


@pytest.mark.anyio
async def test_ipv6_servers_are_asked_and_silence_ends_with_the_time() -> None:
    async with PlayedDns(ZONE, host="::1") as played:
        resolver = AiodnsResolver((played.address,))
        assert (await resolver.resolve("shop.com", "MX", timeout_s=1.0)).rcode is Rcode.OK
        played.misbehave("shop.com", "silent")
        assert (
            await AiodnsResolver((played.address,)).resolve("shop.com", "MX", timeout_s=0.1)
        ).rcode is Rcode.TIMEOUT


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["a" * 64 + ".com", "a..com", ".".join(["a" * 60] * 5), "\\999.com", "\u0301.com"])
async def test_a_name_that_cannot_be_asked_is_broken_and_nobody_raises(name: str) -> None:
    resolver = AiodnsResolver(("127.0.0.1:1",))

    assert (await resolver.resolve(name, "MX", timeout_s=1.0)).rcode is Rcode.BROKEN


@pytest.mark.anyio
async def test_a_type_nobody_foresaw_is_counted_and_broken() -> None:
    resolver = AiodnsResolver(("127.0.0.1:1",))

    assert (await resolver.resolve("shop.com", "NOTHING", timeout_s=1.0)).rcode is Rcode.BROKEN
    assert [(fault.what, fault.why) for fault in resolver.faults.all()] == [("dns resolver", "ValueError")]


def test_it_outlives_event_loops() -> None:
    with PlayedDns(ZONE).in_thread() as played:
        resolver = AiodnsResolver((played.address,))
        for _ in range(3):
            assert asyncio.run(resolver.resolve("shop.com", "MX", timeout_s=1.0)).rcode is Rcode.OK


@pytest.mark.anyio
async def test_c_ares_own_memory_begins_anew_after_some_thousands_of_questions() -> None:
    async with PlayedDns(ZONE) as played:
        resolver = AiodnsResolver((played.address,))
        for _ in range(QUESTIONS + 1):
            assert (await resolver.resolve("shop.com", "MX", timeout_s=5.0)).rcode is Rcode.OK

    assert played.queries["shop.com", "MX"] == 2


@pytest.mark.anyio
async def test_an_answer_of_thousands_of_records_is_not_judged() -> None:
    def tcp(query: dns.message.Message) -> bytes:
        wire = many_mx(query, 3_000)
        return len(wire).to_bytes(2, "big") + wire

    async with serving(HostileServer(cut, tcp)) as address:
        answer = await AiodnsResolver((address,)).resolve("shop.com", "MX", timeout_s=5.0)

    assert (answer.rcode, answer.records) == (Rcode.TRUNCATED, ())


def test_without_the_extra_the_error_names_it_at_construction(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        def find_spec(self, *_: object) -> None:
            """Find no module at all."""

    monkeypatch.delitem(sys.modules, "aiodns", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Nothing()])
    with pytest.raises(SettingsError) as caught:
        resolver_for(Address(dns_resolver="aiodns"))

    assert "pip install 'formwarden[aiodns]'" in caught.value.faults[0]


def test_the_setting_decides_and_a_wrong_server_is_refused_by_both() -> None:
    assert isinstance(resolver_for(Address()), DnsResolver)
    assert isinstance(resolver_for(Address(dns_resolver="aiodns")), AiodnsResolver)
    for name in ("dnspython", "aiodns"):
        with pytest.raises(SettingsError):
            resolver_for(Address.model_validate({"dns_resolver": name, "dns_servers": "nowhere"}))


def test_aiodns_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from formwarden.address import verify, resolvers;"
        "resolvers.AiodnsResolver(('127.0.0.1',)); sys.exit('aiodns' in sys.modules or 'pycares' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
