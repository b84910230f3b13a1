"""Slots of budgets in memory."""

from collections.abc import Iterable

from formwarden.stores.deciding import MARK_EVERY_S
from formwarden.stores.ports import Key, Spend
from formwarden.stores.retention import SPENDS_KEPT_S


class MemoryBudgets:
    """When each reply took a slot of each key; the ledger holds the lock."""

    def __init__(self) -> None:
        self._taken: dict[Key, dict[bytes, float]] = {}

    def clamp(self, spends: Iterable[Spend], now: float) -> None:
        """Move slots beyond now + window, which a clock since corrected has left there, back to that moment."""
        longest: dict[Key, float] = {}
        for spend in spends:
            for key in spend.keys:
                longest[key] = max(spend.window_s, longest.get(key, 0.0))
        for key, window_s in longest.items():
            taken = self._taken.get(key, {})
            taken.update({reply: now + window_s for reply, at in taken.items() if at > now + window_s})

    def count(self, spend: Spend, now: float) -> int:
        """Return how many slots of a budget are taken; those stamped in the future count too."""
        return sum(at >= now - spend.window_s for key in spend.keys for at in self._taken.get(key, {}).values())

    def take(self, spends: Iterable[Spend], reply: bytes, now: float) -> None:
        """Take one slot of each different key."""
        for spend in spends:
            if spend.taken:
                self._taken.setdefault(spend.keys[0], {})[reply] = now

    def mark(self, keys: Iterable[Key], reply: bytes, now: float) -> None:
        """Write marks, but where there is one of the last minute."""
        for key in keys:
            taken = self._taken.setdefault(key, {})
            if all(at <= now - MARK_EVERY_S for at in taken.values()):
                taken[reply] = now

    def refund(self, reply: bytes) -> None:
        """Give the slots of a reply back."""
        for key, taken in tuple(self._taken.items()):
            taken.pop(reply, None)
            if not taken:
                del self._taken[key]

    def purge(self, now: float, limit: int) -> int:
        """Forget slots that no budget counts any more; return of how many replies, at most `limit`."""
        over: dict[bytes, None] = {}
        for taken in self._taken.values():
            over.update(dict.fromkeys(reply for reply, at in taken.items() if at <= now - SPENDS_KEPT_S))
        for reply in list(over)[:limit]:
            self.refund(reply)
        return min(len(over), limit)

    def of(self, reply: bytes) -> tuple[tuple[Key, float], ...]:
        """Return the slots of a reply."""
        return tuple(sorted((key, taken[reply]) for key, taken in self._taken.items() if reply in taken))

    def put(self, reply: bytes, slots: Iterable[tuple[Key, float]]) -> None:
        """Take slots over as they were taken."""
        for key, at in slots:
            self._taken.setdefault(key, {})[reply] = at

    def replies_at(self, key: Key) -> tuple[bytes, ...]:
        """Return the replies that took a slot of a key."""
        return tuple(self._taken.get(key, ()))

    def forget(self, key: Key) -> int:
        """Forget every slot of a key; return how many."""
        return len(self._taken.pop(key, ()))
