"""What dnspython is given to read: few bytes can hold names that it reads for seconds, and the event loop waits.

It compares each record with the others by its names written out in full, in time that grows with the square of
their labels: 1,232 octets with sixty pointers to one deep name take 0.2 s, 64 KiB over TCP some seconds.
"""

from types import TracebackType
from typing import Final, Protocol, Self

import dns.asyncbackend
import dns.exception
from dns._asyncbackend import Backend  # `dns.asyncbackend` does not say that it gives it out

MOST_BYTES: Final = 4_096  # of an answer over TCP; sixty MX hosts fit, and reading them takes some 20 ms
MOST_WORK: Final = 80_000  # squares of labels; 0.2 µs each, and the largest honest answers have a fifth
DEEPEST: Final = 128  # labels of a name (RFC 1035 section 2.3.4)
UNREAD: Final = DEEPEST**2  # the work that a record of a type we do not know may make
HEADER: Final = 12  # octets
FIXED: Final = 10  # octets of a record between its owner and its data
POINTER: Final = 0xC0
LENGTH: Final = 2  # octets before each message over TCP

WITHOUT_NAMES: Final = frozenset({1, 16, 28, 41})  # A, TXT, AAAA, OPT
# How many octets come first, and how many names then, in NS, CNAME, SOA, MX and DNAME.
NAMES: Final = {2: (0, 1), 5: (0, 1), 6: (0, 2), 15: (2, 1), 39: (0, 1)}

Place = tuple[str, int] | None


class TooMuchWorkError(dns.exception.FormError):
    """An answer over TCP that is too long, or has too many labels: it ends the try."""


class _Socket(Protocol):
    """What dnspython's sockets are, for datagrams and for streams."""

    family: int
    type: int

    async def close(self) -> None: ...
    async def getpeername(self) -> object: ...
    async def sendall(self, what: bytes, timeout: float | None, /) -> None: ...  # noqa: ASYNC109 - dnspython's
    async def recv(self, size: int, timeout: float | None, /) -> bytes: ...  # noqa: ASYNC109 - dnspython's
    async def sendto(self, what: bytes, where: object, timeout: float | None, /) -> int: ...  # noqa: ASYNC109 - dnspython's
    async def recvfrom(self, size: int, timeout: float | None, /) -> tuple[bytes, object]: ...  # noqa: ASYNC109 - dnspython's


class _Sockets(Protocol):
    """What makes them."""

    async def make_socket(  # noqa: PLR0917 - dnspython's signature
        self,
        af: int,
        kind: int,
        proto: int,
        source: Place,
        where: Place,
        timeout: float | None,  # noqa: ASYNC109 - the same
        /,
    ) -> _Socket: ...
    async def sleep(self, interval: float, /) -> None: ...


class BoundedBackend(Backend):
    """Asyncio's sockets for dnspython, which hand on only what is read in milliseconds."""

    def __init__(self) -> None:
        self._inner: _Sockets = dns.asyncbackend.get_backend("asyncio")

    def name(self) -> str:
        """Name it."""
        return "asyncio, bounded"

    def datagram_connection_required(self) -> bool:
        """Tell that datagrams need no connection."""
        return False

    async def sleep(self, interval: float) -> None:
        """Wait between two tries."""
        await self._inner.sleep(interval)

    async def make_socket(  # noqa: PLR0917 - dnspython's signature
        self,
        af: int,
        socktype: int,
        proto: int = 0,
        source: Place = None,
        destination: Place = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the same
        ssl_context: object = None,  # noqa: ARG002 - the same
        server_hostname: object = None,  # noqa: ARG002 - the same
    ) -> "Bounded":
        """Make a socket for datagrams or a stream."""
        inner = await self._inner.make_socket(af, socktype, proto, source, destination, timeout)
        return Bounded(inner)


class Bounded:
    """One socket. Over UDP what is too much is no answer, and may be anybody's; over TCP it is the server's own."""

    def __init__(self, inner: _Socket) -> None:
        self._inner = inner
        self.family, self.type = inner.family, inner.type

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._inner.close()

    async def close(self) -> None:
        """Close it."""
        await self._inner.close()

    async def getpeername(self) -> object:
        """Tell who is at the other end."""
        return await self._inner.getpeername()

    async def sendto(self, what: bytes, destination: object, timeout: float | None) -> int:  # noqa: ASYNC109 - dnspython's
        """Send a datagram."""
        return await self._inner.sendto(what, destination, timeout)

    async def sendall(self, what: bytes, timeout: float | None) -> None:  # noqa: ASYNC109 - dnspython's
        """Send all of it."""
        await self._inner.sendall(what, timeout)

    async def recvfrom(self, size: int, timeout: float | None) -> tuple[bytes, object]:  # noqa: ASYNC109 - dnspython's
        """Receive a datagram; an empty one, which nobody takes for an answer, in place of one that is too much."""
        wire, sender = await self._inner.recvfrom(size, timeout)
        return (wire if is_affordable(wire) else b""), sender

    async def recv(self, size: int, timeout: float | None) -> bytes:  # noqa: ASYNC109 - dnspython's
        """Receive the length, or else the whole message, which dnspython asks for at once."""
        if size > MOST_BYTES:
            raise TooMuchWorkError
        wire = await self._inner.recv(size, timeout)
        if size <= LENGTH:
            return wire
        while wire and len(wire) < size:
            more = await self._inner.recv(size - len(wire), timeout)
            if not more:
                return wire  # whoever wants the rest finds the end too
            wire += more
        if not is_affordable(wire):
            raise TooMuchWorkError
        return wire


def is_affordable(wire: bytes) -> bool:
    """Tell whether reading this takes little work; what is no message takes none."""
    try:
        return _work(wire) <= MOST_WORK
    except IndexError:  # it ends in the middle: whoever reads it finds that too
        return True


def _work(wire: bytes) -> int:
    """Add up the squares of the labels of all names, until that is too many."""
    questions, *sections = (int.from_bytes(wire[at : at + 2]) for at in range(4, HEADER, 2))
    at, work = HEADER, 0
    for _ in range(questions):
        labels, at = _name(wire, at)
        work, at = work + labels**2, at + 4
    for _ in range(sum(sections)):
        labels, at = _name(wire, at)
        rdtype, size = int.from_bytes(wire[at : at + 2]), int.from_bytes(wire[at + 8 : at + FIXED])
        work += labels**2 + _inside(wire, at + FIXED, rdtype)
        at += FIXED + size
        if work > MOST_WORK or at > len(wire):
            break
    return work


def _inside(wire: bytes, at: int, rdtype: int) -> int:
    if rdtype in WITHOUT_NAMES:
        return 0
    if rdtype not in NAMES:
        return UNREAD
    before, names = NAMES[rdtype]
    at, work = at + before, 0
    for _ in range(names):
        labels, at = _name(wire, at)
        work += labels**2
    return work


def _name(wire: bytes, at: int) -> tuple[int, int]:
    """Return the labels of the name there, with those its pointers lead to, and where it ends."""
    labels, after = 0, 0
    for _ in range(DEEPEST * 2):  # as many pointers as labels at most
        size = wire[at]
        if size >= POINTER:
            after = after or at + 2
            at = (size & 0x3F) << 8 | wire[at + 1]
        elif size:
            labels, at = labels + 1, at + 1 + size
        else:
            return labels, after or at + 1
    return DEEPEST, after or len(wire)
