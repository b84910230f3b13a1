"""What is known of one address, as a value."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """May mail to this address arrive? *unknown* blames nobody."""

    DELIVERABLE = "deliverable"
    UNDELIVERABLE = "undeliverable"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class Reason(StrEnum):
    """Why; the first block is DNS (rows of the outcome table), the second syntax."""

    MX_OK = "mx_ok"
    MX_TARGET_UNKNOWN = "mx_target_unknown"
    IMPLICIT_MX_A = "implicit_mx_a"
    IMPLICIT_MX_AAAA = "implicit_mx_aaaa"
    IMPLICIT_MX_NONGLOBAL = "implicit_mx_nonglobal"
    NO_MAIL_HOST = "no_mail_host"
    LAME = "lame"
    NXDOMAIN = "nxdomain"
    CNAME_DANGLING = "cname_dangling"
    NULL_MX = "null_mx"
    MX_DANGLING = "mx_dangling"
    MX_NONGLOBAL = "mx_nonglobal"
    MX_IP_LITERAL = "mx_ip_literal"
    CNAME_CHAIN = "cname_chain"
    SERVFAIL = "servfail"
    DNSSEC_BOGUS = "dnssec_bogus"
    RESOLVER_REFUSED = "resolver_refused"
    TIMEOUT = "timeout"
    TRUNCATED = "truncated"
    DNS_ERROR = "dns_error"
    NOT_CHECKED = "not_checked"
    NO_RESOLVER = "no_resolver"

    EMPTY = "empty"
    CONTROL_CHARACTERS = "control_characters"
    TOO_LONG = "too_long"
    NO_AT = "no_at"
    SEVERAL = "several"
    DISPLAY_NAME = "display_name"
    QUOTED_LOCAL = "quoted_local"
    DOMAIN_LITERAL = "domain_literal"
    BAD_LOCAL = "bad_local"
    BAD_DOMAIN = "bad_domain"
    SPECIAL_USE_DOMAIN = "special_use_domain"
    PRIVATE_TLD = "private_tld"


class Flag(StrEnum):
    """Marks that never decide by themselves."""

    WEAK = "weak"  # reachable only by the implicit-MX rule (RFC 5321 section 5.1)
    NULL_MX_MIXED = "null_mx_mixed"
    MX_SOME_NONGLOBAL = "mx_some_nonglobal"
    MX_CNAME = "mx_cname"
    PARKED_MX = "parked_mx"
    ROLE = "role"
    ROLE_SYSTEM = "role_system"
    FREEMAIL = "freemail"
    SMS_GATEWAY = "sms_gateway"
    OWN_DOMAIN = "own_domain"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressReport:
    """The result of a check; made without raising on any input or network state.

    `address` is what was typed, trimmed; the other forms are None where the syntax is wrong.
    """

    address: str
    status: Status
    reason: Reason
    flags: frozenset[Flag] = frozenset()
    normalized: str | None = None
    ascii_email: str | None = None  # None too where the local part needs SMTPUTF8 (RFC 6531)
    domain: str | None = None  # ASCII, lower case
    registrable: str | None = None  # the public-suffix list's registrable domain
    canonical: str | None = None  # a key to count by, never an address to send to
    mx: tuple[tuple[int, str], ...] = ()  # (preference, host), best first
    provider: str | None = None  # provider group by MX (ruling G11)
    elapsed_ms: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values, ready for JSON."""
        return {
            "address": self.address,
            "status": str(self.status),
            "reason": str(self.reason),
            "flags": sorted(self.flags),
            "normalized": self.normalized,
            "domain": self.domain,
            "mx": [[preference, host] for preference, host in self.mx],
            "provider": self.provider,
            "elapsed_ms": round(self.elapsed_ms, 1),
        }
