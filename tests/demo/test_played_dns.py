import asyncio
import struct
import threading

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.report import Status
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import Misbehaviour, PlayedDns


def where(played: PlayedDns) -> tuple[str, int]:
    host, _, port = played.address.rpartition(":")
    return host, int(port)


@pytest.mark.anyio
async def test_g37_the_default_zone_plays_the_providers_and_the_sorry_ones() -> None:
    expected = {
        "gmail.com": (Status.DELIVERABLE, "google"),
        "outlook.com": (Status.DELIVERABLE, "microsoft"),
        "yahoo.com": (Status.DELIVERABLE, "yahoo_aol"),
        "yahoo.co.jp": (Status.DELIVERABLE, "yahoo_jp"),
        "icloud.com": (Status.DELIVERABLE, "apple"),
        "docomo.ne.jp": (Status.DELIVERABLE, "docomo"),
        "ezweb.ne.jp": (Status.DELIVERABLE, "kddi"),
        "softbank.ne.jp": (Status.DELIVERABLE, "softbank"),
        "shop-1.played": (Status.DELIVERABLE, "mx.played"),
        "shop-2.played": (Status.DELIVERABLE, "mx.played"),
        "implicit.com": (Status.DELIVERABLE, "implicit.com"),
        "gmial.com": (Status.UNDELIVERABLE, None),
        "null-mx.com": (Status.UNDELIVERABLE, None),
    }
    async with PlayedDns() as played:
        checker = AddressChecker(
            DnsResolver((played.address,)),
            settings=Address(),
            suffixes=Suffixes(),
            clock=SystemClock(),
            own_domains=frozenset(),
        )
        reports = await asyncio.gather(*(checker.verify(f"taro@{domain}") for domain in expected))

    assert {report.domain: (report.status, report.provider) for report in reports} == expected


@pytest.mark.anyio
async def test_questions_are_counted_by_name_and_type() -> None:
    async with PlayedDns({"shop.com": ["MX 10 mx.shop.com."]}) as played:
        resolver = DnsResolver((played.address,))
        await resolver.resolve("SHOP.com", "MX", timeout_s=1.0)
        await resolver.resolve("shop.com", "A", timeout_s=1.0)

    assert played.queries == {("shop.com", "MX"): 1, ("shop.com", "A"): 1}


def ask(played: PlayedDns, name: str, rdtype: str = "MX") -> dns.message.Message:
    wire = played.replies(dns.message.make_query(name, rdtype).to_wire())
    assert wire is not None
    return dns.message.from_wire(wire)


def test_a_wildcard_stands_for_what_is_not_listed_at_any_depth() -> None:
    played = PlayedDns({"*.shop.com": ["MX 10 mx.shop.com."], "mx.shop.com": ["A 192.175.48.1"]})

    assert ask(played, "a.shop.com").answer
    assert ask(played, "b.a.shop.com").answer
    assert not ask(played, "mx.shop.com").answer  # a name of its own (RFC 4592 section 2.2.1)
    assert ask(played, "b.mx.shop.com").rcode() == dns.rcode.NXDOMAIN


def test_no_such_name_and_no_such_record_are_told_apart_and_bear_the_soa() -> None:
    played = PlayedDns({"deep.below.shop.com": ["A 192.175.48.1"]})

    for name, rcode in (("gone.com", dns.rcode.NXDOMAIN), ("below.shop.com", dns.rcode.NOERROR)):
        response = ask(played, name)
        assert response.rcode() == rcode
        assert response.authority


def test_misbehaviour_holds_for_a_name_and_below_until_it_is_taken_back() -> None:
    played = PlayedDns({"shop.com": ["MX 10 mx.shop.com."]})
    query = dns.message.make_query("mx.shop.com", "A").to_wire()
    played.misbehave("shop.com", Misbehaviour.SILENT)

    assert played.replies(query) is None
    played.misbehave("shop.com", "servfail")
    assert ask(played, "mx.shop.com", "A").rcode() == dns.rcode.SERVFAIL
    assert ask(played, "myshop.com").rcode() == dns.rcode.NXDOMAIN
    played.misbehave("shop.com", None)
    assert ask(played, "shop.com").answer


def test_a_wrong_misbehaviour_is_an_error() -> None:
    with pytest.raises(ValueError, match="slow"):
        PlayedDns().misbehave("shop.com", "slow")


def test_a_large_answer_comes_over_tcp() -> None:
    large = {"shop.com": [f"MX {number} a-host-with-a-name-of-some-length-{number}.com." for number in range(60)]}
    with PlayedDns(large).in_thread() as played:
        host, port = where(played)
        query = dns.message.make_query("shop.com", "MX")
        cut = dns.query.udp(query, host, port=port, timeout=2)
        whole = dns.query.tcp(query, host, port=port, timeout=2)

    assert cut.flags & dns.flags.TC
    assert not cut.answer
    assert len(whole.answer[0]) == 60


@pytest.mark.anyio
async def test_a_connection_may_ask_twice_and_one_that_lingers_does_not_keep_it_open() -> None:
    async with PlayedDns() as played:
        reader, writer = await asyncio.open_connection(*where(played))
        query = dns.message.make_query("gmail.com", "MX").to_wire()
        for _ in range(2):
            writer.write(struct.pack("!H", len(query)) + query)
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            assert dns.message.from_wire(await reader.readexactly(size)).answer

    assert await reader.read() == b""
    writer.close()


def test_in_a_thread_it_serves_until_it_is_stopped_and_can_be_started_again() -> None:
    played = PlayedDns()
    before = threading.active_count()
    for _ in range(2):
        assert played.start() == played.address
        answer = asyncio.run(DnsResolver((played.address,)).resolve("gmail.com", "MX", timeout_s=1.0))
        assert len(answer.records) == 2
        played.stop()
        assert threading.active_count() <= before + 1  # the executor of the loop may linger
    played.stop()


def test_a_port_that_is_taken_is_an_error_for_the_one_who_starts() -> None:
    with PlayedDns().in_thread() as first:
        second = PlayedDns(port=where(first)[1])
        with pytest.raises(OSError, match="in use"):
            second.start()
        second.stop()


@pytest.mark.anyio
async def test_a_port_that_udp_has_lost_to_another_is_an_error_and_leaves_nothing_open() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    port = transport.get_extra_info("sockname")[1]

    with pytest.raises(OSError, match="in use"):
        async with PlayedDns(port=port):
            pass
    transport.close()
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", port)
    server.close()


def test_it_plays_on_loopback_only() -> None:
    with pytest.raises(ValueError, match="loopback"):
        PlayedDns(host="192.0.2.1")


@given(st.binary(max_size=64))
def test_no_bytes_make_it_fall(wire: bytes) -> None:
    PlayedDns({"shop.com": ["MX 10 mx.shop.com."]}).replies(wire)


def test_answers_and_updates_are_not_answered() -> None:
    played = PlayedDns()
    response = dns.message.make_response(dns.message.make_query("gmail.com", "MX"))

    assert played.replies(response.to_wire()) is None
    assert played.replies(b"\0\1\x28\0\0\1\0\0\0\0\0\0\5gmail\3com\0\0\6\0\1") is None
