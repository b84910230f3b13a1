import asyncio
import os
from itertools import pairwise

import pytest

from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.memory import MemoryStore
from formwarden.stores.runs import LastRun
from formwarden.stores.settings import Stores
from formwarden.work import LEASE_S, TELL_S, TICK_S, Task, Turn, Work
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
        self.ran_at: list[tuple[str, float]] = []
        self.turns: list[Turn] = []
        self.often = asyncio.Event()  # set at the fifth run
        self.does = {"fast": 2, "slow": 3}
        self.step = 0.0  # of the wall clock, at the fifth run

    async def fast(self) -> int:
        self._note("fast")
        if self.ran.count("fast") >= 5:
            self.often.set()
        if self.ran.count("fast") == 5:
            self.clock.step(self.step)
        if self.error is not None:
            raise self.error
        return self.does["fast"]

    async def slow(self) -> int:
        self._note("slow")
        return self.does["slow"]

    def _note(self, name: str) -> None:
        self.ran.append(name)
        self.ran_at.append((name, self.clock.monotonic()))

    def work(self, holder: str = "one") -> Work:
        tasks = (
            Task(name="fast", every_s=0.5, step=self.fast),
            Task(name="slow", every_s=30.0, step=self.slow),
        )
        return Work(tasks, store=self.store, holder=holder, clock=self.clock, faults=self.faults, stop_grace_s=0.05)

    async def run_for(self, seconds: float, work: Work | None = None) -> None:
        """Let it run by itself until this much time has passed, and stop it; the clock is moved by its sleeps."""
        end, over = self.clock.monotonic() + seconds, asyncio.Event()

        def told(turn: Turn) -> None:
            self.turns.append(turn)
            if self.clock.monotonic() >= end:
                over.set()

        work = work or self.work()
        running = asyncio.create_task(work.run(told))
        await over.wait()
        await work.stop(running)
        assert running.done()

    async def last(self, task: str) -> LastRun:
        """What the store knows of a task's last run."""
        last = (await self.store.tasks())[task].last
        assert last is not None
        return last

    @property
    def leases(self) -> int:
        return self.store.health_of.calls.count("store.lease")


async def done(work: Work) -> int:
    return sum(turn.done for turn in await work.run_once())


@pytest.fixture
def desk(clock: MovableClock) -> Desk:
    return Desk(clock)


@pytest.mark.anyio
async def test_one_pass_runs_every_task_whatever_its_pace(desk: Desk) -> None:
    work = desk.work()
    assert await done(work) == 5
    assert await done(work) == 5
    assert desk.ran == ["fast", "slow", "fast", "slow"]


@pytest.mark.anyio
async def test_what_is_due_runs_at_its_pace(desk: Desk) -> None:
    await desk.run_for(90)
    for name, pace in (("fast", 0.5), ("slow", 30.0)):
        times = [at for ran, at in desk.ran_at if ran == name]
        gaps = [later - at for at, later in pairwise(times)]
        assert len(gaps) >= 2
        assert all(pace <= gap <= pace + 2 * TICK_S for gap in gaps)  # two tasks sleep, and each moves the clock


@pytest.mark.anyio
@pytest.mark.parametrize("step", [3_600, -3_600])
async def test_a_stepped_wall_clock_does_not_change_the_pace(desk: Desk, step: float) -> None:
    desk.step = step  # at the fifth run
    await desk.run_for(70)
    assert desk.ran.count("slow") == 3


@pytest.mark.anyio
async def test_g19_of_two_processes_only_the_holder_of_the_lease_works(desk: Desk) -> None:
    one, two = desk.work("one"), desk.work("two")
    assert await done(one) == 5
    assert await done(two) == 0
    assert desk.ran == ["fast", "slow"]


@pytest.mark.anyio
async def test_g19_a_holder_that_died_is_followed_after_its_lease(desk: Desk) -> None:
    await desk.work("dead").run_once()
    desk.clock.move(LEASE_S + 0.1)
    assert await done(desk.work("next")) == 5


