"""Who is at the other end of the wire, behind declared proxies only."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formwarden.forwarding import hops
from formwarden.proxies import UNIX, TrustedProxies, hops_of, place_of
from formwarden.submission import Client

FORWARDING_HEADERS: Final = frozenset(
    {
        "cf-connecting-ip",
        "fastly-client-ip",
        "fly-client-ip",
        "forwarded",
        "true-client-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""What a request has only if somebody forwards it, or says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A client, and what the owner should mend in the way it was found (None: nothing)."""

    client: Client
    fault: str | None = None


def find_client(peer: str | None, headers: Mapping[str, str], trusted: TrustedProxies) -> Found:
    """Find the client: the socket's peer, or the rightmost hop that is no trusted proxy.

    What cannot be known is an unknown client, never a shared one. `peer` is None or empty for a unix socket.
    """
    direct = Client.parse(peer)
    if FORWARDING_HEADERS.isdisjoint(headers):
        return Found(client=direct)
    by_socket = not peer
    if not (direct in trusted or (by_socket and trusted.unix)):
        place = UNIX if by_socket else None if direct.ip is None else place_of(direct.ip)
        return _through_a_stranger(direct, place, trusted)
    value = headers.get(trusted.header)
    if value is None:
        return Found(client=Client(), fault=_no_header(trusted.header))
    return _behind(direct, value, trusted)


def _through_a_stranger(direct: Client, place: str | None, trusted: TrustedProxies) -> Found:
    """Judge a peer that forwards and that nobody declared (G31); what anybody on the net claims changes nothing."""
    if place is None:
        return Found(client=direct)
    if trusted:
        return Found(client=direct, fault=_not_among_the_trusted(place))
    return Found(client=Client(), fault=_undeclared(place))


def _behind(direct: Client, value: str, trusted: TrustedProxies) -> Found:
    """Walk from the nearest proxy to the first hop that is none. What stands left of it is anybody's claim."""
    hop, passed = direct, Counter[str]()
    _ = _is_used_up(direct, passed)
    for named in hops(trusted.header, value):
        if named.ip is None:
            return Found(client=named, fault=_no_address(trusted.header))
        hop = named
        if named not in trusted or _is_used_up(named, passed):
            break
    return Found(client=hop)


def _is_used_up(hop: Client, passed: Counter[str]) -> bool:
    """Note the hop, and say whether it lies in a CDN that the request has come through already.

    Visitors come out of a CDN's own ranges, too (programs that run on it): such a one is the client.
    """
    place = None if hop.ip is None else place_of(hop.ip)
    limit = None if place is None else hops_of(place)
    if place is None or limit is None:
        return False
    passed[place] += 1
    return passed[place] > limit


def _undeclared(place: str) -> str:
    own = "" if place != "private" else ", or better to the proxy's own address"
    return (
        f"a proxy ({place}) forwards for visitors and none is trusted: who they are is unknown, so nothing is "
        f"counted by client, and replies have standing plain at best; set FORMWARDEN_TRUSTED_PROXIES={place}{own}"
    )


def _not_among_the_trusted(place: str) -> str:
    return (
        f"a proxy ({place}) forwards for visitors and is not among the trusted ones: all who come through it count "
        f"as one client; add {place}, or its address, to FORMWARDEN_TRUSTED_PROXIES"
    )


def _no_header(header: str) -> str:
    return (
        f"a trusted proxy forwards for visitors without {header}: who they are is unknown; let it send that, or set "
        "FORMWARDEN_PROXY_HEADER to the header it always sets itself"
    )


def _no_address(header: str) -> str:
    return f"what a trusted proxy names in {header} is no address: who the visitor is is unknown"
