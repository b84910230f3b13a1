import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dns.asyncresolver
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.address.dns_questions import Questions
from formwarden.address.dns_resolver import DnsResolver, DnsServer, parse_servers
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import PlayedDns
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from tests.clock import MovableClock

ZONE = {
    "shop.com": ["MX 10 MX1.Shop.com.", "MX 20 mx2.shop.com."],
    "mx1.shop.com": ["A 192.175.48.1", "A 192.175.48.2", "AAAA 2620:4f:8000::1"],
    "null-mx.com": ["MX 0 ."],
    "alias.com": ["CNAME shop.com."],
    "alias-gone.com": ["CNAME gone.com."],
    "alias-empty.com": ["CNAME mx1.shop.com."],
}


async def ask(name: str, rdtype: str, *, how: str | None = None, timeout_s: float = 1.0) -> DnsAnswer:
    async with PlayedDns(ZONE) as played:
        played.misbehave(name, how)
        return await DnsResolver((played.address,)).resolve(name, rdtype, timeout_s=timeout_s)


@pytest.mark.anyio
async def test_mx_records_have_preference_and_host_in_small_letters() -> None:
    answer = await ask("shop.com", "MX")

    assert answer.rcode is Rcode.OK
    assert sorted(answer.records) == [(10, "mx1.shop.com"), (20, "mx2.shop.com")]
    assert answer.ttl_s == 300
    assert answer.canonical is None


@pytest.mark.anyio
async def test_addresses_are_texts_without_preference() -> None:
    assert sorted((await ask("mx1.shop.com", "A")).records) == [(0, "192.175.48.1"), (0, "192.175.48.2")]
    assert (await ask("mx1.shop.com", "AAAA")).records == ((0, "2620:4f:8000::1"),)


@pytest.mark.anyio
async def test_the_host_of_a_null_mx_is_the_root() -> None:
    assert (await ask("null-mx.com", "MX")).records == ((0, "."),)


@pytest.mark.anyio
async def test_an_alias_is_followed_and_named() -> None:
    answer = await ask("alias.com", "MX")

    assert (answer.rcode, answer.canonical) == (Rcode.OK, "shop.com")


@pytest.mark.anyio
async def test_a_negative_answer_tells_its_time_and_its_soa() -> None:
    for name, rdtype, rcode, canonical in (
        ("gone.com", "MX", Rcode.NXDOMAIN, None),
        ("alias-gone.com", "MX", Rcode.NXDOMAIN, "gone.com"),
        ("null-mx.com", "A", Rcode.NODATA, None),
        ("alias-empty.com", "MX", Rcode.NODATA, "mx1.shop.com"),
    ):
        answer = await ask(name, rdtype)
        assert (answer.rcode, answer.soa, answer.canonical) == (rcode, True, canonical)
        assert answer.ttl_s == 60


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("how", "rcode", "extended"),
    [
        ("servfail", Rcode.SERVFAIL, None),
        ("bogus", Rcode.SERVFAIL, 6),
        ("refused", Rcode.REFUSED, None),
        ("truncated", Rcode.TRUNCATED, None),
        ("lame", Rcode.NODATA, None),
    ],
)
async def test_each_misbehaviour_has_its_own_answer(how: str, rcode: Rcode, extended: int | None) -> None:
    answer = await ask("shop.com", "MX", how=how)

    assert (answer.rcode, answer.extended_error, answer.soa) == (rcode, extended, False)


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["silent", "garbage"])
async def test_silence_and_garbage_end_with_the_time(how: str) -> None:
    assert (await ask("shop.com", "MX", how=how, timeout_s=0.2)).rcode is Rcode.TIMEOUT


@pytest.mark.anyio
async def test_the_second_server_answers_for_one_that_refuses() -> None:
    async with PlayedDns(ZONE) as sick, PlayedDns(ZONE) as well:
        sick.misbehave("shop.com", "refused")

        answer = await DnsResolver((sick.address, well.address)).resolve("shop.com", "MX", timeout_s=1.0)

    assert answer.rcode is Rcode.OK


@pytest.mark.anyio
async def test_the_search_list_is_never_used_and_nothing_is_kept() -> None:
    async with PlayedDns(ZONE) as played:
        resolver = DnsResolver((played.address,))
        for _ in range(2):
            await resolver.resolve("gone.com", "MX", timeout_s=1.0)

    assert played.queries == {("gone.com", "MX"): 2}


@pytest.mark.anyio
async def test_a_search_list_of_the_systems_makes_no_name_of_another() -> None:
    async with PlayedDns({"shop.lan": ["MX 10 mx.shop.lan."]}) as played:
        host, _, port = played.address.rpartition(":")
        system = dns.asyncresolver.Resolver(configure=False)
        system.nameservers = [dns.nameserver.Do53Nameserver(host, int(port))]
        system.search = [dns.name.from_text("lan.")]
        system.domain = dns.name.from_text("lan.")
        system.use_search_by_default = True
        answers = [await Questions(system).ask(name, "MX", 1.0) for name in ("shop", "shop.com")]

    assert {answer.rcode for answer in answers} == {Rcode.NXDOMAIN}
    assert played.queries == {("shop", "MX"): 1, ("shop.com", "MX"): 1}


@pytest.mark.anyio
async def test_an_answer_of_a_kilobyte_needs_no_second_question_over_tcp() -> None:
    hosts = [f"MX {number} a-host-with-a-name-of-some-length-{number}.com." for number in range(15)]
    async with PlayedDns({"shop.com": hosts}) as played:
        answer = await DnsResolver((played.address,)).resolve("shop.com", "MX", timeout_s=1.0)

    assert len(answer.records) == 15
    assert played.queries.total() == 1  # without EDNS it would be cut at 512 octets and asked again


