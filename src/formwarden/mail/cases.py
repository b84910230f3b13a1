"""One reply before the gate: what a decision needs, read from a verdict or from a kept inquiry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formwarden.address.report import AddressReport
from formwarden.address.syntax import check_syntax
from formwarden.forms import GuardedForm
from formwarden.scoring import Action, Standing, Verdict
from formwarden.stores.ports import Inquiry, Key, State
from formwarden.subjects import DAY_S, READABLE_DAYS, ClientSubjects

KEY_IDS: Final = 256  # the first byte of a client's key is its day, modulo this (`ClientSubjects`)
CLIENT_FACT: Final = "client"
NETWORK_FACT: Final = "network"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything about one reply but what the ledger knows."""

    submission: bytes
    form: GuardedForm
    judged: Action
    standing: Standing
    report: AddressReport  # *invalid* where there is no single address
    released: bool = False  # by the owner's hand
    lineage: bytes | None = None
    client: tuple[Key, ...] = ()  # empty: unknown
    network: tuple[Key, ...] = ()
    own_mailer: bool = False  # the caller sends it himself (G17)
    waited_s: float = 0.0  # for DNS


def case_of(verdict: Verdict, form: GuardedForm, clients: ClientSubjects, now: float) -> Case:
    """Read a verdict. What was judged counts, not what a watching form does with it (G18)."""
    report = verdict.report if verdict.address is not None else None
    return Case(
        submission=verdict.id,
        form=form,
        judged=verdict.judged,
        standing=verdict.standing,
        report=report if report is not None else check_syntax(verdict.address or ""),
        released=verdict.released,
        lineage=verdict.lineage,
        client=_keys(clients, CLIENT_FACT, verdict.client, now),
        network=_keys(clients, NETWORK_FACT, verdict.network, now),
    )


def kept_case(inquiry: Inquiry, form: GuardedForm, report: AddressReport, now: float) -> Case:
    """Read a kept inquiry whose reply was held: standing unchanged; what is not written there is the worst."""
    judged = _judged(inquiry)
    return Case(
        submission=inquiry.id,
        form=form,
        judged=judged,
        standing=_standing(inquiry),
        report=report,
        # An *asked* one may have been released by itself (G22); whatever else was released, the owner released.
        released=inquiry.state in {State.RELEASING, State.RELEASED} and judged is not Action.ASK,
        lineage=inquiry.lineage,
        client=_kept_keys(inquiry.facts, CLIENT_FACT, now),
        network=_kept_keys(inquiry.facts, NETWORK_FACT, now),
    )


def _keys(clients: ClientSubjects, kind: str, value: bytes | None, now: float) -> tuple[Key, ...]:
    return () if value is None else clients.keys(kind, value, now=now, window_s=DAY_S)


def _kept_keys(facts: Mapping[str, object], kind: str, now: float) -> tuple[Key, ...]:
    """Read back what `ClientSubjects.facts` wrote, less the days to come: nobody counts under their keys today."""
    kept = facts.get(kind)
    if not isinstance(kept, list):
        return ()
    keys = [Key(bytes.fromhex(each)) for each in kept if isinstance(each, str)]
    return tuple(key for key in keys if not 0 < _days_after(key, now) <= READABLE_DAYS)


def _days_after(key: Key, now: float) -> int:
    """Return how many days the key's day is after today; a day before comes out as nearly 256."""
    return (key[0] - int(now // DAY_S)) % KEY_IDS


def _judged(inquiry: Inquiry) -> Action:
    try:
        return Action(str(inquiry.facts.get("judged")))
    except ValueError:
        return Action.REJECT


def _standing(inquiry: Inquiry) -> Standing:
    try:
        return Standing(str(inquiry.facts.get("standing")))
    except ValueError:
        return Standing.DOUBTFUL
