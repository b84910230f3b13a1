"""One file of each kind, and what surrounds it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.mounts import system_mounts
from formwarden.stores.sqlite.opening import Plan
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.stores.sqlite.writer import Surroundings
from tests.clock import MovableClock


@pytest.fixture
def faults(clock: MovableClock) -> Faults:
    return Faults(clock)


@pytest.fixture
def surroundings(clock: MovableClock, faults: Faults) -> Surroundings:
    return Surroundings(clock=clock, entropy=system_entropy, faults=faults, mounts=system_mounts, deadline_s=3.0)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    path = str(tmp_path / "file.db")
    return Plan(path=path, kind="durable", synchronous="FULL", secure_delete=True, rebuildable=False)


class Awaited:
    """The entropy that draws pauses between attempts: after the third attempt something happens."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.draws = 0
        self._then = then

    def __call__(self, size: int, /) -> bytes:
        self.draws += 1
        if self.draws == 3:
            self._then()
        return bytes(size)


@pytest.fixture
async def file(plan: Plan, surroundings: Surroundings) -> AsyncIterator[SqliteFile]:
    file = SqliteFile(plan, surroundings)
    yield file
    await file.aclose()


@pytest.fixture
async def store(tmp_path: Path, clock: MovableClock, faults: Faults) -> AsyncIterator[SqliteStore]:
    path = str(tmp_path / "store.db")
    store = SqliteStore(path, clock=clock, entropy=system_entropy, settings=Stores(), faults=faults)
    yield store
    await store.aclose()
