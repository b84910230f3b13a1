"""A real store, and replies that went through it: evidence for what limits grow and shrink by."""

from itertools import count
from pathlib import Path

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Account, Decision, Key, Outcome, OutcomeKind, ReplyRequest, Store
from formwarden.stores.settings import Stores
from tests.clock import MovableClock

DAY_S = 86_400.0
NOON = 20_000 * DAY_S + DAY_S / 2  # a day of its own in UTC
SITE = Key(b"\x01site" + bytes(12))


def opened(clock: MovableClock, path: Path | None = None) -> Store:
    """Open a store of its own: in memory, or another process' view of a file."""
    url = "memory://" if path is None else f"sqlite:///{path}"
    return open_store(url, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))


class Replied:
    """Lets replies be granted and fail in a store."""

    def __init__(self, store: Store, *, first: int = 1) -> None:
        self._store = store
        self._numbers = count(first)
        self._last = b""

    async def grant(
        self, replies: int, *, label: str = "google", provider: Key | None = None, failed: int = 0, kind: str = "sent"
    ) -> None:
        """Let so many leave to new addresses; the first `failed` of them bounce, the rest end as `kind`."""
        provider = provider or Key(b"\x01" + label.encode().ljust(16, b"\0"))
        for place in range(replies):
            self._last = reply = next(self._numbers).to_bytes(16, "big")
            await self._store.ledger.reserve(
                ReplyRequest(
                    reply_id=reply,
                    submission_id=reply,
                    decision=Decision.SEND,
                    code="OK",
                    account=Account(
                        recipient=(Key(b"\x01" + reply),),
                        provider=provider,
                        site=SITE,
                        label=label,
                    ),
                )
            )
            outcome = OutcomeKind.HARD if place < failed else OutcomeKind(kind)
            await self._store.ledger.settle(
                Outcome(id=b"o" + reply, reply_id=reply, kind=outcome, reason="550 5.1.1 no such user")
            )

    async def complain(self) -> None:
        """Let somebody call the last one unwanted."""
        await self._store.ledger.settle(
            Outcome(id=b"c" + self._last, reply_id=self._last, kind=OutcomeKind.COMPLAINT, reason="abuse")
        )
