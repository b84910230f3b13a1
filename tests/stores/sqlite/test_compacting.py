"""Free room goes back to the disk, or it is said why not."""

import os
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.compacting import QUICK_BYTES, compact, site_runs
from formwarden.stores.sqlite.locks import open_lock, try_lock
from formwarden.stores.sqlite.plans import durable_plan
from tests.clock import MovableClock


@pytest.fixture
def attached(tmp_path: Path, clock: MovableClock) -> Attached:
    attached = Attached(durable_plan(str(tmp_path / "store.db")), entropy=system_entropy, faults=Faults(clock))
    with attached.migrated() as connection:
        connection.execute("INSERT INTO body VALUES (1, zeroblob(?))", (QUICK_BYTES,))
    return attached


def test_a_large_store_is_left_alone_while_a_site_runs(attached: Attached) -> None:
    path = attached.plan.path
    lead = open_lock(f"{path}-checkpoint.lock")
    assert try_lock(lead)
    try:
        assert site_runs(path)
        with pytest.raises(StoreError, match="stop it first, or say --while-running"):
            compact(attached, beside_a_site=False)
        assert compact(attached, beside_a_site=True).after >= QUICK_BYTES
    finally:
        os.close(lead)
    assert not site_runs(path)
    with closing(apsw.Connection(path)) as connection:
        connection.execute("DELETE FROM body")
    done = compact(attached, beside_a_site=False)
    assert done.after < 1_000_000 < done.before
    assert not done.log_stays


def test_a_reader_keeps_the_log_and_that_is_said(tmp_path: Path, clock: MovableClock, attached: Attached) -> None:
    assert attached.plan.path == str(tmp_path / "store.db")
    hasty = Attached(attached.plan, entropy=system_entropy, faults=Faults(clock), patience_s=0.01)
    with closing(apsw.Connection(attached.plan.path)) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM body")
        assert compact(hasty, beside_a_site=True).log_stays


def test_a_writer_that_does_not_end_is_named(attached: Attached, clock: MovableClock) -> None:
    hasty = Attached(attached.plan, entropy=system_entropy, faults=Faults(clock), patience_s=0.01)
    with closing(apsw.Connection(attached.plan.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="held by another process for too long"):
            compact(hasty, beside_a_site=True)
