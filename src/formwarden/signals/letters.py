"""What letters tell of a word: disguise, styling, keys hit at random. No pattern here backtracks."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

SHORTEST_GIBBERISH: Final = 8  # letters of a word
CONSONANTS_IN_A_ROW: Final = 6
DISTINCT_CONSONANTS: Final = 5  # among them: laughter and groans repeat two or three
SHORTEST_DISGUISED: Final = 4  # letters of a word; below stand units and formulas
FEWEST_SWITCHES: Final = 2  # between scripts in one word: slang only appends an ending

_LATIN: Final = re.compile("[A-Za-z]")
_CYRILLIC_OR_GREEK: Final = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_TWO_SCRIPTS: Final = re.compile("[A-Za-z][\u0370-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][A-Za-z]")
_WORD: Final = re.compile("[A-Za-z\u0370-\u03ff\u0400-\u052f]+")
_LATIN_LOOKALIKES: Final = frozenset("aceijopsxykABCEHIJKMOPSTXYZ")  # each has a double in the other scripts
_MISSING_KEYS: Final = frozenset("iI")  # typed for the Ukrainian letter where a keyboard has none
_OTHER_LOOKALIKES: Final = frozenset(
    "авеіјкморѕстухѵһԁԛԝүАВЕЅІЈКМНОРСТУХѴԌԚԜҮ"  # Cyrillic
    "οορτυνικχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"  # Greek; alpha, beta, mu and the like stand in formulas
)

_STYLED: Final = re.compile(
    "[\U0001d400-\U0001d7cb"  # mathematical letters; full-width ones are ordinary Japanese
    "\u249c-\u24e9"  # letters in parentheses and circles; circled digits are ordinary Japanese
    "\U0001f110-\U0001f12b\U0001f130-\U0001f149\U0001f150-\U0001f169"  # enclosed; some squared ones are emoji
    "\u1d00-\u1d22"  # small capitals
    "]{3}"
)

_CONSONANTS: Final = "bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ"
_RUN: Final = bytes(ord("c") if chr(code) in _CONSONANTS else ord(" ") for code in range(256))
_LATIN_WORD: Final = re.compile(f"[A-Za-z]{{{SHORTEST_GIBBERISH},}}")
_SIX: Final = re.compile(f"[{_CONSONANTS}]{{{CONSONANTS_IN_A_ROW},}}")
_CLUSTER: Final = re.compile("sch|ch|ng|th|ck|sh")  # one sound each: German and English words pile them up
_BEFORE_PART: Final = frozenset("/=?&#_@.:%+-0123456789")  # beside them stands a part of a link or a number
_AFTER_PART: Final = frozenset("/=?&#_@%+0123456789")


def words_of_two_scripts(text: str) -> Iterator[str]:
    """Give the words in which Latin letters stand beside Cyrillic or Greek ones."""
    if not _CYRILLIC_OR_GREEK.search(text) or not _LATIN.search(text) or not _TWO_SCRIPTS.search(text):
        return
    for found in _WORD.finditer(text):
        word = found.group()
        if not word.isascii() and _TWO_SCRIPTS.search(word):
            yield word


def is_mixed_word(word: str) -> bool:
    """Tell whether the letters of one script in a word stand in for those of the other.

    "PHP" with a Russian ending is slang and "TNF" with an alpha is science; a lone double at the edge, or
    doubles within the word, are disguise.
    """
    latin = [letter for letter in word if letter.isascii()]
    other = [letter for letter in word if not letter.isascii()]
    if len(word) < SHORTEST_DISGUISED or _MISSING_KEYS.issuperset(latin):
        return False
    if not (_LATIN_LOOKALIKES.issuperset(latin) or _OTHER_LOOKALIKES.issuperset(other)):
        return False
    switches = sum(left.isascii() is not right.isascii() for left, right in pairwise(word))
    return switches >= FEWEST_SWITCHES or min(len(latin), len(other)) == 1


def has_styled_letters(text: str) -> bool:
    """Tell whether three styled letters stand in a row: fewer are a formula or a sign."""
    return _STYLED.search(text) is not None


def is_gibberish(text: str) -> bool:
    """Tell whether a long Latin word has six different consonants in a row; other scripts are not its matter."""
    if b"c" * CONSONANTS_IN_A_ROW not in text.encode("ascii", "replace").translate(_RUN):
        return False
    return any(_is_unspeakable(text, found) for found in _LATIN_WORD.finditer(text))


def _is_unspeakable(text: str, found: "re.Match[str]") -> bool:
    word = found.group()
    if word.isupper():
        return False  # a code or an abbreviation
    before, after = text[max(found.start() - 1, 0) : found.start()], text[found.end() : found.end() + 1]
    if before in _BEFORE_PART or after in _AFTER_PART or _continues(before) or _continues(after):
        return False
    for run in _SIX.finditer(word):
        sounds = _CLUSTER.sub("c", run.group().lower())
        if len(sounds) >= CONSONANTS_IN_A_ROW and len(set(sounds)) >= DISTINCT_CONSONANTS:
            return True
    return False


def _continues(neighbour: str) -> bool:
    """Tell whether a word goes on with a letter that is not ASCII, or with an accent of its own."""
    return not neighbour.isascii() and (neighbour.isalpha() or unicodedata.combining(neighbour) > 0)
