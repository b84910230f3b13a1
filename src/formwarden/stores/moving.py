"""From any store into lines, and from lines into any store."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TextIO

from formwarden.errors import StoreError
from formwarden.stores.archive import KINDS, WITH_REPLY, Archive, Record, counts_of
from formwarden.stores.archive_fields import LineError
from formwarden.stores.archive_lines import Header, header_line, line_of, read_header, read_line

BATCH: Final = 200  # records in one transaction
BATCH_CHARACTERS: Final = 4_194_304  # or so much of bodies: writers of a site wait meanwhile
AGAIN: Final = "mend the line, and import it again with --merge"
Tell = Callable[[int, int], None]
"""Is told how many records are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was read, and what of it was new."""

    counts: Mapping[str, int]
    new: int
    standing: int


class NotWhole(StoreError):  # noqa: N818 - what it is about is said by its text
    """An import that ended before its end; `new` records before it are in."""

    def __init__(self, why: str, new: int) -> None:
        super().__init__(why)
        self.new = new


def write_out(archive: Archive, out: TextIO, *, now: float, tell: Tell) -> Mapping[str, int]:
    """Write a header and every record of one moment; return the counts."""
    with archive.snapshot() as snapshot:
        counts = snapshot.counts
        whole = sum(counts[kind] for kind in KINDS if kind not in WITH_REPLY)
        out.write(header_line(Header(made_at=now, counts=counts, keys=tuple(snapshot.keys))) + "\n")
        for done, record in enumerate(snapshot.records(), start=1):
            out.write(line_of(record) + "\n")
            tell(done, whole)
    out.flush()
    return counts


def read_in(archive: Archive, lines: Iterable[str], *, merge: bool, tell: Tell) -> Moved:
    """Add what the lines hold. Raises StoreError, having changed nothing, and NotWhole, whose text says how far."""
    numbered = enumerate(lines, start=1)
    try:
        header = read_header(next(numbered, (1, ""))[1])
    except LineError as error:
        raise NotWhole(f"line 1: {error}; nothing was imported", 0) from error
    _empty_or(archive, merge=merge)
    archive.adopt(header.keys)
    whole = sum(count for kind, count in header.counts.items() if kind not in WITH_REPLY)
    read, new, done = Counter[str](), 0, 0
    batch: list[Record] = []
    size = 0
    for number, line in numbered:
        try:
            record = read_line(line, version=header.version)
        except LineError as error:
            raise NotWhole(f"line {number}: {error}. {new} new before it are in; {AGAIN}", new) from error
        batch.append(record)
        size += len(line)
        read.update(counts_of(record))
        if len(batch) >= BATCH or size >= BATCH_CHARACTERS:
            new, done, size = new + archive.add(batch), done + len(batch), 0
            batch.clear()
            tell(done, whole)
    new, done = new + archive.add(batch), done + len(batch)
    tell(done, whole)
    _compare(header, read, new)
    return Moved(counts={kind: read[kind] for kind in KINDS}, new=new, standing=done - new)


def _empty_or(archive: Archive, *, merge: bool) -> None:
    with archive.snapshot() as snapshot:
        found = {kind: count for kind, count in snapshot.counts.items() if count}
    if found and not merge:
        said = ", ".join(f"{kind} {count}" for kind, count in found.items())
        raise StoreError(f"the store is not empty ({said}): nothing was imported; --merge adds what is missing")


def _compare(header: Header, read: Mapping[str, int], new: int) -> None:
    wrong = [
        f"{kind} {read.get(kind, 0)} of {header.counts[kind]}"
        for kind in KINDS
        if read.get(kind, 0) != header.counts[kind]
    ]
    if wrong:
        raise NotWhole(f"the export is not whole: {', '.join(wrong)}. {new} new are in", new)
