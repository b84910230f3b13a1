"""Which clients are not one person or office: mobile carriers and relays put thousands behind one address (G05)."""

from functools import cache
from ipaddress import ip_address, ip_network
from typing import Final

from formwarden.data import groups
from formwarden.proxies import Ranges

IPV4_BYTES: Final = 4


def is_shared(identity: bytes) -> bool:
    """Tell of a client's identity (`Client.identity`: the address or its prefix, and how many bits) whether it is."""
    packed = identity[:-1]
    return len(packed) >= IPV4_BYTES and ip_address(packed) in _ranges()


@cache
def _ranges() -> Ranges:
    lists = (*groups("carriers", "carriers").values(), *groups("carriers", "relays").values())
    return Ranges(ip_network(text) for texts in lists for text in texts)
