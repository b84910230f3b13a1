"""Marks of an address that its text alone gives: they decide nothing by themselves."""

from functools import cache

from formwarden.address.canonical import base_name
from formwarden.address.report import Flag
from formwarden.data import under, words


def flags_of(local: str, domain: str) -> frozenset[Flag]:
    """Return the marks of an address with correct syntax; the domain in small ASCII letters."""
    return _role(base_name(local)) | _domain(domain)


def _role(name: str) -> frozenset[Flag]:
    prefixes, suffixes = _all("roles", "system_prefixes"), _all("roles", "system_suffixes")
    if name in words("roles", "system") or name.startswith(prefixes) or name.endswith(suffixes):
        return frozenset({Flag.ROLE_SYSTEM})
    return frozenset({Flag.ROLE}) if name in words("roles", "human") else frozenset()


def _domain(domain: str) -> frozenset[Flag]:
    # Providers hand out names below theirs too: x@user.fastmail.com, x@aqua.ocn.ne.jp.
    freemail = under(domain, _freemail())
    sms = under(domain, words("sms_gateways", "domains"))
    return frozenset(flag for flag, hit in ((Flag.FREEMAIL, freemail), (Flag.SMS_GATEWAY, sms)) if hit)


@cache
def _all(name: str, key: str) -> tuple[str, ...]:
    return tuple(words(name, key))


@cache
def _freemail() -> frozenset[str]:
    return words("freemail", "webmail") | words("freemail", "isp")
