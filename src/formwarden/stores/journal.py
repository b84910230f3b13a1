"""Where goes what could not be recorded while the store is down: one bounded file, for its owner alone."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.faults import Faults
from formwarden.stores.journal_file import Batch, JournalFile, Place, size_of
from formwarden.stores.journal_lines import ROOM, Keep, Move, Settle, StaffMove, What, entry_of, line_of
from formwarden.stores.ports import Inquiry, Outcome, Staff, State

FAULT: Final = "journal"
ENTRY_BYTES: Final = 16
OWN_REMEMBERED: Final = 10_000  # inquiries of this process whose end may still come
RUNS_AGAIN: Final = frozenset({State.HELD, State.REFUSED})  # where an endpoint left it so

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """What the journal made of an inquiry. `before`: the state that this very submission already has there."""

    kept: bool
    before: State | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """What lies in the journal."""

    size: int = 0  # bytes
    inquiries: int = 0
    outcomes: int = 0  # of replies: while there are any, no reply leaves
    aside: int = 0  # bytes of what could not be replayed
    aside_path: str = ""


class Journal:
    """Entries in order of their coming. Never raises: what cannot be written or read is counted."""

    def __init__(self, path: str | Path, *, limit_bytes: int, clock: Clock, entropy: Entropy, faults: Faults) -> None:
        self._file = JournalFile(Path(path).absolute(), limit_bytes)
        self._limit = limit_bytes
        self._clock = clock
        self._entropy = entropy
        self._faults = faults
        self._own = OrderedDict[bytes, None]()
        self._threads: dict[int, ThreadPoolExecutor] = {}  # by process: a fork has none of its parent's threads

    @property
    def size(self) -> int:
        """Return the bytes it holds; 0 also where it cannot be seen."""
        return size_of(self._file.path)

    def has(self, inquiry: bytes, /) -> bool:
        """Say whether this process wrote an inquiry into it, even where that has been replayed by now."""
        return inquiry in self._own

    async def keep(self, inquiry: Inquiry, /, *, replaces: bytes | None = None) -> Spooled:
        """Write one inquiry and wait for the disk; a second click of it changes nothing, save where it runs again."""
        spooled = await self._do(lambda: self._keep(Keep(inquiry=inquiry, replaces=replaces)), "an inquiry")
        if spooled is None or not spooled.kept:
            return Spooled(kept=False)
        self._own[inquiry.id] = None
        while len(self._own) > OWN_REMEMBERED:
            self._own.popitem(last=False)
        return spooled

    async def move(self, move: Move, /) -> bool:
        """Write down how an endpoint ended; for an inquiry that is in here there is always room."""
        return bool(await self._do(lambda: self._add(move, of=move.inquiry), "how an endpoint ended"))

    async def begin_staff(self, inquiry: bytes, /, *, due_at: float) -> bool:
        """Write down that the staff's mail is due, unless something of it stands here; True: it is to be sent now.

        By `due_at` the one who sends it has said how that went; then the outbox tries.
        """
        due = StaffMove(inquiry=inquiry, to=Staff.DUE, due_at=due_at)
        return await self._do(lambda: self._begin_staff(due), "a staff mail") is not False

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "") -> bool:
        """Write down where the staff's mail stands."""
        move = StaffMove(inquiry=inquiry, to=to, note=note)
        return bool(await self._do(lambda: self._add(move, of=inquiry), "a staff mail"))

    async def settle(self, outcome: Outcome, /) -> bool:
        """Write down what became of a reply."""
        return bool(await self._do(lambda: self._add(Settle(outcome=outcome), of=b""), "what became of a reply"))

    async def unsettled(self) -> bool:
        """Say whether outcomes of replies wait here; where that cannot be seen, they may."""
        if not self.size:
            return False
        index = await self._do(self._file.index, "what waits")
        return index is None or index.settles > 0

    async def entries(self, limit: int, /) -> tuple[Inquiry, ...]:
        """Read the newest inquiries, newest first, as they stand by now; torn lines are left out."""
        return await self._do(lambda: self._entries(limit), "what waits") or ()

    async def state(self) -> JournalState:
        """Say how much waits."""
        aside = size_of(self._file.aside)
        size = self.size
        index = await self._do(self._file.index, "what waits") if size else None
        return JournalState(
            size=size,
            inquiries=index.keeps if index else 0,
            outcomes=index.settles if index else 0,
            aside=aside,
            aside_path=str(self._file.aside) if aside else "",
        )

    async def batch(self, place: Place, most: int, /) -> Batch | None:
        """Read the next lines; None: they cannot be read."""
        return await self._do(lambda: self._file.batch(place, most), "what waits")

    async def drop(self, place: Place, /) -> bool:
        """Take out what was replayed; False: another process did, or the disk refused."""
        return bool(await self._do(lambda: self._file.drop(place), "what was replayed"))

    async def set_aside(self, line: bytes, why: str, /) -> bool:
        """Put a line that cannot be replayed into the file beside it; the owner sees that."""
        done = await self._do(lambda: self._file.set_aside(line), "what is set aside")
        if done is not None:
            self._faults.count(FAULT, f"an entry was set aside in {self._file.aside.name}: {why}")
        return done is not None

    async def _do(self, step: Callable[[], T], about: str) -> T | None:
        return await asyncio.get_running_loop().run_in_executor(self._thread(), self._surely, step, about)

    def _surely(self, step: Callable[[], T], about: str) -> T | None:
        try:
            return step()
        except (OSError, TypeError, ValueError) as error:
            self._faults.count(FAULT, f"{type(error).__name__}: {about} could not be written or read")
            return None

    def _thread(self) -> ThreadPoolExecutor:
        thread = self._threads.get(os.getpid())
        if thread is None:  # setdefault: of two first callers one wins, the other's starts no thread
            thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="formwarden-journal")
            thread = self._threads.setdefault(os.getpid(), thread)
        return thread

    def _keep(self, keep: Keep) -> Spooled:
        line, inquiry = self._line(keep), keep.inquiry  # its body is read before others are kept waiting
        again = self._line(Move(inquiry=inquiry.id, expect=RUNS_AGAIN, to=State.ACCEPTED, note="run again"))
        with self._file.opened() as file:
            found = file.index.states.get(inquiry.id)
            if found is None:
                written = file.add(line, reserves=ROOM)
            else:
                before = State(found)
                ended = inquiry.id in file.index.ended
                if inquiry.state is not State.ACCEPTED or not ended or before not in RUNS_AGAIN:
                    return Spooled(kept=True, before=before)
                written = file.add(again)
        return Spooled(kept=self._told(written))

    def _add(self, what: What, *, of: bytes) -> bool:
        line = self._line(what)
        with self._file.opened() as file:
            written = file.add(line, reserved=of in file.index.states)
        return self._told(written)

    def _begin_staff(self, due: StaffMove) -> bool:
        line = self._line(due)
        with self._file.opened() as file:
            if due.inquiry in file.index.staff:
                return False
            written = file.add(line, reserved=due.inquiry in file.index.states)
        self._told(written)
        return True

    def _line(self, what: What) -> bytes:
        return line_of(what, entry=self._entropy(ENTRY_BYTES).hex(), at=self._clock.now())

    def _told(self, written: bool) -> bool:  # noqa: FBT001 - what became of a line
        if not written:
            self._faults.count(FAULT, f"full at {self._limit} bytes (FORMWARDEN_JOURNAL_BYTES)")
        return written

    def _entries(self, limit: int) -> tuple[Inquiry, ...]:
        states = self._file.index().states
        found: list[Inquiry] = []
        with closing(self._file.newest()) as lines:
            for line in lines:
                if len(found) >= limit:
                    break
                entry = entry_of(line)
                if entry is not None and isinstance(entry.what, Keep):
                    inquiry = entry.what.inquiry
                    found.append(replace(inquiry, state=State(states.get(inquiry.id, inquiry.state))))
        return tuple(found)
