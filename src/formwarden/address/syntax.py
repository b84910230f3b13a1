"""Whether a text is one address that mail can be sent to: without DNS, and without importing it."""

import re
import unicodedata
from dataclasses import replace
from typing import Final

from email_validator import ValidatedEmail, validate_email

from formwarden.address.canonical import canonical_key
from formwarden.address.flags import flags_of
from formwarden.address.report import AddressReport, Reason, Status
from formwarden.address.suffix import Suffixes
from formwarden.address.suggestion import corrected
from formwarden.data import words

MAX_CHARACTERS: Final = 320  # 64, "@" and 255 octets (RFC 5321 section 4.5.3.1); a megabyte takes seconds to parse
CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
SURROGATE: Final = re.compile("[\ud800-\udfff]")  # half a character: no encoder takes it
DOTS: Final = re.compile("[.\u3002\uff0e\uff61]")  # all that IDNA reads as a dot (RFC 3490 section 3.1)
ENDS: Final = ".,;:!?\u3001\u3002\uff0c\uff0e\uff61"  # of the sentence that an address was copied from
SEPARATORS: Final = re.compile("[,;\\s\u3001\uff0c\uff1b]")  # what people put between two addresses


def check_syntax(raw: str, suffixes: Suffixes | None = None) -> AddressReport:
    """Report on the text alone: *invalid* with its reason, or *unknown* because nobody has asked DNS.

    Never raises. Without `suffixes`, or before they are loaded, the registrable domain is a guess.
    """
    address = raw.strip()
    refusal = _refusal(address)
    if refusal is not None:
        return _invalid(address, refusal)
    parsed = _parse(address)
    if parsed is None:
        blame = _blame(address)
        meant = _repaired(address) if blame is Reason.BAD_DOMAIN else None
        return replace(_invalid(address, blame), suggestion=meant)
    domain = parsed.ascii_domain.lower()
    reserved = _reserved(domain)
    if reserved is not None:
        return _invalid(address, reserved)
    return AddressReport(
        address=address,
        status=Status.UNKNOWN,
        reason=Reason.NOT_CHECKED,
        flags=flags_of(parsed.local_part, domain, shown=parsed.domain),
        normalized=parsed.normalized,
        ascii_email=parsed.ascii_email,
        domain=domain,
        registrable=(suffixes or Suffixes()).registrable(domain),
        canonical=canonical_key(parsed.local_part, domain, None),
        suggestion=corrected(parsed.local_part, domain),
    )


def is_reserved(name: str) -> bool:
    """Tell whether a host name is of this machine, of a private network, or of nobody."""
    return "." not in name or _reserved(name) is not None


def _invalid(address: str, reason: Reason) -> AddressReport:
    return AddressReport(address=address[:MAX_CHARACTERS], status=Status.INVALID, reason=reason)


def _repaired(address: str) -> str | None:
    """Return the address that was meant by one whose domain is none (`taro@gmail`, `taro@gmail,com`, `a@b.jp.`)."""
    local, _, domain = address.rpartition("@")
    bare = domain.rstrip(ENDS)
    meant = corrected(local, bare) or (f"{local}@{bare}" if bare != domain else None)
    return meant if meant is not None and _parse(meant) is not None else None


def _refusal(address: str) -> Reason | None:
    """Name what can be seen without parsing: each step is linear, and the length is known before the costly ones."""
    if not address:
        return Reason.EMPTY
    if CONTROL.search(address):
        return Reason.CONTROL_CHARACTERS
    if len(address) > MAX_CHARACTERS:
        return Reason.TOO_LONG
    if "@" not in address:
        return Reason.NO_AT
    return _more_than_an_address(address) or _part_missing(address)


def _more_than_an_address(address: str) -> Reason | None:
    several = address.count("@") > 1 and SEPARATORS.search(address)
    group = ":" in address and address.endswith(";")  # RFC 5322 section 3.4
    if several or group:
        return Reason.SEVERAL
    if "<" in address or ">" in address:
        return Reason.DISPLAY_NAME
    # An encoded word (RFC 2047) turns into a header line in some mail libraries (CVE-2024-6923).
    if "=?" in address or SURROGATE.search(address):
        return Reason.BAD_LOCAL
    return Reason.QUOTED_LOCAL if '"' in address else None


def _part_missing(address: str) -> Reason | None:
    local, _, domain = address.rpartition("@")
    if not local:
        return Reason.BAD_LOCAL
    if not domain:
        return Reason.BAD_DOMAIN
    if domain.startswith("["):
        return Reason.DOMAIN_LITERAL
    return _reserved(domain)


def _reserved(domain: str) -> Reason | None:
    last = unicodedata.normalize("NFKC", DOTS.split(domain.rstrip("."))[-1]).lower()
    if last in words("special_names", "special_use"):
        return Reason.SPECIAL_USE_DOMAIN
    return Reason.PRIVATE_TLD if last in words("special_names", "private_tlds") else None


def _parse(address: str) -> ValidatedEmail | None:
    try:
        return validate_email(
            address,
            check_deliverability=False,
            # Every choice is given: the library's defaults are globals that a site may have changed.
            allow_smtputf8=True,
            allow_empty_local=False,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            strict=False,
            test_environment=False,
            globally_deliverable=True,
        )
    except ValueError:  # EmailNotValidError, and whatever Unicode and IDNA raise below it
        return None


def _blame(address: str) -> Reason:
    """Find the bad half by trying each beside a good one: the library's English texts change between releases."""
    local, _, domain = address.rpartition("@")
    if _parse(f"a@{domain}") is None:
        return Reason.BAD_DOMAIN
    if _parse(f"{local}@a.co") is None:
        return Reason.BAD_LOCAL
    return Reason.TOO_LONG  # each half will do, together they exceed 254 octets
