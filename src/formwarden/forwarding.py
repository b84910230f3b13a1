"""Forwarding headers, read from the right: the nearest proxy wrote there, and anybody may have written left of it."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Final

from formwarden.submission import Client

MAX_HOPS: Final = 20  # entries of a header that are read, counted from the right
FORWARDED_CHARACTERS: Final = 4_096  # of a Forwarded header that are read, from the right: 20 elements of 200
HOP_CHARACTERS: Final = 100  # of one entry; a zoned IPv6 address with its port has some 70
OWS: Final = " \t"  # RFC 9110 section 5.6.3

_WITH_PORT: Final = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::(?:\d{1,5}|_[\w.-]+))?", re.ASCII)  # RFC 7239, 6
_COMMA_OR_QUOTE: Final = re.compile(r',|\\*"')
_PAIR: Final = re.compile(
    r"""[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=("(?:[^"\\]|\\.)*"|[^\s";]*))?[ \t]*(;|\Z)"""
)  # RFC 7239 section 4; brackets and colons are taken without their quotes, too: people write them so


def hops(header: str, value: str) -> Iterator[Client]:
    """Yield whom each proxy names, the nearest first: an unknown client for what is no address. Nothing raises."""
    return islice(_READERS.get(header, _one)(value), MAX_HOPS)


def _one(value: str) -> Iterator[Client]:
    """Read a header that may stand once and names one client: of two, joined by a comma, neither is believed."""
    yield _client(value)


def _listed(value: str) -> Iterator[Client]:
    """Read X-Forwarded-For."""
    yield from map(_client, reversed(value.rsplit(",", MAX_HOPS)[-MAX_HOPS:]))


def _forwarded(value: str) -> Iterator[Client]:
    """Read Forwarded (RFC 7239). Of what is cut off only trusted proxies could be right."""
    yield from map(_named, _elements(value[-FORWARDED_CHARACTERS:]))


def _elements(value: str) -> Iterator[str]:
    """Part a list at its commas, not at those in quotes, from the right: a quote left open swallows nothing."""
    quoted, end = False, len(value)
    for mark in reversed(list(_COMMA_OR_QUOTE.finditer(value))):
        if mark[0] != ",":
            quoted ^= len(mark[0]) % 2 == 1  # an even number: the quote is escaped
        elif not quoted:
            yield value[mark.end() : end]
            end = mark.start()
    yield value[:end]


def _named(element: str) -> Client:
    """Read the `for` of one element; twice, or beside what is no pair, it names nobody."""
    found: str | None = None
    at, more = 0, True
    while more:
        pair = _PAIR.match(element, at)
        if pair is None:
            return Client()
        name, text, separator = pair.groups()
        if name is not None and name.lower() == "for":
            if found is not None:
                return Client()
            found = text
        at, more = pair.end(), separator == ";"
    return Client() if found is None else _client(_unquoted(found))


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _client(text: str) -> Client:
    """Read one address, its port and brackets off; obfuscated names and `unknown` (RFC 7239 section 6) are nobody."""
    text = text.strip(OWS)
    if len(text) > HOP_CHARACTERS:
        return Client()
    parted = _WITH_PORT.fullmatch(text)
    if parted is None:
        return Client.parse(text)  # a bare IPv6 address
    return Client.parse(parted[1] if parted[1] is not None else parted[2])


_READERS: Final[Mapping[str, Callable[[str], Iterator[Client]]]] = MappingProxyType(
    {"x-forwarded-for": _listed, "forwarded": _forwarded}
)
