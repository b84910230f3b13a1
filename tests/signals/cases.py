"""What the tests of signals share: asking one signal about one case."""

from collections.abc import Mapping

from formwarden.facts import Facts, TokenFacts, TokenOutcome
from formwarden.scoring import Evidence, Signal
from formwarden.submission import Fields, Submission

FRESH = TokenFacts(outcome=TokenOutcome.FRESH, age_s=60.0, issued_s=60.0, uses=0)
ASKED = TokenFacts(outcome=TokenOutcome.FRESH, age_s=60.0, issued_s=2.0, uses=0, parent=b"p" * 16)


def see(signal: Signal, facts: Facts | None = None, submission: Submission | None = None) -> Evidence | None:
    """Ask one signal."""
    return signal.rule(submission or Submission("contact", {}), facts or Facts())


def strength(signal: Signal, facts: Facts) -> float:
    """Return how strongly a signal fires, 0 when it is silent."""
    evidence = see(signal, facts)
    return evidence.strength if evidence else 0.0


def typed(fields: Mapping[str, str]) -> Facts:
    """Make facts of what was typed."""
    return Facts(typed=Fields(fields))
