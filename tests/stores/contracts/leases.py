"""Who does a periodic task, and how its last run went (G19)."""

import anyio
import pytest

from formwarden.stores.ports import Store
from formwarden.stores.runs import ERROR_LIMIT, LastRun, Run, TaskState
from tests.clock import MovableClock


def run(clock: MovableClock, done: int = 0, error: str = "") -> Run:
    return Run(started_at=clock.now() - 1, ended_at=clock.now(), done=done, error=error)


async def last(store: Store, task: str = "outbox") -> LastRun:
    found = (await store.tasks())[task].last
    assert found is not None
    return found


@pytest.mark.anyio
class LeasesContract:
    """Inherited by the test class of each store."""

    async def test_g19_of_racing_holders_one_gets_the_lease(self, store: Store) -> None:
        had: list[str] = []

        async def take(holder: str) -> None:
            if await store.lease("outbox", holder, seconds=60):
                had.append(holder)

        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(take, f"holder {number}")
        assert len(had) == 1
        assert (await store.tasks())["outbox"].holder == had[0]

    async def test_a_lease_that_is_released_is_free_at_once(self, store: Store) -> None:
        for task in ("outbox", "purge"):
            await store.lease(task, "a", seconds=60)
        await store.lease("waiting", "b", seconds=60)
        await store.release("a", {})
        assert await store.lease("outbox", "b", seconds=60)
        assert await store.lease("purge", "b", seconds=60)
        await store.release("a", {})
        assert not await store.lease("outbox", "a", seconds=60)
        assert not await store.lease("waiting", "a", seconds=60)

    async def test_a_release_takes_nothing_from_who_followed(self, store: Store, clock: MovableClock) -> None:
        await store.lease("outbox", "a", seconds=60)
        clock.move(61)
        await store.lease("outbox", "b", seconds=60)
        await store.release("a", {"outbox": run(clock, done=9)})
        assert await store.tasks() == {"outbox": TaskState(holder="b")}

    @pytest.mark.parametrize("step", [-86_400, -3_600, -1])
    async def test_a_clock_set_back_blocks_no_lease_and_shows_no_holder(
        self, store: Store, clock: MovableClock, step: float
    ) -> None:
        await store.lease("outbox", "a", seconds=60)
        clock.step(step)
        assert (await store.tasks())["outbox"].holder is None
        assert await store.lease("outbox", "b", seconds=60)
        assert not await store.lease("outbox", "a", seconds=60)

    async def test_nobody_ever_worked_in_a_new_store(self, store: Store) -> None:
        assert await store.tasks() == {}

    async def test_g19_a_run_is_written_down_with_the_lease(self, store: Store, clock: MovableClock) -> None:
        await store.lease("outbox", "a", seconds=60)
        assert await store.tasks() == {"outbox": TaskState(holder="a")}
        await store.lease("outbox", "a", seconds=60, run=run(clock, done=3))
        assert await last(store) == LastRun(
            holder="a",
            started_at=clock.now() - 1,
            ended_at=clock.now(),
            done=3,
            succeeded_at=clock.now(),
            failed_at=None,
            error="",
        )

    async def test_a_run_is_still_known_when_the_lease_is_over(self, store: Store, clock: MovableClock) -> None:
        await store.lease("outbox", "a", seconds=60, run=run(clock))
        known = await last(store)
        clock.move(86_400)
        assert await store.tasks() == {"outbox": TaskState(holder=None, last=known)}

    async def test_a_run_of_who_has_no_lease_is_not_written_down(self, store: Store, clock: MovableClock) -> None:
        await store.lease("outbox", "a", seconds=60)
        assert not await store.lease("outbox", "b", seconds=60, run=run(clock, done=3))
        assert (await store.tasks())["outbox"].last is None

    async def test_what_was_not_told_is_told_with_the_release(self, store: Store, clock: MovableClock) -> None:
        await store.lease("outbox", "a", seconds=60)
        await store.lease("purge", "a", seconds=60)
        await store.release("a", {"outbox": run(clock, done=4), "waiting": run(clock)})
        tasks = await store.tasks()
        assert (await last(store)).done == 4
        assert {name: state.holder for name, state in tasks.items()} == {"outbox": None}

    async def test_an_error_stays_until_the_next_and_so_does_the_last_success(
        self, store: Store, clock: MovableClock
    ) -> None:
        begun = clock.now()
        for error in ("", "disk full", ""):
            await store.lease("outbox", "a", seconds=60, run=run(clock, error=error))
            known = await last(store)
            assert known.failed is bool(error)
            clock.move(1)
        assert (known.succeeded_at, known.failed_at, known.error) == (begun + 2, begun + 1, "disk full")
        await store.lease("outbox", "a", seconds=60, run=run(clock, error="no route\udcff" + "x" * 999))
        known = await last(store)
        assert (known.succeeded_at, known.failed_at, len(known.error)) == (begun + 2, begun + 3, ERROR_LIMIT)
        assert known.error.startswith("no route")
