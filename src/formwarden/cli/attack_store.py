"""What the site's own store says of receipts: accepted and quarantined look alike from outside (G29)."""

import asyncio
from collections.abc import Mapping
from typing import Final

from formwarden.cli.attack_table import Found
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.settings import Settings
from formwarden.stores.opening import open_store

GRANTED: Final = frozenset({"due", "taken", "sent", "lost", "refused"})  # states of replies that were let through
PAGE: Final = 200
MOST_PAGES: Final = 500


def receipts_since(url: str, settings: Settings, started: float) -> Mapping[str, Found]:
    """Read what came since a moment, by receipt. Raises StoreError."""
    return asyncio.run(_receipts(url, settings, started))


async def _receipts(url: str, settings: Settings, started: float) -> Mapping[str, Found]:
    clock = SystemClock()
    store = open_store(url, clock=clock, entropy=system_entropy, settings=settings.stores, faults=Faults(clock))
    found: dict[str, Found] = {}
    after: str | None = None
    try:
        for _ in range(MOST_PAGES):
            page = await store.inquiries.find((), after=after, limit=PAGE)
            rows = [row for row in page.rows if row.received_at >= started]
            replies = await store.ledger.replies([row.id for row in rows])
            for row in rows:
                reply = replies.get(row.id)
                replied = reply is not None and reply.state in GRANTED
                found[row.receipt] = Found(state=str(row.state), replied=replied)
            after = page.after
            if after is None or len(rows) < len(page.rows):
                break
    finally:
        await store.aclose()
    return found
