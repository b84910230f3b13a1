import asyncio
import gc
import os
import threading
from io import UnsupportedOperation
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.allowance import Allowance, NoRoomError
from formwarden.spool import SLOW_FOR_S, SLOW_S, Spool, Spools
from tests.clock import MovableClock

BODY = bytes(range(256)) * 40


def descriptors() -> int:
    """How many files and sockets this process has open."""
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


def spooled(*chunks: bytes, allowance: Allowance | None = None) -> Spool:
    spool = Spool(None, (allowance or Allowance(1 << 20)).share())
    spool.append(chunks)
    return spool


# ------------------------------------------------------------------ what is written is read
@given(chunks=st.lists(st.binary(max_size=40), max_size=8), start=st.integers(0, 60), length=st.integers(0, 60))
def test_what_was_written_is_read_anywhere(chunks: list[bytes], start: int, length: int) -> None:
    body = b"".join(chunks)
    spool = spooled(*chunks[:3])
    spool.append(chunks[3:])
    try:
        assert (spool.size, spool.read()) == (len(body), body)
        start = min(start, len(body))
        assert spool.read_at(start, length) == body[start : start + length]
        with spool.window(start, length) as window:
            assert window.read() == body[start : start + length]
    finally:
        spool.close()


def test_more_pieces_than_one_write_takes_are_written() -> None:
    spool = spooled(*[b"ab"] * 3_000)
    assert spool.read() == b"ab" * 3_000
    spool.close()


def test_the_file_has_no_name(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path), Allowance(1 << 20).share())
    spool.append((BODY,))
    assert list(tmp_path.iterdir()) == []
    spool.close()


def test_a_file_that_became_shorter_is_said() -> None:
    spool = spooled(BODY)
    with spool.use() as descriptor:
        os.ftruncate(descriptor, 10)
    with pytest.raises(OSError, match="shorter"):
        spool.read()
    spool.close()


# ------------------------------------------------------------------ windows
def test_a_window_is_a_file_of_its_own_place() -> None:
    spool = spooled(BODY)
    one, other = spool.window(100, 1_000), spool.window(100, 1_000)
    assert one.read(7) == BODY[100:107]
    assert (one.tell(), other.tell()) == (7, 0)
    assert other.seek(-3, os.SEEK_END) == 997
    assert other.read() == BODY[1_097:1_100]
    assert one.seek(990) == 990
    assert (one.seek(5, os.SEEK_CUR), one.read(), one.read()) == (995, BODY[1_095:1_100], b"")
    assert one.seek(5_000) == 5_000
    assert (one.read(), one.read(3)) == (b"", b"")
    assert (one.readable(), one.seekable(), one.writable()) == (True, True, False)
    for offset, whence in ((-1, os.SEEK_SET), (-2_000, os.SEEK_END)):
        with pytest.raises(ValueError, match="negative"):
            one.seek(offset, whence)
    for change in (one.write, one.truncate):
        with pytest.raises(UnsupportedOperation):
            change(b"x")  # type: ignore[arg-type]  # neither takes anything
    one.close()
    with pytest.raises(ValueError, match="closed"):
        one.read()
    other.close()
    spool.close()


def test_a_window_reads_lines_and_into_buffers() -> None:
    spool = spooled(b"one\ntwo\nthree")
    with spool.window(4, 9) as window:
        assert list(window) == [b"two\n", b"three"]
    with spool.window(0, 100) as window:
        assert window.read(100) == b"one\ntwo\nthree"
    spool.close()


# ------------------------------------------------------------------ how long it lives
def test_a_window_outlives_the_request_and_its_file_goes_with_the_last() -> None:
    allowance, before = Allowance(1 << 20), descriptors()
    spool = spooled(allowance=allowance)
    share = allowance.share()
    share.grow(len(BODY), within=True)
    spool = Spool(None, share)
    spool.append((BODY,))
    first, last = spool.window(0, 10), spool.window(10, 10)
    spool.close()
    assert first.read() == BODY[:10]
    first.close()
    assert allowance.held == len(BODY)
    assert last.read() == BODY[10:20]
    last.close()
    assert (allowance.held, descriptors()) == (0, before)


def test_a_window_that_nobody_closes_goes_with_its_last_reader() -> None:
    before = descriptors()
    spool = spooled(BODY)
    window = spool.window(0, 10)
    spool.close()
    assert descriptors() == before + 1
    del window
    assert descriptors() == before


