"""Lock files that are not ours to take."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from formwarden.errors import StoreError
from formwarden.stores.sqlite.store import SqliteStore
from tests.clock import MovableClock
from tests.stores.files import names
from tests.stores.sqlite.programs import WAIT_S
from tests.stores.sqlite.test_processes import ROOT

REMEDY = r"lock file store\.db\.lock cannot be used \({}\).*run everything that opens the store as one user"
UNPRIVILEGED = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["link", "directory"])
async def test_a_lock_file_that_is_none_is_an_error_that_names_it_and_touches_nothing(
    store: SqliteStore, tmp_path: Path, clock: MovableClock, kind: str
) -> None:
    elsewhere, lock = tmp_path / "elsewhere", tmp_path / "store.db.lock"
    elsewhere.write_text("")
    if kind == "link":
        lock.symlink_to(elsewhere)
    else:
        lock.mkdir()
    with pytest.raises(StoreError, match=REMEDY.format("OSError|IsADirectoryError")):
        await store.inquiries.get(b"1")
    assert "store.db.lock" in (await store.health() or "")
    assert elsewhere.read_text() == ""
    assert names(tmp_path) == {"elsewhere", "store.db.lock"}
    lock.unlink() if kind == "link" else lock.rmdir()
    clock.move(1)
    assert await store.inquiries.get(b"1") is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "mode", "said"),
    [
        ("store.db.lock", 0o000, "the lock file store.db.lock cannot be used (PermissionError)"),
        ("store.db", 0o000, "the store store.db cannot be opened or written"),
        ("", 0o500, "the store store.db cannot be opened or written: its directory must exist"),
    ],
)
def test_files_of_somebody_else_are_an_error_with_the_remedy_and_pass(
    tmp_path: Path, what: str, mode: int, said: str
) -> None:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv is not there to be less")
    folder = tmp_path / "store"
    folder.mkdir()
    if what:
        (folder / what).touch()
    (folder / what).chmod(mode)
    less = UNPRIVILEGED if os.geteuid() == 0 else ()
    command = [*less, sys.executable, "-m", "tests.stores.sqlite.programs", "denied", str(folder / "store.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
