"""Fingerprints of messages, to know a text again without keeping it: one exact, a few for what is nearly the same.

Near: names, numbers, links and addresses are left out; the rest is cut into runs of three words, each run is
hashed, and the least hash of each of ten buckets is kept (one-permutation MinHash, Li, Owen and Zhang 2012).
Two buckets make a band, five bands a text; texts that share a band are likely alike. Every print is keyed.
"""

import hashlib
import re
import struct
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from typing import Final
from zlib import crc32

READ_CHARACTERS: Final = 2_000  # of all texts together; what follows tells nothing new and costs time
SHORTEST_TEXT: Final = 20  # characters; people write "hello" and "thank you"
RUN_WORDS: Final = 3
FEWEST_RUNS: Final = 14  # fewer meet by common phrases: such a text is near only to one with the very same words
BUCKETS: Final = 10
ROWS: Final = 2  # buckets in a band: texts that share half of their runs meet in 76%, a tenth in 5%
DIGEST_BYTES: Final = 16

_LINK: Final = re.compile(r"\.\w|@|//")  # a word that holds one of these is a link, a domain or an address
_NO_LETTERS: Final = bytes(code if chr(code).isascii() and chr(code).isalpha() else ord(" ") for code in range(256))
_WORD: Final = re.compile(  # no spaces between words: two ideographs, and each change of syllabary, do as well
    "[A-Za-z]+|[\u00c0-\u1fff]+|[\u4e00-\u9fff]{1,2}|[\u3041-\u309f]+|[\u30a1-\u30ff]+|[\uac00-\ud7a3]+"
)
_BAND: Final = struct.Struct(f">B{ROWS}I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prints:
    """The fingerprints of one submission's texts; too short a text has none."""

    exact: bytes | None = None
    near: tuple[bytes, ...] = ()


def text_prints(texts: Iterable[str], key: bytes) -> Prints:
    """Take the fingerprints of a message under a key of at most 64 bytes."""
    folded = unicodedata.normalize("NFKC", "\n".join(texts)[:READ_CHARACTERS])
    spaced = " ".join(folded[:READ_CHARACTERS].split())  # one letter may have become eighteen
    if len(spaced) < SHORTEST_TEXT:
        return Prints()
    keyed = hashlib.blake2b(key=key, digest_size=DIGEST_BYTES, person=b"fw text")  # a copy costs half
    return Prints(exact=_digest(spaced.casefold().encode(errors="replace"), keyed), near=_near(spaced, keyed))


def _near(text: str, keyed: hashlib.blake2b) -> tuple[bytes, ...]:
    """Take one print a band; of a text with few runs only one, of all its words."""
    words = _words(_without_links(text))
    hashes = [*map(crc32, map(b" ".join, zip(*(words[at:] for at in range(RUN_WORDS)), strict=False)))]
    if len(hashes) < FEWEST_RUNS:
        return (_digest(b"\0" + b" ".join(words), keyed),) if len(words) >= RUN_WORDS else ()
    least = _least(hashes)
    bands = range(0, BUCKETS, ROWS)
    return tuple(_digest(_BAND.pack(band, *least[band : band + ROWS]), keyed) for band in bands)


def _words(text: str) -> Sequence[bytes]:
    """Cut a text into words of letters, less those that look like names."""
    if text.isascii():
        return _ascii_words(text.encode().translate(_NO_LETTERS).split())
    words = _WORD.findall(text)
    plain = list(filterfalse(str.istitle, words))
    if len(plain) * 2 < len(words):
        plain = words  # Every Word Begins So: it says nothing
    return " ".join(plain).casefold().encode(errors="replace").split()


def _ascii_words(words: Sequence[bytes]) -> Sequence[bytes]:
    """Do the same with bytes, in a third of the time."""
    plain = list(filterfalse(bytes.istitle, words))
    return [*map(bytes.lower, words if len(plain) * 2 < len(words) else plain)]


def _without_links(text: str) -> str:
    """Leave out every word that is a link, a domain or an address; spaces are single."""
    kept, start = [], 0
    while found := _LINK.search(text, start):
        kept.append(text[start : max(text.rfind(" ", start, found.start()), start)])
        end = text.find(" ", found.start())
        if end < 0:
            return "".join(kept)
        start = end
    kept.append(text[start:])
    return "".join(kept)


def _least(hashes: Iterable[int]) -> Sequence[int]:
    """Keep the least hash of each bucket; an empty one borrows from the next that is not."""
    by_bucket = {value % BUCKETS: value for value in sorted(hashes, reverse=True)}  # the last, so the least, stays
    last = by_bucket[min(by_bucket)]
    least = []
    for bucket in range(BUCKETS - 1, -1, -1):
        last = by_bucket.get(bucket, last)
        least.append(last)
    return least


def _digest(data: bytes, keyed: hashlib.blake2b) -> bytes:
    taken = keyed.copy()
    taken.update(data)
    return taken.digest()
