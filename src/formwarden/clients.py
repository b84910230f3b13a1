"""Who is at the other end of the wire, behind declared proxies only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from formwarden.submission import Client

FORWARDING_HEADERS: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip")
MAX_HOPS: Final = 20  # entries of a forwarding header that are read, counted from the right
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The networks whose X-Forwarded-For is believed. Raises ValueError for what is no network."""

    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "TrustedProxies":
        """Read CIDRs or single addresses."""
        return cls(tuple(ip_network(text, strict=False) for text in texts))

    def __contains__(self, client: Client) -> bool:
        return client.ip is not None and any(
            client.ip.version == network.version and client.ip in network for network in self.networks
        )


def resolve_client(peer: str | None, headers: Mapping[str, str], trusted: TrustedProxies) -> Client:
    """Find the client: the socket's peer, or the rightmost hop that is no trusted proxy.

    Where a peer that can only be a proxy (loopback, private or shared) forwards for somebody and no proxy is
    declared, the client is unknown (G31). What stands left of the first untrusted hop is anybody's claim.
    """
    direct = Client.parse(peer)
    if direct.ip is None:
        return direct
    if direct not in trusted:
        undeclared = not trusted.networks and not direct.ip.is_global  # 100.64.0.0/10 too: clusters use it
        if undeclared and any(name in headers for name in FORWARDING_HEADERS):
            return Client()
        return direct
    hop = direct
    for text in reversed(headers.get("x-forwarded-for", "").split(",")[-MAX_HOPS:]):
        if not text.strip():
            break
        hop = Client.parse(_without_port(text.strip()))
        if hop.ip is None or hop not in trusted:
            return hop
    return hop


def _without_port(text: str) -> str:
    """Take the port off `192.0.2.1:443` and `[2001:db8::1]:443`."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text
