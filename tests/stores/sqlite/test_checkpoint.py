"""The write-ahead log goes back into its file by itself."""

import os
import time
from functools import partial
from pathlib import Path

import anyio
import pytest

from formwarden.faults import Faults
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.locks import open_lock, try_lock
from formwarden.stores.sqlite.opening import Plan
from formwarden.stores.sqlite.store import SqliteStore
from formwarden.stores.sqlite.writer import Surroundings
from tests.clock import MovableClock
from tests.stores.samples import inquiry

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_what_was_written_reaches_the_file_while_it_is_open(store: SqliteStore, tmp_path: Path) -> None:
    await store.inquiries.keep(inquiry(1, body=b"x" * 1_000_000), lease_s=0)
    end = time.monotonic() + 30
    while (tmp_path / "store.db").stat().st_size < 1_000_000:
        assert time.monotonic() < end
        await anyio.sleep(0.05)


async def test_a_log_that_writers_never_leave_alone_starts_anew(store: SqliteStore, tmp_path: Path) -> None:
    written = 0
    while written < log_bytes(tmp_path) + 40_000_000:  # else it holds all that was ever written
        async with anyio.create_task_group() as group:
            for number in range(8):
                kept = inquiry(f"{written} {number}", body=b"x" * 500_000)
                group.start_soon(partial(store.inquiries.keep, kept, lease_s=0))
        written += 4_000_000
        assert written < 800_000_000


def log_bytes(folder: Path) -> int:
    """The size of the write-ahead log."""
    return (folder / "store.db-wal").stat().st_size if (folder / "store.db-wal").exists() else 0


async def test_a_checkpointer_that_meets_a_bug_gives_the_lead_away(
    plan: Plan, clock: MovableClock, faults: Faults, surroundings: Surroundings
) -> None:
    def broken(_: int, /) -> bytes:
        raise RuntimeError("no entropy today")

    file = SqliteFile(
        plan, Surroundings(clock=clock, entropy=broken, faults=faults, mounts=surroundings.mounts, deadline_s=3.0)
    )
    lead = open_lock(f"{plan.path}-checkpoint.lock")
    assert try_lock(lead)
    await file.read(lambda _: None)
    opening = open_lock(f"{plan.path}.lock")
    assert try_lock(opening)
    os.close(lead)  # now it takes the lead, cannot open, and draws a pause
    end = time.monotonic() + 30
    while faults.of("store checkpoint") == 0:
        assert time.monotonic() < end
        await anyio.sleep(0.05)
    os.close(opening)
    lead = open_lock(f"{plan.path}-checkpoint.lock")
    while not try_lock(lead):
        assert time.monotonic() < end
        await anyio.sleep(0.05)
    os.close(lead)
    await file.aclose()