@pytest.mark.anyio
async def test_a_holder_at_work_keeps_its_lease_for_as_long_as_it_works(desk: Desk) -> None:
    one, two = desk.work("one"), desk.work("two")
    for _ in range(60):
        await one.run_once()
        assert await done(two) == 0
        desk.clock.move(LEASE_S / 2)
    assert desk.ran.count("fast") == 60


@pytest.mark.anyio
async def test_a_lease_is_renewed_only_when_half_of_it_is_over(desk: Desk) -> None:
    desk.does = {"fast": 0, "slow": 0}
    work = desk.work()
    await work.run_once()
    assert desk.leases == 4  # once a task, and again to tell of the first run
    for _ in range(int(LEASE_S / 2 / 0.5)):
        assert desk.leases == 4
        await work.run_once()
        desk.clock.move(0.5)
    await work.run_once()
    assert desk.leases == 6


@pytest.mark.anyio
async def test_a_lease_that_was_lost_is_asked_for_again_each_time(desk: Desk) -> None:
    await desk.work("one").run_once()
    two, before = desk.work("two"), desk.leases
    await two.run_once()
    await two.run_once()
    assert desk.leases == before + 4


@pytest.mark.anyio
@pytest.mark.parametrize("error", [KeyError("address"), StoreError("disk full"), TimeoutError()])
async def test_a_task_that_raises_is_counted_and_does_not_stop_the_others(desk: Desk, error: Exception) -> None:
    desk.error = error
    work = desk.work()
    assert await done(work) == 3
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
    assert await done(work) == 0
    assert desk.ran == []
    assert [(fault.what, fault.why) for fault in desk.faults.all()] == [
        ("work fast", "disk full"),
        ("work slow", "disk full"),
    ]
    desk.store.fails("store.lease", None)
    assert await done(work) == 5


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

    assert await done(work(3)) == 3
    assert await done(work(30)) == 2


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
    assert await done(work) == 5


# ------------------------------------------------------------------ the end of a lease
@pytest.mark.anyio
async def test_a_lease_that_is_released_is_taken_over_at_once(desk: Desk) -> None:
    one, two = desk.work("one"), desk.work("two")
    await one.run_once()
    assert await done(two) == 0
    await one.release()
    assert await done(two) == 5
    await one.release()  # what it no longer has, it cannot release
    assert await done(one) == 0


@pytest.mark.anyio
async def test_a_release_takes_nothing_from_who_followed_a_holder_that_slept(desk: Desk) -> None:
    one, two, three = (desk.work(name) for name in ("one", "two", "three"))
    await one.run_once()
    desk.clock.move(LEASE_S + 0.1)
    assert await done(two) == 5
    await one.release()
    assert await done(three) == 0


@pytest.mark.anyio
async def test_who_held_nothing_asks_the_store_nothing_when_it_ends(desk: Desk) -> None:
    work = desk.work()
    await work.release()
    assert desk.store.health_of.calls == []


@pytest.mark.anyio
async def test_a_store_that_takes_no_release_is_counted_and_the_leases_lapse(desk: Desk) -> None:
    work = desk.work("one")
    await work.run_once()
    desk.store.fails("store.release", StoreError("disk full"))
    await work.release()
    assert [(fault.what, fault.why) for fault in desk.faults.all()] == [
        ("work", "its leases stand for 10 s more: disk full")
    ]
    assert await done(desk.work("two")) == 0
    desk.clock.move(LEASE_S + 0.1)
    assert await done(desk.work("two")) == 5


@pytest.mark.anyio
async def test_a_clock_that_was_set_back_blocks_no_lease(desk: Desk) -> None:
    await desk.work("dead").run_once()
    desk.clock.step(-86_400)
    assert await done(desk.work("next")) == 5


# ------------------------------------------------------------------ what is told of a run
@pytest.mark.anyio
async def test_g19_the_last_run_of_each_task_is_written_down(desk: Desk) -> None:
    work, began = desk.work(), desk.clock.now()
    await work.run_once()
    assert await desk.last("fast") == LastRun(
        holder=f"one-{os.getpid()}",
        started_at=began,
        ended_at=began,
        done=2,
        succeeded_at=began,
        failed_at=None,
        error="",
    )
    assert (await desk.last("slow")).done == 3


