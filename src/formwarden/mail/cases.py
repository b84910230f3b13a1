"""One reply before the gate: what a decision needs, read from a verdict or from a kept inquiry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formwarden.address.report import AddressReport
from formwarden.address.syntax import check_syntax
from formwarden.carriers import is_shared
from formwarden.forms import GuardedForm
from formwarden.scoring import Action, Standing, Verdict
from formwarden.stores.ports import Inquiry, Key, State
from formwarden.subjects import DAY_S, READABLE_DAYS, ClientSubjects

KEY_IDS: Final = 256  # the first byte of a client's key is its day, modulo this (`ClientSubjects`)
BUDGET_DAYS: Final = 2  # the longest budget of a client is a day, which touches two
CLIENT_FACT: Final = "client"
NETWORK_FACT: Final = "network"
CARRIER_FACT: Final = "carrier"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """One client, or its network, under the keys of its days; nothing where it is unknown."""

    budget: tuple[Key, ...] = ()  # of the days a budget touches, newest first
    readable: tuple[Key, ...] = ()  # of all days kept for reading (G20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything about one reply but what the ledger knows."""

    submission: bytes
    form: GuardedForm
    judged: Action
    standing: Standing
    report: AddressReport  # *invalid* where there is no single address
    score: float
    released: bool = False  # by the owner's hand
    lineage: bytes | None = None
    client: Names = Names()
    network: Names = Names()
    carrier: bool = False  # thousands stand behind the client's address: only its network counts (G05)
    own_mailer: bool = False  # the caller sends it himself (G17)
    waited_s: float = 0.0  # for DNS
    queued_until: float | None = None  # it waits for a shared budget (G02): no longer than this


def case_of(verdict: Verdict, form: GuardedForm, clients: ClientSubjects, now: float) -> Case:
    """Read a verdict. What was judged counts, not what a watching form does with it (G18)."""
    report = verdict.report if verdict.address is not None else None
    carrier = verdict.client is not None and is_shared(verdict.client)
    return Case(
        submission=verdict.id,
        form=form,
        judged=verdict.judged,
        standing=verdict.standing,
        report=report if report is not None else check_syntax(verdict.address or ""),
        score=verdict.score,
        released=verdict.released,
        lineage=verdict.lineage,
        client=_names(clients, CLIENT_FACT, None if carrier else verdict.client, now),
        network=_names(clients, NETWORK_FACT, verdict.network, now),
        carrier=carrier,
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
        score=inquiry.score,
        # An *asked* one may have been released by itself (G22); whatever else was released, the owner released.
        released=inquiry.state in {State.RELEASING, State.RELEASED} and judged is not Action.ASK,
        lineage=inquiry.lineage,
        client=_kept_names(inquiry.facts, CLIENT_FACT, now),
        network=_kept_names(inquiry.facts, NETWORK_FACT, now),
        carrier=inquiry.facts.get(CARRIER_FACT) is True,
    )


def _names(clients: ClientSubjects, kind: str, value: bytes | None, now: float) -> Names:
    if value is None:
        return Names()
    return Names(
        budget=clients.keys(kind, value, now=now, window_s=DAY_S),
        readable=clients.readable(kind, value, now=now),
    )


def _kept_names(facts: Mapping[str, object], kind: str, now: float) -> Names:
    """Read back what `ClientSubjects.facts` wrote, less the days to come: nobody counts under their keys today."""
    kept = facts.get(kind)
    if not isinstance(kept, list):
        return Names()
    keys = [Key(bytes.fromhex(each)) for each in kept if isinstance(each, str)]
    return Names(
        budget=tuple(key for key in keys if _age(key, now) < BUDGET_DAYS),
        readable=tuple(key for key in keys if _age(key, now) < READABLE_DAYS),
    )


def _age(key: Key, now: float) -> int:
    """Return of how many days ago the key is; one of a day to come is of nearly 256 days ago."""
    return (int(now // DAY_S) - key[0]) % KEY_IDS


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
