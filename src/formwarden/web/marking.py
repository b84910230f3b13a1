"""Tells servers that a plain function returns an awaitable, so that a request we do not guard costs no await."""

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R", bound=Awaitable[None])


def returns_awaitable(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function as a coroutine function: uvicorn otherwise takes the app for ASGI 2."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(function)
    marker = getattr(asyncio.coroutines, "_is_coroutine")  # noqa: B009 - what 3.12 made public, under its old name
    setattr(function, "_is_coroutine", marker)  # noqa: B010 - the same
    return function
