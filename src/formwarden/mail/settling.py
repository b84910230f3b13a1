"""What a relay's word means for the ledger: an outcome, and whom it suppresses."""

from formwarden.mail.refusals import Effect
from formwarden.mail.watched import Watched
from formwarden.stores.breaking import Breaking
from formwarden.stores.ports import Outcome, OutcomeKind


def outcome_of(
    effect: Effect, *, reply_id: bytes, evidence: bytes, watched: Watched, breaking: Breaking, counts: bool = True
) -> Outcome:
    """Turn the effect of a relay's answer into an outcome; `evidence` names the answer, so that it counts once.

    `counts=False`: anybody may have written it, so it ends this reply and feeds no breaker (G12).
    """
    if effect.kind is OutcomeKind.OURS:
        keys = watched.provider  # as DNS names it now: believed only where it is the reply's still (G12)
    elif effect.suppress:
        keys = watched.domain if effect.kind is OutcomeKind.DOMAIN else watched.address
    else:
        keys = ()
    return Outcome(
        id=evidence,
        reply_id=reply_id,
        kind=effect.kind,
        reason=effect.reason,
        until=effect.until,
        subject=keys[0] if keys else None,
        ours=effect.ours,
        counts=counts,
        breaking=breaking,
    )
