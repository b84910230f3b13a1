"""Where email-validator's check of DNS is wrong by the table of outcomes, and what is right; over real sockets."""

import asyncio
from typing import Final

import dns.nameserver
import dns.resolver
import pytest
from email_validator import EmailNotValidError, validate_email

from formwarden.address.dns_resolver import DnsResolver, parse_servers
from formwarden.address.report import AddressReport, Flag, Status
from formwarden.address.settings import Address
from formwarden.address.syntax import check_syntax
from formwarden.clock import SystemClock
from formwarden.testing import DNS_ROWS, FakeDNS
from tests.address.played_resolver import checker, until

ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
WRONG: Final = [  # row of the table, what email-validator makes of it, and the status that is right
    ("lame", REFUSED, Status.UNKNOWN),
    ("mx_dangling", ACCEPTED, Status.UNDELIVERABLE),
    ("mx_nonglobal", ACCEPTED, Status.UNDELIVERABLE),
    ("mx_localhost", ACCEPTED, Status.UNDELIVERABLE),
    ("mx_target_unknown", ACCEPTED, Status.UNKNOWN),
    ("mx_ip_literal", ACCEPTED, Status.UNKNOWN),
    ("dns_error", REFUSED, Status.UNKNOWN),
]
# It accepts these too, and whoever asks for `.mx` meets an AttributeError: "could not check" looks like "checked".
LOST: Final = ["cname_chain", "servfail", "dnssec_bogus", "resolver_refused", "timeout", "garbage", "truncated"]


def library(address: str, server: str, *, patience_s: float = 0.2) -> str:
    """Tell what email-validator makes of an address; it waits so long for each question, and longer where it must."""
    (where,) = parse_servers((server,))
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(where.address, where.port)]
    resolver.timeout, resolver.lifetime = patience_s / 2, patience_s
    try:
        found = validate_email(address, check_deliverability=True, dns_resolver=resolver)
    except EmailNotValidError:
        return REFUSED
    return ACCEPTED if hasattr(found, "mx") else f"{ACCEPTED}, without mx"


def both(row: str, dns_played: FakeDNS) -> tuple[str, AddressReport]:
    address = f"taro@{dns_played.domain(row)}"
    with dns_played.served() as server:
        check = checker(DnsResolver((server,)), SystemClock(), settings=Address(dns_deadline_s=0.3))
        return library(address, server), asyncio.run(check.verify(address))


@pytest.mark.parametrize(("row", "theirs", "right"), WRONG, ids=[row for row, *_ in WRONG])
def test_a_false_verdict_of_the_library_is_right_here(row: str, theirs: str, right: Status) -> None:
    library_says, report = both(row, FakeDNS())

    assert library_says == theirs
    assert report.status is right


@pytest.mark.parametrize("row", LOST)
def test_a_failure_that_the_library_loses_is_unknown_here_with_its_reason(row: str) -> None:
    (expected,) = (each for each in DNS_ROWS if each.name == row)
    library_says, report = both(row, FakeDNS())

    assert library_says == f"{ACCEPTED}, without mx"
    assert (report.status, str(report.reason)) == (Status.UNKNOWN, expected.reason)


def test_a_domain_that_says_it_sends_nothing_is_refused_by_the_library_and_flagged_here() -> None:
    exact = FakeDNS({"silent.com": ["A 192.175.48.1", 'TXT "v=spf1 -all"']})
    with exact.served() as server:
        check = checker(DnsResolver((server,)), SystemClock())
        assert library("taro@silent.com", server, patience_s=5.0) == REFUSED
        report = asyncio.run(check.verify("taro@silent.com"))

    assert report.status is Status.DELIVERABLE
    assert {str(flag) for flag in report.flags} == {"weak", "spf_reject_all"}


def test_a_resolver_that_invents_answers_makes_the_library_accept_everything() -> None:
    async def ask(server: str) -> AddressReport:
        check = checker(DnsResolver((server,)), SystemClock())
        await check.verify("taro@first.played")
        await until(lambda: check.faults.of("dns rewrites") == 1)
        return await check.verify("taro@no-such-shop.played")

    with FakeDNS(rewriting=True).served() as server:
        assert library("taro@no-such-shop.played", server).startswith(ACCEPTED)
        assert asyncio.run(ask(server)).status is Status.UNKNOWN


