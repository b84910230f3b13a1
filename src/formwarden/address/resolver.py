"""The resolver, as a port: one question, one answer, never an exception."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Rcode(StrEnum):
    """How a question ended; everything from SERVFAIL on is the resolver's trouble, not the name's."""

    OK = "ok"
    NODATA = "nodata"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    UNCONFIGURED = "unconfigured"
    TRUNCATED = "truncated"  # the answer did not fit, and TCP failed
    CNAME_CHAIN = "cname_chain"  # a loop, or more links than a resolver follows


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswer:
    """One answer. `records` holds (preference, text); the preference is 0 but for MX.

    Host names are lower case without the last dot; "." alone is the root, the target of a null MX (RFC 7505).
    """

    rcode: Rcode
    records: tuple[tuple[int, str], ...] = ()
    ttl_s: float = 0.0
    soa: bool = False
    extended_error: int | None = None
    canonical: str | None = None  # where the CNAME chain ended; None: the name is no alias


class Resolver(Protocol):
    """What the address check needs of DNS."""

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        """Ask for one record type of one ASCII name; never raises."""
