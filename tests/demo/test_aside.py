"""Tests of `formwarden.demo.aside`."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from formwarden.demo.aside import Aside


class Serving:
    """A server that notes where it ran and that it ended."""

    def __init__(self, error: OSError | None = None) -> None:
        self.threads: list[str] = []
        self.ended = 0
        self._error = error

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[str]:
        if self._error is not None:
            raise self._error
        asyncio.get_running_loop()
        self.threads.append(threading.current_thread().name)
        yield "somewhere"
        self.ended += 1


def test_it_serves_in_a_thread_of_its_own_until_the_block_ends() -> None:
    serving = Serving()
    aside = Aside("aside", serving)
    for _ in range(2):
        with aside.running() as address:
            assert address == "somewhere"
    assert serving.threads == ["aside", "aside"]
    assert serving.ended == 2


def test_what_cannot_start_says_so_to_its_caller_and_leaves_no_thread() -> None:
    aside = Aside("aside that fails", Serving(OSError("the port is taken")))
    with pytest.raises(OSError, match="the port is taken"), aside.running():
        pass
    assert "aside that fails" not in [thread.name for thread in threading.enumerate()]
    aside.stop()