def test_a_spool_that_was_left_goes_with_whoever_held_it() -> None:
    allowance, before = Allowance(1 << 20), descriptors()
    share = allowance.share()
    share.grow(5, within=True)
    spool = Spool(None, share)
    assert descriptors() == before + 1
    del spool
    assert (descriptors(), allowance.held) == (before, 0)


def test_a_closed_one_is_read_by_nobody_and_no_other_file_in_its_place() -> None:
    spool = spooled(BODY)
    spool.close()
    spool.close()
    other = spooled(b"somebody else's")  # gets the number that became free
    for read in (spool.read, lambda: spool.window(0, 3), lambda: spool.append((b"x",))):
        with pytest.raises(OSError, match="gone"):
            read()
    other.close()


def test_the_file_stays_open_while_another_thread_uses_it() -> None:
    before = descriptors()
    spool = spooled(BODY)
    inside, go_on = threading.Event(), threading.Event()
    read: list[bytes] = []

    def use() -> None:
        with spool.use() as descriptor:
            inside.set()
            go_on.wait(10)
            read.append(os.pread(descriptor, 5, 0))

    thread = threading.Thread(target=use)
    thread.start()
    assert inside.wait(10)
    spool.close()
    go_on.set()
    thread.join(10)
    assert (read, descriptors()) == ([BODY[:5]], before)


@pytest.mark.anyio
async def test_a_directory_that_cannot_be_written_is_no_room(tmp_path: Path) -> None:
    spools = Spools(directory=str(tmp_path / "none"), budget=100, clock=MovableClock())
    with pytest.raises(NoRoomError, match=r"No such file or directory \(FORMWARDEN_SPOOL_DIR\)"):
        spools.open(spools.allowance.share())


@pytest.mark.anyio
async def test_a_full_disk_is_no_room() -> None:
    """`/dev/full` takes nothing, as a full disk: the spool's file is put in its place."""
    spools = Spools(directory=None, budget=100, clock=MovableClock())
    spool = spools.open(spools.allowance.share())
    full = os.open("/dev/full", os.O_RDWR)
    with spool.use() as descriptor:
        os.dup2(full, descriptor)
    os.close(full)
    with pytest.raises(NoRoomError, match="No space left on device"):
        await spools.append(spool, (BODY,))
    spool.close()


# ------------------------------------------------------------------ a slow disk
class TimedStep:
    """Takes its time on the clock, and notes which thread ran it."""

    def __init__(self, clock: MovableClock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.threads: list[bool] = []

    def __call__(self) -> int:
        self.threads.append(threading.current_thread() is threading.main_thread())
        self.clock.move(self.seconds)
        return len(self.threads)


@pytest.mark.anyio
async def test_steps_run_here_until_one_was_slow_and_then_aside_for_a_while(clock: MovableClock) -> None:
    spools = Spools(directory=None, budget=100, clock=clock)
    step = TimedStep(clock, SLOW_S / 2)
    assert [await spools.step(step) for _ in range(2)] == [1, 2]
    step.seconds = SLOW_S * 2
    await spools.step(step)
    step.seconds = 0.0
    await spools.step(step)
    clock.move(SLOW_FOR_S)
    await spools.step(step)
    assert step.threads == [True, True, True, False, True]


@pytest.mark.anyio
async def test_the_loop_goes_on_while_a_step_is_aside(clock: MovableClock) -> None:
    spools = Spools(directory=None, budget=100, clock=clock)
    loop, reached = asyncio.get_running_loop(), threading.Event()
    loop.call_soon(reached.set)
    assert await spools.aside(lambda: reached.wait(10))


@pytest.mark.anyio
async def test_what_a_step_raises_comes_through(clock: MovableClock) -> None:
    spools = Spools(directory=None, budget=100, clock=clock)

    def fails() -> None:
        raise OSError(5, "broken")

    for run in (spools.step, spools.aside):
        with pytest.raises(OSError, match="broken"):
            await run(fails)


def test_a_fork_makes_threads_of_its_own(clock: MovableClock) -> None:
    spools = Spools(directory=None, budget=100, clock=clock)
    asyncio.run(spools.aside(lambda: None))
    child = os.fork()
    if child == 0:
        os._exit(asyncio.run(asyncio.wait_for(spools.aside(lambda: 7), 10)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
