"""A name server over UDP and TCP whose answers are whatever bytes a function makes of a question."""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Answers = Callable[[dns.message.Message], dns.message.Message | bytes | None]
V4 = "192.175.48.1"


class HostileServer(asyncio.DatagramProtocol):
    """Sends what is made of each question; `tcp` for those that come over a stream, the same where it is None.

    `before` is sent first, over UDP: what somebody else would send. Bytes over TCP are sent as they are, without a
    length; a message bears its own.
    """

    def __init__(self, answers: Answers, tcp: Answers | None = None, before: Sequence[Answers] = ()) -> None:
        self._answers, self._tcp, self._before = answers, tcp or answers, before
        self.queries: Counter[tuple[str, str]] = Counter()
        self.elsewhere = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # sends what `strange` says
        self.strange: Answers | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP's own
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = self._noted(data)
        if self.strange is not None:
            self.elsewhere.sendto(_wire(self.strange(query)) or b"", addr)
        for answers in (*self._before, self._answers):
            answer = _wire(answers(query))
            if answer is not None:
                self._transport.sendto(answer, addr)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            size = int.from_bytes(await reader.readexactly(2), "big")
            answer = self._tcp(self._noted(await reader.readexactly(size)))
            wire = _wire(answer)
            if wire is not None:
                writer.write(wire if isinstance(answer, bytes) else len(wire).to_bytes(2, "big") + wire)
                await writer.drain()
        writer.close()

    def _noted(self, wire: bytes) -> dns.message.Message:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        self.queries[question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)] += 1
        return query


@asynccontextmanager
async def serving(server: HostileServer) -> AsyncIterator[str]:
    """Serve on loopback while the block runs; gives the address."""
    tcp = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    where = tcp.sockets[0].getsockname()
    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: server, local_addr=where)
    try:
        yield f"127.0.0.1:{where[1]}"
    finally:
        udp.close()
        tcp.close()
        await tcp.wait_closed()
        server.elsewhere.close()


def zone(records: Mapping[tuple[str, str], Iterable[str]], ttl: int = 300) -> Answers:
    """Answer from a table of records; what is not in it does not exist."""

    def answers(query: dns.message.Message) -> dns.message.Message:
        response = dns.message.make_response(query, recursion_available=True)
        name = query.question[0].name
        rdtype = dns.rdatatype.to_text(query.question[0].rdtype)
        found = list(records.get((name.to_text(omit_final_dot=True), rdtype), ()))
        if found:
            response.answer.append(dns.rrset.from_text(name, ttl, "IN", rdtype, *found))
        else:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response

    return answers


def cut(query: dns.message.Message) -> dns.message.Message:
    """Say that the answer does not fit into a datagram."""
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.TC
    return response


def many_mx(query: dns.message.Message, count: int, *, deep: bool = False) -> bytes:
    """Pack as many MX records as there is room for: names below the domain, or pointers to one of 120 labels."""
    wire = query.to_wire()
    end = 12 + len(query.question[0].name.to_wire() or b"") + 4
    out = bytearray(wire[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0) + wire[12:end])
    first = 0
    for number in range(count):
        label = f"h{number}".encode()
        target = bytes([len(label)]) + label + b"\xc0\x0c"
        if deep:
            target = struct.pack("!H", 0xC000 | first) if first else b"\x01a" * 120 + b"\0"
        out += b"\xc0\x0c" + struct.pack("!HHIHH", 15, 1, 300, 2 + len(target), number)
        first = first or len(out)
        out += target
    return bytes(out)


def _wire(answer: dns.message.Message | bytes | None) -> bytes | None:
    return answer.to_wire(max_size=65_535) if isinstance(answer, dns.message.Message) else answer
