"""A name server on loopback that plays DNS, so that the demo works without a network (ruling G37)."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, Protocol, Self

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype

from formwarden.demo.aside import Aside
from formwarden.demo.played_zone import DEFAULT_ZONE, PlayedZone, ZoneText

PLAIN_UDP_BYTES: Final = 512  # RFC 1035 section 4.2.1, for those who do not say that they take more
TCP_BYTES: Final = 65_535  # its length stands in two octets
IDLE_S: Final = 5.0  # of a TCP connection
BIND_TRIES: Final = 5
BOGUS: Final = dns.edns.EDEOption(dns.edns.EDECode.DNSSEC_BOGUS)


class Misbehaviour(StrEnum):
    """What a server does instead of answering."""

    SILENT = "silent"
    SERVFAIL = "servfail"
    BOGUS = "bogus"  # SERVFAIL of a validating resolver (RFC 8914, error 6)
    REFUSED = "refused"
    LAME = "lame"  # an empty answer without SOA
    TRUNCATED = "truncated"  # over UDP; and TCP hangs up
    GARBAGE = "garbage"
    YXDOMAIN = "yxdomain"  # a DNAME led to a name too long (RFC 6672 section 2.2)


class Zone(Protocol):
    """What is known of names."""

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        """Answer one question rightly."""


class PlayedDns:
    """Answers over UDP and TCP from a zone text, a mapping of names to records, or a zone.

    Use `async with` in the running loop, or `start()`/`stop()` and `in_thread()` for a thread of its own.
    `queries` counts questions by (name, type).
    """

    def __init__(self, zone: ZoneText | Zone = DEFAULT_ZONE, *, host: str = "127.0.0.1", port: int = 0) -> None:
        if not ip_address(host).is_loopback:
            raise ValueError("played DNS answers on loopback only: its answers are inventions")
        self._zone: Zone = PlayedZone(zone) if isinstance(zone, str | Mapping) else zone
        self._host, self._port = host, port
        self._misbehaviour: dict[dns.name.Name, Misbehaviour] = {}
        self._delays: dict[dns.name.Name, float] = {}
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._aside = Aside("played-dns", self._serving)
        self.address = ""
        self.queries: Counter[tuple[str, str]] = Counter()

    def misbehave(self, name: str, how: Misbehaviour | str | None) -> None:
        """Answer wrongly for a name and all below; None: answer rightly again."""
        others = {at: kind for at, kind in self._misbehaviour.items() if at != _name(name)}
        # Made anew, never changed: the server's thread may be reading it.
        self._misbehaviour = others if how is None else {_name(name): Misbehaviour(how), **others}

    def slow(self, name: str, seconds: float) -> None:
        """Answer later for a name and all below; "." is every name."""
        self._delays = {_name(name): seconds, **{at: each for at, each in self._delays.items() if at != _name(name)}}

    def delay_s(self, wire: bytes) -> float:
        """Return how late the answer to a question is: what was said for the longest name that fits."""
        query = _query(wire) if self._delays else None
        if query is None:
            return 0.0
        name = query.question[0].name
        fits = [(len(at.labels), seconds) for at, seconds in self._delays.items() if name.is_subdomain(at)]
        return max(fits, default=(0, 0.0))[1]

    def replies(self, wire: bytes, *, tcp: bool = False) -> bytes | None:
        """Return the answer to one question; None: say nothing."""
        query = _query(wire)
        if query is None:
            return None
        question = query.question[0]
        self.queries[_text(question.name), dns.rdatatype.to_text(question.rdtype)] += 1
        how = self._how(question.name)
        if how is Misbehaviour.SILENT or (how is Misbehaviour.TRUNCATED and tcp):
            return None
        if how is Misbehaviour.GARBAGE:
            return wire[:2] + b"\xff" * 20
        response = _misbehaved(query, how) if how else self._zone.answer(query)
        if tcp:
            return response.to_wire(max_size=TCP_BYTES)
        return _fitting(response, query.payload if query.edns >= 0 else PLAIN_UDP_BYTES)

    async def __aenter__(self) -> Self:
        tcp, self._udp = await self._bind(1 if self._port else BIND_TRIES)
        self._tcp = tcp
        port = tcp.sockets[0].getsockname()[1]
        self.address = f"[{self._host}]:{port}" if ":" in self._host else f"{self._host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        for writer in self._connections:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._connections), return_exceptions=True)

    def start(self) -> str:
        """Serve in a thread of its own and return the address; raises `OSError` when the port is taken."""
        return self._aside.start()

    def stop(self) -> None:
        """End the thread."""
        self._aside.stop()

    @contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Serve in a thread while the block runs."""
        with self._aside.running():
            yield self

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[str]:
        async with self:
            yield self.address

    async def _bind(self, tries: int) -> tuple[asyncio.Server, asyncio.DatagramTransport]:
        """Take one port for both; one that is free for TCP may be taken for UDP."""
        tcp = await asyncio.start_server(self._serve_tcp, self._host, self._port)
        where = (self._host, tcp.sockets[0].getsockname()[1])
        try:
            udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Udp(self), local_addr=where)
        except OSError:
            tcp.close()
            if tries > 1:
                return await self._bind(tries - 1)
            raise
        return tcp, udp

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the questions of one connection (RFC 7766: each with its length before it)."""
        self._connections.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            async with asyncio.timeout(IDLE_S):
                while True:
                    size = int.from_bytes(await reader.readexactly(2), "big")
                    wire = await reader.readexactly(size)
                    reply = self.replies(wire, tcp=True)
                    if reply is None:
                        break
                    await _later(self.delay_s(wire))
                    writer.write(len(reply).to_bytes(2, "big") + reply)
                    await writer.drain()
        writer.close()
        self._connections.discard(writer)

    def _how(self, name: dns.name.Name) -> Misbehaviour | None:
        return next((how for at, how in self._misbehaviour.items() if name.is_subdomain(at)), None)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, played: PlayedDns) -> None:
        self._played = played
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP's own
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._played.replies(data)
        if reply is not None:
            asyncio.get_running_loop().call_later(self._played.delay_s(data), self._send, reply, addr)

    def _send(self, reply: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(reply, addr)


async def _later(seconds: float) -> None:
    passed = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, passed.set)
    await passed.wait()


def _query(wire: bytes) -> dns.message.Message | None:
    try:
        query = dns.message.from_wire(wire)
    except dns.exception.DNSException:
        return None
    asks = query.opcode() == dns.opcode.QUERY and not query.flags & dns.flags.QR
    return query if asks and query.question else None


def _misbehaved(query: dns.message.Message, how: Misbehaviour) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    if how is Misbehaviour.REFUSED:
        response.set_rcode(dns.rcode.REFUSED)
    elif how is Misbehaviour.TRUNCATED:
        response.flags |= dns.flags.TC
    elif how is Misbehaviour.YXDOMAIN:
        response.set_rcode(dns.rcode.YXDOMAIN)
    elif how is not Misbehaviour.LAME:
        response.set_rcode(dns.rcode.SERVFAIL)
    if how is Misbehaviour.BOGUS:
        response.use_edns(0, options=[BOGUS])
    return response


def _fitting(response: dns.message.Message, limit: int) -> bytes:
    try:
        return response.to_wire(max_size=max(limit, PLAIN_UDP_BYTES))
    except dns.exception.TooBig:
        response.answer.clear()
        response.authority.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()


def _name(text: str) -> dns.name.Name:
    return dns.name.from_text(f"{text.rstrip('.')}.")


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
