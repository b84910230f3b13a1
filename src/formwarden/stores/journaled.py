"""The ledger as senders see it: an end of a reply that it cannot take goes to the journal, and holds mail back."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.journal import Journal
from formwarden.stores.ports import Decision, Key, Ledger, Outcome, ReplyRequest, ReplyRow, Reputation, Reservation

UNSETTLED: Final = "what became of earlier replies still waits in the journal"


class JournaledLedger:
    """Sending fails closed: while an outcome waits in the journal, which may be a refusal, no reply is handed out."""

    def __init__(self, ledger: Ledger, journal: Journal, faults: Faults) -> None:
        self._ledger = ledger
        self._journal = journal
        self._faults = faults

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        """Read what stands against, or for, these subjects."""
        return await self._ledger.reputation(subjects)

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        """Write the reply's row and take a slot in every budget; not for one who sends it himself at once."""
        at_once = request.lease_s is not None and request.decision is Decision.SEND and not request.preview
        if at_once and await self._journal.unsettled():
            raise StoreError(UNSETTLED)
        return await self._ledger.reserve(request)

    async def settle(self, outcome: Outcome, /) -> None:
        """Record what became of a reply, in the journal where the ledger cannot; raises where neither can."""
        try:
            await self._ledger.settle(outcome)
        except StoreError as error:
            self._faults.count("ledger", str(error))
            if not await self._journal.settle(outcome):
                raise

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        """Take replies that are due; none while an outcome waits, which would be taken for lost."""
        if await self._journal.unsettled():
            return ()
        return await self._ledger.due(limit, lease_s=lease_s)

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        """Put a subject on the suppression list."""
        await self._ledger.suppress(subject, cause=cause, until=until)

    async def lift(self, subject: Key, /) -> bool:
        """Take a subject off the list; say whether it was on it."""
        return await self._ledger.lift(subject)

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        """Read the reply rows of these submissions, by submission id."""
        return await self._ledger.replies(submissions)
