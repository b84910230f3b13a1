"""What the answers of DNS mean for mail: the table of outcomes, as a pure function.

The numbers are the rows of `reference/email-verification.md`, section 2. No row but a definite answer of DNS ever
says *undeliverable*: whatever ails a resolver is *unknown* and blames nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from formwarden.address.providers import parked
from formwarden.address.report import Flag, Reason, Status
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.address.spf import rejects_all
from formwarden.address.syntax import is_reserved

ASKED_TARGETS: Final = 2  # of the MX hosts; five questions an address in all
MOST_MX: Final = 32  # are told and kept; an answer over TCP may hold a thousand
ROOT: Final = "."
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # RFC 4291 section 2.4
NAT64: Final = IPv6Network("64:ff9b::/96")  # an IPv4 address inside (RFC 6052)
DNSSEC_BOGUS: Final = range(6, 13)  # extended errors 6 to 12 (RFC 8914)

ROWS: Final[Mapping[Reason, tuple[int, Status]]] = {
    Reason.MX_OK: (1, Status.DELIVERABLE),
    Reason.MX_TARGET_UNKNOWN: (2, Status.UNKNOWN),
    Reason.IMPLICIT_MX_A: (3, Status.DELIVERABLE),
    Reason.IMPLICIT_MX_AAAA: (4, Status.DELIVERABLE),
    Reason.IMPLICIT_MX_NONGLOBAL: (5, Status.UNDELIVERABLE),
    Reason.NO_MAIL_HOST: (6, Status.UNDELIVERABLE),
    Reason.LAME: (7, Status.UNKNOWN),
    Reason.NXDOMAIN: (8, Status.UNDELIVERABLE),
    Reason.CNAME_DANGLING: (9, Status.UNDELIVERABLE),
    Reason.NULL_MX: (10, Status.UNDELIVERABLE),
    Reason.MX_DANGLING: (12, Status.UNDELIVERABLE),
    Reason.MX_NONGLOBAL: (13, Status.UNDELIVERABLE),
    Reason.MX_IP_LITERAL: (15, Status.UNKNOWN),
    Reason.CNAME_CHAIN: (18, Status.UNKNOWN),
    Reason.SERVFAIL: (19, Status.UNKNOWN),
    Reason.DNSSEC_BOGUS: (20, Status.UNKNOWN),
    Reason.RESOLVER_REFUSED: (21, Status.UNKNOWN),
    Reason.TIMEOUT: (22, Status.UNKNOWN),
    Reason.TRUNCATED: (23, Status.UNKNOWN),
    Reason.DNS_ERROR: (24, Status.UNKNOWN),
    Reason.NO_RESOLVER: (25, Status.UNKNOWN),
    Reason.NOT_CHECKED: (25, Status.UNKNOWN),
    Reason.RESOLVER_REWRITES: (27, Status.UNKNOWN),
}
WITHOUT_MX: Final = frozenset(  # rows 3 to 6: what a resolver that answers for every name makes of any name
    {Reason.IMPLICIT_MX_A, Reason.IMPLICIT_MX_AAAA, Reason.IMPLICIT_MX_NONGLOBAL, Reason.NO_MAIL_HOST}
)

TROUBLE: Final[Mapping[Rcode, Reason]] = {
    Rcode.SERVFAIL: Reason.SERVFAIL,
    Rcode.REFUSED: Reason.RESOLVER_REFUSED,
    Rcode.TIMEOUT: Reason.TIMEOUT,
    Rcode.TRUNCATED: Reason.TRUNCATED,
    Rcode.CNAME_CHAIN: Reason.CNAME_CHAIN,
    Rcode.BROKEN: Reason.DNS_ERROR,
    Rcode.UNCONFIGURED: Reason.NO_RESOLVER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAnswers:
    """What DNS says about the addresses of one host; IPv6 is not asked where IPv4 settles it."""

    a: DnsAnswer
    aaaa: DnsAnswer | None = None

    @property
    def both(self) -> tuple[DnsAnswer, ...]:
        """The answers to what was asked."""
        return (self.a,) if self.aaaa is None else (self.a, self.aaaa)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What DNS says about mail to one domain. `ttl_s` is 0 where no answer may be kept."""

    reason: Reason
    flags: frozenset[Flag] = frozenset()
    mx: tuple[tuple[int, str], ...] = ()
    ttl_s: float = 0.0

    @property
    def status(self) -> Status:
        """What the table says of this reason."""
        return ROWS[self.reason][1]

    @property
    def complete(self) -> bool:
        """Whether DNS has said all that it was asked; what it has not is asked again soon."""
        return self.status is not Status.UNKNOWN and Flag.SPF_UNKNOWN not in self.flags


