"""What goes first when the store is full (G23): the same in every store.

Rejected bodies, then near-duplicates down to one body and a count, then the numbers those leave behind, then the
highest scores. An inquiry below `EVICT_FROM` points is untouched before it is `PROTECTED_S` old, whoever needs room.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from formwarden.stores.ports import Inquiry, State

EVICT_FROM: Final = 8.0  # points (G23)
PROTECTED_S: Final = 30 * 86_400.0  # below that many points nothing is evicted before (G23)
HIGH_WATER: Final = 0.9  # of FORMWARDEN_STORE_BYTES: the purge begins to evict here, before any keep has to
LOW_WATER: Final = 0.8  # and ends here, so that a full store evicts now and then, not at every inquiry
ROW_BYTES: Final = (
    4_096  # an inquiry without its body: two KiB of numbers and reasons, its indexes, half-filled pages
)
STEP_BYTES: Final = 4_194_304  # of bodies erased in one transaction: overwriting them takes some 10 ms
NEEDED: Final = frozenset({State.ACCEPTED, State.RELEASING})
"""States in which somebody is about to read the body."""

FULL: Final = (
    "the store is full and holds nothing that may be evicted: give it more room (FORMWARDEN_STORE_BYTES), or release "
    "or discard what is held"
)
DROPPED: Final = "body dropped: the store was full (FORMWARDEN_STORE_BYTES)"
STANDS_FOR: Final = "stands for "
MORE: Final = " more like it, whose bodies were dropped: the store was full (FORMWARDEN_STORE_BYTES)"


class Turn(IntEnum):
    """When it is the turn of an inquiry of many points; the least goes first."""

    REJECTED = 0
    ALIKE = 1  # a near-duplicate of one whose body stays
    NUMBERS = 2  # what a rejected one or a near-duplicate left: the whole row goes, the oldest first
    SCORE = 3
    TRACE = 4  # what one of the highest scores left: the whole row goes, the oldest first


AFTER: Final[Mapping[Turn, Turn]] = {
    Turn.REJECTED: Turn.NUMBERS,
    Turn.ALIKE: Turn.NUMBERS,
    Turn.SCORE: Turn.TRACE,
}
"""The turn of what is left when a body is gone."""


def cluster_of(facts: Mapping[str, object]) -> bytes | None:
    """Return what near-duplicates share: the first band of the text's fingerprints; None: it is too short."""
    match facts.get("observation"):
        case {"prints": [_, str(near), *_]} | {"prints": [str(near)]}:
            try:
                return bytes.fromhex(near)
            except ValueError:  # not of our making
                return None
    return None


def bytes_of(inquiry: Inquiry) -> int:
    """Return the room an inquiry takes, its body included."""
    body = 0 if inquiry.body is None else len(inquiry.body)
    return ROW_BYTES + (body if inquiry.spooled is None else inquiry.spooled.size)


def dropped_note(note: str, *, like: str | None = None) -> str:
    """Say, after why an inquiry stands where it stands, why its body is gone; `like`: the receipt of its cousin."""
    why = DROPPED if like is None else f"{DROPPED}, like {like}"
    return f"{note}; {why}" if note else why


def counting_note(note: str) -> str:
    """Say that an inquiry stands for one more like it."""
    before, _, counted = note.rpartition(STANDS_FOR)
    number, _, rest = counted.partition(" ")
    if f" {rest}" == MORE and number.isdecimal():
        return f"{before}{STANDS_FOR}{int(number) + 1}{MORE}"
    return f"{note}; {STANDS_FOR}1{MORE}" if note else f"{STANDS_FOR}1{MORE}"
