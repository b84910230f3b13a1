"""`formwarden store export|import|erase`: what stands in any store, as records."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TextIO

from formwarden.cli.told import Told, progress
from formwarden.clock import SystemClock
from formwarden.desk.erasing import Person, find
from formwarden.entropy import system_entropy
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.stores.archive import Archive, Erasure
from formwarden.stores.journal_erasing import erase_lines
from formwarden.stores.moving import NotWhole, read_in, write_out
from formwarden.stores.sqlite.archive import SqliteArchive
from formwarden.subjects import Subjects

SHOWN_EVERY: Final = 1_000  # records
MODE: Final = 0o600  # it holds what people typed
SHOWN: Final = 20  # receipts
WRONG: Final = 2  # exit code
STREAM: Final = "-"


def export(path: Path, target: str) -> Told:
    """Write everything durable to a file of its own, or to the output."""
    with closing(_archive(path)) as archive, _written(target) as lines:
        counts = write_out(archive, lines, now=SystemClock().now(), tell=progress("records", step=SHOWN_EVERY))
    said = _said(counts)
    to = sys.stderr if target == STREAM else sys.stdout  # the output holds the export itself
    return Told(values={"file": target, "counts": counts}, lines=[f"exported: {said}"], to=to)


def take_in(path: Path, source: str, *, merge: bool) -> Told:
    """Add what an export holds."""
    with _read(source) as lines, closing(_archive(path)) as archive:
        try:
            done = read_in(archive, lines, merge=merge, tell=progress("records", step=SHOWN_EVERY))
        except NotWhole as error:
            return Told(values={"error": str(error), "new": error.new}, lines=[str(error)], code=WRONG, to=sys.stderr)
    said = _said(done.counts)
    lines_told = [f"read: {said}", f"new: {done.new}; {done.standing} stood there already"]
    return Told(values={"counts": done.counts, "new": done.new, "standing": done.standing}, lines=lines_told)


def erase(path: Path, args: argparse.Namespace, *, fields: tuple[str, ...], journal: Path) -> Told:
    """Erase one person, having asked whoever sits there."""
    person, forget = Person.of(args.address), bool(args.forget_suppression)
    if "@" not in person.text:
        raise SettingsError((f"{args.address!r} is no address: nothing was erased",))
    if not args.yes and sys.stdin.isatty():
        print(f"erase everything about {args.address!r} for good? [yes/no] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() != "yes":
            return Told(values={"erased": False}, lines=["nothing was erased"], code=1)
    with closing(_archive(path)) as archive:
        spooled = erase_lines(journal, lambda inquiry: person.sent(inquiry, fields))
        return _erased(archive, person, fields, spooled, forget=forget)


def _erased(archive: Archive, person: Person, fields: tuple[str, ...], spooled: int, *, forget: bool) -> Told:
    with archive.snapshot() as snapshot:
        keys = [each.key for each in reversed(snapshot.keys)]
        subjects = Subjects(keys).keys("address", person.canonical) if person.canonical else ()
        found = find(snapshot.records(), person, fields)
    by_subject = archive.replies_of(subjects, ())
    inquiries = found.sent | {reply.row.submission_id for reply in by_subject.values()}
    replies = {**by_subject, **archive.replies_of((), inquiries)}
    done = archive.erase(Erasure(inquiries=inquiries, replies=replies.keys(), subjects=subjects, forget=forget))
    counts = {"inquiries": len(inquiries), "journal": spooled, **done}
    lines = [
        f"erased: {', '.join(f'{kind} {count}' for kind, count in counts.items())}",
        "its suppression and its slots in the budgets are forgotten: it may be mailed again"
        if forget
        else "kept: the hash of its suppression, so that it is not mailed (--forget-suppression removes it), and its "
        "slots in the budgets, which go within a month",
    ]
    if done.get("log_stays"):
        lines.append("a reader holds the log beside the store, which still has the old text: run this again")
    if found.mentions:
        names = ", ".join(found.mentions[:SHOWN])
        lines.append(f"left alone, for others sent them, {len(found.mentions)} that mention it: {names}")
    values = {**counts, "forgotten": forget, "mentions": list(found.mentions)}
    return Told(values=values, lines=lines)


def _archive(path: Path) -> SqliteArchive:
    return SqliteArchive(str(path), entropy=system_entropy, faults=Faults(SystemClock()))


@contextmanager
def _written(target: str) -> Iterator[TextIO]:
    """Open a file that does not stand yet; one that is broken off is removed."""
    if target == STREAM:
        yield sys.stdout
        return
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise SettingsError((f"{target} cannot be made: {why}; nothing was exported",)) from error
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        Path(target).unlink(missing_ok=True)
        raise


@contextmanager
def _read(source: str) -> Iterator[TextIO]:
    if source == STREAM:
        yield sys.stdin
        return
    try:
        file = Path(source).open(encoding="ascii", errors="replace")  # noqa: SIM115 - closed below
    except OSError as error:
        raise SettingsError((f"{source} cannot be read: {os.strerror(error.errno or 0)}",)) from error
    with file:
        yield file


def _said(counts: Mapping[str, int]) -> str:
    """Name the kinds of which there are any."""
    return ", ".join(f"{kind} {count}" for kind, count in counts.items() if count) or "nothing"
