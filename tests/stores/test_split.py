from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.memory import MemoryStore
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Observation
from formwarden.stores.settings import Stores
from formwarden.stores.split import SplitStore
from tests.clock import MovableClock

pytestmark = pytest.mark.anyio
SEEN = Observation(nonce=b"n" * 16, networks=(), body=b"b" * 16)


async def test_counters_live_in_their_own_store_and_everything_else_in_the_first(clock: MovableClock) -> None:
    durable, volatile = (MemoryStore(clock=clock, entropy=system_entropy, settings=Stores()) for _ in range(2))
    split = SplitStore(durable, volatile)
    await split.counters.observe(SEEN)
    assert (await volatile.counters.observe(SEEN)).uses == 1
    assert (await durable.counters.observe(SEEN)).uses == 0
    assert split.ledger is durable.ledger
    assert split.inquiries is durable.inquiries
    assert await split.recipient_keys() == await durable.recipient_keys()
    assert await split.lease("outbox", "me", seconds=10)
    assert not await durable.lease("outbox", "another", seconds=10)
    assert (await split.tasks())["outbox"].holder == "me"
    assert (await split.statistics.read()).tasks == await durable.tasks()
    await split.release("me", {})
    assert await durable.lease("outbox", "another", seconds=10)
    assert await split.health() is None
    assert await split.purge(0) == 0
    await split.aclose()


async def test_a_counters_url_is_obeyed(tmp_path: Path, clock: MovableClock) -> None:
    settings = Stores.model_validate({"counters_url": f"sqlite:///{tmp_path}/counts.db"})
    store = open_store(
        f"sqlite:///{tmp_path}/site.db",
        clock=clock,
        entropy=system_entropy,
        settings=settings,
        faults=Faults(clock),
    )
    await store.counters.observe(SEEN)
    assert (tmp_path / "counts-volatile.db").exists()
    assert not (tmp_path / "site-volatile.db").exists()
    await store.aclose()
