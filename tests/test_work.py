import asyncio

import pytest

from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.memory import MemoryStore
from formwarden.stores.settings import Stores
from formwarden.work import LEASE_S, TICK_S, Task, Work
from tests.clock import MovableClock
from tests.ill_store import IllStore


class Desk:
    """Two tasks that note when they ran, and the processes that share a store."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self.faults = Faults(clock)
        self.store = IllStore(MemoryStore(clock=clock, entropy=bytes, settings=Stores()))
        self.ran: list[str] = []
        self.error: BaseException | None = None
        self.often = asyncio.Event()  # set at the fifth run

    async def fast(self) -> int:
        self.ran.append("fast")
        if self.ran.count("fast") >= 5:
            self.often.set()
        if self.error is not None:
            raise self.error
        return 2

    async def slow(self) -> int:
        self.ran.append("slow")
        return 3

    def work(self, holder: str = "one") -> Work:
        tasks = (
            Task(name="fast", every_s=0.5, step=self.fast),
            Task(name="slow", every_s=30.0, step=self.slow),
        )
        return Work(tasks, store=self.store, holder=holder, clock=self.clock, faults=self.faults, stop_grace_s=0.05)

    @property
    def leases(self) -> int:
        return self.store.health_of.calls.count("store.lease")


@pytest.fixture
def desk(clock: MovableClock) -> Desk:
    return Desk(clock)


@pytest.mark.anyio
async def test_one_pass_runs_every_task_whatever_its_pace(desk: Desk) -> None:
    work = desk.work()
    assert await work.run_once() == 5
    assert await work.run_once() == 5
    assert desk.ran == ["fast", "slow", "fast", "slow"]


@pytest.mark.anyio
async def test_what_is_due_runs_at_its_pace(desk: Desk) -> None:
    work = desk.work()
    assert await work.run_due() == 5
    assert await work.run_due() == 0
    desk.clock.move(0.5)
    assert await work.run_due() == 2
    desk.clock.move(29.5)
    assert await work.run_due() == 5


@pytest.mark.anyio
async def test_a_stepped_wall_clock_does_not_change_the_pace(desk: Desk) -> None:
    work = desk.work()
    await work.run_due()
    desk.clock.step(3600)
    assert await work.run_due() == 0


@pytest.mark.anyio
async def test_g19_of_two_processes_only_the_holder_of_the_lease_works(desk: Desk) -> None:
    one, two = desk.work("one"), desk.work("two")
    assert await one.run_once() == 5
    assert await two.run_once() == 0
    assert desk.ran == ["fast", "slow"]


@pytest.mark.anyio
async def test_g19_a_holder_that_died_is_followed_after_its_lease(desk: Desk) -> None:
    await desk.work("dead").run_once()
    desk.clock.move(LEASE_S + 0.1)
    assert await desk.work("next").run_once() == 5


@pytest.mark.anyio
async def test_a_holder_at_work_keeps_its_lease_for_as_long_as_it_works(desk: Desk) -> None:
    one, two = desk.work("one"), desk.work("two")
    for _ in range(60):
        await one.run_once()
        assert await two.run_once() == 0
        desk.clock.move(LEASE_S / 2)
    assert desk.ran.count("fast") == 60


@pytest.mark.anyio
async def test_a_lease_is_renewed_only_when_half_of_it_is_over(desk: Desk) -> None:
    work = desk.work()
    for _ in range(int(LEASE_S / 2 / 0.5)):
        await work.run_once()
        desk.clock.move(0.5)
    assert desk.leases == 2  # once a task
    await work.run_once()
    assert desk.leases == 4


@pytest.mark.anyio
async def test_a_lease_that_was_lost_is_asked_for_again_each_time(desk: Desk) -> None:
    await desk.work("one").run_once()
    two = desk.work("two")
    await two.run_once()
    await two.run_once()
    assert desk.leases == 6


@pytest.mark.anyio
@pytest.mark.parametrize("error", [KeyError("address"), StoreError("disk full"), TimeoutError()])
async def test_a_task_that_raises_is_counted_and_does_not_stop_the_others(desk: Desk, error: Exception) -> None:
    desk.error = error
    work = desk.work()
    assert await work.run_once() == 3
    assert desk.faults.of("work fast") == 1
    assert desk.faults.of("work slow") == 0


@pytest.mark.anyio
async def test_what_a_bug_says_is_not_kept(desk: Desk) -> None:
    desk.error = ValueError("taro@example.jp wrote: hello")
    await desk.work().run_once()
    (fault,) = desk.faults.all()
    assert "taro" not in fault.why
    assert fault.why.startswith("ValueError at ")
    assert "test_work.py" in fault.why


@pytest.mark.anyio
async def test_a_store_that_gives_no_lease_stops_the_work_and_is_counted(desk: Desk) -> None:
    desk.store.fails("store.lease", StoreError("disk full"))
    work = desk.work()
    assert await work.run_once() == 0
    assert desk.ran == []
    assert [(fault.what, fault.why) for fault in desk.faults.all()] == [
        ("work fast", "disk full"),
        ("work slow", "disk full"),
    ]
    desk.store.fails("store.lease", None)
    assert await work.run_once() == 5


@pytest.mark.anyio
async def test_it_goes_on_until_it_is_cancelled(desk: Desk) -> None:
    running = asyncio.create_task(desk.work().run())
    await desk.often.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert desk.ran.count("slow") == 1  # its time had not come again
    assert TICK_S <= 0.5


@pytest.mark.anyio
async def test_cancelling_is_no_fault(desk: Desk) -> None:
    desk.error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await desk.work().run_once()
    assert desk.faults.all() == ()


@pytest.mark.anyio
async def test_a_server_that_stops_lets_the_step_end(desk: Desk) -> None:
    begun, end = asyncio.Event(), asyncio.Event()
    ended: list[bool] = []

    async def mail_on_the_wire() -> int:
        begun.set()
        await end.wait()
        ended.append(True)
        return 1

    tasks = (Task(name="fast", every_s=0.5, step=mail_on_the_wire),)
    work = Work(tasks, store=desk.store, holder="one", clock=desk.clock, faults=desk.faults)
    running = asyncio.create_task(work.run())
    await begun.wait()
    stopping = asyncio.create_task(work.stop(running))
    await asyncio.sleep(0)
    end.set()
    await stopping
    assert ended == [True]
    assert running.done()
    assert not running.cancelled()
    assert desk.faults.of("work") == 0


@pytest.mark.anyio
async def test_a_step_that_swallows_a_cancellation_is_cancelled_again(desk: Desk) -> None:
    swallowed, begun = 0, asyncio.Event()

    async def stubborn() -> int:
        nonlocal swallowed
        begun.set()
        while swallowed < 3:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed += 1
        return 0

    tasks = (Task(name="fast", every_s=0.5, step=stubborn),)
    work = Work(tasks, store=desk.store, holder="one", clock=desk.clock, faults=desk.faults, stop_grace_s=0.01)
    running = asyncio.create_task(work.run())
    await begun.wait()
    await work.stop(running)
    assert running.done()
    assert swallowed == 3


@pytest.mark.anyio
async def test_a_step_that_never_ends_is_given_up_and_counted(desk: Desk) -> None:
    release, begun = asyncio.Event(), asyncio.Event()

    async def endless() -> int:
        begun.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return 0

    tasks = (Task(name="fast", every_s=0.5, step=endless),)
    work = Work(tasks, store=desk.store, holder="one", clock=desk.clock, faults=desk.faults, stop_grace_s=0.005)
    running = asyncio.create_task(work.run())
    await begun.wait()
    await work.stop(running)
    assert not running.done()
    assert desk.faults.of("work") == 1
    release.set()
    await asyncio.wait({running})


@pytest.mark.anyio
async def test_a_task_that_hangs_keeps_no_other_waiting(desk: Desk) -> None:
    hanging = asyncio.Event()

    async def hangs() -> int:
        await hanging.wait()
        return 0

    tasks = (Task(name="hangs", every_s=0.5, step=hangs), Task(name="fast", every_s=0.5, step=desk.fast))
    work = Work(tasks, store=desk.store, holder="one", clock=desk.clock, faults=desk.faults)
    running = asyncio.create_task(work.run())
    await desk.often.wait()
    hanging.set()
    await work.stop(running)
    assert running.done()


@pytest.mark.anyio
async def test_a_step_is_repeated_while_it_finds_something_up_to_a_bound(desk: Desk) -> None:
    left = [5]

    async def one() -> int:
        left[0] -= 1
        return 1 if left[0] >= 0 else 0

    def work(most: int) -> Work:
        tasks = (Task(name="fast", every_s=0.5, step=one, most=most),)
        return Work(tasks, store=desk.store, holder="one", clock=desk.clock, faults=desk.faults)

    assert await work(3).run_once() == 3
    assert await work(30).run_once() == 2


@pytest.mark.anyio
async def test_a_server_that_stops_waits_for_one_step_not_for_all_of_them(desk: Desk) -> None:
    begun, end, steps = asyncio.Event(), asyncio.Event(), 0

    async def mail_on_the_wire() -> int:
        nonlocal steps
        steps += 1
        begun.set()
        await end.wait()
        return 1

    tasks = (Task(name="fast", every_s=0.5, step=mail_on_the_wire, most=20),)
    work = Work(tasks, store=desk.store, holder="one", clock=desk.clock, faults=desk.faults)
    running = asyncio.create_task(work.run())
    await begun.wait()
    stopping = asyncio.create_task(work.stop(running))
    await asyncio.sleep(0)
    end.set()
    await stopping
    assert (steps, running.done()) == (1, True)


@pytest.mark.anyio
async def test_stopped_before_it_began_it_does_nothing(desk: Desk) -> None:
    work = desk.work()
    running = asyncio.create_task(work.run())
    await work.stop(running)
    assert (desk.ran, running.done()) == ([], True)
    assert await work.run_once() == 5
