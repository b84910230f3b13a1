"""Whatever a name server sends, nothing raises, and only what its bytes really say makes an address *deliverable*."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.hosts import Hosts
from formwarden.address.lookup import LookUp
from formwarden.address.outcomes import Outcome
from formwarden.address.report import Status
from formwarden.clock import SystemClock
from formwarden.demo.played_dns import PlayedDns
from formwarden.demo.played_zone import DEFAULT_ZONE
from tests.address.dns_bytes import BadBytesError, Name, addresses, hosts, name_of
from tests.proof import Proof
from tests.soak import runs

DOMAINS = (
    "gmail.com",
    "outlook.com",
    "alias.com",
    "implicit.com",
    "implicit-v6.com",
    "implicit-private.com",
    "loopback.com",
    "dangling.com",
    "dangling-alias.com",
    "null-mx.com",
    "web-only.com",
    "gone.com",
    "shop.played",
)
LOOK_UPS = runs(600, 150_000)  # each meets two wrong answers in three, on average: fewer may meet too few
DOMAINS_EACH = 5  # meet the same changes: drawing them costs more than a look-up, and they hit other bytes
SOME_DOMAINS = st.lists(st.sampled_from(DOMAINS), min_size=DOMAINS_EACH, max_size=DOMAINS_EACH, unique=True)
Change = Callable[[bytes], bytes]


def flip(at: int, bit: int) -> Change:
    def change(wire: bytes) -> bytes:
        where = at % len(wire)
        return wire[:where] + bytes([wire[where] ^ 1 << bit]) + wire[where + 1 :]

    return change


def put(at: int, chunk: bytes) -> Change:
    return lambda wire: wire[: at % len(wire)] + chunk + wire[at % len(wire) + len(chunk) :]


def insert(at: int, chunk: bytes) -> Change:
    return lambda wire: wire[: at % len(wire)] + chunk + wire[at % len(wire) :]


def cut(at: int, size: int) -> Change:
    return lambda wire: wire[: at % len(wire)] + wire[at % len(wire) + size :] or b"\0"


def end(at: int) -> Change:
    return lambda wire: wire[: at % len(wire) + 1]


def repeat(at: int, size: int) -> Change:
    return lambda wire: wire[: at % len(wire) + size] + wire[at % len(wire) :]


def replace(rest: bytes) -> Change:
    return lambda wire: wire[:2] + rest


def header(second: int, fourth: int) -> Change:
    """Change the flags and the response code (RFC 1035 section 4.1.1)."""
    return lambda wire: wire[:2] + bytes([wire[2] ^ second, fourth]) + wire[4:] if wire[2:] else wire


PLACES = st.integers(0, 600)
HOSTILE = (
    b"\xc0\x0c",
    b"\xc0\x00",
    b"\xff\xff",
    b"\0",
    b"\0\0\0\0",
    b"\x3f",
    b"\0\x05",
    b"\0\x0f",
    b"\x7f\0\0\1",
)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(flip, PLACES, st.integers(0, 7)),
    st.builds(put, PLACES, st.one_of(st.sampled_from(HOSTILE), st.binary(min_size=1, max_size=8))),
    st.builds(insert, PLACES, st.one_of(st.sampled_from(HOSTILE), st.binary(min_size=1, max_size=8))),
    st.builds(cut, PLACES, st.integers(1, 40)),
    st.builds(end, PLACES),
    st.builds(repeat, PLACES, st.integers(1, 60)),
    st.builds(header, st.sampled_from([0, 2, 4, 8, 128]), st.integers(0, 255)),
    st.builds(replace, st.binary(max_size=120)),
)
# One for the answer of each question in turn; the last counts for all that follow.
# Some answers are left as they are: a look-up whose every answer is spoilt says little.
SPOILT = st.lists(CHANGES, min_size=1, max_size=2)
PROGRAMS = st.lists(st.one_of(st.just([]), SPOILT, SPOILT, SPOILT), min_size=1, max_size=6)


class Liar(asyncio.DatagramProtocol):
    """A name server over UDP and TCP whose answers are right until they are changed.

    After each comes a plain refusal, so that nobody waits where the first was not taken for an answer.
    """

    def __init__(self) -> None:
        self.truth = PlayedDns(DEFAULT_ZONE)
        self.program: Sequence[Sequence[Change]] = ()
        self._right: dict[tuple[bytes, bool], bytes] = {}  # to what is always answered alike
        self._refusals: dict[bytes, bytes] = {}
        self.sent: dict[bytes, list[bytes]] = defaultdict(list)  # question -> answers
        self.wrong = 0  # answers

    async def start(self) -> str:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.server, where = server, server.sockets[0].getsockname()
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=where)
        return f"127.0.0.1:{where[1]}"

    async def stop(self) -> None:
        self.transport.close()
        self.server.close()
        await self.server.wait_closed()

    def lie(self, wire: bytes, *, tcp: bool) -> bytes:
        answer = right = self.right(wire, tcp=tcp)
        for change in self.program[min(len(self.sent), len(self.program) - 1)]:
            answer = change(answer)
        self.wrong += answer != right
        self.sent[_question(wire)].append(answer)
        return answer

    def right(self, wire: bytes, *, tcp: bool) -> bytes:
        asked = wire[2:]
        if (asked, tcp) not in self._right:
            self._right[asked, tcp] = (self.truth.replies(wire, tcp=tcp) or wire)[2:]
        return wire[:2] + self._right[asked, tcp]

    def refusal(self, wire: bytes) -> bytes:
        asked = wire[2:]
        if asked not in self._refusals:
            self._refusals[asked] = _refusal(wire)[2:]
        return wire[:2] + self._refusals[asked]

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP's own
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for answer in (self.lie(data, tcp=False), self.refusal(data)):
            self.transport.sendto(answer, addr)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = self.lie(await reader.readexactly(size), tcp=True)
            writer.write(len(answer).to_bytes(2, "big") + answer)
            await writer.drain()
        writer.close()


def _question(wire: bytes) -> bytes:
    """Return the question alone, with its number."""
    at = 12
    while wire[at]:
        at += 1 + wire[at]
    return wire[: at + 5]


def _refusal(wire: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.set_rcode(dns.rcode.REFUSED)
    return response.to_wire()


def justified(domain: str, sent: dict[bytes, list[bytes]]) -> bool:
    """Tell whether the bytes, read by somebody else, name a host with an address that mail can be sent to."""
    targets, found = set[Name](), defaultdict[Name, list[str]](list)
    for asked, answers in sent.items():
        for wire in answers:
            with suppress(BadBytesError):
                targets.update(hosts(wire, asked))
            with suppress(BadBytesError):
                found[name_of(asked)] += addresses(wire, asked)
    itself = tuple(domain.encode().split(b"."))
    return any(ip_address(text).is_global for name in targets or {itself} for text in found[name])


@pytest.mark.soak
def test_no_bytes_raise_and_deliverable_is_what_another_reader_finds_in_them_too(proof: Proof) -> None:
    seen: dict[Status, int] = defaultdict(int)
    with asyncio.Runner() as runner:
        liar = Liar()
        resolver = DnsResolver((runner.run(liar.start()),))
        runner.run(resolver.load())
        ours: list[object] = []  # what the liar itself does wrong: it would say nothing, and everybody would wait
        runner.get_loop().set_exception_handler(lambda _, context: ours.append(context))

        async def look_up(domain: str) -> Outcome:
            hosts = Hosts(resolver, SystemClock(), limit=2)  # nothing is remembered from one look-up to the next
            return await LookUp(domain, domain, resolver, SystemClock(), hosts=hosts, seconds=5.0).ask()

        @examples(
            max_examples=LOOK_UPS // DOMAINS_EACH,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(
            domains=st.lists(st.sampled_from(DOMAINS), min_size=DOMAINS_EACH, max_size=DOMAINS_EACH, unique=True),
            program=PROGRAMS,
        )
        @example(domains=["outlook.com"], program=[[put(222, b"\xc0\x0c")]])  # a host with octets of no host name
        def hold(domains: list[str], program: list[list[Change]]) -> None:
            liar.program = program
            for domain in domains:
                liar.sent.clear()
                outcome = runner.run(look_up(domain))
                seen[outcome.status] += 1
                assert not resolver.faults.all(), resolver.faults.all()
                assert outcome.status is not Status.DELIVERABLE or justified(domain, liar.sent)

        try:
            hold()
        finally:
            runner.run(liar.stop())

    found = {str(status): count for status, count in seen.items()}
    proof("fuzzed DNS answers: nothing raises", wrong_answers=f"{liar.wrong:,}", **found)
    assert not ours
    assert liar.wrong >= LOOK_UPS // 2
    assert all(seen[status] for status in (Status.DELIVERABLE, Status.UNDELIVERABLE, Status.UNKNOWN))


def test_the_other_reader_finds_in_right_answers_what_is_in_them_and_nothing_in_wrong_ones() -> None:
    truth = PlayedDns(DEFAULT_ZONE)

    def exchange(name: str, rdtype: str) -> tuple[bytes, bytes]:
        wire = dns.message.make_query(name, rdtype).to_wire()
        answer = truth.replies(wire)
        assert answer is not None
        return answer, _question(wire)

    google = (b"gmail-smtp-in", b"l", b"google", b"com")
    assert set(hosts(*exchange("alias.com", "MX"))) == {google, (b"alt1", *google)}
    assert hosts(*exchange("null-mx.com", "MX")) == []
    assert addresses(*exchange("loopback.com", "A")) == []
    assert addresses(*exchange("implicit.com", "A")) == ["192.175.48.31"]
    assert addresses(*exchange("implicit-v6.com", "AAAA")) == ["2620:4f:8000::31"]
    answer, asked = exchange("implicit.com", "A")
    other = dns.message.make_query("implicit-private.com", "A").to_wire()
    assert addresses(answer, _question(other)) == []
    assert addresses(answer[:2] + bytes([answer[2], answer[3] | dns.rcode.SERVFAIL]) + answer[4:], asked) == []
    with pytest.raises(BadBytesError):
        addresses(answer[:-3], asked)
