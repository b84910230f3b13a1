"""What the processes do that race for the staff's mail."""

import asyncio
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from tests.stores.sqlite.programs import WAIT_S, new_store

Taken = tuple[list[bytes], list[bytes]]
"""What one process got singly, and what it gathered."""


def claim_together(path: str, per_hour: int, barrier: Barrier, told: "Queue[Taken]") -> None:
    """Take whatever may go singly, then whatever is gathered, until there is nothing more."""

    async def claim() -> Taken:
        store = new_store(path)
        single, gathered = list[bytes](), list[bytes]()
        barrier.wait(WAIT_S)
        while found := await store.inquiries.claim_staff(1, lease_s=600, per_hour=per_hour):
            single.extend(each.id for each in found)
        while found := await store.inquiries.gather_staff(7, lease_s=600, per_hour=per_hour, every_s=1e-3):
            gathered.extend(each.id for each in found)
        await store.aclose()
        return single, gathered

    told.put(asyncio.run(claim()))