class Target(Enum):
    """What one MX host is good for."""

    GLOBAL = auto()
    NONGLOBAL = auto()
    DANGLING = auto()
    LITERAL = auto()
    UNKNOWN = auto()


def hosts_to_ask(domain: str, mx: DnsAnswer) -> tuple[str, ...]:
    """Return the hosts whose addresses decide: none where the MX answer does already."""
    if mx.rcode is Rcode.NODATA:
        return (domain,)
    real = (host for _, host in _real(mx) if _by_name(host) is None)
    return tuple(dict.fromkeys(real))[:ASKED_TARGETS]


def judge(domain: str, mx: DnsAnswer, hosts: Mapping[str, HostAnswers], txt: DnsAnswer | None = None) -> Outcome:
    """Judge the answers to the MX question and to those that `hosts_to_ask` named; `txt` where there is no MX."""
    answers = (mx, *(answer for host in hosts.values() for answer in host.both))
    ttl_s = min(answer.ttl_s for answer in answers)
    if mx.rcode is Rcode.NXDOMAIN:
        return Outcome(reason=Reason.CNAME_DANGLING if mx.canonical else Reason.NXDOMAIN, ttl_s=ttl_s)
    if mx.rcode is Rcode.NODATA:
        return _implicit(domain, mx, hosts.get(domain), ttl_s, txt)
    if mx.rcode is not Rcode.OK:
        return Outcome(reason=_trouble(mx))
    real = _real(mx)
    if not real:  # RFC 7505, whatever the preference; no record at all is no answer
        return Outcome(reason=Reason.NULL_MX if mx.records else Reason.LAME, mx=mx.records[:1], ttl_s=ttl_s)
    reason, flags = _targets(real, hosts)
    if len(real) < len(mx.records):
        flags |= {Flag.NULL_MX_MIXED}
    if parked(real):
        flags |= {Flag.PARKED_MX}
    return Outcome(reason=reason, flags=flags, mx=real[:MOST_MX], ttl_s=ttl_s)


def rewritten(outcome: Outcome) -> Outcome:
    """Read an outcome again for a resolver that invents answers: rows 3 to 6 may be its own (row 27)."""
    return Outcome(reason=Reason.RESOLVER_REWRITES) if outcome.reason in WITHOUT_MX else outcome


def has_global(answer: DnsAnswer) -> bool:
    """Tell whether mail can be sent to one of these addresses."""
    return any(is_global(text) for text in _texts(answer))


def target_of(host: HostAnswers | None) -> Target:
    """Judge one host by its addresses; None: it was not asked."""
    if host is None:
        return Target.UNKNOWN
    addresses = [text for answer in host.both for text in _texts(answer)]
    if any(is_global(text) for text in addresses):
        return Target.GLOBAL
    if any(answer.rcode in TROUBLE for answer in host.both):
        return Target.UNKNOWN
    if addresses:
        return Target.NONGLOBAL
    return Target.DANGLING if all(_settled(answer) for answer in host.both) else Target.UNKNOWN


