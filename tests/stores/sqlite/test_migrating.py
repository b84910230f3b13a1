"""Migrations: numbered without gaps, each whole or not at all, each once."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from formwarden.entropy import system_entropy
from formwarden.errors import StoreError
from formwarden.stores.sqlite.migrating import Migration, in_order, migrate, migrations, schema_number
from formwarden.stores.sqlite.patience import Patience
from tests.soak import runs
from tests.stores.sqlite.fleet import FLEET
from tests.stores.sqlite.programs import WAIT_S, migrate_together

PATIENCE = Patience(1.0, system_entropy)
FIRST = Migration(number=1, sql="CREATE TABLE one (a); INSERT INTO one VALUES (1);")
SECOND = Migration(number=2, sql="CREATE TABLE two (a); INSERT INTO two SELECT a FROM one;")
BROKEN = Migration(number=2, sql="CREATE TABLE two (a); DROP TABLE one; INSERT INTO nowhere VALUES (1);")
DYING = """
import os, sys
import apsw
from formwarden.entropy import system_entropy
from formwarden.stores.sqlite.migrating import Migration, migrate
from formwarden.stores.sqlite.patience import Patience
connection = apsw.Connection(sys.argv[1])
connection.create_scalar_function("die", lambda: os._exit(9), 0)
steps = [Migration(number=1, sql=""), Migration(number=2, sql="CREATE TABLE two (a); DROP TABLE one; SELECT die();")]
migrate(connection, steps, Patience(1.0, system_entropy))
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    with closing(apsw.Connection(str(tmp_path / "file.db"))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        yield connection


def tables(connection: apsw.Connection) -> list[str]:
    return [str(row[0]) for row in connection.execute("SELECT name FROM sqlite_schema ORDER BY name")]


def test_steps_are_applied_in_order_each_with_its_number(connection: apsw.Connection) -> None:
    migrate(connection, (FIRST,), PATIENCE)
    assert (schema_number(connection), tables(connection)) == (1, ["one"])
    migrate(connection, (FIRST, SECOND), PATIENCE)
    assert (schema_number(connection), tables(connection)) == (2, ["one", "two"])
    migrate(connection, (FIRST, SECOND), PATIENCE)
    assert connection.execute("SELECT count(*) FROM two").get == 1


def test_a_step_that_fails_half_way_leaves_the_old_schema_and_its_number(connection: apsw.Connection) -> None:
    with pytest.raises(StoreError, match=r"not be brought to schema 2 \(SQLError\): it stands as it was"):
        migrate(connection, (FIRST, BROKEN), PATIENCE)
    assert (schema_number(connection), tables(connection)) == (1, ["one"])
    assert not connection.in_transaction
    migrate(connection, (FIRST, SECOND), PATIENCE)
    assert schema_number(connection) == 2


def test_a_process_that_dies_half_way_leaves_the_old_schema_and_its_number(
    connection: apsw.Connection, tmp_path: Path
) -> None:
    migrate(connection, (FIRST,), PATIENCE)
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path / "file.db")], check=False, timeout=WAIT_S)
    assert died.returncode == 9
    assert (schema_number(connection), tables(connection)) == (1, ["one"])


def test_a_newer_file_is_refused_and_left_as_it_is(connection: apsw.Connection) -> None:
    migrate(connection, (FIRST, SECOND), PATIENCE)
    with pytest.raises(StoreError, match="newer formwarden"):
        migrate(connection, (FIRST,), PATIENCE)
    assert schema_number(connection) == 2


@pytest.mark.parametrize("numbers", [(), (2,), (1, 3), (1, 2, 2), (1, 1), (0, 1)])
def test_a_gap_or_a_number_that_stands_twice_is_refused_at_load(numbers: tuple[int, ...]) -> None:
    with pytest.raises(StoreError, match="install formwarden anew"):
        in_order([Migration(number=number, sql="") for number in numbers])


def test_files_come_in_any_order(connection: apsw.Connection) -> None:
    assert in_order((SECOND, FIRST)) == (FIRST, SECOND)
    assert not connection.in_transaction


@pytest.mark.parametrize("kind", ["durable", "volatile"])
def test_no_step_of_ours_ends_its_transaction_by_itself(kind: str, connection: apsw.Connection) -> None:
    for step in migrations(kind):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(step.sql)
        assert connection.in_transaction, step.number
        connection.execute("COMMIT")
        assert schema_number(connection) == 0, "the number is written beside it, not by it"


@pytest.mark.slow
@pytest.mark.soak
def test_eight_processes_that_migrate_at_once_apply_each_step_once(tmp_path: Path) -> None:
    rounds = runs(3, 50)
    steps = migrations("durable")
    for number in range(rounds):
        with closing(apsw.Connection(str(tmp_path / f"{number}.db"))) as older:
            migrate(older, steps[:1], PATIENCE)
    barrier, told = FLEET.Barrier(8), FLEET.Queue()
    arguments = (str(tmp_path), rounds, barrier, told)
    processes = [FLEET.Process(target=migrate_together, args=arguments) for _ in range(8)]
    for process in processes:
        process.start()
    said = [told.get(timeout=WAIT_S) for _ in range(8 * rounds)]
    for process in processes:
        process.join(WAIT_S)
    assert [each for each in said if each] == [], "a step that is applied twice makes its tables twice"
    for number in range(rounds):
        with closing(apsw.Connection(str(tmp_path / f"{number}.db"))) as migrated:
            assert schema_number(migrated) == steps[-1].number
