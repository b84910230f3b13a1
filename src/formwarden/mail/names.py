"""Which names may stand in a mail: those that nobody can take for anything else (section 5 of the reference)."""

import re
import unicodedata
from typing import Final

LONGEST: Final = 30  # characters, as people see them: beyond that it is a sentence
MOST_WORDS: Final = 4  # José María Aznar López
READ: Final = 4 * LONGEST  # of what was typed: NFKC makes one letter of several, or eighteen of one
MOST_MARKS: Final = 3  # on one letter: Thai and Tibetan stack as many, more is an ornament

# Scripts in living use, as the names of their letters begin; Han and Kana are one.
_SCRIPTS: Final = re.compile(
    "JAPANESE|LATIN|GREEK|CYRILLIC|ARMENIAN|HEBREW|ARABIC|SYRIAC|THAANA|DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA"
    "|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA|THAI|LAO|TIBETAN|MYANMAR|GEORGIAN|HANGUL|ETHIOPIC|KHMER|MONGOLIAN|BOPOMOFO"
)
_JAPANESE: Final = "JAPANESE"
_TOGETHER: Final = {"CJK": _JAPANESE, "HIRAGANA": _JAPANESE, "KATAKANA": _JAPANESE}
# Letters that modify others (Lm) hold look-alikes of colon and comma: only these belong to names.
_MODIFIERS: Final = {"ʻ": None, "ʼ": None, "ー": _JAPANESE, "々": _JAPANESE, "ゝ": _JAPANESE, "ゞ": _JAPANESE}
# Letters and marks that show nothing (fillers, joiners, variation selectors), strike out, span two letters, or look
# like dot, stroke or bang.
_UNFIT: Final = re.compile(
    "[\u0334-\u0338\u034f\u035c-\u0362\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\u01c0-\u01c3丶丿亅]"
)
# Between letters of other scripts it is a dot to the eye: `evil·li` is a site rather than a name in Catalan.
_MIDDLE_DOT: Final = re.compile("[·・]")
_PART: Final = re.compile(r"[^ '’‐\-·・.]+")
_BETWEEN: Final = re.compile(r" |['’‐\-·・]|\. ")  # what may stand between two parts, one at a time
# What may stand before a dot: a title, or one letter. `evil. test` is a name for those who look for one.
_TITLE: Final = re.compile(r"[^\W\d_]|dr|fr|hon|ing|ma|mag|md|mme|mr|mrs|ms|prof|rev|sr|st", re.IGNORECASE)
# Words that stand in addresses of the web and in hardly a name. `Kim`, `Dev` and `Link` are top-level domains, too,
# and need a dot to be one.
_WEB: Final = re.compile(
    "arpa|biz|click|com|dot|edu|example|ftp|gov|href|info|invalid|localhost|mailto|mil|mobi|net|onion|online|org|porn"
    "|sbs|shop|site|store|stream|test|url|website|xxx|xyz|zip|コム|ドット|ネット|テスト|测试|測試"
)
_WWW: Final = re.compile(r"w{3,}|vvvv|https?|hxxp")
_SHORTEST_WWW: Final = 2  # parts: `w w w evil test`


def plain_name(text: str) -> str | None:
    """Return a name as it may be printed, normalised; None for a text that could be read as more than a name."""
    if len(text) > READ:
        return None
    name = unicodedata.normalize("NFKC", text).strip(" ")
    if not 0 < len(name) <= LONGEST or len(name.split(" ")) > MOST_WORDS or _UNFIT.search(name):
        return None
    parts = _PART.findall(name)
    if not _is_joined_well(name) or not all(_is_word(part) for part in parts):
        return None
    script = _script_of(name)
    if script is None or (_MIDDLE_DOT.search(name) and script != _JAPANESE):
        return None
    return None if _names_a_site(parts) else name


def _is_joined_well(name: str) -> bool:
    """Tell whether single separators stand between parts, one dot at most, and none at either end."""
    pieces = _PART.split(name)
    if pieces[0] or pieces[-1] or name.count(".") > 1 or not _ends_a_title(name.partition(".")):
        return False
    return all(_BETWEEN.fullmatch(piece) for piece in pieces[1:-1])


def _ends_a_title(at_dot: tuple[str, str, str]) -> bool:
    before, dot, _ = at_dot
    word = before.rpartition(" ")[2]
    return not dot or len(word) == 1 or _TITLE.fullmatch(word) is not None


def _is_word(part: str) -> bool:
    """Tell whether it begins with a letter, and is letters and a few marks on each."""
    marks = 0
    for place, letter in enumerate(part):
        kind = unicodedata.category(letter)
        if kind[0] == "M" and place and marks < MOST_MARKS and kind != "Me":  # Me: circles and keycaps
            marks += 1
        elif kind in {"Lu", "Ll", "Lt", "Lo"} or letter in _MODIFIERS:
            marks = 0
        else:
            return False
    return True


def _script_of(name: str) -> str | None:
    """Name the one script of all letters; None where there are several, or one in no use."""
    scripts = {_script(letter) for letter in name if unicodedata.category(letter)[0] == "L"}
    known = {each for each in scripts if each is not None}
    only = known.pop() if len(known) == 1 else ""
    return only if _SCRIPTS.fullmatch(only) else None


def _script(letter: str) -> str | None:
    """Name the script; None where the letter belongs to all of them."""
    if letter in _MODIFIERS:
        return _MODIFIERS[letter]
    first = unicodedata.name(letter, "?").split(" ")[0]
    return _TOGETHER.get(first, first)


def _names_a_site(parts: list[str]) -> bool:
    """Tell whether words of it are those of an address: `www evil test`, `evil dot com`."""
    words = [unicodedata.normalize("NFKC", part.casefold()) for part in parts]
    if any(_WEB.fullmatch(word) or _WWW.match(word) for word in words):
        return True
    return sum(word in {"w", "vv"} for word in words) > _SHORTEST_WWW