@pytest.mark.anyio
async def test_a_run_that_failed_says_why_and_when_one_last_went_well(desk: Desk) -> None:
    work, began = desk.work(), desk.clock.now()
    await work.run_once()
    desk.clock.move(1)
    desk.error = StoreError("disk full")
    await work.run_once()
    failed = await desk.last("fast")
    assert (failed.succeeded_at, failed.failed_at, failed.error, failed.failed) == (
        began,
        began + 1,
        "disk full",
        True,
    )
    desk.clock.move(1)
    desk.error = None
    await work.run_once()
    well = await desk.last("fast")
    assert (well.succeeded_at, well.failed_at, well.error, well.failed) == (began + 2, began + 1, "disk full", False)


@pytest.mark.anyio
async def test_idle_tasks_write_no_more_than_the_renewals_of_their_leases(desk: Desk) -> None:
    desk.does = {"fast": 0, "slow": 0}
    await desk.run_for(600)
    assert desk.ran.count("fast") > 500
    assert desk.leases <= 600 / (LEASE_S / 2) + 2 + 2 * desk.ran.count("slow")
    age = desk.clock.now() - (await desk.last("fast")).ended_at
    assert age <= TELL_S + 2 * TICK_S


@pytest.mark.anyio
async def test_a_task_that_fails_alike_again_and_again_is_told_as_seldom_as_an_idle_one(desk: Desk) -> None:
    desk.does["slow"] = 0
    desk.error = KeyError("address")
    await desk.run_for(300)
    assert desk.leases <= 300 / (LEASE_S / 2) + 2 + 2 * desk.ran.count("slow")
    assert (await desk.last("fast")).error.startswith("KeyError at test_work.py")


@pytest.mark.anyio
async def test_what_was_not_told_yet_is_told_with_the_release(desk: Desk) -> None:
    desk.does = {"fast": 0, "slow": 0}
    work = desk.work()
    await work.run_once()
    desk.clock.move(3)
    await work.run_once()
    assert (await desk.last("fast")).ended_at == desk.clock.now() - 3
    await work.release()
    assert (await desk.last("fast")).ended_at == desk.clock.now()


@pytest.mark.anyio
async def test_a_run_that_could_not_be_told_is_counted_and_told_later(desk: Desk) -> None:
    work = desk.work()
    await work.run_once()
    desk.clock.move(1)
    desk.store.fails("store.lease", StoreError("disk full"))
    assert await done(work) == 5
    assert desk.faults.of("work fast") == 1
    desk.store.fails("store.lease", None)
    await work.release()
    assert (await desk.last("fast")).ended_at == desk.clock.now()


@pytest.mark.anyio
async def test_who_has_what_was_left_to_another_is_told(desk: Desk) -> None:
    await desk.work("one").run_once()
    turns = await desk.work("two").run_once()
    holder = f"one-{os.getpid()}"
    assert turns == tuple(Turn(task=task, leased=False, holder=holder) for task in ("fast", "slow"))
    desk.store.fails("store.tasks", StoreError("disk full"))
    assert [turn.holder for turn in await desk.work("two").run_once()] == ["", ""]


@pytest.mark.anyio
async def test_who_cannot_hear_ends_the_work_of_all_tasks(desk: Desk) -> None:
    def deaf(turn: Turn) -> None:
        raise BrokenPipeError(turn.task)

    work = desk.work()
    with pytest.raises(BrokenPipeError):
        await work.run(deaf)
    await work.release()
    ran = len(desk.ran)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(desk.ran) == ran
    assert {state.holder for state in (await desk.store.tasks()).values()} == {None}


@pytest.mark.anyio
async def test_each_turn_is_told_while_it_goes_on(desk: Desk) -> None:
    desk.error = StoreError("disk full")
    await desk.run_for(1)
    assert desk.turns[:2] == [Turn(task="fast", error="disk full"), Turn(task="slow", done=3)]
