"""Which URLs name a store."""

from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.opening import open_store
from formwarden.stores.ports import Store
from formwarden.stores.settings import Stores
from tests.clock import MovableClock
from tests.stores.files import names
from tests.stores.samples import inquiry


def opened(url: str, clock: MovableClock) -> Store:
    return open_store(url, clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite:",
        "sqlite://",
        "sqlite://host/store.db",
        "sqlite:///",
        "sqlite:////",
        "sqlite:///folder/",
        "sqlite:///:memory:",
        "sqlite:///a\0b",
        "memory",
        "memory://x",
        "postgresql://user:hunter2@host/db",
        "valkey://:hunter2@host",
    ],
)
def test_any_other_url_is_refused_and_names_what_is_possible(url: str, clock: MovableClock) -> None:
    with pytest.raises(ValueError, match="sqlite:///file, sqlite:////absolute/file and memory://") as refused:
        opened(url, clock)
    assert "hunter2" not in str(refused.value)


@pytest.mark.anyio
async def test_three_slashes_are_relative_and_four_absolute(
    tmp_path: Path, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url, path in (("sqlite:///near.db", "near.db"), (f"sqlite:///{tmp_path}/far", "far")):
        store = opened(url, clock)
        assert not (tmp_path / path).exists(), "constructing touches no disk"
        assert await store.inquiries.keep(inquiry(1), lease_s=0) is None
        assert await store.health() is None
        await store.aclose()
    files = {name for name in names(tmp_path) if not name.endswith(".lock")}
    assert files == {"near.db", "near-volatile.db", "far", "far-volatile"}


@pytest.mark.anyio
async def test_a_store_that_cannot_be_opened_raises_at_its_first_call(tmp_path: Path, clock: MovableClock) -> None:
    store = opened(f"sqlite:///{tmp_path}/nowhere/store.db", clock)
    with pytest.raises(StoreError, match="its directory must exist"):
        await store.inquiries.get(b"1")
    assert "its directory must exist" in (await store.health() or "")
    await store.aclose()
