import asyncio
import inspect
from collections.abc import Awaitable, Generator

from uvicorn import Config

from formwarden.web.marking import returns_awaitable


class Done:
    def __await__(self) -> Generator[None]:
        yield


DONE = Done()


class App:
    @returns_awaitable
    def __call__(self, number: int) -> Awaitable[None]:
        assert number == 7
        return DONE


def is_coroutine_function(function: object) -> bool:
    """Ask as uvicorn and Starlette ask."""
    return asyncio.iscoroutinefunction(function) or inspect.iscoroutinefunction(function)


def test_servers_take_the_function_for_a_coroutine_function() -> None:
    assert is_coroutine_function(App().__call__)


def test_it_stays_a_plain_function_that_returns_what_it_returns() -> None:
    assert App()(7) is DONE


def test_another_function_is_not_marked() -> None:
    def plain() -> None:
        """Do nothing."""

    assert not is_coroutine_function(plain)


def test_uvicorn_speaks_asgi_3_to_it() -> None:
    config = Config(App())
    config.load()
    assert config.interface == "asgi3"
