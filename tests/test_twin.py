import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import formwarden
from formwarden.errors import RunningLoopError
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

    with pytest.raises(TimeoutError):
        loop.run(waits(), deadline_s=0.01)
    assert ended.wait(5)


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
