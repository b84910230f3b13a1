"""A copy is one moment, however busy the file is."""

from contextlib import closing
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.copying import PAGES, copy_to
from formwarden.stores.sqlite.plans import durable_plan
from tests.clock import MovableClock
from tests.stores.files import names


@pytest.fixture
def attached(tmp_path: Path, clock: MovableClock) -> Attached:
    attached = Attached(durable_plan(str(tmp_path / "store.db")), entropy=system_entropy, faults=Faults(clock))
    with attached.migrated() as connection:
        connection.execute("INSERT INTO body VALUES (1, zeroblob(20000000))")
    return attached


def test_a_commit_after_every_step_neither_begins_it_anew_nor_comes_into_it(
    attached: Attached, tmp_path: Path
) -> None:
    steps = []
    with closing(apsw.Connection(str(tmp_path / "store.db"))) as other:

        def write(done: int, whole: int) -> None:
            steps.append(done)
            assert len(steps) <= whole // PAGES + 1, "it begins anew, and would for ever"
            other.execute("INSERT INTO mark VALUES (?, 0)", (f"{len(steps)}",))
            other.execute("UPDATE body SET content = zeroblob(4096) WHERE inquiry = 1")

        copy_to(attached, tmp_path / "copy.db", write)
    assert len(steps) > 5
    with closing(apsw.Connection(str(tmp_path / "copy.db"))) as copy:
        assert copy.execute("SELECT count(*) FROM mark").get == 0
        assert copy.execute("SELECT length(content) FROM body").get == 20_000_000
        assert copy.execute("PRAGMA integrity_check").get == "ok"


def test_a_copy_that_breaks_off_leaves_nothing(attached: Attached, tmp_path: Path) -> None:
    before = names(tmp_path)

    def stop(done: int, whole: int) -> None:
        raise InterruptedError(done, whole)

    with pytest.raises(InterruptedError):
        copy_to(attached, tmp_path / "copy.db", stop)
    assert names(tmp_path) == before


def test_a_name_that_somebody_takes_meanwhile_is_not_written_over(attached: Attached, tmp_path: Path) -> None:
    def take(_done: int, _whole: int) -> None:
        (tmp_path / "copy.db").write_text("mine")

    with pytest.raises(StoreError, match="nothing was copied over it"):
        copy_to(attached, tmp_path / "copy.db", take)
    assert (tmp_path / "copy.db").read_text() == "mine"
    assert "copy.db.part" not in names(tmp_path)
