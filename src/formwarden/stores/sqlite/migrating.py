"""Numbered migrations, each applied together with its number in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import apsw

from formwarden.errors import StoreError
from formwarden.stores.sqlite.patience import Patience
from formwarden.stores.sqlite.remedies import BUSY, WHOLE_BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step of a schema."""

    number: int
    sql: str


def migrations(kind: str) -> tuple[Migration, ...]:
    """Read the steps of one kind of file, `durable` or `volatile`, in order. Raises StoreError."""
    folder = files("formwarden.stores.sqlite") / "migrations" / kind
    steps = [
        Migration(number=int(entry.name.partition("_")[0]), sql=entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return in_order(steps)


def in_order(steps: Sequence[Migration]) -> tuple[Migration, ...]:
    """Return steps by number, which must be 1, 2, 3 and so on: StoreError where one is missing or stands twice."""
    ordered = tuple(sorted(steps, key=lambda step: step.number))
    numbers = [step.number for step in ordered]
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        found = ", ".join(map(str, numbers)) or "none"
        raise StoreError(f"the migrations of the store are not complete (found: {found}): install formwarden anew")
    return ordered


def schema_number(connection: apsw.Connection) -> int:
    """Return the number of the last migration that this file has had; 0: none."""
    number: int = connection.execute("PRAGMA user_version").get
    return number


def migrate(connection: apsw.Connection, steps: Sequence[Migration], patience: Patience) -> None:
    """Bring a file to the newest schema; call it under the file's lock."""
    version = schema_number(connection)
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
    except apsw.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, WHOLE_BATCH):
            raise
        raise StoreError(
            f"the store could not be brought to schema {step.number} ({type(error).__name__}): it stands as it was; "
            "go back to the formwarden it had, and tell its makers"
        ) from error
