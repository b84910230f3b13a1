"""Every error of the file names what an operator can do."""

import errno

import apsw
import pytest

from formwarden.errors import StoreError
from formwarden.stores.sqlite.remedies import store_error


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (apsw.FullError(), "the disk is full; make room"),
        (OSError(errno.ENOSPC, "of a lock file"), "the disk is full; make room"),
        (OSError(errno.EDQUOT, "of a lock file"), "the disk is full; make room"),
        (OSError(errno.EROFS, "of a lock file"), "must have the right to write there"),
        (apsw.CorruptError(), "move it away"),
        (apsw.BusyError(), "look for one that hangs"),
        (apsw.NoMemError(), "out of memory"),
        (apsw.ConstraintError(), "refused an operation (ConstraintError)"),
    ],
)
def test_a_store_error_names_the_file_and_the_remedy(error: Exception, remedy: str) -> None:
    told = str(store_error("/srv/site/store.db", error))
    assert told.startswith("the store store.db ")
    assert remedy in told
    assert "/srv" not in told


def test_what_is_told_already_stays_as_it_is() -> None:
    told = StoreError("the store lies on a network file system")
    assert store_error("/srv/site/store.db", told) is told
