"""One key for all spellings of one mailbox: to count by, never to send to."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from formwarden.data import groups

ROUNDS: Final = 4  # of folding: what one step leaves, the next may join; nothing is left to do after three


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """How one provider reads the part before the @."""

    cut: str = "+"  # what follows is a tag of the owner's choice
    dots: bool = True  # False: the provider ignores dots
    domain: str | None = None  # the name that stands for all of the provider's


PLUS: Final = Folding()
GMAIL: Final = Folding(dots=False, domain="gmail.com")
ICLOUD: Final = Folding(domain="icloud.com")
PROTON: Final = Folding(dots=False, domain="proton.me")
YANDEX: Final = Folding(domain="yandex.ru")
YAHOO: Final = Folding(cut="-")  # tags of yahoo.com hang on a hyphen; Yahoo! JAPAN is another company

RULES: Final[Mapping[str, Folding]] = {  # the groups of data/canonical.toml
    "fastmail": PLUS,
    "gmail": GMAIL,
    "icloud": ICLOUD,
    "proton": PROTON,
    "yahoo": YAHOO,
    "yandex": YANDEX,
}
# A site's own domain at a provider. No entry may differ from PLUS: a mailbox must have one key whether or not DNS
# has answered, or a silent name server would buy it a second budget. Workspace keeps dots apart.
BY_PROVIDER: Final = {"google": PLUS}
FASTMAIL: Final = "fastmail"
YAHOO_JAPAN: Final = "yahoo.co.jp"


def canonical_key(local: str, ascii_domain: str, provider: str | None) -> str:
    """Return the key of an address; the key of a key is itself (the reference on addresses, section 5)."""
    domain = ascii_domain.lower()
    owner, _, parent = domain.partition(".")
    if owner and parent in groups("canonical", "domains")[FASTMAIL]:  # x@user.fastmail.com is user+x there
        local, domain = owner, parent
    folding = _folding(domain, provider)
    return f"{_fold(local, folding)}@{folding.domain or domain}"


def base_name(local: str) -> str:
    """Return the part before the @ in small letters and without a tag."""
    return _fold(local, PLUS)


@cache
def foldings() -> Mapping[str, Folding]:
    """Return the rule of each listed domain."""
    listed = groups("canonical", "domains").items()
    return {domain: RULES[group] for group, domains in listed for domain in domains}


def _folding(domain: str, provider: str | None) -> Folding:
    known = foldings().get(domain)
    if known is not None:
        return known
    if domain.startswith("yahoo.") and domain != YAHOO_JAPAN:
        return YAHOO
    return BY_PROVIDER.get(provider or "", PLUS)


def _fold(local: str, folding: Folding) -> str:
    for _ in range(ROUNDS):
        folded = _fold_once(local, folding)
        if folded == local:
            break
        local = folded
    return local


def _fold_once(local: str, folding: Folding) -> str:
    name = unicodedata.normalize("NFKC", local).casefold()
    for tag in {"+", folding.cut}:
        name = name.partition(tag)[0] or name  # a name that begins with the mark has no tag
    return name if folding.dots else (name.replace(".", "") or name)
