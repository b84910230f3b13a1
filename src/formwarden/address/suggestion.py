"""Did you mean …? The popular domain that a typed one is a slip from; it never rejects anybody."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Final

from formwarden.address.flags import shared_domains
from formwarden.data import groups, under, words

LONGEST: Final = 20  # characters; no popular domain with a slip in it is longer, so hostile lengths cost nothing
HEAD: Final = 3  # characters; with the tail one less than the shortest popular domain, so one of both is left intact
TAIL: Final = 4  # characters
KEYBOARD: Final = ("1234567890-", "qwertyuiop", "asdfghjkl;", "zxcvbnm,.")
ROW_OFFSETS: Final = (0.0, 0.5, 0.75, 1.25)  # keys that each row stands to the right of the first
REACH: Final = 1.0  # keys a finger slips sideways


def corrected(local: str, domain: str) -> str | None:
    """Return the address that was probably meant; None where the domain is known, or like no popular one."""
    meant = meant_domain(domain.lower())
    return None if meant is None else f"{local}@{meant}"


def meant_domain(domain: str) -> str | None:
    """Return the domain that was probably meant by one in small letters."""
    if len(domain) > LONGEST or under(domain, _known()):
        return None
    if domain in _typos():
        return _typos()[domain]
    near = [popular for popular in alike(domain) if is_slip(domain, popular)]
    return near[0] if len(near) == 1 else None


def still_meant(suggestion: str | None, domain: str) -> str | None:
    """Return the suggestion if it stands for a domain that takes mail: a listed slip, whose owner waits for them."""
    return suggestion if domain in _typos() else None


def is_slip(typed: str, meant: str) -> bool:
    """Tell whether one movement of the fingers makes the one of the other: Damerau's four, each where a hand does it.

    Two letters swapped, one missing, one beside the right key, or one too many that was doubled or brushed.
    """
    start = _common(typed, meant)
    rest, wanted = typed[start:], meant[start:]
    if not rest or not wanted:  # equal, or one is the beginning of the other
        return rest != wanted and len(rest) <= 1 and len(wanted) <= 1 and (not rest or _brushed(typed, start))
    if rest == wanted[1:] or (rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]):
        return True
    if rest[1:] == wanted[1:]:
        return _beside(rest[0], wanted[0])
    return rest[1:] == wanted and _brushed(typed, start)


def alike(domain: str) -> Iterator[str]:
    """Yield the few popular domains that are worth comparing: one movement spares the beginning or the end."""
    head, tail = domain[:HEAD], domain[-TAIL:]
    for length in range(len(domain) - 1, len(domain) + 2):
        for popular in _by_length().get(length, ()):
            if popular.startswith(head) or popular.endswith(tail):
                yield popular


@cache
def _by_length() -> Mapping[int, tuple[str, ...]]:
    popular = sorted(words("popular", "domains"), key=len)
    return {length: tuple(names) for length, names in groupby(popular, key=len)}


def _common(one: str, other: str) -> int:
    shorter = min(len(one), len(other))
    return next((index for index in range(shorter) if one[index] != other[index]), shorter)


def _brushed(typed: str, index: int) -> bool:
    """Tell whether a letter too many is one of those around it, or lies beside one of them."""
    around = typed[max(index - 1, 0) : index] + typed[index + 1 : index + 2]
    return any(typed[index] == each or _beside(typed[index], each) for each in around)


def _beside(one: str, other: str) -> bool:
    here, there = _keys().get(one), _keys().get(other)
    if here is None or there is None or one == other:
        return False
    return abs(here[0] - there[0]) <= 1 and abs(here[1] - there[1]) <= REACH


@cache
def _keys() -> Mapping[str, tuple[int, float]]:
    rows = enumerate(zip(KEYBOARD, ROW_OFFSETS, strict=True))
    return {key: (row, offset + place) for row, (keys, offset) in rows for place, key in enumerate(keys)}


@cache
def _typos() -> Mapping[str, str]:
    return {typo: meant for meant, typos in groups("popular", "typos").items() for typo in typos}


@cache
def _known() -> frozenset[str]:
    lists = (("popular", "domains"), ("popular", "real"), ("sms_gateways", "domains"))
    return shared_domains().union(*(words(name, key) for name, key in lists))
