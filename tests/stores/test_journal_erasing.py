"""What is erased from the journal is gone, and every other line stays."""

from pathlib import Path

import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.journal import Journal
from formwarden.stores.journal_erasing import erase_lines
from formwarden.stores.journal_lines import Keep, Move, line_of
from formwarden.stores.ports import State
from tests.clock import MovableClock
from tests.stores.files import names
from tests.stores.samples import inquiry

pytestmark = pytest.mark.anyio


async def test_an_inquiry_and_what_became_of_it_are_erased_and_the_journal_goes_on(
    tmp_path: Path, clock: MovableClock
) -> None:
    path = tmp_path / "journal"
    journal = Journal(path, limit_bytes=1_000_000, clock=clock, entropy=system_entropy, faults=Faults(clock))
    for name in ("first", "hers", "last"):
        assert (await journal.keep(inquiry(name))).kept
    done = Move(inquiry=b"submission hers", expect=frozenset({State.ACCEPTED}), to=State.DONE, note="")
    assert await journal.move(done)
    aside = tmp_path / "journal.aside"
    aside.write_bytes(b"torn\n" + line_of(Keep(inquiry=inquiry("hers")), entry="0", at=1.0))
    (tmp_path / "journal.rest").write_bytes(path.read_bytes()[:-100])  # of a process that died while it copied
    size = path.stat().st_size
    assert erase_lines(path, lambda each: each.receipt == "R-hers") == 2
    assert path.stat().st_size == size
    assert b"hers" not in path.read_bytes() + aside.read_bytes()
    assert aside.read_bytes().startswith(b"torn\n")
    assert not (tmp_path / "journal.rest").exists()
    assert (await journal.keep(inquiry("more"))).kept
    assert [each.receipt for each in await journal.entries(9)] == ["R-more", "R-last", "R-first"]
    assert erase_lines(path, lambda each: each.receipt == "R-hers") == 0


def test_a_journal_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert erase_lines(tmp_path / "journal", lambda _: True) == 0
    assert names(tmp_path) == set()


def test_one_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    with pytest.raises(StoreError, match="nothing was erased"):
        erase_lines(tmp_path / "journal", lambda _: True)
