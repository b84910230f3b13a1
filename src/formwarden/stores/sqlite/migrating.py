"""Numbered migrations, each applied together with its number in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import apsw

from formwarden.errors import StoreError
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.remedies import BUSY


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of a schema."""

    number: int
    sql: str


def migrations(kind: str) -> tuple[Migration, ...]:
    """Read the steps of one kind of file, `durable` or `volatile`, in order."""
    folder = files("formwarden.stores.sqlite") / "migrations" / kind
    steps = [
        Migration(number=int(entry.name.partition("_")[0]), sql=entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return tuple(sorted(steps, key=lambda step: step.number))


def migrate(connection: apsw.Connection, steps: Sequence[Migration], patience: Patience) -> None:
    """Bring a file to the newest schema; call it under the file's lock."""
    version: int = connection.execute("PRAGMA user_version").get
    if version > steps[-1].number:
        raise StoreError("the store was made by a newer formwarden: upgrade this one, or use a store of its own")
    for step in steps:
        if step.number > version:
            _apply(connection, step, patience)


def _apply(connection: apsw.Connection, step: Migration, patience: Patience) -> None:
    patience.until_free(lambda: connection.execute("BEGIN IMMEDIATE"), BUSY)
    try:
        connection.execute(step.sql)
        connection.execute(f"PRAGMA user_version = {step.number}")
        connection.execute("COMMIT")
    except apsw.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
