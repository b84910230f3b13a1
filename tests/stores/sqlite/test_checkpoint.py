"""The write-ahead log goes back into its file by itself."""

import time
from functools import partial
from pathlib import Path

import anyio
import pytest

from formwarden.stores.sqlite.store import SqliteStore
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
