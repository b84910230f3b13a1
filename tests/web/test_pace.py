import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.web.pace import LOOKS, QUICK_S, BodyLateError, Pace, PaceLimits, Watch
from formwarden.web.settings import Web

LIMITS = PaceLimits.of(Web())
KIB = 1024
SLOT_S = 0.5  # what is rounded to the client's favour


def left(*came: tuple[int, float], limits: PaceLimits = LIMITS) -> float:
    """How long we may wait after (bytes, seconds waited for them)."""
    pace = Pace(limits)
    for size, waited in came:
        pace.came(size, waited)
    return pace.left_s()


# ------------------------------------------------------------------ what is asked of a client
@pytest.mark.parametrize(
    ("came", "left_s"),
    [
        ([], 10.0),
        ([(0, 0.0)], 10.0),
        ([(1, 4.0)], 6.0),
        ([(8 * KIB, 4.0), (8 * KIB - 1, 4.0)], 2.0),  # not yet 16 KiB
        ([(16 * KIB, 4.0)], 10.0),  # from now on 40 KiB in any ten seconds
        ([(16 * KIB, 9.0), (39 * KIB, 9.0)], 1.0),  # not yet 40
        ([(16 * KIB, 0.0), (40 * KIB, 0.0)], 10.5),
        ([(16 * KIB, 0.0), (40 * KIB, 6.0)], 10.5),
        ([(16 * KIB, 0.0), (20 * KIB, 3.0), (20 * KIB, 3.0)], 7.5),  # until the first 20 leave the window
        ([(16 * KIB, 0.0), (20 * KIB, 3.0), (40 * KIB, 3.0)], 10.5),
        ([(16 * KIB, 0.0), (1 * KIB, 1.0), (39 * KIB, 5.0)], 5.5),
        ([(10_000 * KIB, 0.0)] * 9, 10.5),
        ([(40 * KIB, 9.5)] * 31, 5.5),  # five minutes in all
        ([(16 * KIB, 12.0)], 10.0),  # it came, if late
    ],
)
def test_a_client_may_let_us_wait_so_long(came: Sequence[tuple[int, float]], left_s: float) -> None:
    assert left(*came) == pytest.approx(left_s, abs=1e-6)


