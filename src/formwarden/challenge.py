"""The challenge: one click in place of quarantine, and which doubts that click takes away."""

from enum import StrEnum
from typing import Final, Literal

from formwarden.facts import TokenFacts, TokenOutcome

OnQuarantine = Literal["thank", "challenge"]
"""What a submission in the range of quarantine meets: the page of an accepted one, or one more question."""

# Who writes an odd text in an odd browser, and slowly enough to read a page and press its button, has answered these.
# Trap, token and behaviour speak of that very click, and repeats of what a thousand clicks would look like: in full.
SETTLED: Final = frozenset({"timing", "headers", "consistency", "content", "address"})
ASKED_ONCE: Final = frozenset({TokenOutcome.FRESH, TokenOutcome.STALE})  # the page may have lain open for a day


class Click(StrEnum):
    """The click of a challenge: it may be asked for, it was made, or neither."""

    NONE = "none"
    OFFERED = "offered"
    MADE = "made"


def click_of(token: TokenFacts, *, offered: bool) -> Click:
    """Tell what a click may do for a submission: it is asked for once in a lineage, and clears one submission.

    Where the counters cannot say that this token is used for the first time, nothing is cleared: the owner decides.
    """
    if not token.challenged:
        return Click.OFFERED if offered else Click.NONE
    return Click.MADE if token.outcome in ASKED_ONCE and token.uses == 0 else Click.NONE
