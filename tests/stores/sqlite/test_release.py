"""Which SQLite is trusted with a log that several processes write."""

import apsw
import pytest

from formwarden.errors import StoreError
from formwarden.stores.sqlite.release import FIXED, refuse_flawed


def test_the_sqlite_we_use_has_no_wal_reset_bug() -> None:
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= FIXED == (3, 51, 3)
    refuse_flawed(apsw.sqlite_lib_version())


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.44.5", "3.45.0", "3.50.6", "3.51.0", "3.51.2"])
def test_a_sqlite_with_the_bug_is_refused_with_the_remedy(version: str) -> None:
    with pytest.raises(StoreError, match="install apsw from PyPI"):
        refuse_flawed(version)


@pytest.mark.parametrize("version", ["3.44.6", "3.44.6.1", "3.50.7", "3.51.3", "3.54.1", "4.0.0"])
def test_a_corrected_one_is_not(version: str) -> None:
    refuse_flawed(version)
