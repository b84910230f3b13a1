"""The thirty outcomes of DNS, each as a domain that behaves so; the numbers are those of `address.outcomes`.

Addresses are those of the AS112 project (RFC 7534): globally reachable by the registries, and home of no mail server.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

V4: Final = "A 192.175.48.40"
V6: Final = "AAAA 2620:4f:8000::40"
PRIVATE: Final = "A 10.0.0.1"
LOOPBACK: Final = "A 127.0.0.1"
MX: Final = "MX 10 mx.{domain}."
SECOND_MX: Final = "MX 20 mx2.{domain}."

Records = Mapping[str, Sequence[str]]
GOOD: Final[Records] = {"": (MX,), "mx": (V4, V6)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsRow:
    """One outcome: what a domain has in DNS, how its server misbehaves, and what an address there is found to be.

    `records` and `misbehaviour` go by the labels before the domain, "" is itself; `{domain}` stands for it.
    `at`: the labels of the name to use in an address, where that is not the domain.
    """

    number: int
    name: str
    status: str
    reason: str
    flags: frozenset[str] = frozenset()
    records: Records = field(default_factory=dict[str, Sequence[str]])
    misbehaviour: Mapping[str, str] = field(default_factory=dict[str, str])
    at: str = ""


def _deliverable(number: int, name: str, records: Records, *, reason: str = "mx_ok", flags: str = "") -> DnsRow:
    flagged = frozenset(flags.split())
    return DnsRow(number=number, name=name, status="deliverable", reason=reason, flags=flagged, records=records)


def _undeliverable(number: int, name: str, records: Records, *, reason: str = "") -> DnsRow:
    return DnsRow(number=number, name=name, status="undeliverable", reason=reason or name, records=records)


def _unknown(number: int, name: str, how: str = "", *, records: Records = GOOD, reason: str = "") -> DnsRow:
    misbehaviour = {"": how} if how else dict[str, str]()
    return DnsRow(
        number=number,
        name=name,
        status="unknown",
        reason=reason or name,
        records=records,
        misbehaviour=misbehaviour,
    )


DNS_ROWS: Final = (
    _deliverable(1, "mx_ok", GOOD),
    DnsRow(
        number=2,
        name="mx_target_unknown",
        status="unknown",
        reason="mx_target_unknown",
        records=GOOD,
        misbehaviour={"mx": "servfail"},
    ),
    _deliverable(3, "implicit_mx_a", {"": (V4,)}, reason="implicit_mx_a", flags="weak"),
    _deliverable(4, "implicit_mx_aaaa", {"": (V6,)}, reason="implicit_mx_aaaa", flags="weak"),
    _undeliverable(5, "implicit_mx_nonglobal", {"": (PRIVATE, LOOPBACK)}),
    _undeliverable(6, "no_mail_host", {"": ('TXT "no mail here"',)}),
    _unknown(7, "lame", "lame"),
    _undeliverable(8, "nxdomain", {}),
    _undeliverable(9, "cname_dangling", {"": ("CNAME gone.{domain}.",)}),
    _undeliverable(10, "null_mx", {"": ("MX 0 .",)}),
    _deliverable(11, "null_mx_mixed", {"": ("MX 0 .", MX), "mx": (V4,)}, flags="null_mx_mixed"),
    _undeliverable(12, "mx_dangling", {"": (MX, V4)}),  # its own address is no way out (RFC 5321 section 5.1)
    _undeliverable(13, "mx_nonglobal", {"": (MX,), "mx": (LOOPBACK, PRIVATE, "AAAA fd00::1")}),
    _undeliverable(13, "mx_localhost", {"": ("MX 0 localhost.",)}, reason="mx_nonglobal"),
    _deliverable(
        14, "mx_some_nonglobal", {"": (MX, SECOND_MX), "mx": (V4,), "mx2": (PRIVATE,)}, flags="mx_some_nonglobal"
    ),
    _unknown(15, "mx_ip_literal", records={"": ("MX 10 192.175.48.40.",)}),
    _deliverable(16, "mx_cname", {"": (MX,), "mx": ("CNAME host.{domain}.",), "host": (V4,)}, flags="mx_cname"),
    _deliverable(17, "alias", {"": ("CNAME right.{domain}.",), "right": (MX,), "mx": (V4,)}),
    _unknown(18, "cname_chain", records={"": ("CNAME again.{domain}.",), "again": ("CNAME {domain}.",)}),
    _unknown(19, "servfail", "servfail"),
    _unknown(20, "dnssec_bogus", "bogus"),
    _unknown(21, "resolver_refused", "refused"),
    _unknown(22, "timeout", "silent"),
    _unknown(22, "garbage", "garbage", reason="timeout"),
    _unknown(23, "truncated", "truncated"),
    _unknown(24, "dns_error", "yxdomain"),
    _unknown(25, "no_resolver", "silent"),  # in process the resolver says so; over a socket nobody answers
    DnsRow(  # a wildcard cannot be told from a record of the name's own
        number=26,
        name="wildcard",
        status="deliverable",
        reason="mx_ok",
        records={"*": (MX,), "mx": (V4,)},
        at="any-name",
    ),
    _unknown(27, "resolver_rewrites", records={}),  # with FakeDNS(rewriting=True); without it, nxdomain
    _deliverable(28, "parked_mx", {"": ("MX 10 mx.{domain}.h-email.net.",)}, flags="parked_mx"),
    _deliverable(
        29, "spf_reject_all", {"": (V4, 'TXT "v=spf1  -all"')}, reason="implicit_mx_a", flags="weak spf_reject_all"
    ),
    _deliverable(30, "flags_only", GOOD),  # what flags the address is its text: info@, a name on a list
)
BY_NAME: Final[Mapping[str, DnsRow]] = {row.name: row for row in DNS_ROWS}
