"""Marks of an address that its text alone gives: they decide nothing by themselves."""

from functools import cache

from formwarden.address.canonical import base_name
from formwarden.address.report import Flag
from formwarden.data import under, words


def flags_of(local: str, domain: str) -> frozenset[Flag]:
    """Return the marks of an address with correct syntax; the domain in small ASCII letters."""
    return _role(base_name(local)) | _domain(domain)


def is_privacy_relay(domain: str) -> bool:
    """Tell whether a person's own address hides behind this domain: people use such addresses for years."""
    return under(domain, words("privacy_relays", "domains")) is not None


@cache
def shared_domains() -> frozenset[str]:
    """Return the domains where strangers share a name."""
    return words("freemail", "webmail") | words("freemail", "isp") | words("privacy_relays", "domains")


def _role(name: str) -> frozenset[Flag]:
    prefixes, suffixes = _all("roles", "system_prefixes"), _all("roles", "system_suffixes")
    if name in words("roles", "system") or name.startswith(prefixes) or name.endswith(suffixes):
        return frozenset({Flag.ROLE_SYSTEM})
    return frozenset({Flag.ROLE}) if name in words("roles", "human") else frozenset()


def _domain(domain: str) -> frozenset[Flag]:
    # Providers hand out names below theirs too: x@user.fastmail.com, x@aqua.ocn.ne.jp.
    marks = {
        Flag.FREEMAIL: under(domain, shared_domains()),
        Flag.PRIVACY_RELAY: is_privacy_relay(domain),
        Flag.SMS_GATEWAY: under(domain, words("sms_gateways", "domains")),
    }
    return frozenset(flag for flag, hit in marks.items() if hit)


@cache
def _all(name: str, key: str) -> tuple[str, ...]:
    return tuple(words(name, key))
