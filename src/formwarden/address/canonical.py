"""One key for all spellings of one mailbox: to count by, never to send to."""

import unicodedata
from dataclasses import dataclass
from typing import Final

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

BY_DOMAIN: Final = {
    "gmail.com": GMAIL,
    "googlemail.com": GMAIL,
    "icloud.com": ICLOUD,
    "me.com": ICLOUD,
    "mac.com": ICLOUD,
    "proton.me": PROTON,
    "protonmail.com": PROTON,
    "protonmail.ch": PROTON,
    "pm.me": PROTON,
    "ya.ru": YANDEX,
    "yandex.ru": YANDEX,
    "yandex.com": YANDEX,
    "yandex.by": YANDEX,
    "yandex.kz": YANDEX,
    "yandex.ua": YANDEX,
    "yandex.com.tr": YANDEX,
    "ymail.com": YAHOO,
    "rocketmail.com": YAHOO,
    "myyahoo.com": YAHOO,
}
# A site's own domain at a provider. No entry may differ from PLUS: a mailbox must have one key whether or not DNS
# has answered, or a silent name server would buy it a second budget. Workspace keeps dots apart.
BY_PROVIDER: Final = {"google": PLUS}
FASTMAIL: Final = ("fastmail.com", "fastmail.fm")
YAHOO_JAPAN: Final = "yahoo.co.jp"


def canonical_key(local: str, ascii_domain: str, provider: str | None) -> str:
    """Return the key of an address; the key of a key is itself (the reference on addresses, section 5)."""
    domain = ascii_domain.lower()
    owner, _, parent = domain.partition(".")
    if parent in FASTMAIL and owner:  # x@user.fastmail.com is a tag of user@fastmail.com
        local, domain = owner, parent
    folding = _folding(domain, provider)
    return f"{_fold(local, folding)}@{folding.domain or domain}"


def base_name(local: str) -> str:
    """Return the part before the @ in small letters and without a tag."""
    return _fold(local, PLUS)


def _folding(domain: str, provider: str | None) -> Folding:
    known = BY_DOMAIN.get(domain)
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
