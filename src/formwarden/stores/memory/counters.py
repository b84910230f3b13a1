"""Counters in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Final, TypeVar

from formwarden.clock import Clock
from formwarden.stores.ahead import TALLIES_AHEAD_S
from formwarden.stores.crowding import may_add
from formwarden.stores.ports import Key, Observation, Observed, Tally
from formwarden.stores.windows import (
    BODIES_PER_NONCE,
    NONCE_WINDOW_S,
    PRINT_WINDOW_S,
    slot_at,
    slot_over_at,
    slots_within,
)

Name = TypeVar("Name", bytes, int)
PURGE_EVERY: Final = 1_024  # observations
ENTRY_BYTES: Final = 256  # a key, a count and their places in two tables, as CPython 3.11 holds them


@dataclass(slots=True, kw_only=True)
class _Token:
    uses: int = 0
    networks: frozenset[Key] = frozenset()
    bodies: dict[bytes, float] = field(default_factory=dict[bytes, float])
    over_at: float


@dataclass(slots=True, kw_only=True)
class _Count:
    n: int = 0
    over_at: float


class MemoryCounters:
    """The judging side of a memory store."""

    def __init__(self, clock: Clock, lock: RLock, limit_bytes: int) -> None:
        self._clock = clock
        self._lock = lock
        self._tokens: dict[bytes, _Token] = {}
        self._tallies: dict[tuple[Key, float], dict[int, _Count]] = {}
        self._prints: dict[bytes, _Count] = {}
        self._since_purge = 0
        self._limit = limit_bytes / ENTRY_BYTES
        self._entries = 0  # at most: those added since they were counted last, nothing taken off

    async def observe(self, observation: Observation, /) -> Observed:
        """Read what stood before and add this; a body seen before with its nonce adds nothing (a retry)."""
        with self._lock:
            now = self._clock.now()
            self._since_purge += 1
            if self._since_purge >= PURGE_EVERY:
                self._since_purge = 0
                self.purge(now, PURGE_EVERY)
            uses, bodies, same_network, body_age_s = self._use(observation, now)
            counts = {tally.keys[0]: self._count(tally, now) for tally in observation.tallies}
            seen = {text: self._seen(text, now) for text in observation.prints}
            if body_age_s is None:
                self._add(observation, counts, seen, now)
            return Observed(
                uses=uses,
                bodies=bodies,
                same_body=body_age_s is not None,
                body_age_s=body_age_s,
                same_network=same_network,
                counts=counts,
                seen=seen,
            )

    async def forget(self, observation: Observation, /) -> None:
        """Take tallies and prints of an observation back: the site itself refused it, or it was released."""
        with self._lock:
            now = self._clock.now()
            for tally in observation.tallies:
                self._take_back(tally, now)
            for text in dict.fromkeys(observation.prints):
                _lower(self._prints, text)

    def purge(self, now: float, limit: int) -> int:
        """Erase at most `limit` entries whose time is over; return how many."""
        self._bring_back(now)
        erased = _erase(self._prints, now, limit)
        for name, slots in tuple(self._tallies.items()):
            erased += _erase(slots, now, limit - erased)
            if not slots:
                del self._tallies[name]
        over = [nonce for nonce, token in self._tokens.items() if token.over_at <= now][: max(0, limit - erased)]
        for nonce in over:
            del self._tokens[nonce]
        self._entries = self._counted()
        return erased + len(over)

    def _bring_back(self, now: float) -> None:
        for text in self._prints.values():
            text.over_at = min(text.over_at, now + PRINT_WINDOW_S)
        for token in self._tokens.values():
            token.over_at = min(token.over_at, now + NONCE_WINDOW_S)
        for slots in self._tallies.values():
            for slot in [slot for slot, count in slots.items() if count.over_at > now + TALLIES_AHEAD_S]:
                del slots[slot]

    def _use(self, observation: Observation, now: float) -> tuple[int, int, bool, float | None]:
        if observation.nonce is None:
            return 0, 0, True, None
        token = self._tokens.get(observation.nonce)
        room = self._may_add(known=True)
        if token is None or token.over_at <= now:
            if not room:
                return 0, 0, True, None
            self._entries += 1
            token = self._tokens[observation.nonce] = _Token(over_at=now + NONCE_WINDOW_S)
        here = frozenset(observation.networks)
        same_network = not token.networks or not here or not token.networks.isdisjoint(here)
        uses, bodies = token.uses, len(token.bodies)
        at = token.bodies.get(observation.body)
        if at is not None and at > now:  # the clock was set back: its age begins anew, and does not stand still
            token.bodies[observation.body] = now
        if at is not None:
            return uses, bodies, same_network, max(0.0, now - at)
        token.uses += 1
        token.networks = token.networks or here
        if bodies < BODIES_PER_NONCE and room:
            self._entries += 1
            token.bodies[observation.body] = now
        return uses, bodies, same_network, None

    def _count(self, tally: Tally, now: float) -> int:
        first, last = slots_within(now, tally.window_s)
        slots = (self._tallies.get((key, tally.window_s), {}) for key in tally.keys)
        return sum(count.n for found in slots for slot, count in found.items() if first <= slot <= last)

    def _seen(self, text: bytes, now: float) -> int:
        found = self._prints.get(text)
        return found.n if found is not None and found.over_at > now else 0

    def _add(
        self, observation: Observation, counts: Mapping[Key, int], seen: Mapping[bytes, int], now: float
    ) -> None:
        for tally in observation.tallies:
            self._raise(tally, now, known=counts[tally.keys[0]] > 0)
        for text, times in seen.items():
            if times or self._may_add():
                self._entries += text not in self._prints
                self._prints[text] = _Count(n=times + 1, over_at=now + PRINT_WINDOW_S)

    def _raise(self, tally: Tally, now: float, *, known: bool) -> None:
        """Count one more of a subject: in the slot of this moment, or in the newest it has where there is no room."""
        slot = slot_at(now, tally.window_s)
        name = (tally.keys[0], tally.window_s)
        if self._may_add(known=known, coarse=tally.coarse):
            slots = self._tallies.setdefault(name, {})
            self._entries += slot not in slots
            slots.setdefault(slot, _Count(over_at=slot_over_at(slot, tally.window_s))).n += 1
            return
        first, last = slots_within(now, tally.window_s)
        slots = self._tallies.get(name, {})
        newest = max((each for each in slots if first <= each <= last), default=None)
        if newest is not None:
            slots[newest].n += 1

    def _may_add(self, *, known: bool = False, coarse: bool = False) -> bool:
        return may_add(self._entries / self._limit, known=known, coarse=coarse)

    def _counted(self) -> int:
        slots = sum(map(len, self._tallies.values()))
        return slots + len(self._prints) + sum(1 + len(token.bodies) for token in self._tokens.values())

    def _take_back(self, tally: Tally, now: float) -> None:
        first, last = slots_within(now, tally.window_s)
        for key in tally.keys:
            slots = self._tallies.get((key, tally.window_s), {})
            newest = max((slot for slot in slots if first <= slot <= last), default=None)
            if newest is not None:
                _lower(slots, newest)
                return


def _lower(counts: dict[Name, _Count], name: Name) -> None:
    found = counts.get(name)
    if found is None:
        return
    found.n -= 1
    if found.n < 1:
        del counts[name]


def _erase(counts: dict[Name, _Count], now: float, limit: int) -> int:
    over = [name for name, count in counts.items() if count.over_at <= now][: max(0, limit)]
    for name in over:
        del counts[name]
    return len(over)
