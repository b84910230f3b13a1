"""Which peers are proxies: those the owner trusts, and those that can hardly be anything else."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_network
from types import MappingProxyType
from typing import Final

from formwarden.data import groups, load
from formwarden.submission import Client

IpAddress = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNIX: Final = "unix"  # the preset for a socket file, which has no address
DEFAULT_HEADER: Final = "x-forwarded-for"
WIDEST: Final[Mapping[int, int]] = MappingProxyType({4: 8, 6: 7})
"""The shortest prefix that may be trusted: 10.0.0.0/8 and fc00::/7 are somebody's own, wider ones hold visitors."""

EXAMPLES: Final = "CIDRs, such as 10.0.0.0/8 or 192.0.2.7"
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]*")


class Ranges:
    """Networks of both versions, asked by address; like a set, it cannot be changed."""

    __slots__ = ("_sides",)

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        every = tuple(networks)
        v4 = collapse_addresses([each for each in every if isinstance(each, IPv4Network)])
        v6 = collapse_addresses([each for each in every if isinstance(each, IPv6Network)])
        self._sides = {4: _sides(v4), 6: _sides(v6)}

    def __contains__(self, ip: IpAddress) -> bool:
        starts, ends = self._sides[ip.version]
        number = int(ip)
        at = bisect_right(starts, number) - 1
        return at >= 0 and number <= ends[at]

    def __bool__(self) -> bool:
        return any(starts for starts, _ in self._sides.values())


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The proxies whose word is taken, and the header it stands in."""

    ranges: Ranges
    unix: bool = False
    header: str = DEFAULT_HEADER

    @classmethod
    def parse(cls, words: Sequence[str] = (), header: str = DEFAULT_HEADER) -> "TrustedProxies":
        """Read CIDRs, addresses and presets. Raises ValueError, with the remedy, for the first that is none."""
        named = [word.strip().lower() for word in words]
        networks = [network for word in named if word != UNIX for network in _networks(word)]
        return cls(Ranges(networks), unix=UNIX in named, header=header)

    def __contains__(self, client: Client) -> bool:
        return client.ip is not None and client.ip in self.ranges

    def __bool__(self) -> bool:
        return self.unix or bool(self.ranges)


def place_of(ip: IpAddress) -> str | None:
    """Name the preset an address lies in: near, or a CDN. None: it is anybody's."""
    return next((name for name, ranges in _places().items() if ip in ranges), None)


def hops_of(place: str) -> int | None:
    """Return how many hops in a row may lie in this CDN; None: it is none, and any number may."""
    hops = _hops().get(place)
    return hops if isinstance(hops, int) else None


def presets() -> tuple[str, ...]:
    """Name every preset."""
    return tuple(sorted((*_places(), UNIX)))


def _networks(word: str) -> tuple[Network, ...]:
    """Read one word; a network may be given by any address in it: `ip addr` prints 172.17.0.1/16."""
    shipped = _shipped().get(word)
    if shipped is not None:
        return shipped
    if word == "*":
        raise ValueError(_everybody(word))
    if _WORD.fullmatch(word):
        near = get_close_matches(word, presets(), n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"no preset {word!r}; {meant}There are {', '.join(presets())}; else give {EXAMPLES}")
    try:
        network = _unmapped(ip_network(word, strict=False))
    except ValueError as error:
        raise ValueError(f"{error}; give {EXAMPLES}, or {', '.join(presets())}") from None
    if network.prefixlen < WIDEST[network.version]:
        raise ValueError(_everybody(word))
    return (network,)


def _everybody(word: str) -> str:
    return (
        f"{word} trusts visitors too, so what they write into the header themselves would be believed (its leftmost "
        f"entry is theirs); give the proxy's own {EXAMPLES}, or {', '.join(presets())}"
    )


def _unmapped(network: Network) -> Network:
    """Write IPv4 networks that are mapped into IPv6 as what they are, as clients are (RFC 4291 section 2.5.5.2)."""
    if isinstance(network, IPv4Network) or network.prefixlen < 96:  # noqa: PLR2004 - where the IPv4 part begins
        return network
    first = network.network_address.ipv4_mapped
    return network if first is None else IPv4Network((first, network.prefixlen - 96))


def _sides(networks: Iterable[Network]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the first and the last addresses, as sorted numbers."""
    ordered = sorted((int(each.network_address), int(each.broadcast_address)) for each in networks)
    return tuple(first for first, _ in ordered), tuple(last for _, last in ordered)


@cache
def _shipped() -> Mapping[str, tuple[Network, ...]]:
    lists = {**groups("proxies", "near"), **groups("proxies", "cdn")}
    return MappingProxyType({name: tuple(map(ip_network, texts)) for name, texts in lists.items()})


@cache
def _places() -> Mapping[str, Ranges]:
    return MappingProxyType({name: Ranges(networks) for name, networks in _shipped().items()})


@cache
def _hops() -> Mapping[str, object]:
    hops = load("proxies")["hops"]
    if not isinstance(hops, Mapping):
        raise TypeError("proxies.toml: hops is no table")
    return hops
