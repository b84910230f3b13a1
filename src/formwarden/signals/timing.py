"""Signals of time, always from the first issue: a correction after a refusal is never too fast."""

from typing import Final

from formwarden.facts import Facts, TokenOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

LONG_MESSAGE: Final = 200  # characters; shorter ones are typed before a clock can tell
FASTEST_PER_S: Final = 25.0  # characters; the fastest typists reach 12, a dictating voice 15
KEYS_PER_CHARACTER: Final = 0.5  # fewer: it was dictated, restored by the browser or dropped in, not typed


@signal(weight=3.0, group="timing", asks=True)
def too_young(_submission: Submission, facts: Facts) -> Evidence | None:
    """The form came back sooner than a person can fill it."""
    token = facts.token
    if token.outcome is not TokenOutcome.FRESH or token.age_s is None:
        return None
    if token.parent is not None:
        return None  # the page that asks has one button
    age, least = max(token.age_s, 0.0), facts.limits.min_age_s
    return None if age >= least else Evidence(text=f"{age:.1f} s", strength=1 - age / least)


@signal(weight=2.0, group="timing")
def typed_too_fast(_submission: Submission, facts: Facts) -> Evidence | None:
    """A long message was typed faster than hands can, and nothing was pasted or filled in."""
    script, age = facts.script, facts.token.age_s
    if age is None or not (script.present and script.bound) or script.pastes or script.autofilled:
        return None
    cut = facts.limits.scored_characters
    length = sum(len(value[:cut]) for name in facts.roles.message for value in facts.typed.all(name))
    if length < LONG_MESSAGE or age >= length / FASTEST_PER_S or script.keys < length * KEYS_PER_CHARACTER:
        return None
    return Evidence(text=f"{length} characters in {max(age, 0.0):.1f} s")
