"""Which way a message points: what it promises, calls for and praises, less what it asks.

An inquiry asks; what is sent to many offers. Families of words are counted, never single words, and in proportion to
the length: a long honest letter meets many of them by chance.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from formwarden.facts import Facts
from formwarden.scoring import Evidence, signal
from formwarden.signals.phrases import (
    FAMILIES,
    JAPANESE_OFFERS,
    JAPANESE_REQUESTS,
    PHRASES,
    STEM_BYTES,
    STEMS,
    WORD_BYTES,
)
from formwarden.submission import Submission

READ_CHARACTERS: Final = 2_000  # of all texts together; what follows tells nothing new and costs time
POINTS: Final[Mapping[str, float]] = MappingProxyType(  # for each sign; in half points, by what honest texts bear
    {
        "gain": 2.5,
        "wares": 2.0,
        "offer": 2.0,
        "act": 1.5,
        "mass": 1.0,
        "own": 0.5,
        "plug": 4.0,
        "dial": 1.5,
        "number": 0.5,
        "money": 1.5,
        "shout": 0.5,
        "bang": 0.5,
        "emoji": 1.0,
        "page": 1.0,
        "this page": 3.0,
        "praise": 0.5,
        "flattery": 1.5,
        "noise": 1.0,
        "talk": -0.5,
        "ask": -0.5,
        "request": -1.5,
        "question": -1.5,
    }
)
MOST_OF_A_FAMILY: Final = 3.0  # signs that count: cousins convict nobody by number
WORDS_WITHOUT_DISCOUNT: Final = 40  # beyond, signs count less
DISCOUNT: Final = 0.65  # the power of the length by which they do
SILENT_BELOW: Final = 5.0  # points
FULL_AT: Final = 6.2  # points; at 6 the weight holds an inquiry by itself
MOST_JAPANESE: Final = 6  # phrases that count
JAPANESE_OFFER_POINTS: Final = 2.5
JAPANESE_REQUEST_POINTS: Final = -2.5

_TO_WORDS: Final = bytes(code if code in WORD_BYTES or code > 0x7F else ord(" ") for code in range(256))  # noqa: PLR2004
_FAMILY_WORDS: Final = frozenset(FAMILIES)
_HEADS: Final = frozenset(PHRASES)
_STEM_WORDS: Final = frozenset(STEMS)
_LAST_ASCII: Final = 0x7F
_DIAL: Final = re.compile(r" (?:call|txt|text|dial|ring|reply|to) [0-9]{5,13} ")
_NUMBER: Final = re.compile(r" [0-9]{10,13} ")
_MONEY: Final = ("£", "$", "€", "₽", "%", "p/m")
_CAPITALS: Final = bytes(ord("X") if 0x41 <= code <= 0x5A else ord(" ") for code in range(256))  # noqa: PLR2004 - A to Z
_FOUR_CAPITALS: Final = b"XXXX"
_DIGITS: Final = bytes(ord("0") if chr(code) in "0123456789" else ord(" ") for code in range(256))
_FIVE_DIGITS: Final = b"00000"
_EMOJI: Final = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
_NOISE: Final = re.compile(r" (?:aa|bb|cc|dd|ff|gg|hh|ii|jj|kk|ll|mm|nn|pp|rr|ss|tt|uu|vv|ww|yy)[a-z]")
_KANA: Final = re.compile("[\u3041-\u30ff]")


@signal(weight=6.0, group="content")
def one_sided(_submission: Submission, facts: Facts) -> Evidence | None:
    """The message promises, advertises or flatters more than it asks."""
    apart = (facts.roles.person, facts.roles.address)
    text = "\n".join([value[:READ_CHARACTERS] for name, value in facts.typed.pairs if name not in apart])
    points = offer_points(text[:READ_CHARACTERS])
    if points <= SILENT_BELOW:
        return None
    strength = (points - SILENT_BELOW) / (FULL_AT - SILENT_BELOW)
    return Evidence(text=f"offers exceed requests by {points:.1f}", strength=strength)


def offer_points(text: str) -> float:
    """Add up what a text offers and take off what it asks."""
    if not text.isascii() and _KANA.search(text):
        return _japanese_points(text)
    signs, words = _signs(text)
    scale = max(1.0, (words / WORDS_WITHOUT_DISCOUNT) ** DISCOUNT)
    points = 0.0
    for family, count in signs.items():
        if count:
            points += POINTS[family] * min(count / scale, MOST_OF_A_FAMILY)
    return points


def _japanese_points(text: str) -> float:
    """Count phrases: a pitch and an inquiry share the polite ones, but not the direction."""
    offers = sum([phrase in text for phrase in JAPANESE_OFFERS])
    requests = sum([phrase in text for phrase in JAPANESE_REQUESTS])
    return JAPANESE_OFFER_POINTS * min(offers, MOST_JAPANESE) + JAPANESE_REQUEST_POINTS * min(requests, MOST_JAPANESE)


def _signs(text: str) -> tuple[Mapping[str, int], int]:
    """Count the signs of each family, and the words."""
    low = text.lower()
    words = low.encode("utf-8", "replace").translate(_TO_WORDS).split()
    known = set(words)
    families = [FAMILIES[word] for word in _FAMILY_WORDS.intersection(known)]
    joined = b" ".join((b"", *words, b"")).decode("latin-1")  # searched twice as fast as bytes
    for head in _HEADS.intersection(known):
        families += [family for phrase, family in PHRASES[head] if phrase in joined]
    if not text.isascii():
        families += [STEMS[stem] for stem in _STEM_WORDS.intersection([word[:STEM_BYTES] for word in known])]
        families += ["emoji"] * len(_EMOJI.findall(text))
    signs: dict[str, int] = {}
    for family in families:
        signs[family] = signs.get(family, 0) + 1
    _count_shapes(text, low, joined, signs)
    return signs, len(words)


def _count_shapes(text: str, low: str, joined: str, signs: dict[str, int]) -> None:
    """Add what is no word: numbers to be dialled, money, shouting, and the misspellings of text spinners."""
    plain = text.encode("utf-8", "replace")
    if plain.translate(_DIGITS).count(_FIVE_DIGITS):
        signs["dial"] = len(_DIAL.findall(joined))
        signs["number"] = len(_NUMBER.findall(joined))
    money = sum([low.count(sign) for sign in _MONEY if sign in low])
    if money:
        signs["money"] = signs.get("money", 0) + money
    signs["shout"] = plain.translate(_CAPITALS).count(_FOUR_CAPITALS)
    signs["bang"] = plain.count(b"!")
    signs["question"] = plain.count(b"?")
    page = signs.get("page", 0) + signs.get("this page", 0)
    if page:
        signs["noise"] = len(_NOISE.findall(joined))
        signs["flattery"] = min(page, signs.get("praise", 0) + signs["noise"])
