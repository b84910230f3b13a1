"""What every store keeps to beside its ports."""

import anyio
import pytest

from formwarden.stores.ports import Decision, Store
from tests.clock import MovableClock
from tests.stores.samples import send, spend


@pytest.mark.anyio
class WholeStoreContract:
    """Inherited by the test class of each store."""

    async def test_a_well_store_says_nothing(self, store: Store) -> None:
        assert await store.health() is None

    async def test_g19_a_task_has_one_holder_at_a_time(self, store: Store, clock: MovableClock) -> None:
        assert await store.lease("outbox", "a", seconds=60)
        assert not await store.lease("outbox", "b", seconds=60)
        assert await store.lease("purge", "b", seconds=60)
        clock.move(30)
        assert await store.lease("outbox", "a", seconds=60)
        clock.move(59)
        assert not await store.lease("outbox", "b", seconds=60)
        clock.move(1)
        assert await store.lease("outbox", "b", seconds=60)

    async def test_a_clock_set_back_does_not_freeze_a_lease(self, store: Store, clock: MovableClock) -> None:
        await store.lease("outbox", "a", seconds=60)
        clock.step(-86_400)
        assert await store.lease("outbox", "b", seconds=60)

    async def test_g20_recipient_keys_are_made_once(self, store: Store) -> None:
        keys = await store.recipient_keys()
        assert [len(made) for made in keys] == [32]
        assert await store.recipient_keys() == keys

    async def test_racing_tasks_get_exactly_the_budget(self, store: Store) -> None:
        site = spend("SITE_RATE", "site", limit=7)
        granted: list[int] = []

        async def reserve(number: int) -> None:
            if (await store.ledger.reserve(send(number, site))).decision is Decision.SEND:
                granted.append(number)

        async with anyio.create_task_group() as group:
            for number in range(40):
                group.start_soon(reserve, number)
        assert len(granted) == 7

    async def test_it_goes_on_after_closing(self, store: Store) -> None:
        keys = await store.recipient_keys()
        await store.aclose()
        await store.aclose()
        assert await store.recipient_keys() == keys
