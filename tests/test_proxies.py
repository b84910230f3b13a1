"""Which peers are proxies: the words of one setting, and the ranges that ship."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.data import groups, load
from formwarden.proxies import IpAddress, Network, Ranges, TrustedProxies, hops_of, place_of, presets
from formwarden.submission import Client

SHIPPED = {**groups("proxies", "near"), **groups("proxies", "cdn")}
ADDRESSES = st.ip_addresses()


def trusts(words: list[str], address: str) -> bool:
    return Client.parse(address) in TrustedProxies.parse(words)


@pytest.mark.parametrize(
    ("words", "address", "trusted"),
    [
        (["10.0.0.0/8"], "10.255.255.255", True),
        (["10.0.0.0/8"], "11.0.0.0", False),
        (["10.0.0.1/24"], "10.0.0.200", True),  # `ip addr` prints it so
        (["192.0.2.7"], "192.0.2.7", True),
        (["192.0.2.7"], "192.0.2.8", False),
        (["2001:db8::/32"], "2001:db8:ffff::1", True),
        (["::1"], "::1", True),
        (["::1"], "0.0.0.1", False),  # the same number in the other version
        (["::ffff:10.0.0.0/104"], "10.9.9.9", True),
        (["::ffff:192.0.2.7"], "192.0.2.7", True),
        (["cloudflare"], "172.64.0.1", True),
        (["cloudflare"], "2a06:98c7:ffff::1", True),
        (["cloudflare"], "151.101.1.69", False),
        (["fastly"], "151.101.1.69", True),
        (["fastly"], "2a04:4e42::223", True),
        (["loopback"], "127.1.2.3", True),
        (["loopback"], "::1", True),
        (["loopback"], "10.0.0.1", False),
        (["private"], "10.0.0.1", True),
        (["private"], "172.31.255.255", True),
        (["private"], "172.32.0.0", False),
        (["private"], "192.168.1.1", True),
        (["private"], "100.127.255.255", True),
        (["private"], "100.128.0.0", False),
        (["private"], "169.254.1.1", True),
        (["private"], "fd12::1", True),
        (["private"], "fe80::1%eth0", True),
        (["private"], "127.0.0.1", False),
        (["unix"], "127.0.0.1", False),
        (["Cloudflare", " LOOPBACK ", "192.0.2.0/24", "unix"], "127.0.0.1", True),
        (["cloudflare", "loopback", "192.0.2.0/24", "unix"], "104.16.0.1", True),
        (["cloudflare", "loopback", "192.0.2.0/24", "unix"], "192.0.2.200", True),
        (["cloudflare", "loopback", "192.0.2.0/24", "unix"], "203.0.113.9", False),
        ([], "127.0.0.1", False),
        (["10.0.0.0/8"], "testclient", False),
    ],
)
def test_networks_addresses_and_presets_may_be_mixed(words: list[str], address: str, trusted: bool) -> None:  # noqa: FBT001 - a column of the table
    assert trusts(words, address) is trusted


@pytest.mark.parametrize(("words", "anything"), [([], False), (["unix"], True), (["loopback"], True)])
def test_a_list_knows_whether_anything_stands_in_it(words: list[str], anything: bool) -> None:  # noqa: FBT001 - a column
    proxies = TrustedProxies.parse(words)
    assert (bool(proxies), proxies.unix) == (anything, "unix" in words)


@pytest.mark.parametrize("word", ["*", "0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/7", "2000::/3", "::/6"])
def test_a_list_that_holds_visitors_is_refused_with_the_reason(word: str) -> None:
    with pytest.raises(ValueError, match="leftmost entry is theirs"):
        TrustedProxies.parse(["10.0.0.0/8", word])


@pytest.mark.parametrize("word", ["10.0.0.0/8", "fc00::/7", "fe80::/10"])
def test_the_widest_networks_that_one_owner_has_may_be_trusted(word: str) -> None:
    assert TrustedProxies.parse([word])


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("cloudflar", "cloudflare"),
        ("cloud-flare", "cloudflare"),
        ("localhost", None),
        ("privat", "private"),
        ("fastley", "fastly"),
        ("socket", None),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest_preset(word: str, near: str | None) -> None:
    with pytest.raises(ValueError, match=f"no preset '{word}'") as refused:
        TrustedProxies.parse([word])
    assert (f"did you mean {near}?" in str(refused.value)) is (near is not None)
    assert "cloudflare, fastly, loopback, private, unix" in str(refused.value)


@pytest.mark.parametrize("word", ["300.1.1.1", "10.0.0.0/33", "proxy.internal", "2001:db8::/129", "", "10.0.0.0-9"])
def test_what_is_no_network_is_refused_with_an_example(word: str) -> None:
    with pytest.raises(ValueError, match=r"give CIDRs, such as 10\.0\.0\.0/8 or 192\.0\.2\.7"):
        TrustedProxies.parse([word])


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("172.16.0.1", "private"),
        ("100.64.3.9", "private"),
        ("172.70.1.1", "cloudflare"),
        ("2606:4700::1", "cloudflare"),
        ("23.235.32.1", "fastly"),
        ("8.8.8.8", None),
        ("203.0.113.9", None),
        ("64:ff9b::a00:1", None),  # NAT64 and 6to4 are taken as they are, whatever is embedded
        ("2002:a00:1::1", None),
    ],
)
def test_g31_an_address_tells_whether_only_a_proxy_has_it(address: str, place: str | None) -> None:
    assert place_of(ip_address(address)) == place


def test_only_a_cdn_is_passed_a_limited_number_of_times() -> None:
    assert {name: hops_of(name) for name in presets()} == {
        "cloudflare": 1,
        "fastly": 2,
        "loopback": None,
        "private": None,
        "unix": None,
    }
    assert set(groups("proxies", "cdn")) == set(load("proxies")["hops"])  # type: ignore[call-overload] # a table


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_ranges_are_networks_that_do_not_overlap(name: str) -> None:
    networks = [ip_network(text) for text in SHIPPED[name]]  # strict: no host bits
    for one in networks:
        for other in networks:
            assert one is other or one.version != other.version or not overlap(one, other)


@pytest.mark.parametrize("name", groups("proxies", "cdn"))
def test_the_ranges_of_a_cdn_are_public_and_of_both_versions(name: str) -> None:
    networks = [ip_network(text) for text in SHIPPED[name]]
    assert {each.version for each in networks} == {4, 6}
    assert all(each.is_global for each in networks)


def overlap(one: Network, other: Network) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


@given(st.lists(st.tuples(ADDRESSES, st.integers(0, 32)), min_size=1, max_size=6))
def test_ranges_hold_exactly_what_their_networks_hold(picked: list[tuple[IpAddress, int]]) -> None:
    networks = [ip_network((address, length), strict=False) for address, length in picked]
    ranges = Ranges(networks)
    for network in networks:
        first, last = int(network.network_address), int(network.broadcast_address)
        for number in {first - 1, first, last, last + 1}:
            if 0 <= number < 1 << network.max_prefixlen:
                ip = type(network.network_address)(number)
                assert (ip in ranges) is any(ip.version == each.version and ip in each for each in networks)


@given(st.text(max_size=30))
def test_no_word_raises_anything_but_a_value_error(word: str) -> None:
    try:
        TrustedProxies.parse([word])
    except ValueError as error:
        assert "give" in str(error)  # noqa: PT017 - most words are refused, a few are networks
