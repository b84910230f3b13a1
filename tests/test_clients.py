"""Who the client is: the table, and what no header changes."""

import logging
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from formwarden.clients import FORWARDING_HEADERS, find_client
from formwarden.console.view import Shown, View
from formwarden.forwarding import MAX_HOPS
from formwarden.proxies import TrustedProxies, place_of
from formwarden.scoring import Standing
from formwarden.submission import Client, Submission
from formwarden.web.settings import Web
from tests.sites import BROWSER, Site

UNKNOWN = None
NONE = TrustedProxies.parse()
XFF, FORWARDED, REAL_IP, CF, TRUE = get_args(Web.model_fields["proxy_header"].annotation)
NEAR = "10.0.0.0/8 fd00::/8 192.0.2.1"  # the site's own proxies in this table
CLOUDFLARE_EDGE, OTHER_EDGE, THIRD_EDGE, WORKER = "172.70.1.1", "162.158.1.1", "104.24.9.9", "2a06:98c0:3600::103"
FASTLY_EDGE, FASTLY_SHIELD = "151.101.1.1", "167.82.1.1"
EVERY_HEADER = dict.fromkeys(FORWARDING_HEADERS, "1.1.1.1")

# what it is about, the peer, what was sent, who is trusted, the header it stands in, the client
Case = tuple[str, str | None, Mapping[str, str], str, str, str | None]
CASES: tuple[Case, ...] = (
    # nobody in between
    ("IPv4", "203.0.113.9", {}, "", XFF, "203.0.113.9"),
    ("IPv6", "2001:db8::7", {}, "", XFF, "2001:db8::7"),
    ("IPv4 mapped into IPv6", "::ffff:203.0.113.9", {}, "", XFF, "203.0.113.9"),
    ("6to4 stays what it is", "2002:cb00:7109::1", {}, "", XFF, "2002:cb00:7109::1"),
    ("NAT64 stays what it is", "64:ff9b::cb00:7109", {}, "", XFF, "64:ff9b::cb00:7109"),
    ("a zone comes off", "fe80::1%eth0", {}, "", XFF, "fe80::1"),
    ("spaces come off", " 203.0.113.9 ", {}, "", XFF, "203.0.113.9"),
    ("loopback is an ordinary client", "127.0.0.1", {}, "", XFF, "127.0.0.1"),
    ("no peer", None, {}, "", XFF, UNKNOWN),
    ("an empty peer", "", {}, "", XFF, UNKNOWN),
    ("the unspecified address", "0.0.0.0", {}, "", XFF, UNKNOWN),  # noqa: S104 - nothing is bound
    ("a socket file", "unix:", {}, "", XFF, UNKNOWN),
    ("a test client", "testclient", {}, "", XFF, UNKNOWN),
    ("a peer that is no address, forwarding", "/run/app.sock", {XFF: "1.1.1.1"}, NEAR, XFF, UNKNOWN),
    # claims of somebody we do not trust
    ("a stranger claims", "203.0.113.9", {XFF: "1.1.1.1"}, "", XFF, "203.0.113.9"),
    ("a stranger claims beside proxies", "203.0.113.9", {XFF: "1.1.1.1"}, NEAR, XFF, "203.0.113.9"),
    ("a stranger claims to be a proxy", "203.0.113.9", {XFF: "1.1.1.1, 10.0.0.1"}, NEAR, XFF, "203.0.113.9"),
    ("a stranger sends them all", "203.0.113.9", EVERY_HEADER, NEAR, CF, "203.0.113.9"),
    ("a stranger writes Forwarded", "203.0.113.9", {FORWARDED: "for=1.1.1.1"}, NEAR, FORWARDED, "203.0.113.9"),
    ("a stranger writes X-Real-IP", "203.0.113.9", {REAL_IP: "1.1.1.1"}, NEAR, REAL_IP, "203.0.113.9"),
    ("a stranger where a socket is trusted", "203.0.113.9", {XFF: "1.1.1.1"}, "unix", XFF, "203.0.113.9"),
    ("loopback where others are trusted", "127.0.0.1", {XFF: "1.1.1.1"}, NEAR, XFF, "127.0.0.1"),
    ("a neighbour where others are trusted", "192.168.1.5", {XFF: "1.1.1.1"}, NEAR, XFF, "192.168.1.5"),
    ("the wrong CDN", FASTLY_EDGE, {XFF: "1.1.1.1"}, "cloudflare", XFF, FASTLY_EDGE),
    # nobody is declared: ruling G31
    ("undeclared on loopback", "127.0.0.1", {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared on IPv6 loopback", "::1", {FORWARDED: "for=1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared in a private network", "10.1.2.3", {REAL_IP: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared in shared address space", "100.64.3.9", {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared, unique local", "fd00::5", {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared, mapped", "::ffff:172.17.0.1", {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared Cloudflare", CLOUDFLARE_EDGE, {CF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared Cloudflare, IPv6", "2606:4700::1", {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared Fastly", FASTLY_EDGE, {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared behind a socket", None, {XFF: "1.1.1.1"}, "", XFF, UNKNOWN),
    ("undeclared, and only the scheme is told", "127.0.0.1", {"x-forwarded-proto": "https"}, "", XFF, UNKNOWN),
    ("a Worker connects itself", WORKER, {}, "", XFF, WORKER),
    # declared chains, read from the right
    ("one proxy", "10.0.0.1", {XFF: "198.51.100.1"}, NEAR, XFF, "198.51.100.1"),
    ("two proxies", "10.0.0.1", {XFF: "198.51.100.1, 10.0.0.2"}, NEAR, XFF, "198.51.100.1"),
    ("claims stand left", "10.0.0.1", {XFF: "1.1.1.1, 198.51.100.1, 10.0.0.2,10.9.9.9"}, NEAR, XFF, "198.51.100.1"),
    ("a claim to be near", "10.0.0.1", {XFF: "127.0.0.1, 198.51.100.1"}, NEAR, XFF, "198.51.100.1"),
    ("a claim to be a proxy", "10.0.0.1", {XFF: "10.0.0.7, 198.51.100.1"}, NEAR, XFF, "198.51.100.1"),
    ("a claim that is garbage", "10.0.0.1", {XFF: 'x"[,, 198.51.100.1'}, NEAR, XFF, "198.51.100.1"),
    ("IPv6 proxies", "fd00::1", {XFF: "2001:db8::7, fd00::2"}, NEAR, XFF, "2001:db8::7"),
    ("mapped on both sides", "::ffff:10.0.0.1", {XFF: "::ffff:198.51.100.1"}, NEAR, XFF, "198.51.100.1"),
    ("mixed versions", "10.0.0.1", {XFF: "198.51.100.1, fd00::2"}, NEAR, XFF, "198.51.100.1"),
    ("a proxy nobody declared", "192.0.2.1", {XFF: "198.51.100.1, 192.0.2.2"}, NEAR, XFF, "192.0.2.2"),
    ("proxies only", "10.0.0.1", {XFF: "10.0.0.2, 10.0.0.3"}, NEAR, XFF, "10.0.0.2"),
    ("the proxy itself asks", "10.0.0.1", {}, NEAR, XFF, "10.0.0.1"),
    ("a port", "10.0.0.1", {XFF: "198.51.100.1:51234"}, NEAR, XFF, "198.51.100.1"),
    ("brackets and a port", "10.0.0.1", {XFF: "[2001:db8::7]:443"}, NEAR, XFF, "2001:db8::7"),
    ("a zone in the header", "10.0.0.1", {XFF: "fe80::1%en0"}, NEAR, XFF, "fe80::1"),
    ("the loopback preset", "127.0.0.1", {XFF: "198.51.100.1"}, "loopback", XFF, "198.51.100.1"),
    ("the private preset", "172.18.0.4", {XFF: "198.51.100.1, 10.0.0.9"}, "private", XFF, "198.51.100.1"),
    # the hop that counts is no address
    ("unknown", "10.0.0.1", {XFF: "198.51.100.1, unknown"}, NEAR, XFF, UNKNOWN),
    ("obfuscated", "10.0.0.1", {XFF: "198.51.100.1, _hidden"}, NEAR, XFF, UNKNOWN),
    ("garbage", "10.0.0.1", {XFF: "198.51.100.1, ::1::2"}, NEAR, XFF, UNKNOWN),
    ("leading zeros", "10.0.0.1", {XFF: "010.1.1.1"}, NEAR, XFF, UNKNOWN),
    ("an empty hop", "10.0.0.1", {XFF: "198.51.100.1, "}, NEAR, XFF, UNKNOWN),
    ("an empty header", "10.0.0.1", {XFF: ""}, NEAR, XFF, UNKNOWN),
    ("garbage behind a proxy", "10.0.0.1", {XFF: "198.51.100.1, ?, 10.0.0.2"}, NEAR, XFF, UNKNOWN),
    ("another header than the one expected", "10.0.0.1", {REAL_IP: "198.51.100.1"}, NEAR, XFF, UNKNOWN),
    # Forwarded
    ("Forwarded", "10.0.0.1", {FORWARDED: "for=198.51.100.1;proto=https"}, NEAR, FORWARDED, "198.51.100.1"),
    ("Forwarded, quoted", "10.0.0.1", {FORWARDED: 'for="[2001:db8::7]:80"'}, NEAR, FORWARDED, "2001:db8::7"),
    ("Forwarded, two", "10.0.0.1", {FORWARDED: "for=198.51.100.1, for=10.0.0.2"}, NEAR, FORWARDED, "198.51.100.1"),
    ("Forwarded, open quote", "10.0.0.1", {FORWARDED: 'for="x, for=198.51.100.1'}, NEAR, FORWARDED, "198.51.100.1"),
    ("Forwarded, hidden", "10.0.0.1", {FORWARDED: "for=_hidden"}, NEAR, FORWARDED, UNKNOWN),
    ("Forwarded, unknown", "10.0.0.1", {FORWARDED: 'for="unknown:80"'}, NEAR, FORWARDED, UNKNOWN),
    ("Forwarded, and another", "10.0.0.1", {FORWARDED: "for=8.8.8.8", XFF: "1.1.1.1"}, NEAR, FORWARDED, "8.8.8.8"),
    # headers that stand once
    ("X-Real-IP", "10.0.0.1", {REAL_IP: "198.51.100.1", XFF: "1.1.1.1"}, NEAR, REAL_IP, "198.51.100.1"),
    ("X-Real-IP twice", "10.0.0.1", {REAL_IP: "1.1.1.1, 198.51.100.1"}, NEAR, REAL_IP, UNKNOWN),
    ("CF-Connecting-IP", CLOUDFLARE_EDGE, {CF: "198.51.100.1"}, "cloudflare", CF, "198.51.100.1"),
    ("CF-Connecting-IP of an IPv6 client", CLOUDFLARE_EDGE, {CF: "2001:db8::7"}, "cloudflare", CF, "2001:db8::7"),
    ("CF-Connecting-IP past Cloudflare", "203.0.113.9", {CF: "198.51.100.1"}, "cloudflare", CF, "203.0.113.9"),
    ("True-Client-IP", "10.0.0.1", {TRUE: "198.51.100.1"}, NEAR, TRUE, "198.51.100.1"),
    # a CDN, with the header every proxy writes
    ("Cloudflare", CLOUDFLARE_EDGE, {XFF: "198.51.100.1", CF: "198.51.100.1"}, "cloudflare", XFF, "198.51.100.1"),
    ("Cloudflare, a claim", CLOUDFLARE_EDGE, {XFF: "1.1.1.1,198.51.100.1"}, "cloudflare", XFF, "198.51.100.1"),
    (
        "Cloudflare before nginx",
        "127.0.0.1",
        {XFF: f"1.1.1.1, 198.51.100.1, {OTHER_EDGE}"},
        "cloudflare loopback",
        XFF,
        "198.51.100.1",
    ),
    ("out of Cloudflare", CLOUDFLARE_EDGE, {XFF: f"1.1.1.1, {THIRD_EDGE}"}, "cloudflare", XFF, THIRD_EDGE),
    ("a Worker is a visitor", CLOUDFLARE_EDGE, {XFF: f"1.1.1.1, {WORKER}"}, "cloudflare", XFF, WORKER),
    (
        "out of Cloudflare, the ranges given by hand",
        "127.0.0.1",
        {XFF: f"1.1.1.1, {THIRD_EDGE}, {OTHER_EDGE}"},
        "127.0.0.1 104.24.0.0/14 162.158.0.0/15",
        XFF,
        THIRD_EDGE,
    ),
    ("Fastly, shielded", FASTLY_SHIELD, {XFF: f"198.51.100.1, {FASTLY_EDGE}"}, "fastly", XFF, "198.51.100.1"),
    ("out of Fastly", FASTLY_SHIELD, {XFF: f"1.1.1.1, {FASTLY_EDGE}, {FASTLY_EDGE}"}, "fastly", XFF, FASTLY_EDGE),
    ("one CDN behind another", FASTLY_EDGE, {XFF: f"8.8.8.8, {OTHER_EDGE}"}, "cloudflare fastly", XFF, "8.8.8.8"),
    # unix sockets
    ("a trusted socket", None, {XFF: "198.51.100.1"}, "unix", XFF, "198.51.100.1"),
    ("a trusted socket, empty peer", "", {XFF: "1.1.1.1, 198.51.100.1"}, "unix", XFF, "198.51.100.1"),
    ("a trusted socket behind a proxy", "", {XFF: "198.51.100.1, 10.0.0.2"}, f"unix {NEAR}", XFF, "198.51.100.1"),
    ("a trusted socket that forwards for nobody", None, {}, "unix", XFF, UNKNOWN),
    ("a socket that is not trusted", None, {XFF: "198.51.100.1"}, NEAR, XFF, UNKNOWN),
    ("a claim to be a socket", "unix:", {XFF: "198.51.100.1"}, "unix", XFF, UNKNOWN),
)


@pytest.mark.parametrize(
    ("peer", "headers", "trusted", "header", "client"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_client_is_the_rightmost_that_is_no_trusted_proxy(
    peer: str | None, headers: Mapping[str, str], trusted: str, header: str, client: str | None
) -> None:
    found = find_client(peer, headers, TrustedProxies.parse(trusted.split(), header))
    assert found.client == Client.parse(client)


@pytest.mark.parametrize("header", sorted(FORWARDING_HEADERS))
@pytest.mark.parametrize(
    ("peer", "place"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("192.168.1.1", "private"),
        ("fd00::5", "private"),
        ("fe80::1%eth0", "private"),
        ("169.254.7.7", "private"),
        ("::ffff:172.17.0.1", "private"),
        ("100.64.3.9", "private"),
        (CLOUDFLARE_EDGE, "cloudflare"),
        (FASTLY_EDGE, "fastly"),
        (None, "unix"),
        ("", "unix"),
    ],
)
def test_g31_behind_a_proxy_that_nobody_declared_the_client_is_unknown_and_the_remedy_is_named(
    peer: str | None, place: str, header: str
) -> None:
    found = find_client(peer, {header: "198.51.100.1"}, NONE)
    assert found.client == Client()
    assert found.fault is not None
    assert f"set FORMWARDEN_TRUSTED_PROXIES={place}" in found.fault
    remedied = find_client(peer, {"x-forwarded-for": "198.51.100.1"}, TrustedProxies.parse([place]))
    assert (remedied.client, remedied.fault) == (Client.parse("198.51.100.1"), None)


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "10.1.2.3", CLOUDFLARE_EDGE])
def test_g31_a_peer_nearby_that_forwards_for_nobody_is_an_ordinary_client(peer: str) -> None:
    found = find_client(peer, {"host": "localhost", "via": "1.1 cache"}, NONE)
    assert (found.client, found.fault) == (Client.parse(peer), None)


def test_g31_where_proxies_are_declared_another_near_peer_is_an_ordinary_client() -> None:
    found = find_client("192.168.1.5", {XFF: "198.51.100.1"}, TrustedProxies.parse(["10.0.0.0/8"]))
    assert found.client == Client.parse("192.168.1.5")
    assert found.fault is not None
    assert "add private, or its address, to FORMWARDEN_TRUSTED_PROXIES" in found.fault


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({REAL_IP: "198.51.100.1"}, "FORMWARDEN_PROXY_HEADER"),
        ({XFF: "unknown"}, "x-forwarded-for is no address"),
        ({XFF: "198.51.100.1"}, None),
        ({}, None),
    ],
)
def test_what_is_wrong_with_a_trusted_proxy_is_said(headers: Mapping[str, str], named: str | None) -> None:
    fault = find_client("10.0.0.1", headers, TrustedProxies.parse(["10.0.0.1"])).fault
    assert fault == named or (named is not None and fault is not None and named in fault)
    assert fault is None or "198.51.100.1" not in fault


def test_of_an_endless_chain_only_the_last_hops_are_read() -> None:
    chain = ", ".join(["198.51.100.1", *["10.0.0.2"] * MAX_HOPS])
    found = find_client("10.0.0.1", {XFF: chain}, TrustedProxies.parse(["10.0.0.0/8"]))
    assert found.client == Client.parse("10.0.0.2")


# ------------------------------------------------------------------ whatever is sent
ANYTHING = st.text(alphabet=st.sampled_from('",;=\\for:[]_. 10') | st.characters(), max_size=60)
SENT = st.dictionaries(st.sampled_from(sorted(FORWARDING_HEADERS)) | st.text(max_size=10), ANYTHING, max_size=6)
ALL = "cloudflare fastly loopback private unix"
SETTINGS = st.tuples(
    st.sampled_from(["", "10.0.0.0/8", "cloudflare", "unix", ALL]), st.sampled_from([XFF, FORWARDED, CF])
)


def is_a_stranger(ip: IPv4Address | IPv6Address) -> bool:
    """Say whether this may be anybody on the net."""
    return place_of(ip) is None and not ip.is_unspecified and getattr(ip, "ipv4_mapped", None) is None


STRANGERS = st.ip_addresses().filter(is_a_stranger)


@given(peer=STRANGERS, headers=SENT, settings=SETTINGS)
def test_whatever_headers_a_stranger_sends_the_client_is_that_peer(
    peer: IPv4Address | IPv6Address, headers: dict[str, str], settings: tuple[str, str]
) -> None:
    words, header = settings
    found = find_client(str(peer), headers, TrustedProxies.parse(words.split(), header))
    assert (found.client, found.fault) == (Client(peer), None)


@given(
    client=STRANGERS,
    left=ANYTHING,
    others=SENT,
    way=st.lists(st.sampled_from(["10.0.0.1", "fd00::1", "127.0.0.1"]), max_size=MAX_HOPS - 2),
    header=st.sampled_from([XFF, FORWARDED]),
)
def test_whatever_stands_left_of_the_rightmost_untrusted_hop_changes_nothing(
    client: IPv4Address | IPv6Address, left: str, others: dict[str, str], way: list[str], header: str
) -> None:
    written = [f'for="[{hop}]"' if header == FORWARDED else hop for hop in [str(client), *way]]
    headers = others | {header: ", ".join([left, *written])}
    for peer in ("10.9.9.9", None):
        found = find_client(peer, headers, TrustedProxies.parse(ALL.split(), header))
        assert (found.client, found.fault) == (Client(client), None)


@given(peer=st.none() | ANYTHING | st.just("10.0.0.1"), headers=SENT, settings=SETTINGS)
def test_no_text_makes_it_raise(peer: str | None, headers: dict[str, str], settings: tuple[str, str]) -> None:
    words, header = settings
    find_client(peer, headers, TrustedProxies.parse(words.split(), header))


# ------------------------------------------------------------------ repeated headers
async def nothing() -> dict[str, object]:
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.anyio
async def test_repeated_lines_of_a_header_are_read_in_order_wherever_the_request_comes_from(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"trusted_proxies": "10.0.0.0/8"})
    lines = [b"1.1.1.1", b"198.51.100.1", b"10.0.0.2, 10.0.0.3"]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "query_string": b"",
        "client": ("10.0.0.1", 80),
        "headers": [(b"x-forwarded-for", line) for line in lines],
    }
    submission = await Submission.from_request("contact", Request(scope, nothing))
    assert site.warden.client_at(submission.peer, submission.headers) == Client.parse("198.51.100.1")


