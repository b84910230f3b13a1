"""Which clients are thousands of people."""

from ipaddress import ip_network
from itertools import chain

import pytest

from formwarden.carriers import is_shared
from formwarden.data import groups
from formwarden.proxies import Ranges, place_of
from formwarden.submission import Client

LISTED = [*chain(*groups("carriers", "carriers").values(), *groups("carriers", "relays").values())]


def shared(address: str) -> bool:
    identity = Client.parse(address).identity
    assert identity is not None
    return is_shared(identity)


@pytest.mark.parametrize(
    "address",
    [
        "49.98.7.1",  # docomo
        "1.75.200.3",
        "106.133.20.5",  # KDDI
        "182.251.99.7",
        "126.161.1.1",  # SoftBank
        "126.254.10.10",
        "133.106.3.3",  # Rakuten
        "172.225.121.192",  # iCloud Private Relay
        "104.28.51.92",
        "2a02:26f7:e2c0:4000::1",
        "2606:54c3:0:a2f::9",
        "2a09:bac3:4120::1",
    ],
)
def test_g05_carriers_and_relays_are_shared(address: str) -> None:
    assert shared(address)


@pytest.mark.parametrize("address", ["192.0.2.1", "127.0.0.1", "8.8.8.8", "2001:db8::1", "126.1.2.3", "::1"])
def test_anybody_else_is_one_client(address: str) -> None:
    assert not shared(address)


def test_what_is_no_address_is_not_shared() -> None:
    assert not is_shared(b"")
    assert not is_shared(b"x")


@pytest.mark.parametrize("text", LISTED)
def test_every_range_is_written_as_a_network_and_none_is_wider_than_a_registry_hands_out(text: str) -> None:
    network = ip_network(text)
    assert network.is_global
    assert network.prefixlen >= (12 if network.version == 4 else 29)


def test_no_range_lies_in_another() -> None:
    for text in LISTED:
        others = Ranges(ip_network(other) for other in LISTED if other != text)
        assert ip_network(text).network_address not in others


def test_a_carrier_is_nobody_s_proxy_nearby() -> None:
    assert {place_of(ip_network(text).network_address) for text in LISTED} <= {None, "cloudflare", "fastly"}
