"""Fixtures that every test may use."""

import pytest

from tests.clock import MovableClock


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()
