"""The wire without a socket: dnspython asks a function, and reads its bytes as it reads a server's."""

from collections.abc import Callable
from typing import Final, Protocol

import dns.asyncresolver
import dns.exception
import dns.message
from dns.nameserver import Nameserver

from formwarden.address.dns_questions import Questions
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.clock import Clock

NAME: Final = "in process"


class Replies(Protocol):
    """What a server says to one question; None: nothing."""

    def __call__(self, wire: bytes, *, tcp: bool) -> bytes | None:
        """Answer the bytes of one question."""


async def ask(
    name: str, rdtype: str, *, replies: Replies, delay_s: Callable[[bytes], float], timeout_s: float, clock: Clock
) -> DnsAnswer:
    """Ask one question; silence and lateness take the whole of the time, by the clock."""
    server = _Server(replies, delay_s)
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [server]
    answer = await Questions(resolver).ask(name, rdtype, timeout_s)
    if server.silent or server.late_s >= timeout_s:
        await clock.sleep(timeout_s)
        return DnsAnswer(rcode=Rcode.TIMEOUT)
    if server.late_s:
        await clock.sleep(server.late_s)
    return answer


class _Server(Nameserver):
    def __init__(self, replies: Replies, delay_s: Callable[[bytes], float]) -> None:
        self._replies = replies
        self._delay_s = delay_s
        self.silent = False
        self.late_s = 0.0

    def __str__(self) -> str:
        return NAME

    def kind(self) -> str:
        return NAME

    def is_always_max_size(self) -> bool:
        return False

    def answer_nameserver(self) -> str:
        return NAME

    def answer_port(self) -> int:
        return 0

    async def async_query(  # noqa: PLR0917 - dnspython's signature
        self,
        request: dns.message.QueryMessage,
        timeout: float,  # noqa: ARG002, ASYNC109 - the same
        source: str | None,  # noqa: ARG002 - the same
        source_port: int,  # noqa: ARG002 - the same
        max_size: bool,  # noqa: FBT001 - the same
        backend: object,  # noqa: ARG002 - the same
        one_rr_per_rrset: bool = False,  # noqa: ARG002, FBT001, FBT002 - the same
        ignore_trailing: bool = False,  # noqa: ARG002, FBT001, FBT002 - the same
    ) -> dns.message.Message:
        wire = request.to_wire()
        self.late_s += self._delay_s(wire)
        reply = self._replies(wire, tcp=max_size)
        response = None if reply is None else _read(request, reply, tcp=max_size)
        if response is not None:
            return response
        self.silent = not max_size  # over UDP nobody hears what is no answer; a connection that ends is heard
        raise EOFError


def _read(request: dns.message.Message, reply: bytes, *, tcp: bool) -> dns.message.Message | None:
    """Return what answers the request, None where it is no answer to it; raises `Truncated` as dnspython does."""
    try:
        response = dns.message.from_wire(reply, raise_on_truncation=not tcp)
    except dns.message.Truncated as error:
        if request.is_response(error.kwargs["message"]):
            raise
        return None
    except dns.exception.DNSException:
        return None
    return response if request.is_response(response) else None
