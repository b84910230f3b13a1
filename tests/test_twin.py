import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import formwarden
from formwarden.errors import LateError, RunningLoopError
from formwarden.twin import BackgroundLoop

SRC = Path(formwarden.__file__).parents[1]


@pytest.fixture
def loop() -> Iterator[BackgroundLoop]:
    loop = BackgroundLoop()
    yield loop
    loop.close()


async def where() -> tuple[str, int]:
    return threading.current_thread().name, id(asyncio.get_running_loop())


async def forever() -> None:
    await asyncio.Event().wait()


async def failing() -> None:
    raise LookupError("no such form")


def test_coroutines_run_on_one_thread_of_their_own(loop: BackgroundLoop) -> None:
    first, second = loop.run(where()), loop.run(where())
    assert first == second
    assert first[0] == "formwarden"
    assert threading.current_thread().name != "formwarden"


def test_what_a_coroutine_raises_comes_through(loop: BackgroundLoop) -> None:
    with pytest.raises(LookupError, match="no such form"):
        loop.run(failing())


def test_many_threads_share_it(loop: BackgroundLoop) -> None:
    loops: set[int] = set()
    threads = [threading.Thread(target=lambda: loops.add(loop.run(where())[1])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 1


@pytest.mark.anyio
async def test_inside_a_running_loop_it_says_what_to_do_instead(loop: BackgroundLoop) -> None:
    with pytest.raises(RunningLoopError, match="running event loop: `await`"):
        loop.run(where())  # the coroutine is closed: a warning would fail this test


def test_what_takes_too_long_is_cancelled(loop: BackgroundLoop) -> None:
    ended = threading.Event()

    async def waits() -> None:
        try:
            await forever()
        finally:
            ended.set()

    with pytest.raises(LateError, match="it was cancelled"):
        loop.run(waits(), deadline_s=0.01)
    assert ended.wait(5)


def test_what_must_not_be_cut_short_goes_on_when_nobody_waits_any_more(loop: BackgroundLoop) -> None:
    going, kept, begun = asyncio.Event(), threading.Event(), threading.Event()

    async def keeps() -> None:
        begun.set()
        await going.wait()
        kept.set()

    async def goes() -> None:
        going.set()

    with pytest.raises(LateError, match="goes on by itself"):
        loop.run_through(keeps(), deadline_s=0.01)
    assert begun.wait(5)
    gc.collect()  # nobody but the loop itself knows it now
    loop.run(goes())
    assert kept.wait(5)


def test_a_timeout_of_the_coroutines_own_is_no_lateness_of_ours(loop: BackgroundLoop) -> None:
    async def late_itself() -> None:
        raise TimeoutError("its own")

    for run in (loop.run, loop.run_through):
        with pytest.raises(TimeoutError, match="its own") as raised:
            run(late_itself())
        assert not isinstance(raised.value, LateError)


def test_closing_cancels_what_runs(loop: BackgroundLoop) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def waits() -> None:
        begun.set()
        try:
            await forever()
        finally:
            ended.set()

    loop.spawn(waits())
    assert begun.wait(5)
    loop.close()
    assert ended.wait(5)


@pytest.mark.parametrize("_round", range(10))
def test_of_many_first_callers_one_makes_the_loop(_round: int, loop: BackgroundLoop) -> None:
    together = threading.Barrier(4)
    loops: set[int] = set()

    def first() -> None:
        together.wait()
        loops.add(loop.run(where())[1])

    threads = [threading.Thread(target=first) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 1


def test_spawning_does_not_wait(loop: BackgroundLoop) -> None:
    going = asyncio.Event()
    ended: list[bool] = []

    async def waits() -> None:
        ended.append(await going.wait())

    async def goes() -> None:
        going.set()

    loop.spawn(waits())
    assert ended == []
    loop.run(goes())
    loop.run(where())
    assert ended == [True]


def test_closed_it_begins_anew(loop: BackgroundLoop) -> None:
    loop.run(where())
    loop.close()
    assert loop.run(where())[0] == "formwarden"


def test_closing_before_the_first_call_does_nothing() -> None:
    BackgroundLoop().close()


def run_python(program: str) -> str:
    """Run a program in an interpreter of its own: a fork copies everything this one has."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_after_a_fork_it_is_made_anew() -> None:
    out = run_python(
        """
        import os
        from formwarden.twin import BackgroundLoop

        async def process():
            return os.getpid()

        loop = BackgroundLoop()
        assert loop.run(process()) == os.getpid()
        child = os.fork()
        if child == 0:
            same = loop.run(process(), deadline_s=10) == os.getpid()
            os._exit(0 if same else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert loop.run(process()) == os.getpid()
        print("both")
        """
    )
    assert out.strip() == "both"


def test_no_thread_lives_over_a_fork_and_what_it_did_goes_on_afterwards() -> None:
    out = run_python(
        """
        import asyncio, os, threading
        from formwarden.twin import BackgroundLoop

        counted, threads = 0, []
        # registered before the loop's own, so called after it: what is alive while the process is copied
        os.register_at_fork(before=lambda: threads.append([each.name for each in threading.enumerate()]))

        async def counts():
            global counted
            while True:
                counted += 1
                await asyncio.sleep(0)

        async def until(number):
            while counted < number:
                await asyncio.sleep(0)
            return counted

        loop = BackgroundLoop()
        loop.spawn(counts())
        loop.run(until(10))
        child = os.fork()
        if child == 0:
            here = counted
            alone = loop.run(asyncio.sleep(0, result=counted), deadline_s=10) == here  # the parent's task is not ours
            os._exit(0 if alone else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert loop.run(until(counted + 100)) >= 100
        assert threads == [["MainThread"]]
        print("goes on")
        """
    )
    assert out.strip() == "goes on"


def test_a_step_that_blocks_holds_a_fork_up_for_a_moment_only() -> None:
    out = run_python(
        """
        import os, threading
        from formwarden import twin
        twin.PATIENCE_S = 0.01

        release, blocks = threading.Event(), threading.Event()

        async def block():
            blocks.set()
            release.wait()
            return "released"

        async def process():
            return os.getpid()

        loop = twin.BackgroundLoop()
        loop.spawn(block())
        blocks.wait()
        child = os.fork()
        if child == 0:
            os._exit(0 if loop.run(process(), deadline_s=10) == os.getpid() else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        release.set()
        assert loop.run(process()) == os.getpid()
        print("both")
        """
    )
    assert out.strip() == "both"


def test_a_grandchild_begins_anew_whatever_its_number() -> None:
    out = run_python(
        """
        import os
        from formwarden.twin import BackgroundLoop

        async def process():
            return os.getpid()

        def forked(depth):
            child = os.fork()
            if child == 0:
                right = loop.run(process(), deadline_s=10) == os.getpid()
                os._exit(0 if right and (depth == 0 or forked(depth - 1)) else 1)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

        loop = BackgroundLoop()
        assert loop.run(process()) == os.getpid()
        assert forked(3)
        print("all")
        """
    )
    assert out.strip() == "all"


def test_a_child_that_ends_takes_nothing_from_its_parents_loop() -> None:
    out = run_python(
        """
        import asyncio, os, socket, sys
        from formwarden.twin import BackgroundLoop

        async def process():
            return os.getpid()

        async def talk():
            try:
                reader, writer = await asyncio.open_connection(sock=near)
                started.append(True)
                heard = await reader.readline()
                writer.close()
                return heard
            finally:
                print("cleaned up in", "parent" if os.getpid() == parent else "child", flush=True)

        parent, started, loop = os.getpid(), [], BackgroundLoop()
        near, far = socket.socketpair()
        loop.spawn(heard := talk())
        while not started:
            loop.run(process())
        child = os.fork()
        if child == 0:
            loop.run(process())
            sys.exit(0)  # what the interpreter deletes at its end is deleted here
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        far.sendall(b"hello\\n")
        for _ in range(1000):
            loop.run(process(), deadline_s=5)
            if heard.cr_frame is None:
                break
        print("hears")
        """
    )
    assert out.split() == ["cleaned", "up", "in", "parent", "hears"]
