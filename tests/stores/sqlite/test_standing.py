"""What happens when files are moved, replaced or removed under an open store."""

import os
import shutil
import signal
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.settings import Stores
from formwarden.stores.sqlite.locks import open_lock, try_lock
from formwarden.stores.sqlite.standing import belongs_elsewhere, files_at, written
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.files import names
from tests.stores.samples import inquiry
from tests.stores.sqlite.test_processes import keeps, program, run

pytestmark = pytest.mark.anyio
DATABASE, LOG, OTHER, OTHER_LOG = (1, 10), (1, 11), (1, 20), (1, 21)


def opened(path: Path, clock: MovableClock, faults: Faults | None = None) -> SqliteStore:
    return SqliteStore(
        str(path), clock=clock, entropy=system_entropy, settings=Stores(), faults=faults or Faults(clock)
    )


async def receipts(store: SqliteStore) -> set[str]:
    return {found.receipt for found in (await store.inquiries.find(())).rows}


def is_whole(path: Path) -> bool:
    connection = apsw.Connection(str(path))
    try:
        return bool(connection.execute("PRAGMA integrity_check").get == "ok")
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("files", "elsewhere"),
    [
        ((DATABASE, LOG, None), False),
        ((DATABASE, OTHER_LOG, None), False),
        ((OTHER, LOG, None), True),
        ((OTHER, OTHER_LOG, None), False),
        ((OTHER, None, None), False),
        ((None, LOG, None), True),
    ],
)
def test_a_log_belongs_elsewhere_where_it_stayed_and_its_database_did_not(
    files: tuple[tuple[int, int] | None, tuple[int, int] | None, None], *, elsewhere: bool
) -> None:
    assert belongs_elsewhere(written((DATABASE, LOG, None)), files) is elsewhere
    for note in (b"", b"1\n", b"torn 1 2", written((None, None, None))):
        assert not belongs_elsewhere(note, files), "nobody knows"


async def test_a_backup_put_in_the_place_of_an_open_file_gets_nothing_of_its_log(
    store: SqliteStore, tmp_path: Path, clock: MovableClock, faults: Faults
) -> None:
    path = tmp_path / "store.db"
    await store.inquiries.keep(inquiry(1), lease_s=0)
    await store.aclose()
    shutil.copy(path, tmp_path / "backup.db")
    await store.inquiries.keep(inquiry(2), lease_s=0)
    other = opened(path, clock)
    await other.inquiries.keep(inquiry(3), lease_s=0)
    path.rename(tmp_path / "old.db")
    (tmp_path / "backup.db").rename(path)
    await store.inquiries.keep(inquiry(4), lease_s=0)
    assert await receipts(other) == await receipts(store) == {"R-1", "R-4"}
    assert faults.of("store replaced") == 1
    await other.aclose()
    await store.aclose()
    assert is_whole(path)
    assert is_whole(tmp_path / "old.db")
    old = opened(tmp_path / "old.db", clock)
    assert await receipts(old) == {"R-1", "R-2", "R-3"}, "what was in the log went into its own file"
    await old.aclose()


@pytest.mark.slow
async def test_a_backup_put_beside_the_log_of_a_dead_process_gets_nothing_of_it(
    store: SqliteStore, tmp_path: Path, clock: MovableClock, faults: Faults
) -> None:
    backup = opened(tmp_path / "backup.db", clock)
    await backup.inquiries.keep(inquiry("backup"), lease_s=0)
    await backup.aclose()
    assert run("leave", tmp_path / "store.db").returncode == 0
    (tmp_path / "backup.db").replace(tmp_path / "store.db")
    assert await receipts(store) == {"R-backup"}
    assert faults.of("store replaced") == 1
    assert "store.db-wal.replaced" in names(tmp_path), "nothing is thrown away"


