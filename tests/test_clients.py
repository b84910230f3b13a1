import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.clients import FORWARDING_HEADERS, MAX_HOPS, TrustedProxies, resolve_client
from formwarden.submission import Client

NONE = TrustedProxies()
PROXY = TrustedProxies.parse(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])
UNKNOWN = None


def forwarded(text: str) -> dict[str, str]:
    return {"x-forwarded-for": text}


@pytest.mark.parametrize(
    ("peer", "headers", "trusted", "client"),
    [
        # nobody in between
        ("203.0.113.9", {}, NONE, "203.0.113.9"),
        ("2001:db8::7", {}, NONE, "2001:db8::7"),
        ("::ffff:203.0.113.9", {}, NONE, "203.0.113.9"),
        ("fe80::1%eth0", {}, NONE, "fe80::1"),
        (" 203.0.113.9 ", {}, NONE, "203.0.113.9"),
        ("127.0.0.1", {}, NONE, "127.0.0.1"),
        (None, {}, NONE, UNKNOWN),
        ("", {}, NONE, UNKNOWN),
        ("unix:", {}, NONE, UNKNOWN),
        ("testclient", {}, NONE, UNKNOWN),
        ("/run/gunicorn.sock", forwarded("203.0.113.9"), PROXY, UNKNOWN),
        # a claim of somebody we do not trust
        ("1.2.3.4", forwarded("198.51.100.1"), NONE, "1.2.3.4"),
        ("203.0.113.9", forwarded("198.51.100.1"), PROXY, "203.0.113.9"),
        ("203.0.113.9", {"x-real-ip": "198.51.100.1", "forwarded": "for=198.51.100.1"}, PROXY, "203.0.113.9"),
        # trusted chains, read from the right
        ("10.0.0.1", forwarded("198.51.100.1"), PROXY, "198.51.100.1"),
        ("10.0.0.1", forwarded("198.51.100.1, 10.0.0.2"), PROXY, "198.51.100.1"),
        ("10.0.0.1", forwarded("1.1.1.1, 198.51.100.1, 10.0.0.2,10.9.9.9"), PROXY, "198.51.100.1"),
        ("10.0.0.1", forwarded("127.0.0.1, 198.51.100.1"), PROXY, "198.51.100.1"),
        ("fd00::1", forwarded("2001:db8::7, fd00::2"), PROXY, "2001:db8::7"),
        ("::ffff:10.0.0.1", forwarded("::ffff:198.51.100.1"), PROXY, "198.51.100.1"),
        ("192.0.2.1", forwarded("198.51.100.1, 192.0.2.2"), PROXY, "192.0.2.2"),
        ("10.0.0.1", forwarded("10.0.0.2, 10.0.0.3"), PROXY, "10.0.0.2"),
        ("10.0.0.1", {}, PROXY, "10.0.0.1"),
        ("10.0.0.1", {"x-real-ip": "198.51.100.1"}, PROXY, "10.0.0.1"),
        # spellings
        ("10.0.0.1", forwarded("198.51.100.1:51234"), PROXY, "198.51.100.1"),
        ("10.0.0.1", forwarded("[2001:db8::7]:443"), PROXY, "2001:db8::7"),
        ("10.0.0.1", forwarded("[2001:db8::7]"), PROXY, "2001:db8::7"),
        ("10.0.0.1", forwarded("2001:db8::7"), PROXY, "2001:db8::7"),
        ("10.0.0.1", forwarded("fe80::1%en0"), PROXY, "fe80::1"),
        ("10.0.0.1", forwarded("  198.51.100.1\t"), PROXY, "198.51.100.1"),
        # garbage where the client should stand
        ("10.0.0.1", forwarded("unknown"), PROXY, UNKNOWN),
        ("10.0.0.1", forwarded("198.51.100.1, _hidden"), PROXY, UNKNOWN),
        ("10.0.0.1", forwarded("198.51.100.1, ::1::2"), PROXY, UNKNOWN),
        ("10.0.0.1", forwarded("[[["), PROXY, UNKNOWN),
        ("10.0.0.1", forwarded("010.1.1.1"), PROXY, UNKNOWN),
    ],
)
def test_the_client_is_the_rightmost_that_is_no_trusted_proxy(
    peer: str | None, headers: dict[str, str], trusted: TrustedProxies, client: str | None
) -> None:
    assert resolve_client(peer, headers, trusted) == Client.parse(client)


@pytest.mark.parametrize("header", FORWARDING_HEADERS)
@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "fd00::5", "::ffff:172.17.0.1", "100.64.3.9"]
)
def test_g31_behind_a_proxy_that_nobody_declared_the_client_is_unknown(peer: str, header: str) -> None:
    assert resolve_client(peer, {header: "198.51.100.1"}, NONE) == Client()


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.1.2.3"])
def test_g31_a_peer_nearby_that_forwards_for_nobody_is_an_ordinary_client(peer: str) -> None:
    assert resolve_client(peer, {"host": "localhost", "via": "1.1 cache"}, NONE) == Client.parse(peer)


def test_g31_where_proxies_are_declared_another_near_peer_is_an_ordinary_client() -> None:
    assert resolve_client("192.168.1.5", forwarded("198.51.100.1"), PROXY) == Client.parse("192.168.1.5")


def test_of_an_endless_chain_only_the_last_hops_are_read() -> None:
    chain = ", ".join(["198.51.100.1", *["10.0.0.2"] * MAX_HOPS])
    assert resolve_client("10.0.0.1", forwarded(chain), PROXY) == Client.parse("10.0.0.2")


@given(peer=st.text(max_size=20), value=st.text(max_size=60))
def test_no_text_makes_it_raise(peer: str, value: str) -> None:
    for trusted in (NONE, PROXY):
        for near in (peer, "10.0.0.1"):
            resolve_client(near, forwarded(value), trusted)


@given(value=st.text(max_size=60), header=st.sampled_from(FORWARDING_HEADERS))
def test_no_header_of_an_untrusted_peer_changes_anything(value: str, header: str) -> None:
    assert resolve_client("203.0.113.9", {header: value}, PROXY) == Client.parse("203.0.113.9")


def test_what_is_no_network_is_no_proxy() -> None:
    with pytest.raises(ValueError, match="cloud"):
        TrustedProxies.parse(["cloud"])


def test_a_network_may_be_given_by_one_of_its_addresses() -> None:
    assert Client.parse("10.0.0.200") in TrustedProxies.parse(["10.0.0.1/24"])
    assert Client() not in PROXY
