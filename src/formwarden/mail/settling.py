"""What a relay's word means for the ledger: an outcome, and whom it suppresses."""

from formwarden.mail.refusals import Effect
from formwarden.mail.watched import Watched
from formwarden.stores.ports import Outcome, OutcomeKind


def outcome_of(effect: Effect, *, reply_id: bytes, evidence: bytes, watched: Watched) -> Outcome:
    """Turn the effect of a relay's answer into an outcome; `evidence` names the answer, so that it counts once."""
    keys = watched.domain if effect.kind is OutcomeKind.DOMAIN else watched.address
    return Outcome(
        id=evidence,
        reply_id=reply_id,
        kind=effect.kind,
        reason=effect.reason,
        until=effect.until,
        subject=keys[0] if effect.suppress and keys else None,
    )
