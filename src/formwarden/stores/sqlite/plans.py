"""The two files of a SQLite store: where they lie and what each promises."""

from pathlib import Path

from formwarden.stores.sqlite.opening import Plan


def durable_plan(path: str) -> Plan:
    """Return the plan of ledger and inquiries."""
    here = _place(path)
    return Plan(path=str(here), kind="durable", synchronous="FULL", secure_delete=True, rebuildable=False)


def volatile_plan(path: str) -> Plan:
    """Return the plan of the counters, which lie beside the durable file."""
    here = _place(path)
    beside = here.with_name(f"{here.stem}-volatile{here.suffix}")
    return Plan(path=str(beside), kind="volatile", synchronous="OFF", secure_delete=False, rebuildable=True)


def _place(path: str) -> Path:
    """Follow links now, once: all processes must know the file by one name, for its locks stand beside that name."""
    return Path(path).resolve()
