"""Marks of an address that its text alone gives: they decide nothing by themselves."""

import re
from functools import cache
from typing import Final

from formwarden.address.canonical import base_name
from formwarden.address.report import Flag
from formwarden.address.scripts import mixes_scripts
from formwarden.data import groups, under, words

GMAIL_NAME: Final = re.compile("[a-z0-9]{6,30}")  # dots and what follows a plus are not of the name


def flags_of(local: str, domain: str, *, shown: str = "") -> frozenset[Flag]:
    """Return the marks of an address with correct syntax; the domain in small ASCII letters, and as it is shown."""
    return _role(base_name(local)) | _domain(domain) | _text(local, domain, shown)


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


def _text(local: str, domain: str, shown: str) -> frozenset[Flag]:
    gmail = domain in groups("canonical", "domains")["gmail"]
    name = local.partition("+")[0].replace(".", "").lower()
    marks = {
        Flag.PROVIDER_SYNTAX: gmail and GMAIL_NAME.fullmatch(name) is None,
        Flag.ROUTED_LOCAL: "%" in local or "!" in local,
        Flag.MIXED_SCRIPT: mixes_scripts(local) or mixes_scripts(shown),
    }
    return frozenset(flag for flag, hit in marks.items() if hit)


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