@pytest.mark.anyio
async def test_ipv6_servers_are_asked_too() -> None:
    async with PlayedDns(ZONE, host="::1") as played:
        assert played.address.startswith("[::1]:")

        assert (await DnsResolver((played.address,)).resolve("shop.com", "MX", timeout_s=1.0)).rcode is Rcode.OK


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["a" * 64 + ".com", "a..com", ".".join(["a" * 60] * 5), "\\999.com", "\u0301.com"])
async def test_a_name_that_cannot_be_asked_is_broken_and_nobody_raises(name: str) -> None:
    faults = Faults(MovableClock())
    resolver = DnsResolver(("127.0.0.1:1",), faults=faults)

    assert (await resolver.resolve(name, "MX", timeout_s=1.0)).rcode is Rcode.BROKEN
    assert faults.of("dns resolver") == 0  # foreseen


@pytest.mark.anyio
async def test_a_server_that_contradicts_itself_is_broken() -> None:
    def answers(wire: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(wire))
        response.answer.append(dns.rrset.from_text("shop.com.", 60, "IN", "MX", "10 mx.shop.com."))
        response.set_rcode(dns.rcode.NXDOMAIN)  # there is no such name, and here are its records
        return response.to_wire()

    assert (await ask_of(answers)).rcode is Rcode.BROKEN


@pytest.mark.anyio
async def test_a_dname_that_grows_too_long_is_broken() -> None:
    def answers(wire: bytes) -> bytes:
        response = dns.message.make_response(dns.message.from_wire(wire))
        response.set_rcode(dns.rcode.YXDOMAIN)
        return response.to_wire()

    assert (await ask_of(answers)).rcode is Rcode.BROKEN


@pytest.mark.anyio
async def test_what_nobody_foresaw_is_counted_and_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def surprise(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret.example.com")

    faults = Faults(SystemClock())
    resolver = DnsResolver(("127.0.0.1:1",), faults=faults)
    await resolver.load()
    monkeypatch.setattr(dns.asyncresolver.Resolver, "resolve", surprise)

    assert (await resolver.resolve("shop.com", "MX", timeout_s=1.0)).rcode is Rcode.BROKEN
    assert [(fault.count, fault.why) for fault in faults.all()] == [(1, "ZeroDivisionError")]


@pytest.mark.anyio
async def test_a_system_without_resolver_is_unconfigured_until_it_has_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("search lan\n")
    read = dns.asyncresolver.Resolver.read_resolv_conf
    monkeypatch.setattr(dns.asyncresolver.Resolver, "read_resolv_conf", lambda self, _: read(self, str(path)))
    resolver = DnsResolver()

    assert (await resolver.resolve("shop.com", "MX", timeout_s=1.0)).rcode is Rcode.UNCONFIGURED
    path.write_text("nameserver 127.0.0.1\nsearch lan\n")
    await resolver.load()
    assert (await resolver.resolve("a..com", "MX", timeout_s=1.0)).rcode is Rcode.BROKEN


def test_a_resolver_outlives_event_loops() -> None:
    with PlayedDns(ZONE).in_thread() as played:
        resolver = DnsResolver((played.address,))

        for _ in range(3):
            assert asyncio.run(resolver.resolve("shop.com", "MX", timeout_s=1.0)).rcode is Rcode.OK


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("127.0.0.1", DnsServer("127.0.0.1", 53)),
        ("127.0.0.1:5353", DnsServer("127.0.0.1", 5353)),
        (" localhost:5353 ", DnsServer("127.0.0.1", 5353)),
        ("::1", DnsServer("::1", 53)),
        ("[::1]", DnsServer("::1", 53)),
        ("[::1]:5353", DnsServer("::1", 5353)),
    ],
)
def test_servers_are_written_with_and_without_a_port(text: str, server: DnsServer) -> None:
    assert parse_servers((text,)) == (server,)


@pytest.mark.parametrize(
    "text", ["", "dns.shop.com", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1]:x", "1.2"]
)
def test_a_wrong_server_is_an_error_at_construction_that_names_the_remedy(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        DnsResolver(("127.0.0.1", text, "also wrong"))

    assert len(caught.value.faults) == 2
    assert "127.0.0.1:5353" in caught.value.faults[0]


def test_dnspython_is_not_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from formwarden.address import verify, dns_resolver;"
        "dns_resolver.DnsResolver(('127.0.0.1',)); sys.exit('dns' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class Server(asyncio.DatagramProtocol):
    """Answers every question as a function says."""

    def __init__(self, answers: Callable[[bytes], bytes]) -> None:
        self.answers = answers

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP's own
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.transport.sendto(self.answers(data), addr)


async def ask_of(answers: Callable[[bytes], bytes], timeout_s: float = 1.0) -> DnsAnswer:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Server(answers), local_addr=("127.0.0.1", 0))
    try:
        port = transport.get_extra_info("sockname")[1]
        resolver = DnsResolver((f"127.0.0.1:{port}",))
        answer = await resolver.resolve("shop.com", "MX", timeout_s=timeout_s)
        assert not resolver.faults.all()
        return answer
    finally:
        transport.close()


HEADERS = st.binary(min_size=10, max_size=10).map(lambda raw: bytes([raw[0] | 0x80]) + raw[1:])


@settings(max_examples=40, deadline=None)
@given(tail=st.one_of(st.binary(max_size=80), st.builds(bytes.__add__, HEADERS, st.binary(max_size=60))))
def test_no_bytes_from_a_server_make_it_raise(tail: bytes) -> None:
    def answers(wire: bytes) -> bytes:
        return wire[:2] + tail + wire[12:] * (len(tail) % 3)

    assert asyncio.run(ask_of(answers, timeout_s=0.05)).rcode is not Rcode.OK
