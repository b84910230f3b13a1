"""The whole table of outcomes (the reference on addresses, section 2), each row over UDP and TCP on loopback."""

import asyncio
from collections.abc import Sequence

import dns.asyncresolver
import pytest

from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.outcomes import ROWS
from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.address.settings import Address
from formwarden.clock import SystemClock
from formwarden.testing import DNS_ROWS, FakeDNS
from tests.address.played_resolver import checker, until
from tests.proof import Proof

AT_ONCE = 8
ELSEWHERE = {25, 27}  # what ails the resolver itself; each has a server of its own here
WAITS = Address(dns_deadline_s=1.0, dns_hard_stop_s=1.0)

Row = tuple[int, str, str, frozenset[str]]


async def rows_of_domains() -> list[Row]:
    dns = FakeDNS()
    rows = [row for row in DNS_ROWS if row.number not in ELSEWHERE]
    found: list[AddressReport] = []
    with dns.served() as address:
        check = checker(DnsResolver((address,)), SystemClock(), settings=WAITS)
        for start in range(0, len(rows), AT_ONCE):
            some = rows[start : start + AT_ONCE]
            found += await asyncio.gather(*(check.verify(f"taro@{dns.domain(row.name)}") for row in some))
    return [_row(row.number, report) for row, report in zip(rows, found, strict=True)]


async def row_25() -> Sequence[Row]:
    """No resolver is configured; and a bound was reached, so that nobody was asked."""
    none = await checker(DnsResolver(), SystemClock()).verify("taro@shop.played")
    with FakeDNS().served() as address:
        check = checker(DnsResolver((address,)), SystemClock(), settings=Address(dns_names_per_domain=1))
        await check.verify("taro@one.shop.played")
        capped = await check.verify("taro@two.shop.played")
    return _row(25, none), _row(25, capped)


async def row_27() -> Row:
    dns = FakeDNS(rewriting=True)
    with dns.served() as address:
        check = checker(DnsResolver((address,)), SystemClock(), settings=WAITS)
        await check.verify(f"taro@{dns.domain('mx_ok')}")
        await until(lambda: check.faults.of("dns rewrites") == 1)
        return _row(27, await check.verify(f"taro@{dns.domain('resolver_rewrites')}"))


def _row(number: int, report: AddressReport) -> Row:
    return number, str(report.status), str(report.reason), frozenset(map(str, report.flags))


@pytest.mark.anyio
async def test_all_thirty_rows_over_real_sockets_are_what_the_table_says_and_none_is_left_out(
    monkeypatch: pytest.MonkeyPatch, proof: Proof
) -> None:
    read, path = dns.asyncresolver.Resolver.read_resolv_conf, "/dev/null"
    monkeypatch.setattr(dns.asyncresolver.Resolver, "read_resolv_conf", lambda self, _: read(self, path))

    found = [*await rows_of_domains(), *await row_25(), await row_27()]

    wanted = [(row.number, row.status, row.reason, row.flags) for row in DNS_ROWS if row.number not in ELSEWHERE] + [
        (25, "unknown", "no_resolver", frozenset()),
        (25, "unknown", "not_checked", frozenset()),
        (27, "unknown", "resolver_rewrites", frozenset()),
    ]
    numbers = {number for number, *_ in found}
    proof("rows of the table of outcomes over real sockets", rows=len(numbers), outcomes=len(found))
    assert found == wanted
    assert numbers == set(range(1, 31))
    assert {Reason(reason) for _, _, reason, _ in found} == set(ROWS)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("typed", "flag"),
    [
        ("info@shop.com", Flag.ROLE),
        ("noreply@shop.com", Flag.ROLE_SYSTEM),
        ("a@mailinator.com", Flag.DISPOSABLE),
        ("a@duck.com", Flag.PRIVACY_RELAY),
    ],
)
async def test_row_30_what_is_told_by_the_text_is_a_flag_and_changes_no_verdict(typed: str, flag: Flag) -> None:
    pytest.importorskip("disposable_email_domains")
    dns = FakeDNS()
    dns.behave(typed.partition("@")[2], "flags_only")
    with dns.served() as address:
        report = await checker(DnsResolver((address,)), SystemClock()).verify(typed)

    assert (report.status, report.reason) == (Status.DELIVERABLE, Reason.MX_OK)
    assert flag in report.flags
    assert (Flag.DISPOSABLE in report.flags) is (flag is Flag.DISPOSABLE)
