"""What outcomes do to a reply's row, and how causes of a suppression rank: the same in every store."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from formwarden.stores.ports import Decision, Outcome, OutcomeKind, ReplyRow

REPLIES_OFF_CODE: Final = "AR_OFF"
REASON_LIMIT: Final = 500  # characters of a relay's word that are kept
LOST_REASON: Final = "taken and not finished: nobody knows whether it left"
OVER_REASON: Final = "its time is over"

LIVE: Final = frozenset({"due", "held", "taken"})
"""States of a reply that may still be sent: the recipient's address is kept as long."""

ENDS_AS: Final[Mapping[OutcomeKind, str]] = {
    OutcomeKind.SENT: "sent",
    OutcomeKind.REFUNDED: "dropped",
    OutcomeKind.DROPPED: "dropped",
    OutcomeKind.LOST: "lost",
    OutcomeKind.HARD: "refused",
    OutcomeKind.DOMAIN: "refused",
    OutcomeKind.SOFT_LONG: "refused",
    OutcomeKind.SOFT_SHORT: "refused",
    OutcomeKind.OURS: "refused",
    OutcomeKind.COMPLAINT: "sent",
}
"""The state a terminal outcome leaves; NOT_SENT is the only one that is not terminal."""

FEEDBACK: Final = frozenset(
    {
        OutcomeKind.HARD,
        OutcomeKind.DOMAIN,
        OutcomeKind.SOFT_LONG,
        OutcomeKind.SOFT_SHORT,
        OutcomeKind.OURS,
        OutcomeKind.COMPLAINT,
    }
)
"""Outcomes that prove that refusals reach us (G07), unless they may be forged."""
WITHOUT_END: Final = frozenset({OutcomeKind.HARD, OutcomeKind.COMPLAINT})
"""Outcomes that suppress for ever: a dead mailbox, and a person who does not want us."""

CAUSES: Final = ("complaint", "stop", "manual", "hard", "domain", "soft")  # strongest first; others come after them
CAUSE_OF: Final[Mapping[OutcomeKind, str]] = {
    OutcomeKind.HARD: "hard",
    OutcomeKind.DOMAIN: "domain",
    OutcomeKind.SOFT_LONG: "soft",
    OutcomeKind.SOFT_SHORT: "soft",
    OutcomeKind.COMPLAINT: "complaint",
}


def decision_of(state: str) -> Decision:
    """Return what was decided of a reply whose row is in this state, which is not `held`."""
    return Decision.SUPPRESS if state in {"dropped", "suppressed"} else Decision.SEND


def cause_of(outcome: Outcome) -> str | None:
    """Return the cause under which this outcome suppresses its subject; None: it does not."""
    if outcome.subject is None:
        return None
    if outcome.until is None and outcome.kind not in WITHOUT_END:
        return None
    return CAUSE_OF.get(outcome.kind)


def is_feedback(outcome: Outcome) -> bool:
    """Say whether this outcome proves that refusals reach us: one that may be forged does not (G07, G12)."""
    return outcome.counts and outcome.kind in FEEDBACK


def strongest(causes: Collection[str]) -> str:
    """Return the cause that is named when several stand; at least one does."""
    ranks = {cause: rank for rank, cause in enumerate(CAUSES)}
    return min(causes, key=lambda cause: (ranks.get(cause, len(CAUSES)), cause))


def later(one: float | None, other: float | None) -> float | None:
    """Return the later end; None never ends."""
    return None if one is None or other is None else max(one, other)


def hold_end(standing: tuple[str, float | None] | None, code: str, until: float | None) -> float | None:
    """Return the end of a hold; holding a held reply again for the same reason never makes it last longer.

    `standing` is the code and the end of the hold before, None where there was none. Another reason is another hold:
    an hour for DNS may turn out to be three days for the owner.
    """
    if standing is None or standing[0] != code or standing[1] is None:
        return until
    return standing[1] if until is None else min(standing[1], until)


def lowest_first(rows: Iterable[ReplyRow]) -> list[ReplyRow]:
    """Return what waits in the queue in the order in which it is looked at (G02)."""
    return sorted(rows, key=lambda row: (row.score or 0.0, row.created_at, row.reply_id))


def suppression_code(cause: str) -> str:
    """Return the code of a reply that its subject's suppression stopped."""
    return f"SUPP_{cause.upper()}"
