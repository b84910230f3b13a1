"""How long what was typed, and what is known of it, is kept (G21, G38): the same in every store."""

from collections.abc import Mapping
from typing import Final

from formwarden.stores.ports import State
from formwarden.stores.settings import Stores

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
SETTLED_KEPT_S: Final = HOUR_S  # bodies of what needs nobody any more
SPENDS_KEPT_S: Final = 31 * DAY_S  # the longest budget window is 30 days (one reply a lineage); one for skewed clocks
SLOTLESS: Final = frozenset({"suppressed", "dropped"})
"""States of replies that hold no slot of any budget, so that no budget bounds their number."""
SLOTLESS_KEPT_S: Final = 30 * DAY_S  # suppressed and dropped replies: as long as a held inquiry may be released
PURGE_STEP: Final = 500  # rows erased in one transaction: 3.8 ms, where a million took 4.65 s under the write lock


def bodies_kept(settings: Stores) -> Mapping[State, float]:
    """Return by state how many seconds after its last change an inquiry's body is kept."""
    held = settings.keep_held_days * DAY_S
    kept = {
        State.REFUSED: SETTLED_KEPT_S,
        State.RELEASED: SETTLED_KEPT_S,
        State.DISCARDED: SETTLED_KEPT_S,
        State.HELD: held,
        State.ASKED: held,
        State.REJECTED: settings.keep_rejected_days * DAY_S,
    }
    return kept if settings.keep_accepted else {State.DONE: SETTLED_KEPT_S, **kept}


def facts_kept_s(settings: Stores) -> float:
    """Return how many seconds numbers and reasons are kept."""
    return settings.keep_facts_days * DAY_S
