"""Where inquiries go while the store is down: one bounded file of JSON lines, in clear, for its owner alone."""

import asyncio
import base64
import fcntl
import json
import mmap
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from formwarden.faults import Faults
from formwarden.stores.ports import Inquiry, Staff, State

FAULT: Final = "journal"
MODE: Final = 0o600  # it holds what people typed


class Journal:
    """An append-only file of inquiries. Never raises: what cannot be written or read is counted."""

    def __init__(self, path: str | Path, *, limit_bytes: int, faults: Faults) -> None:
        self._path = Path(path).absolute()
        self._limit = limit_bytes
        self._faults = faults
        self._threads: dict[int, ThreadPoolExecutor] = {}  # by process: a fork has none of its parent's threads

    @property
    def size(self) -> int:
        """Return the bytes it holds; 0 also where it cannot be seen."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    async def append(self, inquiry: Inquiry, /) -> bool:
        """Write one inquiry and wait for the disk; False: full, or the disk refused."""
        return await asyncio.get_running_loop().run_in_executor(self._thread(), self._append, inquiry)

    async def entries(self, limit: int, /) -> tuple[Inquiry, ...]:
        """Read the newest inquiries, newest first; torn lines are left out."""
        return await asyncio.get_running_loop().run_in_executor(self._thread(), self._entries, limit)

    def _thread(self) -> ThreadPoolExecutor:
        thread = self._threads.get(os.getpid())
        if thread is None:  # setdefault: of two first callers one wins, the other's starts no thread
            thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="formwarden-journal")
            thread = self._threads.setdefault(os.getpid(), thread)
        return thread

    def _append(self, inquiry: Inquiry) -> bool:
        try:
            written = self._write(_line_of(inquiry))
        except (OSError, TypeError, ValueError) as error:
            self._faults.count(FAULT, f"{type(error).__name__}: an inquiry could not be written")
            return False
        if not written:
            self._faults.count(FAULT, f"full at {self._limit} bytes (FORMWARDEN_JOURNAL_BYTES)")
        return written

    def _write(self, line: bytes) -> bool:
        fresh = not self._path.exists()
        with _locked(self._path) as descriptor:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # a process died in mid-line: keep its rest from swallowing this one
            if size + len(line) > self._limit:
                return False
            try:
                _write_all(descriptor, line)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
            os.fsync(descriptor)
        if fresh:
            _sync_directory(self._path.parent)
        return True

    def _entries(self, limit: int) -> tuple[Inquiry, ...]:
        found: list[Inquiry] = []
        try:
            for line in _lines_backwards(self._path):
                if len(found) >= limit:
                    break
                inquiry = _inquiry_of(line)
                if inquiry is not None:
                    found.append(inquiry)
        except FileNotFoundError:
            return ()
        except OSError as error:
            self._faults.count(FAULT, f"{type(error).__name__}: cannot be read")
        return tuple(found)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the journal for appending, alone among all processes."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for one short write
        yield descriptor
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lines_backwards(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return  # an empty file cannot be mapped
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            end = len(text)
            while end > 0:
                start = text.rfind(b"\n", 0, end) + 1
                if start < end:
                    yield text[start:end]
                end = start - 1


def _line_of(inquiry: Inquiry) -> bytes:
    body = inquiry.content()
    written = {
        "id": inquiry.id.hex(),
        "receipt": inquiry.receipt,
        "form": inquiry.form,
        "state": inquiry.state,
        "received_at": inquiry.received_at,
        "score": inquiry.score,
        "hits": dict(inquiry.hits),
        "evidence": dict(inquiry.evidence),
        "facts": dict(inquiry.facts),
        "lineage": None if inquiry.lineage is None else inquiry.lineage.hex(),
        "content_type": inquiry.content_type,
        "body": None if body is None else base64.b64encode(body).decode("ascii"),
        "recipient": inquiry.recipient,
        "staff": inquiry.staff,
        "staff_note": inquiry.staff_note,
        "answer": inquiry.answer,
        "note": inquiry.note,
        "changed_at": inquiry.changed_at,
    }
    return json.dumps(written, separators=(",", ":")).encode("ascii") + b"\n"


def _inquiry_of(line: bytes) -> Inquiry | None:
    """Read a line back; None: it was torn or is not ours."""
    try:
        read = json.loads(line)
        answer = read["answer"]
        return Inquiry(
            id=bytes.fromhex(read["id"]),
            receipt=read["receipt"],
            form=read["form"],
            state=State(read["state"]),
            received_at=read["received_at"],
            score=read["score"],
            hits=read["hits"],
            evidence=read["evidence"],
            facts=read["facts"],
            lineage=None if read["lineage"] is None else bytes.fromhex(read["lineage"]),
            content_type=read["content_type"],
            body=None if read["body"] is None else base64.b64decode(read["body"], validate=True),
            recipient=read["recipient"],
            staff=Staff(read["staff"]),
            staff_note=read["staff_note"],
            answer=None if answer is None else (answer[0], answer[1]),
            note=read["note"],
            changed_at=read["changed_at"],
        )
    except (ValueError, TypeError, KeyError, IndexError):
        return None
