"""Signals of what came before. What the counters did not answer is *unknown* and scores nothing."""

from typing import Final

from formwarden.address.report import Flag
from formwarden.facts import Facts, TokenOutcome
from formwarden.scoring import Evidence, signal
from formwarden.submission import Submission

# By earlier ones: once or twice a person tries again; five times is a series, whoever sends it. A person's own
# retries, corrections and answers to our questions are not among the earlier ones.
REPEAT_STRENGTHS: Final = (0.2, 0.35, 0.5, 0.75, 1.0)
FULL_AT: Final = 3.0  # times the limit
OFFICE: Final = 30  # people behind one address who may all ask for the same


@signal(weight=6.0, group="repeats")
def same_text(_submission: Submission, facts: Facts) -> Evidence | None:
    """The very same message came before."""
    seen = facts.repeats.same_text or 0
    alike = max(seen, facts.repeats.near_text or 0) - _colleagues(facts)
    if seen <= 0 or alike <= 0:
        return None
    return Evidence(text=f"{seen} times before", strength=_repeated(alike))  # as the series does that it stands in


@signal(weight=4.5, group="repeats")  # below quarantine: newsletters and quoted threads are alike, too
def near_text(_submission: Submission, facts: Facts) -> Evidence | None:
    """A message that differs in little but names, numbers and links came before."""
    seen = facts.repeats.near_text or 0
    alike = seen - _colleagues(facts)
    return Evidence(text=f"{seen} times before", strength=_repeated(alike)) if alike > 0 else None


@signal(weight=3.0, group="repeats")  # thirty people behind one address stay below quarantine
def client_velocity(_submission: Submission, facts: Facts) -> Evidence | None:
    """One client sends more than an office does."""
    earlier = facts.repeats.client if facts.client_known else None
    return _over(earlier, facts.limits.client_per_10_min, "10 min")


@signal(weight=1.5, group="repeats")
def network_velocity(_submission: Submission, facts: Facts) -> Evidence | None:
    """One network sends more than its neighbours usually do."""
    earlier = facts.repeats.network if facts.client_known else None
    return _over(earlier, facts.limits.network_per_hour, "1 h")


@signal(weight=3.0, group="repeats")
def address_velocity(_submission: Submission, facts: Facts) -> Evidence | None:
    """One address is entered more often than its owner would."""
    return _over(facts.repeats.address, facts.limits.address_per_day_seen, "24 h")


@signal(weight=2.0, group="repeats")
def domain_velocity(_submission: Submission, facts: Facts) -> Evidence | None:
    """Addresses of one domain that is no freemail provider come in a series."""
    if facts.address is None or Flag.FREEMAIL in facts.address.flags:
        return None
    return _over(facts.repeats.domain, facts.limits.domain_per_hour_seen, "1 h")


@signal(weight=0.5, group="repeats")
def form_velocity(_submission: Submission, facts: Facts) -> Evidence | None:
    """One form gets more than the whole site usually does."""
    return _over(facts.repeats.form, facts.limits.form_per_hour_seen, "1 h")


def _colleagues(facts: Facts) -> int:
    """Return how many alike may have been colleagues: as many as came from behind the same address, up to an office.

    A campaign is told by coming from many places. One place is held by its velocity, and its mail by the budget of
    one client; so only those who showed that somebody writes there are taken for people of one office.
    """
    script, earlier = facts.script, facts.repeats.client_week
    shown = script.present and script.bound and script.touched and not script.automated
    if earlier is None or not facts.client_known or not shown or facts.token.outcome is not TokenOutcome.FRESH:
        return 0
    return min(earlier, OFFICE)


def _repeated(seen: int) -> float:
    return REPEAT_STRENGTHS[min(seen, len(REPEAT_STRENGTHS)) - 1]


def _over(earlier: int | None, limit: int, window: str) -> Evidence | None:
    """Say how far this submission and the earlier ones are over a limit."""
    if earlier is None or earlier < limit:
        return None
    count = earlier + 1
    full = limit * FULL_AT
    strength = min(count, full) / full if limit else 1.0
    return Evidence(text=f"{count} in {window}, limit {limit}", strength=strength)
