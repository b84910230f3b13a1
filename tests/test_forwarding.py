"""Forwarding headers, read from the right."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from formwarden.forwarding import FORWARDED_CHARACTERS, HOP_CHARACTERS, MAX_HOPS, hops
from formwarden.submission import Client

HEADERS = ("x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip")
ADDRESSES = st.ip_addresses().filter(lambda ip: not ip.is_unspecified and getattr(ip, "ipv4_mapped", None) is None)
WRITTEN = st.text(alphabet=st.sampled_from('",;=\\for:[]_.123456789abf \t%') | st.characters(), max_size=60)


def named(header: str, value: str) -> list[str | None]:
    return [None if client.ip is None else str(client.ip) for client in hops(header, value)]


@pytest.mark.parametrize(
    ("value", "clients"),
    [
        ("198.51.100.1", ["198.51.100.1"]),
        ("198.51.100.1, 10.0.0.2,10.0.0.3", ["10.0.0.3", "10.0.0.2", "198.51.100.1"]),
        ("  198.51.100.1\t", ["198.51.100.1"]),
        ("198.51.100.1:51234", ["198.51.100.1"]),
        ("[2001:db8::7]:443", ["2001:db8::7"]),
        ("[2001:db8::7]", ["2001:db8::7"]),
        ("2001:db8::7", ["2001:db8::7"]),
        ("2001:DB8::7", ["2001:db8::7"]),
        ("::ffff:198.51.100.1", ["198.51.100.1"]),
        ("[::ffff:198.51.100.1]:80", ["198.51.100.1"]),
        ("fe80::1%en0", ["fe80::1"]),
        ("64:ff9b::c633:6401", ["64:ff9b::c633:6401"]),
        ("2002:c633:6401::1", ["2002:c633:6401::1"]),
        # what names nobody
        ("", [None]),
        (" ", [None]),
        ("198.51.100.1,", [None, "198.51.100.1"]),
        ("198.51.100.1,,10.0.0.2", ["10.0.0.2", None, "198.51.100.1"]),
        ("unknown", [None]),
        ("unix:", [None]),
        ("testclient", [None]),
        ("0.0.0.0", [None]),  # noqa: S104 - nothing is bound
        ("::", [None]),
        ("010.1.1.1", [None]),
        ("198.51.100.1:", [None]),
        ("198.51.100.1:http", [None]),
        ("198.51.100.1:123456", [None]),
        ("198.51.100.1 10.0.0.2", [None]),
        ("198.51.100.1;10.0.0.2", [None]),
        ("198.51.100.0/24", [None]),
        ("[2001:db8::7", [None]),
        ("2001:db8::7]", [None]),
        ("[2001:db8::7]x", [None]),
        ("[[[", [None]),
        ("::1::2", [None]),
        ("１.2.3.4", [None]),
        ("%", [None]),
        ("2001:db8::7%" + "x" * HOP_CHARACTERS, [None]),
    ],
)
def test_x_forwarded_for_names_the_nearest_last(value: str, clients: list[str | None]) -> None:
    assert named("x-forwarded-for", value) == clients


@pytest.mark.parametrize(
    ("value", "clients"),
    [
        ("for=192.0.2.60", ["192.0.2.60"]),
        ("For=192.0.2.60", ["192.0.2.60"]),
        ('for="192.0.2.60"', ["192.0.2.60"]),
        ('for="192.0.2.60:4711"', ["192.0.2.60"]),
        ('For="[2001:db8:cafe::17]:4711"', ["2001:db8:cafe::17"]),
        ('for="[2001:db8:cafe::17]"', ["2001:db8:cafe::17"]),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", ["192.0.2.60"]),
        ("proto=http ; for=192.0.2.60 ; by=203.0.113.43", ["192.0.2.60"]),
        (";for=192.0.2.60;", ["192.0.2.60"]),
        ("for=192.0.2.43, for=198.51.100.17", ["198.51.100.17", "192.0.2.43"]),
        ('for=192.0.2.43, for="[2001:db8::1]:80";host="a,b;c"', ["2001:db8::1", "192.0.2.43"]),
        (r'for=192.0.2.43;host="say \"a, b\"", for=198.51.100.17', ["198.51.100.17", "192.0.2.43"]),
        (r'for="192\.0.2.60"', ["192.0.2.60"]),
        (r'host="ends so \\", for=198.51.100.17', ["198.51.100.17", None]),
        ("for=192.0.2.60:_port", ["192.0.2.60"]),
        # without the quotes that the grammar asks for, as people write it
        ("for=192.0.2.60:4711", ["192.0.2.60"]),
        ("for=[2001:db8::1]:80", ["2001:db8::1"]),
        # what names nobody
        ("for=unknown", [None]),
        ("for=_hidden", [None]),
        ('for="_SEVKISEK"', [None]),
        ("for=", [None]),
        ('for=""', [None]),
        ("by=203.0.113.43", [None]),
        ("proto=https", [None]),
        ("192.0.2.60", [None]),
        ("", [None]),
        ("for=192.0.2.60;for=198.51.100.17", [None]),
        ("for=192.0.2.60;FOR=192.0.2.60", [None]),
        ("for = 192.0.2.60", [None]),
        ("for=192.0.2.60 198.51.100.17", [None]),
        ('for="192.0.2.60', [None]),
        ('for=192.0.2.60"', [None]),
        ('x="a", for="1.1.1.1, for=198.51.100.17', ["198.51.100.17", None]),  # a quote left open swallows nothing
        ('x="for=1.1.1.1, for=198.51.100.17', ["198.51.100.17", None]),
    ],
)
def test_forwarded_is_read_as_rfc_7239_says(value: str, clients: list[str | None]) -> None:
    assert named("forwarded", value) == clients


@pytest.mark.parametrize("header", ["x-real-ip", "cf-connecting-ip", "true-client-ip"])
@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" [2001:db8::7]:443 ", "2001:db8::7"),
        ("198.51.100.1, 203.0.113.9", None),  # two lines, joined: one of them is a visitor's
        ("198.51.100.1, 198.51.100.1", None),
        ("", None),
    ],
)
def test_a_header_that_may_stand_once_is_believed_once(header: str, value: str, client: str | None) -> None:
    assert named(header, value) == [client]


@pytest.mark.parametrize(("header", "hop"), [("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1")])
def test_of_an_endless_header_only_the_last_hops_are_read(header: str, hop: str) -> None:
    endless = ",".join([hop] * 10_000)
    assert named(header, endless) == ["10.0.0.1"] * MAX_HOPS


def test_of_an_element_without_end_nothing_is_read() -> None:
    assert named("forwarded", f'for=1.1.1.1;x="{"," * FORWARDED_CHARACTERS}"') == [None]


@given(header=st.sampled_from(HEADERS), value=WRITTEN | st.text(max_size=80))
@example(header="forwarded", value="for=1.1.1.1;" * 2_000)
@example(header="forwarded", value='"' * 5_000)
@example(header="forwarded", value="\\" * 4_000 + '"')
@example(header="x-forwarded-for", value=":" * 70_000)
def test_no_text_raises(header: str, value: str) -> None:
    assert 1 <= len(list(hops(header, value))) <= MAX_HOPS


@given(left=WRITTEN | st.text(max_size=80), ip=ADDRESSES, port=st.none() | st.integers(1, 65_535))
def test_what_stands_left_changes_nothing_of_what_stands_right(
    left: str, ip: IPv4Address | IPv6Address, port: int | None
) -> None:
    bracketed = f"[{ip}]" if ip.version == 6 else str(ip)
    node = bracketed if port is None else f"{bracketed}:{port}"
    for header, written in (("x-forwarded-for", node), ("forwarded", f'for="{node}";proto=https')):
        first, *_ = hops(header, f"{left}, {written}")
        assert first == Client(ip_address(str(ip)))
