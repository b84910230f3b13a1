"""What is known of one address, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from formwarden.address.messages import DEFAULT_LANGUAGE, public_message


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
    RESOLVER_REWRITES = "resolver_rewrites"  # it answers for names that do not exist

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
    SPF_REJECT_ALL = "spf_reject_all"  # no MX, and "v=spf1 -all": it says of itself that it sends nothing
    SPF_UNKNOWN = "spf_unknown"  # no MX, and it has not said yet what it says of sending
    ROLE = "role"
    ROLE_SYSTEM = "role_system"
    FREEMAIL = "freemail"
    SMS_GATEWAY = "sms_gateway"
    PRIVACY_RELAY = "privacy_relay"  # a person's own address stands behind it
    DISPOSABLE = "disposable"  # listed by the extra of that name
    OWN_DOMAIN = "own_domain"
    PROVIDER_SYNTAX = "provider_syntax"  # the provider hands out no such name
    ROUTED_LOCAL = "routed_local"  # % or ! before the @: some servers send such mail on to others
    MIXED_SCRIPT = "mixed_script"  # letters of alphabets that nobody writes together


class CacheState(StrEnum):
    """Where the verdict of the domain came from."""

    NONE = "none"  # DNS was neither asked nor remembered: wrong syntax, an own domain, dns off, over a cap
    MISS = "miss"
    HIT = "hit"
    STALE = "stale"  # a good verdict past its time; it is looked up again meanwhile


OF_THE_DOMAIN: Final = frozenset(
    {Reason.BAD_DOMAIN, Reason.DOMAIN_LITERAL, Reason.SPECIAL_USE_DOMAIN, Reason.PRIVATE_TLD}
)
KICKBOX_UNKNOWN: Final[Mapping[Reason, str]] = {  # all else is a resolver that did not say: `no_connect`
    Reason.TIMEOUT: "timeout",
    Reason.DNS_ERROR: "unexpected_error",
    Reason.NO_RESOLVER: "unexpected_error",
    Reason.NOT_CHECKED: "unexpected_error",
}


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
    suggestion: str | None = None  # the address that was probably meant; it never rejects the one that was typed
    elapsed_ms: float = 0.0
    cache: CacheState = CacheState.NONE

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values, ready for JSON."""
        return {
            "address": self.address,
            "status": str(self.status),
            "reason": str(self.reason),
            "flags": sorted(self.flags),
            "normalized": self.normalized,
            "ascii_email": self.ascii_email,
            "domain": self.domain,
            "registrable": self.registrable,
            "canonical": self.canonical,
            "mx": [[preference, host] for preference, host in self.mx],
            "provider": self.provider,
            "suggestion": self.suggestion,
            "elapsed_ms": round(self.elapsed_ms, 1),
            "cache": str(self.cache),
        }

    def as_kickbox(self) -> dict[str, object]:
        """Return the report in the words of Kickbox's answer, for code that reads those.

        Ours knows the domain, never the mailbox: so `accept_all` and `sendex` are left out, and `accepted_email`
        says that the domain takes mail.
        """
        result, reason = self._kickbox_result()
        local, _, _ = (self.normalized or "").rpartition("@")
        return {
            "result": result,
            "reason": reason,
            "role": not self.flags.isdisjoint({Flag.ROLE, Flag.ROLE_SYSTEM}),
            "free": Flag.FREEMAIL in self.flags,
            "disposable": Flag.DISPOSABLE in self.flags,
            "did_you_mean": self.suggestion,
            "email": self.normalized or self.address,
            "user": local or None,
            "domain": self.domain,
            "success": True,
        }

    def public_message(self, language: str = DEFAULT_LANGUAGE) -> str:
        """Return the one sentence that a visitor may read, in English or Japanese; the same for every report."""
        return public_message(language)

    def _kickbox_result(self) -> tuple[str, str]:
        match self.status:
            case Status.INVALID:
                return "undeliverable", "invalid_domain" if self.reason in OF_THE_DOMAIN else "invalid_email"
            case Status.UNDELIVERABLE:
                return "undeliverable", "invalid_domain"
            case Status.UNKNOWN:
                return "unknown", KICKBOX_UNKNOWN.get(self.reason, "no_connect")
            case Status.DELIVERABLE:
                if not self.flags.isdisjoint({Flag.WEAK, Flag.PARKED_MX}):
                    return "risky", "low_deliverability"
                risky = {Flag.DISPOSABLE, Flag.ROLE, Flag.ROLE_SYSTEM, Flag.SMS_GATEWAY}
                return ("deliverable", "accepted_email") if self.flags.isdisjoint(risky) else ("risky", "low_quality")
