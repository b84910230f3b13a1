"""Values for tests of stores, each with one line that matters."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict, Unpack

from formwarden.stores.breaking import Breaking
from formwarden.stores.ports import (
    Account,
    Decision,
    Inquiry,
    Key,
    Observation,
    Ours,
    Outcome,
    OutcomeKind,
    Queue,
    ReplyRequest,
    Spend,
    Staff,
    State,
    Tally,
)

HOUR = 3600.0
DAY = 86400.0


class RequestChanges(TypedDict, total=False):
    """What a test says of a reply beside its number and its budgets."""

    decision: Decision
    code: str
    subjects: tuple[Key, ...]
    hold_until: float | None
    check_at: float | None
    lease_s: float | None
    preview: bool
    account: Account | None
    queue: Queue | None
    probe: bool
    exempt: bool


class OutcomeChanges(TypedDict, total=False):
    """What a test says of an outcome beside its kind."""

    id: bytes
    until: float | None
    subject: Key | None
    ours: Ours
    counts: bool
    breaking: Breaking


class SpendChanges(TypedDict, total=False):
    """What a test says of a budget beside its keys and its limit."""

    taken: bool
    marks: Key | None
    shared: bool


class InquiryChanges(TypedDict, total=False):
    """What a test says of an inquiry beside its name."""

    form: str
    state: State
    received_at: float
    score: float
    hits: Mapping[str, float]
    evidence: Mapping[str, str]
    facts: Mapping[str, object]
    lineage: bytes | None
    body: bytes | None
    recipient: str | None
    staff: Staff
    staff_note: str
    answer: tuple[int, str] | None
    note: str
    changed_at: float


def key(name: str) -> Key:
    """A subject's key."""
    return Key(hashlib.blake2b(name.encode(), digest_size=16).digest())


def observation(
    nonce: bytes | None = b"nonce",
    body: bytes = b"body",
    *,
    network: str = "",
    tallies: tuple[Tally, ...] = (),
    prints: tuple[bytes, ...] = (),
) -> Observation:
    """What one submission leaves."""
    networks = (key(network),) if network else ()
    return Observation(nonce=nonce, networks=networks, body=body, tallies=tallies, prints=prints)


def tally(*names: str, window_s: float = HOUR) -> Tally:
    """A subject to count, under one or several keys."""
    return Tally(keys=tuple(key(name) for name in names), window_s=window_s)


def spend(budget: str, *names: str, limit: int, window_s: float = HOUR, **changes: Unpack[SpendChanges]) -> Spend:
    """A budget."""
    keys = tuple(key(name) for name in names)
    return replace(Spend(budget=budget, keys=keys, window_s=window_s, limit=limit), **changes)


def account(who: int | str, *, group: str = "google", label: str | None = None, domain: str = "") -> Account:
    """Whose a reply is: somebody with a mailbox at a provider group, in a network of his own."""
    return Account(
        recipient=(key(f"recipient {who}"),),
        provider=key(f"group {group}"),
        site=key("site"),
        label=group if label is None else label,
        domain=key(f"domain {domain}") if domain else None,
        client=key(f"client {who}"),
        network=(key(f"network {who} today"), key(f"network {who} yesterday")),
        standing="shown",
    )


def send(reply: int | str, *spends: Spend, **changes: Unpack[RequestChanges]) -> ReplyRequest:
    """A reply that the gate would send."""
    request = ReplyRequest(
        reply_id=f"reply {reply}".encode(),
        submission_id=f"submission {reply}".encode(),
        decision=Decision.SEND,
        code="OK",
        spends=spends,
    )
    return replace(request, **changes)


def hold(reply: int | str, **changes: Unpack[RequestChanges]) -> ReplyRequest:
    """A reply that the gate holds."""
    return replace(send(reply, decision=Decision.HOLD, code="HELD_SUSPECT"), **changes)


def outcome(reply: int | str, kind: OutcomeKind, **changes: Unpack[OutcomeChanges]) -> Outcome:
    """One piece of evidence about a reply."""
    evidence = Outcome(
        id=f"{kind} of {reply}".encode(),
        reply_id=f"reply {reply}".encode(),
        kind=kind,
        reason=f"{kind}!",
    )
    return replace(evidence, **changes)


def inquiry(name: int | str, **changes: Unpack[InquiryChanges]) -> Inquiry:
    """An inquiry that was accepted."""
    kept = Inquiry(
        id=f"submission {name}".encode(),
        receipt=f"R-{name}",
        form="contact",
        state=State.ACCEPTED,
        received_at=1_790_000_000.0,
        score=1.5,
        hits={"too_young": 1.5},
        evidence={"too_young": "1.2 s"},
        facts={"age_s": 1.2, "flags": ["role"], "none": None},
        lineage=b"lineage",
        content_type="application/x-www-form-urlencoded",
        body=b"message=\xff\x00hello",
        recipient="ann@example.com",
        staff=Staff.NONE,
    )
    return replace(kept, **changes)


class Spooled:
    """A body that lies elsewhere."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self) -> bytes:
        return self._content


class Unreadable:
    """A body whose file cannot be read."""

    size = 1

    def read(self) -> bytes:
        raise OSError("the disk is gone")