def test_without_a_resolver_the_library_raises_what_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", nothing)
    with pytest.raises(dns.resolver.NoResolverConfiguration):
        validate_email("taro@shop.co.jp", check_deliverability=True)
    report = asyncio.run(checker(DnsResolver(), SystemClock()).verify("taro@shop.co.jp"))

    assert (report.status, str(report.reason)) == (Status.UNKNOWN, "no_resolver")


@pytest.mark.parametrize(
    ("records", "right"),
    [
        ({"x.com": ["MX 0 127.0.0.1."]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 192.168.1.1."]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 mx.x.com."], "mx.x.com": ["A 192.168.1.1"]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 mx.x.com."], "mx.x.com": ["A 0.0.0.0"]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 mx.x.com."], "mx.x.com": ["A 169.254.1.1", "AAAA fe80::1"]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 mx.x.com."], "mx.x.com": ["A 100.64.0.1", "AAAA fd00::1"]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 mail.internal."]}, Status.UNDELIVERABLE),
        ({"x.com": ["MX 0 mx.gone.com."], "gone.com": ["A 192.175.48.1"]}, Status.UNDELIVERABLE),
    ],
)
def test_a_host_that_no_mail_reaches_is_accepted_by_the_library_and_told_here(
    records: dict[str, list[str]], right: Status
) -> None:
    with FakeDNS(records).served() as server:
        assert library("taro@x.com", server, patience_s=5.0) == ACCEPTED
        report = asyncio.run(checker(DnsResolver((server,)), SystemClock()).verify("taro@x.com"))

    assert report.status is right


@pytest.mark.parametrize("spf", ['"v=spf1  -all"', '"V=SPF1 -all"', '"v=spf1 -all exp=x.com"'])
def test_a_space_too_many_hides_from_the_library_that_a_domain_sends_nothing(spf: str) -> None:
    with FakeDNS({"silent.com": ["A 192.175.48.1", f"TXT {spf}"]}).served() as server:
        assert library("taro@silent.com", server, patience_s=5.0) == ACCEPTED
        report = asyncio.run(checker(DnsResolver((server,)), SystemClock()).verify("taro@silent.com"))

    assert Flag.SPF_REJECT_ALL in report.flags


@pytest.mark.parametrize("row", ["implicit_mx_a", "implicit_mx_aaaa", "parked_mx"])
def test_what_the_library_takes_for_as_good_as_any_is_marked_here(row: str) -> None:
    library_says, report = both(row, FakeDNS())

    assert library_says == ACCEPTED
    assert report.flags & {Flag.WEAK, Flag.PARKED_MX}


@pytest.mark.parametrize(
    ("typed", "flag"),
    [("a%b@x.com", Flag.ROUTED_LOCAL), ("b.com!a@x.com", Flag.ROUTED_LOCAL), ("a@\u0430pple.com", Flag.MIXED_SCRIPT)],
)
def test_what_passes_the_library_s_syntax_without_a_word_is_flagged_here(typed: str, flag: Flag) -> None:
    assert validate_email(typed, check_deliverability=False).normalized

    assert flag in check_syntax(typed).flags


@pytest.mark.parametrize(
    ("typed", "status", "suggestion"),
    [
        (" taro@shop.co.jp", Status.UNKNOWN, None),
        ("taro@shop.co.jp\u3000", Status.UNKNOWN, None),
        ("taro@shop.co.jp.", Status.INVALID, "taro@shop.co.jp"),
        ("taro@gmail.com\u3002", Status.INVALID, "taro@gmail.com"),
    ],
)
def test_a_slip_at_the_end_is_refused_by_the_library_and_trimmed_or_mended_here(
    typed: str, status: Status, suggestion: str | None
) -> None:
    with pytest.raises(EmailNotValidError):
        validate_email(typed, check_deliverability=False)
    report = check_syntax(typed)

    assert (report.status, report.suggestion) == (status, suggestion)


@pytest.mark.parametrize(
    "domain",
    [
        "db.internal", "nas.lan", "mail.corp", "router.home", "x.alt", "x.example", "x.intranet", "x.private",
        "x.localdomain",
    ],
)  # fmt: skip
def test_names_of_private_networks_are_never_asked_and_the_library_takes_their_syntax(domain: str) -> None:
    assert validate_email(f"taro@{domain}", check_deliverability=False).ascii_domain == domain
    played = FakeDNS()
    report = asyncio.run(checker(played, SystemClock()).verify(f"taro@{domain}"))

    assert report.status is Status.INVALID
    assert not played.queries
