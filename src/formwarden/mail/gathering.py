"""Inquiries beyond the hour's single mails, gathered by the quarter of an hour (G24): nothing is dropped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.clock import Clock
from formwarden.errors import ComposeError
from formwarden.faults import Faults
from formwarden.mail.copies import REFUSED_S, Copies, Copy, wait_s, words
from formwarden.mail.likeness import in_groups
from formwarden.mail.sender import NothingLeftError, SendResult, SendState
from formwarden.mail.staff_mail import StaffMail, Told, entry
from formwarden.mail.worker import STOPPED, see_through
from formwarden.stores.ports import Inquiries, Inquiry, Staff

GATHER_S: Final = 900.0
MOST: Final = 100  # inquiries in one mail: what a person can still look through
CHARACTERS: Final = 200_000  # of one mail: every relay takes it, and every mail program shows it
PARTS: Final = 2  # a batch is leased for so many mails' time: another is begun only while one's is left
RULE: Final = "-" * 60

ToldOf = Callable[[Inquiry], Told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One inquiry in a gathered mail."""

    id: bytes
    group: int
    told: Told


class Gathering:
    """Writes gathered mails; each of the staff gets what he has not been told of yet."""

    def __init__(
        self,
        *,
        inquiries: Inquiries,
        mail: StaffMail,
        copies: Copies,
        told_of: ToldOf,
        per_hour: int,
        lease_s: float,
        clock: Clock,
        faults: Faults,
        characters: int = CHARACTERS,
    ) -> None:
        self._inquiries = inquiries
        self._mail = mail
        self._copies = copies
        self._told_of = told_of
        self._per_hour = per_hour
        self._lease_s = lease_s  # what one mail to all of the staff may take
        self._clock = clock
        self._faults = faults
        self._characters = characters

    async def step(self) -> int:
        """Take one batch and mail it; return how many inquiries were handled. Raises StoreError."""
        whole_s = PARTS * self._lease_s
        rows = await self._inquiries.gather_staff(MOST, lease_s=whole_s, per_hour=self._per_hour, every_s=GATHER_S)
        if not rows:
            return 0
        until = self._clock.now() + whole_s - self._lease_s
        waiting = deque((number, row.id) for number, group in enumerate(in_groups(rows)) for row in group)
        while waiting and self._clock.now() <= until:
            entries = await self._next(waiting)
            if not await self._tell(entries, [each for _, each in waiting]):
                break
        await self._back([each for _, each in waiting], "")
        return len(rows)

    async def _next(self, waiting: deque[tuple[int, bytes]]) -> list[Entry]:
        """Take off as many as fit into one mail, one at least. Of bodies only one is held at a time."""
        entries: list[Entry] = []
        length = 0
        while waiting:
            group, inquiry_id = waiting[0]
            inquiry = await self._inquiries.get(inquiry_id)
            if inquiry is not None:
                one = Entry(id=inquiry_id, group=group, told=self._told_of(inquiry))
                length += len(_text([one], self._per_hour)) if not entries else len(_part(one, entries))
                if entries and length > self._characters:
                    break
                entries.append(one)
            waiting.popleft()
        return entries

    async def _tell(self, entries: Sequence[Entry], rest: Sequence[bytes]) -> bool:
        """Mail these to everybody who lacks them; False: the relay is not there, and others need not be tried."""
        ids = [each.id for each in entries]
        try:
            copies = [copy for to in self._mail.staff if (copy := self._copy(to, entries)) is not None]
        except ComposeError as error:
            self._faults.count("compose", str(error))
            await self._later(ids, str(error), REFUSED_S)
            return True
        try:
            failed = await self._copies.hand_out(copies)
        except NothingLeftError:
            await see_through(self._back([*ids, *rest], STOPPED), self._faults, "inquiries")
            raise
        await self._note(ids, failed, len(copies))
        return not failed or any(result.state is SendState.REFUSED for result in failed)

    def _copy(self, to: str, entries: Sequence[Entry]) -> Copy | None:
        lacking = [each for each in entries if self._copies.lacks(to, each.id)]
        if not lacking:
            return None
        forms = {each.told.form for each in lacking}
        subject = f"{', '.join(sorted(forms))}: {len(lacking)} inquiries in one mail"
        mail = self._mail.letter(to, subject, _text(lacking, self._per_hour))
        return Copy(mail=mail, about=tuple(each.id for each in lacking))

    async def _note(self, ids: Sequence[bytes], failed: Sequence[SendResult], copies: int) -> None:
        """Write down who is told: an inquiry is when each of the staff has a copy, whichever mail it came in."""
        told = [each for each in ids if not any(self._copies.lacks(to, each) for to in self._mail.staff)]
        await _all(self._inquiries.staff(each, to=Staff.SENT) for each in told)
        for each in told:
            self._copies.told(each)
        if failed:
            untold = [each for each in ids if each not in told]
            await self._later(untold, words(failed[-1]), wait_s(failed, copies))

    async def _back(self, ids: Sequence[bytes], note: str) -> None:
        """Put back what was not tried: it is due at once, and waits for no other quarter."""
        await _all(self._inquiries.staff(each, to=Staff.DUE, note=note) for each in ids)

    async def _later(self, ids: Sequence[bytes], note: str, seconds: float) -> None:
        due_at = self._clock.now() + seconds
        await _all(self._inquiries.staff(each, to=Staff.DUE, note=note, due_at=due_at) for each in ids)


async def _all(changes: Iterable[Awaitable[bool]]) -> None:
    """Make many changes at once: a store commits them together. Raises StoreError when all were tried."""
    results = await asyncio.gather(*changes, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result


def _text(entries: Sequence[Entry], per_hour: int) -> str:
    """Write a mail; inquiries that are alike stand together."""
    head = (
        f"More than {per_hour} inquiries came within an hour. These {len(entries)} were gathered into this mail.",
        "Each stands here with all that was typed; those that are like no other come first.",
    )
    parts = [_part(each, entries[:number]) for number, each in enumerate(entries)]
    return "\n".join(head) + "\n\n" + "".join(parts)


def _part(one: Entry, before: Sequence[Entry]) -> str:
    above = next((each.told for each in before if each.group == one.group), None)
    alike = f"(like {above.receipt}, above)\n" if above is not None else ""
    return f"{RULE}\n{alike}{entry(one.told, above=above)}\n\n"
