"""The bound in size of what a memory store keeps for the owner, and what goes when it is reached (G23)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from formwarden.clock import Clock
from formwarden.stores.eviction import (
    DROPPED,
    EVICT_FROM,
    HIGH_WATER,
    LOW_WATER,
    NEEDED,
    PROTECTED_S,
    Turn,
    bytes_of,
    cluster_of,
    counting_note,
    dropped_note,
)
from formwarden.stores.ports import Inquiry, Staff, State

Heads = Mapping[bytes, "Kept"]
"""Of near-duplicates the oldest that waits with its body, by what they have in common."""


@dataclass(slots=True, kw_only=True)
class Kept:
    """An inquiry and its leases."""

    inquiry: Inquiry
    lease_until: float
    staff_at: float = 0.0


class MemoryRoom:
    """Keeps inquiries within the bound; the store holds the lock."""

    def __init__(self, limit_bytes: int, clock: Clock, has_live_reply: Callable[[bytes], bool]) -> None:
        self._limit = limit_bytes
        self._clock = clock
        self._has_live_reply = has_live_reply
        self._at_most = 0  # bytes: what was kept since they were counted last, nothing taken off

    def make(self, kept: dict[bytes, Kept], needed: int) -> bool:
        """Say whether so many bytes more fit; where they do not, evict first."""
        if self._at_most + needed > self._limit:
            self._count(kept)
        if self._at_most + needed > self._limit:
            self._evict(kept, int(self._limit * LOW_WATER) - needed, len(kept))
        if self._at_most + needed > self._limit:
            return False
        self._at_most += needed
        return True

    def relieve(self, kept: dict[bytes, Kept], rows: int) -> int:
        """Evict at most so many if it is nearly full; return how many."""
        self._count(kept)
        if self._at_most <= self._limit * HIGH_WATER:
            return 0
        return self._evict(kept, int(self._limit * LOW_WATER), rows)

    def _count(self, kept: dict[bytes, Kept]) -> None:
        self._at_most = sum(bytes_of(each.inquiry) for each in kept.values())

    def _evict(self, kept: dict[bytes, Kept], target: int, rows: int) -> int:
        heads = _heads(kept)
        evicted = 0
        for each, turn in self._in_order(kept, heads):
            if evicted >= rows or self._at_most <= target:
                break
            self._at_most -= bytes_of(each.inquiry)
            if each.inquiry.body is None:
                del kept[each.inquiry.id]
            else:
                head = _head_of(each, heads)
                self._drop(each, head if turn is Turn.ALIKE else None)
                self._at_most += bytes_of(each.inquiry)
            evicted += 1
        return evicted

    def _drop(self, kept: Kept, head: Kept | None) -> None:
        """Erase a body; the numbers stay, and why."""
        inquiry = kept.inquiry
        like = None
        if head is not None:
            head.inquiry = replace(head.inquiry, note=counting_note(head.inquiry.note))
            like = head.inquiry.receipt
        recipient = inquiry.recipient if self._has_live_reply(inquiry.id) else None
        kept.inquiry = replace(inquiry, body=None, recipient=recipient, note=dropped_note(inquiry.note, like=like))

    def _in_order(self, kept: dict[bytes, Kept], heads: Heads) -> Iterator[tuple[Kept, Turn]]:
        turns = [(each, turn) for each in kept.values() if (turn := self._turn(each, heads)) is not None]
        turns.sort(key=lambda each: (each[1], *_rank(each[0].inquiry)))
        yield from turns
        before = self._clock.now() - PROTECTED_S
        old = [each for each in kept.values() if _is_old(each.inquiry, before)]
        bodies = [each for each in old if each.inquiry.body is not None and each.inquiry.changed_at <= before]
        bodies.sort(key=lambda each: each.inquiry.changed_at)
        yield from ((each, Turn.SCORE) for each in bodies)
        numbers = [each for each in old if each.inquiry.body is None and not self._has_live_reply(each.inquiry.id)]
        numbers.sort(key=lambda each: each.inquiry.received_at)
        yield from ((each, Turn.TRACE) for each in numbers)

    def _turn(self, kept: Kept, heads: Heads) -> Turn | None:
        """Return when it is this one's turn; None: it is not to be evicted."""
        inquiry = kept.inquiry
        if inquiry.score < EVICT_FROM or _is_needed(inquiry):
            return None
        rejected = inquiry.state is State.REJECTED
        if inquiry.body is not None:
            alike = _head_of(kept, heads) is not kept
            return Turn.REJECTED if rejected else Turn.ALIKE if alike else Turn.SCORE
        if self._has_live_reply(inquiry.id):
            return None
        return Turn.TRACE if inquiry.note.endswith(DROPPED) and not rejected else Turn.NUMBERS


def _heads(kept: Mapping[bytes, Kept]) -> Heads:
    heads: dict[bytes, Kept] = {}
    for each in kept.values():
        inquiry = each.inquiry
        cluster = cluster_of(inquiry.facts)
        waits = inquiry.state in {State.HELD, State.ASKED} and inquiry.body is not None
        if waits and cluster is not None and inquiry.score >= EVICT_FROM:
            heads.setdefault(cluster, each)
    return heads


def _head_of(kept: Kept, heads: Heads) -> Kept:
    cluster = cluster_of(kept.inquiry.facts)
    return kept if cluster is None else heads.get(cluster, kept)


def _is_needed(inquiry: Inquiry) -> bool:
    return inquiry.state in NEEDED or inquiry.staff is Staff.DUE


def _is_old(inquiry: Inquiry, before: float) -> bool:
    return inquiry.received_at <= before and inquiry.score < EVICT_FROM and not _is_needed(inquiry)


def _rank(inquiry: Inquiry) -> tuple[float, float]:
    """Order within a turn: bodies by the highest score, numbers by age."""
    return (-inquiry.score if inquiry.body is not None else 0.0, inquiry.received_at)
