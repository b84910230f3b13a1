"""How far we trust that a person is there: what the reply gate reads beside the score (G01)."""

from typing import Final

from formwarden.facts import Facts, MarkerOutcome, Origin, TokenOutcome
from formwarden.scoring import Standing

SHOWN_BELOW: Final = 2.0  # points
PLAIN_BELOW: Final = 3.0


def standing_of(facts: Facts, score: float) -> Standing:
    """Derive the standing; `known` is the ledger's to say."""
    token = facts.token
    if token.outcome is not TokenOutcome.FRESH or token.uses is None or token.doubtful:
        return Standing.DOUBTFUL  # marker only, spent, unknown, or cleared by a second click
    if facts.origin is Origin.CROSS or score >= PLAIN_BELOW:
        return Standing.DOUBTFUL
    touched = [trap for trap in facts.page.traps if trap.filled]
    if any(not (trap.echoes or trap.autofilled) for trap in touched):
        return Standing.DOUBTFUL
    shown = (
        score < SHOWN_BELOW
        and not touched
        and token.uses == 0
        and token.same_network is not False
        and facts.client_known
        and facts.page.marker is MarkerOutcome.VALID
        and facts.script.present
        and facts.script.bound
        # G34: neither work nor another's word lifts higher than plain
        and (facts.script.touched or not (facts.work.solved or facts.vouched))
    )
    return Standing.SHOWN if shown else Standing.PLAIN
