"""Whether a word mixes alphabets, as look-alikes of well-known names do."""

import unicodedata
from typing import Final

LATIN: Final = "LATIN"
# Written together every day, and beside Latin letters; the first word of each letter's Unicode name.
EAST_ASIAN: Final = frozenset(
    {"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC", "HANGUL", "BOPOMOFO"}
)


def mixes_scripts(text: str) -> bool:
    """Tell whether one of the words between the dots has letters of alphabets that nobody writes together."""
    return not text.isascii() and any(_mixed(word) for word in text.split("."))


def _mixed(word: str) -> bool:
    scripts = {unicodedata.name(each, "?").split(" ")[0] for each in word if each.isalpha()}
    return len(scripts) > 1 and not scripts <= EAST_ASIAN | {LATIN}
