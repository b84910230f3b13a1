"""What a hostile visitor types, and how to find it again in a mail: no reply is built that would carry it."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

MARK: Final = "fwcanary"  # in no text of any owner
PLAIN: Final = MARK.capitalize()
"""A canary that is a plain name: it may stand where the name slot is, and nowhere else."""

CANARIES: Final[Mapping[str, str]] = {
    "a URL": f"https://{MARK}.example/{MARK}?q={MARK}",
    "a URL in words": f"www {MARK} test",
    "a full-width URL": f"ｈｔｔｐ：／／{MARK}．example",
    "a right-to-left override": f"\u202e{MARK}\u202c",
    "an encoded word": f"=?utf-8?q?{MARK}=0D=0ABcc:_{MARK}@{MARK}.example?=",
    "a header line": f"{MARK}\r\nBcc: {MARK}@{MARK}.example",
    "markup": f'<a href="//{MARK}.example">{MARK}</a>',
    "a zero-width space": f"{MARK}\u200b{MARK}",
    "10 kB": f"{MARK} " * 1_140,
}
"""By what they are: what a TemplateError says has leaked."""

_LINK: Final = re.compile(
    r"[a-z][a-z0-9+.-]{1,20}:/{1,3}[^\s<>\"「」（）()]*"  # with a scheme
    r"|www\.[^\s<>\"「」（）()]*"
    r"|(?<![\w@.-])(?:[\w-]+\.)+[^\W\d_]{2,}(?=[/?#])[^\s<>\"「」（）()]*",  # mail programs link `host/path`, too
    re.IGNORECASE,
)
_DOTS: Final = re.compile("[\u3002\uff0e\uff61]")  # browsers read them as dots (UTS 46)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:/*", re.IGNORECASE)
_TRAILING: Final = ".,:;!?"


def leaked(headers: Mapping[str, str], text: str, canary: str, *, slots: int) -> Iterator[str]:
    """Name the places where a canary shows; a plain one may stand in the text as often as it has `slots`."""
    for name, value in headers.items():
        if _shows(value):
            yield f"header {name}"
    allowed = slots if canary == PLAIN else 0
    if _flat(text).count(MARK) > allowed or any(MARK in _flat(link) for link in links(text)):
        yield "text"


def links(text: str) -> tuple[str, ...]:
    """Return what mail programs make links of."""
    return tuple(found.group().rstrip(_TRAILING) for found in _LINK.finditer(_DOTS.sub(".", text)))


def foreign(text: str, hosts: frozenset[str]) -> tuple[str, ...]:
    """Return the hosts of links that are not these, nor below them; a link without a readable host as it stands."""
    named = tuple((link, _host(link)) for link in links(text))
    return tuple(
        host or link
        for link, host in named
        if not host or not any(host == each or host.endswith(f".{each}") for each in map(_a_labels, hosts))
    )


def _shows(value: str) -> bool:
    return MARK in _flat(value)


def _flat(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _host(link: str) -> str:
    try:
        return _a_labels(urlsplit("//" + _SCHEME.sub("", link, count=1)).hostname or "")
    except ValueError:  # a bracket too few, or NFKC makes a separator of a letter
        return ""


def _a_labels(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()