@pytest.mark.slow
async def test_a_folder_copied_with_its_log_keeps_all_of_it(
    tmp_path: Path, clock: MovableClock, faults: Faults
) -> None:
    (tmp_path / "site").mkdir()
    assert run("leave", tmp_path / "site" / "store.db").returncode == 0
    assert (tmp_path / "site" / "store.db-wal").stat().st_size > 0
    shutil.copytree(tmp_path / "site", tmp_path / "copy")
    store = opened(tmp_path / "copy" / "store.db", clock, faults)
    assert await receipts(store) == {"R-1"}
    assert faults.all() == ()
    await store.aclose()


@pytest.mark.slow
@pytest.mark.parametrize("rest", ["-wal", "-shm"])
async def test_a_log_or_its_index_removed_while_others_write_loses_nothing(
    store: SqliteStore, tmp_path: Path, rest: str
) -> None:
    path = tmp_path / "store.db"
    with program("obey", path) as process:
        assert keeps(process, "1", 100_000) == "kept"
        await store.inquiries.keep(inquiry(2, body=b"x" * 100_000), lease_s=0)
        (tmp_path / f"store.db{rest}").unlink()
        assert keeps(process, "3", 100_000) == "kept"
        await store.inquiries.keep(inquiry(4), lease_s=0)
        assert keeps(process, "5") == "kept"
        assert await receipts(store) == {f"R-{number}" for number in range(1, 6)}
        process.send_signal(signal.SIGKILL)
    assert await receipts(store) == {f"R-{number}" for number in range(1, 6)}
    await store.aclose()
    assert is_whole(path)


@pytest.mark.slow
async def test_a_log_removed_before_it_was_written_back_is_told_and_spoils_nothing(
    store: SqliteStore, tmp_path: Path, faults: Faults
) -> None:
    path = tmp_path / "store.db"
    lead = open_lock(f"{path}-checkpoint.lock")
    assert try_lock(lead), "so that nothing is written back"
    with program("obey", path) as process:
        assert {keeps(process, f"lost {number}", 1_000) for number in range(40)} == {"kept"}
        (tmp_path / "store.db-wal").unlink()
        await store.inquiries.keep(inquiry(2), lease_s=0)
        assert faults.of("store log") == 1
        assert keeps(process, "3") == "kept"
        await store.inquiries.keep(inquiry(4), lease_s=0)
        assert await receipts(store) >= {"R-2", "R-3", "R-4"}, "no old page was laid under a new log"
    os.close(lead)
    await store.aclose()
    assert is_whole(path)


async def test_a_file_swapped_for_a_link_is_not_followed_and_its_return_is_noticed(
    store: SqliteStore, tmp_path: Path, clock: MovableClock
) -> None:
    path = tmp_path / "store.db"
    await store.inquiries.keep(inquiry(1), lease_s=0)
    other = opened(tmp_path / "other.db", clock)
    await other.inquiries.keep(inquiry("other"), lease_s=0)
    await other.aclose()
    untouched = (tmp_path / "other.db").read_bytes()
    path.rename(tmp_path / "moved.db")
    path.symlink_to(tmp_path / "other.db")
    with pytest.raises(StoreError, match=r"store\.db has become a link: put the file itself there"):
        await store.inquiries.keep(inquiry(2), lease_s=0)
    assert (tmp_path / "other.db").read_bytes() == untouched
    path.unlink()
    (tmp_path / "moved.db").rename(path)
    clock.move(1)
    assert await receipts(store) == {"R-1"}


async def test_a_link_in_the_settings_is_followed_once_so_that_all_share_one_lock(
    tmp_path: Path, clock: MovableClock
) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link.db").symlink_to(tmp_path / "disk" / "real.db")
    linked, direct = opened(tmp_path / "link.db", clock), opened(tmp_path / "disk" / "real.db", clock)
    await linked.inquiries.keep(inquiry(1), lease_s=0)
    assert await receipts(direct) == {"R-1"}
    assert names(tmp_path) == {"disk", "link.db"}
    assert "real.db.lock" in names(tmp_path / "disk")
    await linked.aclose()
    await direct.aclose()


def test_what_is_not_there_has_no_identity(tmp_path: Path) -> None:
    assert files_at(str(tmp_path / "store.db")) == (None, None, None)
