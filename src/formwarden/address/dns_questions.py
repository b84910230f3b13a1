"""Questions by dnspython's asyncio resolver; imported by `DnsResolver` in a thread, by nobody else."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import dns.asyncresolver
import dns.exception
import dns.message
import dns.name
import dns.nameserver
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.MX import MX
from dns.rdtypes.ANY.TXT import TXT

from formwarden.address.dns_bounds import BoundedBackend
from formwarden.address.resolver import DnsAnswer, Rcode

if TYPE_CHECKING:
    from formwarden.address.dns_resolver import DnsServer

TRY_S: Final = 0.8  # one question to one server; two tries fit into the deadline
EDNS_BYTES: Final = 1232  # what passes every path unfragmented (DNS flag day 2020); 512 would send large MX to TCP

RCODES: Final = {
    dns.rcode.SERVFAIL: Rcode.SERVFAIL,
    dns.rcode.REFUSED: Rcode.REFUSED,
    dns.rcode.NOTIMP: Rcode.REFUSED,
    dns.rcode.FORMERR: Rcode.REFUSED,
}


class Questions:
    """One configured resolver: no cache, no search list, nothing of an event loop."""

    def __init__(self, resolver: dns.asyncresolver.Resolver) -> None:
        self._resolver = resolver
        self._backend = BoundedBackend()
        resolver.cache = None
        resolver.search = []
        resolver.timeout = TRY_S
        resolver.use_edns(0, 0, EDNS_BYTES)

    @classmethod
    def to(cls, servers: "Sequence[DnsServer]") -> "Questions | None":
        """Ask these servers, or the system's; None where it names none."""
        if servers:
            resolver = dns.asyncresolver.Resolver(configure=False)
            resolver.nameservers = [dns.nameserver.Do53Nameserver(each.address, each.port) for each in servers]
            return cls(resolver)
        try:
            return cls(dns.asyncresolver.Resolver())
        except dns.resolver.NoResolverConfiguration:
            return None

    async def ask(self, name: str, rdtype: str, timeout_s: float) -> DnsAnswer:
        """Ask one question; what dnspython raises for its own reasons becomes an answer."""
        try:
            answer = await self._resolver.resolve(
                dns.name.from_text(f"{name.rstrip('.')}."),
                rdtype,
                raise_on_no_answer=False,
                lifetime=timeout_s,
                search=False,
                backend=self._backend,
            )
        except dns.resolver.NXDOMAIN as error:
            return _no_such_name(error)
        except (dns.resolver.NoNameservers, dns.resolver.LifetimeTimeout) as error:
            return _failure(error)
        except (dns.exception.DNSException, OSError, EOFError):  # YXDOMAIN, a name too long, no network
            return DnsAnswer(rcode=Rcode.BROKEN)
        return _answered(answer)


def _answered(answer: dns.resolver.Answer) -> DnsAnswer:
    chain = answer.chaining_result
    canonical = _text(chain.canonical_name) if chain.cnames else None
    if chain.answer is None:
        soa = _has_soa(answer.response)
        return DnsAnswer(rcode=Rcode.NODATA, ttl_s=float(chain.minimum_ttl), soa=soa, canonical=canonical)
    records = tuple(map(_record, chain.answer))
    return DnsAnswer(rcode=Rcode.OK, records=records, ttl_s=float(chain.minimum_ttl), canonical=canonical)


def _record(rdata: dns.rdata.Rdata) -> tuple[int, str]:
    if isinstance(rdata, MX):
        return rdata.preference, _text(rdata.exchange)
    if isinstance(rdata, TXT):  # its strings are one text (RFC 7208 section 3.3)
        return 0, b"".join(rdata.strings).decode("ascii", "replace")
    return 0, rdata.to_text()


def _no_such_name(error: dns.resolver.NXDOMAIN) -> DnsAnswer:
    responses: dict[dns.name.Name, dns.message.QueryMessage] = error.kwargs["responses"]
    response = next(iter(responses.values()))  # without a search list there is one
    chain = response.resolve_chaining()
    return DnsAnswer(
        rcode=Rcode.NXDOMAIN,
        ttl_s=float(chain.minimum_ttl),
        soa=_has_soa(response),
        canonical=_text(chain.canonical_name) if chain.cnames else None,
    )


def _failure(error: dns.resolver.NoNameservers | dns.resolver.LifetimeTimeout) -> DnsAnswer:
    """Name what the servers did; the last answer speaks, for a server that answered is better than a silent one."""
    tries: list[dns.resolver.ErrorTuple] = error.kwargs["errors"]
    for *_, problem, response in reversed(tries):
        if isinstance(problem, dns.message.ChainTooLong):
            return DnsAnswer(rcode=Rcode.CNAME_CHAIN)
        if response is not None and response.rcode() in RCODES:
            extended = next(iter(response.extended_errors()), None)
            code = None if extended is None else int(extended.code)
            return DnsAnswer(rcode=RCODES[response.rcode()], extended_error=code)
    if any(isinstance(problem, dns.message.Truncated) for *_, problem, _ in tries):
        return DnsAnswer(rcode=Rcode.TRUNCATED)
    late = isinstance(error, dns.resolver.LifetimeTimeout)
    return DnsAnswer(rcode=Rcode.TIMEOUT if late else Rcode.BROKEN)


def _has_soa(response: dns.message.Message) -> bool:
    return any(rrset.rdtype == dns.rdatatype.SOA for rrset in response.authority)


def _text(name: dns.name.Name) -> str:
    text = name.to_text(omit_final_dot=True).lower()
    return text or "."