def is_global(text: str) -> bool:
    """Tell whether mail to this address can leave the network it is asked from."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _embedded(address)
        if inner is None:
            return address in GLOBAL_UNICAST and address.is_global
        address = inner
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Unpack the IPv4 address that decides where the packets of an IPv6 one go."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _implicit(domain: str, mx: DnsAnswer, host: HostAnswers | None, ttl_s: float, txt: DnsAnswer | None) -> Outcome:
    """No MX: the domain's own address counts as one (RFC 5321 section 5.1)."""
    if host is None:
        return Outcome(reason=Reason.DNS_ERROR)
    for answer, reason in ((host.a, Reason.IMPLICIT_MX_A), (host.aaaa, Reason.IMPLICIT_MX_AAAA)):
        if answer is not None and has_global(answer):
            return Outcome(reason=reason, flags=_sending(txt) | {Flag.WEAK}, mx=((0, domain),), ttl_s=ttl_s)
    failed = next((answer for answer in host.both if answer.rcode in TROUBLE), None)
    if failed is not None:
        return Outcome(reason=_trouble(failed))
    if any(_texts(answer) for answer in host.both):
        return Outcome(reason=Reason.IMPLICIT_MX_NONGLOBAL, ttl_s=ttl_s)
    certain = all(_settled(answer) for answer in (mx, *host.both))
    return Outcome(reason=Reason.NO_MAIL_HOST if certain else Reason.LAME, ttl_s=ttl_s)


def _sending(txt: DnsAnswer | None) -> frozenset[Flag]:
    """Return what is known of how the domain sends; None: nobody asked."""
    if txt is None:
        return frozenset()
    if txt.rcode in TROUBLE:
        return frozenset({Flag.SPF_UNKNOWN})
    return frozenset({Flag.SPF_REJECT_ALL}) if rejects_all(_texts(txt)) else frozenset()


def _targets(real: Iterable[tuple[int, str]], hosts: Mapping[str, HostAnswers]) -> tuple[Reason, frozenset[Flag]]:
    kinds = {_by_name(host) or target_of(hosts.get(host)) for _, host in real}
    flags: set[Flag] = set()
    if any(answer.canonical and answer.rcode is Rcode.OK for host in hosts.values() for answer in host.both):
        flags.add(Flag.MX_CNAME)  # against RFC 2181 section 10.3, and it works
    if Target.GLOBAL in kinds:
        addresses = [text for host in hosts.values() for answer in host.both for text in _texts(answer)]
        if Target.NONGLOBAL in kinds or not all(is_global(text) for text in addresses):
            flags.add(Flag.MX_SOME_NONGLOBAL)
        return Reason.MX_OK, frozenset(flags)
    for kind, reason in (
        (Target.UNKNOWN, Reason.MX_TARGET_UNKNOWN),
        (Target.LITERAL, Reason.MX_IP_LITERAL),
        (Target.NONGLOBAL, Reason.MX_NONGLOBAL),
    ):
        if kind in kinds:
            return reason, frozenset(flags)
    return Reason.MX_DANGLING, frozenset(flags)  # MX without use is an error: no falling back to A (RFC 5321 s5.1)


def _by_name(host: str) -> Target | None:
    """Judge a host by its name where asking would be wrong: the site's resolver may know private names."""
    if host[-1:].isalpha() and ":" not in host:  # no address ends so; told from one in a tenth of the time
        return Target.NONGLOBAL if is_reserved(host) else None
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return Target.NONGLOBAL if is_reserved(host) else None
    # Against RFC 5321, yet some servers deliver to the address.
    return Target.LITERAL if is_global(host.strip("[]")) else Target.NONGLOBAL


def _real(mx: DnsAnswer) -> tuple[tuple[int, str], ...]:
    """Return the MX hosts without the null one, the best first."""
    return tuple(sorted({(preference, host) for preference, host in mx.records if host != ROOT}))


def _settled(answer: DnsAnswer) -> bool:
    """Tell whether a server that knows the zone said no (RFC 2308): a lame one sends nothing, and no SOA."""
    return answer.rcode is Rcode.NXDOMAIN or (answer.rcode is Rcode.NODATA and answer.soa)


def _trouble(answer: DnsAnswer) -> Reason:
    if answer.rcode is Rcode.SERVFAIL and answer.extended_error in DNSSEC_BOGUS:
        return Reason.DNSSEC_BOGUS
    return TROUBLE[answer.rcode]


def _texts(answer: DnsAnswer) -> tuple[str, ...]:
    return tuple(text for _, text in answer.records) if answer.rcode is Rcode.OK else ()