# ------------------------------------------------------------------ end to end
OUT_OF_THE_WAY: Mapping[str, object] = {
    "site_per_day": 10_000,
    "unproven_per_hour": 1_000,
    "unproven_per_day": 10_000,
    "network_share": 1.0,
}
"""What else would stop a reply; the client's own budgets stay."""


async def submit(site: Site, number: int, peer: str, headers: Mapping[str, str]) -> None:
    visitor = site.visitor(peer, headers={**BROWSER, **headers})
    typed = {"email": f"{NAMES[number]}@gmail.com", "name": NAMES[number].title(), "message": WORDS[number]}
    answer = await visitor.send(await visitor.open(), typed)
    assert answer.status_code == 303


NAMES = ("akiko", "botan", "chiyo", "daichi", "emiko", "fumio", "genji", "hanako", "isamu", "jiro", "kaede", "miyuki")
WORDS = (
    "Viola too, and a cello in the spring when my son is home from Osaka for two weeks.",
    "The frog is loose. Could somebody look at it while I wait, perhaps on a Saturday?",
    "It belonged to my grandfather, so please tell me the price before you begin with it.",
    "We are an orchestra of forty amateurs and would send a dozen bows in one parcel.",
    "Is your workshop near the station? I walk with a stick and cannot carry much.",
    "I prefer black hair for the double bass. Do you keep that, or must you order it?",
    "My teacher, Mrs Sato, gave me your name. She says that nobody does finer work.",
    "The screw turns without end and the hair does not tighten any more since Monday.",
    "Please write back in English if you can: my Japanese is good for shopping only.",
    "A carbon bow, not an expensive one. The school pays, so I would need an invoice.",
    "Do you buy old bows as well? I have three of them, two without any stamp on them.",
    "Last year you changed the winding. It has come off again just above the leather.",
)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("peer", "place"), [("127.0.0.1", "loopback"), ("10.1.2.3", "private"), (CLOUDFLARE_EDGE, "cloudflare")]
)
async def test_g31_behind_an_undeclared_proxy_nothing_counts_by_client_and_the_owner_reads_the_remedy(
    tmp_path: Path, peer: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(tmp_path, settings={**OUT_OF_THE_WAY, "client_per_10_min": 1, "network_per_hour": 1})
    with caplog.at_level(logging.WARNING, logger="formwarden"):
        for number in range(len(WORDS)):
            await submit(site, number, peer, {"x-forwarded-for": "9.8.7.6"})
    remedy = f"set FORMWARDEN_TRUSTED_PROXIES={place}"
    assert {(verdict.client, verdict.network, verdict.standing) for verdict in site.verdicts} == {
        (None, None, Standing.PLAIN)
    }
    hits = {hit.signal for verdict in site.verdicts for hit in verdict.hits}
    assert not hits & {"client_velocity", "network_velocity"}
    for verdict in site.verdicts:
        row = await site.row(verdict.id)
        assert row is not None
        assert row.code == "OK"
    (record,) = caplog.records  # said once, counted each time
    assert remedy in record.getMessage()
    overview = await site.warden.overview()
    (fault,) = overview.faults
    assert fault.what == "proxy"
    assert fault.count >= len(WORDS)
    assert remedy in View().render(overview, Shown(), "en")
    assert "9.8.7.6" not in fault.why


@pytest.mark.anyio
async def test_g31_a_loopback_peer_without_a_forwarding_header_is_counted_like_anybody(tmp_path: Path) -> None:
    site = Site(tmp_path, settings=OUT_OF_THE_WAY)
    for number in range(8):
        await submit(site, number, "127.0.0.1", {})
    rows = [await site.row(verdict.id) for verdict in site.verdicts]
    assert [row.code for row in rows if row] == ["OK"] * 6 + ["IP_RATE"] * 2
    assert {verdict.client for verdict in site.verdicts} == {bytes([127, 0, 0, 1, 32])}
    assert {verdict.standing for verdict in site.verdicts} == {Standing.SHOWN}
    assert site.warden.faults.all() == ()


@pytest.mark.anyio
async def test_a_client_that_is_known_scores_for_its_haste(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"client_per_10_min": 1})
    for number in range(2):
        await submit(site, number, "127.0.0.1", {})
    assert "client_velocity" in {hit.signal for hit in site.verdicts[1].hits}


@pytest.mark.anyio
async def test_the_client_named_by_a_declared_header_is_counted_and_not_the_proxy(tmp_path: Path) -> None:
    settings = {"trusted_proxies": "cloudflare", "proxy_header": "CF-Connecting-IP"}
    site = Site(tmp_path, settings=settings)
    for number, named in enumerate(("9.8.7.6", "2001:db8::7")):
        await submit(site, number, CLOUDFLARE_EDGE, {"cf-connecting-ip": named, "x-forwarded-for": "1.1.1.1"})
    assert [verdict.client for verdict in site.verdicts] == [
        Client.parse("9.8.7.6").identity,
        Client.parse("2001:db8::7").identity,
    ]
    assert site.warden.faults.all() == ()
