"""Signals of where the post came from, as the browser states it (G32)."""

from formwarden.facts import Facts, Origin, TokenOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission


@signal(weight=6.0, group="headers", asks=True)
def cross_site_stale_page(_submission: Submission, facts: Facts) -> Evidence | None:
    """Another site sent this, without a fresh token of ours (G32)."""
    if facts.origin is not Origin.CROSS or facts.token.outcome is TokenOutcome.FRESH:
        return None
    return Evidence(text=f"cross-site, token {facts.token.outcome}")


@signal(weight=1.0, group="headers")
def cross_site_post(_submission: Submission, facts: Facts) -> Evidence | None:
    """A page of another site sent this, with a fresh token of ours."""
    if facts.origin is not Origin.CROSS or facts.token.outcome is not TokenOutcome.FRESH:
        return None
    return Evidence(text="cross-site, token fresh")
