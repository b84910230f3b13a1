"""What stands in one file of a store, what is ill with it, and the remedy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from formwarden.errors import StoreError
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.migrating import migrations, schema_number
from formwarden.stores.sqlite.mounts import Mounts, network_type

SHOWN: Final = 5  # lines of what SQLite finds; the first says enough
TABLES: Final = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
OLDEST: Final[Mapping[str, str]] = {
    "inquiry": "received_at",
    "reply": "created_at",
    "spend": "at",
    "outcome": "at",
    "token_body": "at",
}
"""The column that says when a row was made, by table."""
DURABLE_REMEDY: Final = "stop the site, and put a backup in its place, or export what can be read into a new store"
VOLATILE_REMEDY: Final = "delete it: the counters begin at nothing, and no budget depends on them"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """One file."""

    path: str
    schema: int | None  # None: it cannot be read
    newest: int
    bytes: int
    log_bytes: int
    free_bytes: int  # in the file, to be written again
    rows: Mapping[str, int]
    oldest: Mapping[str, float]  # by table, seconds since the epoch
    ills: tuple[tuple[str, str], ...]  # what is ill, and the remedy


def file_state(attached: Attached, mounts: Mounts) -> FileState:
    """Look at one file that stands. Never raises for what is ill with it."""
    plan = attached.plan
    ills: list[tuple[str, str]] = []
    network = network_type(plan.path, mounts())
    if network is not None:
        ills.append((f"lies on a network file system ({network})", "set FORMWARDEN_STORE_URL to a local disk"))
    newest = migrations(plan.kind)[-1].number
    remedy = VOLATILE_REMEDY if plan.rebuildable else DURABLE_REMEDY
    schema, free, rows, oldest = None, 0, dict[str, int](), dict[str, float]()
    try:
        with attached.as_it_is() as connection:
            schema = schema_number(connection)
            free = connection.execute("PRAGMA freelist_count").get * connection.execute("PRAGMA page_size").get
            ills.extend((found, remedy) for found in _damage(connection))
            rows, oldest = _rows(connection)
    except StoreError as error:
        ills.append((str(error), remedy))
    if schema is not None and schema != newest:
        ills.append(_another_schema(schema, newest))
    size, log = _size(plan.path), _size(f"{plan.path}-wal")
    return FileState(
        path=plan.path,
        schema=schema,
        newest=newest,
        bytes=size,
        log_bytes=log,
        free_bytes=free,
        rows=rows,
        oldest=oldest,
        ills=tuple(ills),
    )


def _another_schema(schema: int, newest: int) -> tuple[str, str]:
    if schema > newest:
        return f"has schema {schema}, this formwarden knows {newest}", "upgrade this formwarden"
    return f"has schema {schema} of {newest}", "formwarden store migrate"


def _damage(connection: apsw.Connection) -> Sequence[str]:
    found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({SHOWN})")]
    broken = list(connection.execute("PRAGMA foreign_key_check"))
    damage = [f"is damaged: {text}" for text in found if text != "ok"]
    return [*damage, *(["has rows that belong to none"] if broken else [])]


def _rows(connection: apsw.Connection) -> tuple[dict[str, int], dict[str, float]]:
    tables = [str(row[0]) for row in connection.execute(TABLES)]
    rows = {name: connection.execute(f"SELECT count(*) FROM {name}").get for name in tables}  # noqa: S608 - its own
    oldest = {
        name: connection.execute(f"SELECT min({OLDEST[name]}) FROM {name}").get  # noqa: S608 - names of ours
        for name in tables
        if name in OLDEST and rows[name]
    }
    return rows, oldest


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
