"""What is kept of a submission, and of one that could not be judged."""

from collections.abc import Mapping
from typing import Final

from formwarden.address.report import AddressReport, Status
from formwarden.challenge import Click
from formwarden.facts import Facts
from formwarden.kept_files import chosen
from formwarden.page.receipts import receipt_number
from formwarden.reading import Reading
from formwarden.retraction import observation_facts
from formwarden.scoring import Action, Standing, Verdict
from formwarden.stores.ports import Inquiry, State
from formwarden.submission import OWN_FIELDS, Submission

FACTS_SCHEMA: Final = 1
ADDRESS_ONLY: Final = frozenset({"address_undeliverable", "address_invalid"})
STATES: Final[Mapping[Action, State]] = {
    Action.ACCEPT: State.ACCEPTED,
    Action.ASK: State.ASKED,
    Action.QUARANTINE: State.HELD,
    Action.REJECT: State.REJECTED,
}
TAKEN: Final = frozenset({State.ACCEPTED, State.DONE, State.REFUSED})


def record(
    reading: Reading, facts: Facts, verdict: Verdict, *, client: Mapping[str, object], watched: bool
) -> Inquiry:
    """Return the inquiry of a verdict. `client`: the hashes a held reply is counted by; unwatched is done (G21)."""
    state = STATES[verdict.action]
    return Inquiry(
        id=verdict.id,
        receipt=verdict.receipt,
        form=verdict.form,
        state=State.DONE if state is State.ACCEPTED and not watched else state,
        received_at=reading.received_at,
        score=verdict.score,
        hits={hit.signal: hit.points for hit in verdict.hits},
        evidence={hit.signal: hit.evidence for hit in verdict.hits},
        facts={**_numbers_and_reasons(reading, facts, verdict), **client},
        lineage=verdict.lineage,
        content_type=reading.submission.content_type,
        body=reading.submission.body,
        spooled=reading.submission.spooled,
        recipient=_recipient(verdict.address, facts.address),
        changed_at=reading.received_at,
    )


def first_action(first: Inquiry) -> Action:
    """Return the action that this very submission had when it first came: nothing else became of it since.

    Where nobody watches the handler, a second click is told the same, whatever it would be judged by now.
    """
    if first.state in TAKEN:
        return Action.ACCEPT
    return next((action for action, state in STATES.items() if state is first.state), Action.QUARANTINE)


def unjudged(form: str, submission: Submission, submission_id: bytes, now: float) -> Verdict:
    """Return the verdict of a submission that could not be judged: accepted, and doubted in everything else."""
    return Verdict(
        id=submission_id,
        receipt=receipt_number(submission_id),
        form=form,
        action=Action.ACCEPT,
        judged=Action.ACCEPT,
        score=0.0,
        hits=(),
        standing=Standing.DOUBTFUL,
        fields=submission.fields.without(OWN_FIELDS),
        uploads=submission.uploads,
        received_at=now,
        recorded=False,
    )


def unjudged_record(verdict: Verdict, submission: Submission) -> Inquiry:
    """Return what the journal keeps of it."""
    return Inquiry(
        id=verdict.id,
        receipt=verdict.receipt,
        form=verdict.form,
        state=State.ACCEPTED,
        received_at=verdict.received_at,
        score=0.0,
        hits={},
        evidence={},
        facts={"schema": FACTS_SCHEMA},
        content_type=submission.content_type,
        body=submission.body,
        spooled=submission.spooled,
        note="could not be judged",
        changed_at=verdict.received_at,
    )


def _numbers_and_reasons(reading: Reading, facts: Facts, verdict: Verdict) -> dict[str, object]:
    report = facts.address
    return {
        "schema": FACTS_SCHEMA,
        "strengths": {hit.signal: hit.strength for hit in verdict.hits},
        "judged": str(verdict.judged),
        "standing": str(verdict.standing),
        "click": str(verdict.click),
        "language": verdict.language,
        "token": str(facts.token.outcome),
        "age_s": facts.token.age_s,
        "origin": str(facts.origin),
        "client_known": facts.client_known,
        "address": [str(report.status), str(report.reason)] if report else None,
        "address_only": _only_the_address(verdict),
        "observation": observation_facts(reading.observation),
        "traps": list(reading.traps),
        "uploads": len(chosen(reading.submission.uploads)),
        "limits": facts.limits.model_dump(),
    }


def _only_the_address(verdict: Verdict) -> bool:
    """Say whether nothing but the address was in doubt: such an inquiry is released by itself (G22)."""
    asking = {hit.signal for hit in verdict.hits if hit.asks}
    return bool(asking) and asking <= ADDRESS_ONLY and verdict.click is not Click.OFFERED


def _recipient(address: str | None, report: AddressReport | None) -> str | None:
    """Keep only what mail could ever be sent to: the rest stands in the body."""
    return None if report is None or report.status is Status.INVALID else address
