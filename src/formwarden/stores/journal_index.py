"""What the journal's file holds, known without reading it anew: read once, then only what was added."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from typing import Final

from formwarden.stores.journal_lines import END, GLANCE

HEAD: Final = 48  # bytes at a file's begin: its first entry's id stands in them
TAIL: Final = 4_096  # bytes before a place in it: one entry that is not the longest, or the end of one


@dataclass(slots=True, kw_only=True)
class Index:
    """The entries of one file, up to `scanned`."""

    mark: bytes = b""
    scanned: int = 0
    keeps: int = 0
    settles: int = 0
    states: dict[bytes, str] = field(default_factory=dict[bytes, str])
    ended: set[bytes] = field(default_factory=set[bytes])  # whose state is how an endpoint ended, not a judgement
    staff: dict[bytes, str] = field(default_factory=dict[bytes, str])

    def update(self, descriptor: int, size: int) -> None:
        """Read what was added; begin anew where the file is another one. Its lock is held meanwhile."""
        if mark_of(descriptor, self.scanned) != self.mark or size < self.scanned:
            self.scanned = self.keeps = self.settles = 0
            self.states.clear()
            self.ended.clear()
            self.staff.clear()
        if size > self.scanned:
            with mmap(descriptor, size, access=ACCESS_READ) as text:
                for kind, inquiry, to in _glances(text, self.scanned):
                    self._add(kind, inquiry, to)
        self.scanned = size
        self.mark = mark_of(descriptor, size)

    def _add(self, kind: bytes, inquiry: bytes, to: str) -> None:
        if kind == b"settle":
            self.settles += 1
        elif kind == b"staff":
            self.staff[inquiry] = to
        elif kind == b"keep":
            self.keeps += 1
            self.states.setdefault(inquiry, to)
        else:
            self.states[inquiry] = to
            self.ended.add(inquiry)


def mark_of(descriptor: int, offset: int) -> bytes:
    """Return what tells a file that stands there up to this place from one that was emptied or changed since."""
    tail = min(offset, TAIL)
    return os.pread(descriptor, HEAD, 0) + os.pread(descriptor, tail, offset - tail)


def _glances(text: mmap, start: int) -> Iterator[tuple[bytes, bytes, str]]:
    """Read the heads of whole lines; one that is torn says nothing."""
    for found in GLANCE.finditer(text, start):
        end = text.find(b"\n", found.end())
        if end >= 0 and text[end - len(END) : end] == END:
            inquiry, to = found[2] or b"", found[3] or b""
            yield found[1], bytes.fromhex(inquiry.decode("ascii")), to.decode("ascii")
