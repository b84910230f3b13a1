"""What every worker that sends mail needs: how long a lease lasts, and a last thing done while it is stopped."""

import asyncio
from collections.abc import Coroutine
from typing import Final, Protocol

from formwarden.address.report import AddressReport
from formwarden.errors import StoreError
from formwarden.faults import Faults

OVERHEAD_S: Final = 20.0  # of one mail beside the conversation: store, DNS and QUIT, each at its worst
STOPPED: Final = "the process ended before anything left"


class Checker(Protocol):
    """What the outbox needs of the address check."""

    async def verify(self, raw: str, /) -> AddressReport:
        """Report on one address; never raises."""


def lease_s(deadline_s: float, conversations: int = 1) -> float:
    """Return how long it may take where every conversation runs into its deadline."""
    return conversations * (deadline_s + OVERHEAD_S)


async def see_through(last: Coroutine[object, object, None], faults: Faults, part: str) -> None:
    """Do a last thing while being cancelled, also where the cancellation comes once more."""
    try:
        await asyncio.shield(asyncio.ensure_future(last))
    except StoreError as error:
        faults.count(part, str(error))