@given(sizes=st.lists(st.integers(1, 30_000), min_size=10, max_size=80), period=st.floats(0.2, 4.0))
def test_who_keeps_the_pace_is_never_late(sizes: list[int], period: float) -> None:
    """A steady client: in any ten seconds it sends what is asked."""
    pace = Pace(LIMITS)
    share = 40 * KIB / (10 // period)
    waited = 0.0
    for size in sizes:
        pace.came(max(size, ceil(share)), period)
        waited += period
        if waited < 290:
            assert pace.left_s() >= period - 1e-6


@given(period=st.floats(0.05, 4.0), share=st.floats(0.1, 0.9))
def test_who_sends_less_is_late_soon(period: float, share: float) -> None:
    pace = Pace(LIMITS)
    pace.came(16 * KIB, 0.0)
    waited = 0.0
    while pace.left_s() > period and waited < 400:
        pace.came(round(4_096 * period * share), period)
        waited += period
    assert waited <= 10.0 + SLOT_S


@pytest.mark.parametrize(("size", "waited"), [(1, 0.0), (1, 0.001), (40, 0.01), (50_000, 0.01)])
def test_what_is_remembered_of_a_client_is_little(size: int, waited: float) -> None:
    pace = Pace(LIMITS)
    pace.came(16 * KIB, 0.0)
    tracemalloc.start()
    for _ in range(20_000):
        pace.came(size, waited)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 10_000


# ------------------------------------------------------------------ the watch
class QuickLoop(asyncio.SelectorEventLoop):
    """A loop whose time is moved by hand: it leaps to the next timer where nothing else is to be done."""

    ahead = 0.0
    asked = 0

    def time(self) -> float:
        self.asked += 1
        return super().time() + self.ahead

    def leap(self, seconds: float) -> None:
        self.ahead += seconds


def run(client: Callable[[QuickLoop, Watch], Awaitable[object]]) -> object:
    """Run one read under watch, in a loop of its own."""
    loop = QuickLoop()

    async def read() -> object:
        with Watch(LIMITS) as watch:
            return await client(loop, watch)

    try:
        return loop.run_until_complete(read())
    finally:
        loop.close()


async def wait(loop: QuickLoop, watch: Watch, seconds: float, size: int) -> None:
    """Let the watch wait for the client."""
    watch.waits()
    await turns(loop, QUICK_S)
    await turns(loop, seconds - QUICK_S)
    watch.came(size)


async def turns(loop: QuickLoop, seconds: float) -> None:
    """Let time pass, and then the loop have its turns."""
    loop.leap(seconds)
    for _ in range(8):
        await asyncio.sleep(0)


def test_who_sends_nothing_for_ten_seconds_is_late() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> None:
        await wait(loop, watch, 9.9, 1)
        await wait(loop, watch, 0.3, 1)

    with pytest.raises(BodyLateError):
        run(client)


def test_who_is_in_time_is_not_late_and_nothing_is_left_behind() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> str:
        await wait(loop, watch, 9.9, 16 * KIB)
        for _ in range(5):
            await wait(loop, watch, 9.9, 40 * KIB)
        return "read"

    assert run(client) == "read"


def test_only_waiting_for_the_client_counts() -> None:
    """Time that we spend ourselves, or that the server pauses us, is nobody's fault."""

    async def client(loop: QuickLoop, watch: Watch) -> str:
        await wait(loop, watch, 5.0, 1)
        await turns(loop, 100.0)
        await wait(loop, watch, 4.9, 16 * KIB)
        return "read"

    assert run(client) == "read"


def test_a_watch_goes_on_after_a_pause_of_our_own() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> None:
        await wait(loop, watch, 5.0, 1)
        await turns(loop, 100.0)
        await wait(loop, watch, 5.2, 1)

    with pytest.raises(BodyLateError):
        run(client)


def test_what_has_arrived_while_the_loop_was_held_up_is_not_late() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> str:
        watch.waits()
        await turns(loop, QUICK_S)
        loop.leap(60.0)  # the loop had no turn: the message lies in the server's buffer
        for _ in range(LOOKS):
            await asyncio.sleep(0)
        watch.came(16 * KIB)
        return "read"

    assert run(client) == "read"


def test_a_body_that_is_there_at_once_has_no_clock_of_its_own() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> object:
        asked = loop.asked
        for _ in range(100):
            watch.waits()
            await asyncio.sleep(0)
            watch.came(5)
        return loop.asked - asked

    assert run(client) in range(120)  # by the turns of the loop itself


def test_being_cancelled_is_being_cancelled() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> None:
        task = asyncio.current_task()
        assert task is not None
        watch.waits()
        loop.call_soon(task.cancel)
        await asyncio.Event().wait()

    with pytest.raises(asyncio.CancelledError):
        run(client)


def test_being_cancelled_in_the_moment_of_being_late_is_being_cancelled() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> None:
        task = asyncio.current_task()
        assert task is not None
        watch.waits()
        await turns(loop, QUICK_S)
        loop.leap(11.0)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            task.cancel()
            raise

    with pytest.raises(asyncio.CancelledError):
        run(client)


def test_a_receive_that_swallows_the_cancellation_is_late_all_the_same() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> str:
        watch.waits()
        await turns(loop, QUICK_S)
        loop.leap(11.0)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "a message"
        return "never"

    with pytest.raises(BodyLateError):
        run(client)


def test_an_error_of_the_servers_own_passes() -> None:
    async def client(loop: QuickLoop, watch: Watch) -> None:
        watch.waits()
        await turns(loop, QUICK_S)
        loop.leap(11.0)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TimeoutError("keep-alive") from None

    with pytest.raises(TimeoutError, match="keep-alive"):
        run(client)


def test_outside_of_a_task_there_is_nothing_to_watch() -> None:
    loop = asyncio.new_event_loop()
    raised: list[BaseException] = []

    def callback() -> None:
        try:
            with Watch(LIMITS):
                pass
        except RuntimeError as error:
            raised.append(error)
        loop.stop()

    loop.call_soon(callback)
    loop.run_forever()
    loop.close()
    assert len(raised) == 1
