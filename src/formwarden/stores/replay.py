"""Replays the journal into the store: oldest first, in order, once in effect."""

from typing import Final

from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults, bug
from formwarden.stores.journal import FAULT, Journal
from formwarden.stores.journal_file import Line, Place
from formwarden.stores.journal_lines import Entry, Keep, Move, Settle, StaffMove, entry_of
from formwarden.stores.ports import Inquiries, State, Store

BATCH_LINES: Final = 100
STEP_S: Final = 2.0  # a step ends in time for its lease to be renewed
REFUSED_AFTER: Final = 3  # steps in which a store that is well did not take one entry
GRACE_S: Final = 30.0  # until how an endpoint ended has been replayed, too, nobody takes it for dead
UNREADABLE: Final = "a line cannot be read"
ORPHAN: Final = "its inquiry is not there"


class RefusedEntryError(Exception):
    """The store is well and does not take this entry; the message says why, and holds nothing that was typed."""


class Replay:
    """Takes entry after entry; after a death another process begins anew, and what was taken changes nothing.

    Every entry names what it is about: an inquiry is kept once by its id, a state is left once, a staff mail that
    was sent stays sent, an outcome counts once by its id. So the place in the file is only remembered in memory.
    """

    def __init__(
        self, *, journal: Journal, store: Store, endpoint_lease_s: float, clock: Clock, faults: Faults
    ) -> None:
        self._journal = journal
        self._store = store
        self._endpoint_lease_s = endpoint_lease_s
        self._clock = clock
        self._faults = faults
        self._place = Place()
        self._refusals = 0  # of the entry at that place, by a store that is well

    async def step(self) -> int:
        """Take the next entries; return how many. Raises StoreError where the store is down, and keeps the rest."""
        if not self._journal.size:
            return 0
        batch = await self._journal.batch(self._place, BATCH_LINES)
        if batch is None:
            return 0
        taken, until = 0, self._clock.monotonic() + STEP_S
        try:
            for line in batch.lines:
                await self._take(line)
                self._went_to(line.behind)
                taken += 1
                if self._clock.monotonic() > until:
                    break
            else:
                self._went_to(batch.end)
        except StoreError:
            await self._drop()  # what was taken is not kept in clear until the store is back
            raise
        if self._place.offset * 2 >= batch.size:  # each byte is copied once or twice, however long the file
            await self._drop()
        return taken

    def _went_to(self, place: Place) -> None:
        self._place = place
        self._refusals = 0

    async def _drop(self) -> None:
        if self._place.offset and await self._journal.drop(self._place):
            self._place = Place()

    async def _take(self, line: Line) -> None:
        entry = entry_of(line.text)
        if entry is None:
            return await self._set_aside(line, UNREADABLE)
        try:
            await self._record(entry)
        except StoreError as error:
            if not await self._refused(entry):
                raise
            await self._set_aside(line, str(error))
        except RefusedEntryError as error:
            await self._set_aside(line, str(error))
        except Exception as error:  # noqa: BLE001 - one entry that nobody can take must not block those behind it
            self._faults.count(FAULT, bug(error))
            await self._set_aside(line, "the store refuses it")
        return None

    async def _record(self, entry: Entry) -> None:
        inquiries = self._store.inquiries
        match entry.what:
            case Keep(inquiry=inquiry, replaces=replaces):
                await inquiries.keep(inquiry, lease_s=self._lease_s(entry), replaces=replaces)
            case Move() as move:
                await _move(inquiries, move, self._lease_s(entry) if move.to is State.ACCEPTED else 0.0)
            case StaffMove() as staff:
                if not await inquiries.staff(staff.inquiry, to=staff.to, note=staff.note, due_at=staff.due_at):
                    raise RefusedEntryError(ORPHAN)
            case Settle(outcome=outcome):
                await self._store.ledger.settle(outcome)

    def _lease_s(self, entry: Entry) -> float:
        """Return what is left of an endpoint's time: it may be running still."""
        return max(GRACE_S, self._endpoint_lease_s - max(0.0, self._clock.now() - entry.at))

    async def _refused(self, entry: Entry) -> bool:
        """Tell a store that is down from one that does not take this entry: it is well, again and again."""
        if await self._store.health() is not None or not await self._answers(entry):
            self._refusals = 0
            return False
        self._refusals += 1
        return self._refusals >= REFUSED_AFTER

    async def _answers(self, entry: Entry) -> bool:
        try:
            if isinstance(entry.what, Settle):
                await self._store.ledger.replies([entry.what.outcome.reply_id])
            else:
                await self._store.inquiries.get(b"")
        except StoreError:
            return False
        return True

    async def _set_aside(self, line: Line, why: str) -> None:
        if not await self._journal.set_aside(line.text, why):
            raise StoreError("the journal's disk refuses what is to be set aside")


async def _move(inquiries: Inquiries, move: Move, lease_s: float) -> None:
    moved = await inquiries.move(
        move.inquiry, expect=move.expect, to=move.to, note=move.note, answer=move.answer, lease_s=lease_s
    )
    if not moved and await inquiries.get(move.inquiry) is None:
        raise RefusedEntryError(ORPHAN)
