"""`formwarden store migrate|check|vacuum|backup`: the files of a SQLite store."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from formwarden.cli.told import Told, progress, size_text
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.checking import FileState, file_state
from formwarden.stores.sqlite.compacting import NEEDED, compact, disk_bytes
from formwarden.stores.sqlite.copying import copy_to
from formwarden.stores.sqlite.migrating import migrations, schema_number
from formwarden.stores.sqlite.mounts import system_mounts
from formwarden.stores.sqlite.opening import Plan
from formwarden.stores.sqlite.plans import durable_plan, volatile_plan

ILL: Final = 1  # exit code
SHOWN_EVERY: Final = 8_192  # pages


def attached(plan: Plan) -> Attached:
    """Return a file as a command opens it."""
    return Attached(plan, entropy=system_entropy, faults=Faults(SystemClock()))


def migrate(path: Path, *, dry_run: bool) -> Told:
    """Bring both files to the newest schema, or say what that would be."""
    values: dict[str, object] = {}
    lines = []
    for plan in _plans(path):
        file = attached(plan)
        with file.as_it_is() as connection:
            before = schema_number(connection)
        newest = migrations(plan.kind)[-1].number
        if before == newest:
            does = f"stands at schema {before} already"
        elif dry_run and before < newest:
            does = f"would go from schema {before} to {newest}"
        else:
            with file.migrated():  # StoreError where it is a newer formwarden's
                does = f"went from schema {before} to {newest}"
        values[plan.kind] = {"file": plan.path, "from": before, "to": newest, "done": not dry_run}
        lines.append(f"{Path(plan.path).name} {does}")
    return Told(values=values, lines=lines)


def check(path: Path) -> Told:
    """Say what stands in both files, and what is ill."""
    states = [file_state(attached(plan), system_mounts) for plan in _plans(path)]
    ill = any(state.ills for state in states)
    files = [
        {
            "file": state.path,
            "schema": state.schema,
            "newest": state.newest,
            "bytes": state.bytes,
            "log_bytes": state.log_bytes,
            "free_bytes": state.free_bytes,
            "rows": state.rows,
            "oldest": state.oldest,
            "ills": [{"what": what, "remedy": remedy} for what, remedy in state.ills],
        }
        for state in states
    ]
    lines = [line for state in states for line in _lines(state)]
    return Told(
        values={"well": not ill, "files": files},
        lines=[*lines, "something is ill" if ill else "well"],
        code=ILL if ill else 0,
    )


def vacuum(path: Path, *, beside_a_site: bool) -> Told:
    """Give free room back, having said what that takes."""
    plans = _plans(path)
    needed = int(max(disk_bytes(plan.path) for plan in plans) * NEEDED)
    print(f"writing the store anew; this takes up to {size_text(needed)} of free disk meanwhile", file=sys.stderr)
    done = [compact(attached(plan), beside_a_site=beside_a_site) for plan in plans]
    lines = [
        f"{Path(each.path).name}: {size_text(each.before)} before, {size_text(each.after)} now, "
        f"{size_text(max(0, each.before - each.after))} given back"
        + ("; a reader holds the log, which shrinks when it ends" if each.log_stays else "")
        for each in done
    ]
    files = [{"file": each.path, "before": each.before, "after": each.after} for each in done]
    return Told(values={"files": files, "given_back": sum(each.before - each.after for each in done)}, lines=lines)


def backup(path: Path, target: Path) -> Told:
    """Copy ledger and inquiries."""
    size = copy_to(attached(durable_plan(str(path))), target.absolute(), progress("pages", step=SHOWN_EVERY))
    return Told(
        values={"file": str(target.absolute()), "bytes": size},
        lines=[f"{path.name} is copied to {target} ({size_text(size)}); it holds what people typed, in clear"],
    )


def _plans(path: Path) -> list[Plan]:
    """Return the files that stand: counters that were never asked for have none."""
    return [plan for plan in (durable_plan(str(path)), volatile_plan(str(path))) if Path(plan.path).is_file()]


def _lines(state: FileState) -> list[str]:
    schema = "schema unknown" if state.schema is None else f"schema {state.schema} of {state.newest}"
    room = f"{size_text(state.bytes)}, {size_text(state.log_bytes)} of log, {size_text(state.free_bytes)} free in it"
    rows = ", ".join(f"{name} {count}" for name, count in state.rows.items()) or "none"
    oldest = ", ".join(
        f"{name} {datetime.fromtimestamp(at, UTC).isoformat(' ', 'seconds')}" for name, at in state.oldest.items()
    )
    return [
        f"{Path(state.path).name}: {schema}, {room}",
        f"  rows: {rows}",
        *([f"  oldest: {oldest}"] if oldest else []),
        *(f"  ILL: {what}\n  remedy: {remedy}" for what, remedy in state.ills),
    ]
