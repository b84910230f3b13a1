"""Signals of token and marker. *Stale* is not *forged*, and none rejects by itself (G27)."""

from typing import Final

from formwarden.facts import Facts, MarkerOutcome, TokenOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

MAX_REISSUES: Final = 5  # of one lineage, then it is held (G28)


@signal(weight=1.0, group="token")
def token_missing(_submission: Submission, facts: Facts) -> Evidence | None:
    """The page was ours, but it came without a token: no scripts on a cached page."""
    if facts.token.outcome is not TokenOutcome.MISSING or facts.page.marker is not MarkerOutcome.VALID:
        return None
    return Evidence(text="marker only")


@signal(weight=6.0, group="token")
def page_missing(_submission: Submission, facts: Facts) -> Evidence | None:
    """Neither token nor marker came: whoever sent this never had our page."""
    if facts.token.outcome is not TokenOutcome.MISSING or facts.page.marker is not MarkerOutcome.MISSING:
        return None
    return Evidence(text="no token and no marker")


@signal(weight=6.0, group="token", asks=True)
def marker_tampered(_submission: Submission, facts: Facts) -> Evidence | None:
    """The form marker was altered after we signed it."""
    return Evidence(text="bad signature") if facts.page.marker is MarkerOutcome.TAMPERED else None


@signal(weight=1.0, group="token", asks=True)
def token_stale(_submission: Submission, facts: Facts) -> Evidence | None:
    """The form lay open longer than a token lives."""
    if facts.token.outcome is not TokenOutcome.STALE:
        return None
    issued = facts.token.issued_s
    return Evidence(text="age unknown" if issued is None else f"issued {issued / 3600:.1f} h ago")


@signal(weight=1.0, group="token", asks=True)
def token_rotated(_submission: Submission, facts: Facts) -> Evidence | None:
    """The page was signed by a key that is no longer ours."""
    if facts.token.outcome is TokenOutcome.ROTATED:
        return Evidence(text="token of an old key")
    return Evidence(text="marker of an old key") if facts.page.marker is MarkerOutcome.ROTATED else None


@signal(weight=3.0, group="token", asks=True)
def token_other_form(_submission: Submission, facts: Facts) -> Evidence | None:
    """The page belongs to another form of this site."""
    if facts.token.outcome is TokenOutcome.OTHER_FORM:
        return Evidence(text="token of another form")
    return Evidence(text="marker of another form") if facts.page.marker is MarkerOutcome.OTHER_FORM else None


@signal(weight=8.0, group="token", asks=True)
def token_replayed(_submission: Submission, facts: Facts) -> Evidence | None:
    """The token was used before, more often or elsewhere than a correction is."""
    if facts.token.outcome is not TokenOutcome.REPLAYED:
        return None
    uses = facts.token.uses
    return Evidence(text="used before" if uses is None else f"used {uses} times before")


@signal(weight=8.0, group="token", asks=True)
def token_tampered(_submission: Submission, facts: Facts) -> Evidence | None:
    """The token was altered after we signed it."""
    return Evidence(text="bad signature") if facts.token.outcome is TokenOutcome.TAMPERED else None


@signal(weight=5.0, group="token")
def lineage_spent(_submission: Submission, facts: Facts) -> Evidence | None:
    """One showing of the form was asked again and again, more often than a person corrects."""
    earlier = facts.repeats.lineage or 0
    if earlier <= MAX_REISSUES and facts.token.reissues < MAX_REISSUES:
        return None
    return Evidence(text=f"{facts.token.reissues} new tokens, {earlier} earlier submissions")
