"""Fixtures that every test may use."""

import pytest
from hypothesis import settings

from tests.clock import MovableClock

pytest_plugins = ["tests.proof"]

# How long one example takes says how busy the machine is, and nothing of the code.
settings.register_profile("formwarden", deadline=None)
settings.load_profile("formwarden")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()
