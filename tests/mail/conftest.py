"""Every store that the mailing side is tested on; a module with a store of its own has that one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.ports import Store
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.mail.gate_samples import memory


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, clock: MovableClock, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield memory(clock)
        return
    file = SqliteStore(
        str(tmp_path / "formwarden.db"),
        clock=clock,
        entropy=system_entropy,
        settings=Stores(),
        faults=Faults(clock),
    )
    yield file
    await file.aclose()
