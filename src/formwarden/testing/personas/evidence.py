"""What formwarden's script would say of a visit: its protocol, spoken without a browser.

People of the persona kit speak it truly, for what they did; forgers speak it for what they did not.
"""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

BOUND_CHARACTERS: Final = 16  # of the token's end
NAMES: Final = 16
MOST_NUMBERS: Final = 2_000_000  # tried for one proof of work: four times what a page may demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What hands, voice or browser did on a page; coarse counts, as the script takes them."""

    keys: int = 0
    pastes: int = 0
    pointers: int = 0
    inputs: int = 0
    focused: int = 0
    seconds: float = 0.0  # the page was visible
    autofilled: Collection[str] = ()


def written(hands: Hands, token: str, work: str = "") -> str:
    """Return the hidden field's text for a token; `work` is what the page demands beside it, `most.hash`."""
    number = solved(token, work)
    seen: dict[str, object] = {
        "v": 1,
        "t": token[-BOUND_CHARACTERS:],
        "k": hands.keys,
        "p": hands.pastes,
        "d": hands.pointers,
        "i": hands.inputs,
        "f": hands.focused,
        "s": round(hands.seconds),
        "a": sorted(hands.autofilled)[:NAMES],
        "w": 0,
        "x": 0,
    }
    return json.dumps(seen if number is None else seen | {"n": number}, separators=(",", ":"))


def solved(token: str, work: str) -> int | None:
    """Find the number that a page's proof of work asks for; None: it asks for none, or for too much."""
    most, dot, digest = work.partition(".")
    if not (dot and most.isascii() and most.isdigit()):
        return None
    begun = hashlib.sha256(f"{token[-BOUND_CHARACTERS:]}&".encode())
    for number in range(min(int(most), MOST_NUMBERS) + 1):
        tried = begun.copy()
        tried.update(str(number).encode())
        if tried.hexdigest() == digest:
            return number
    return None
