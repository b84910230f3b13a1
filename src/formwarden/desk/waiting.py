"""Inquiries that wait: unanswered questions, endpoints that died, releases that were interrupted."""

from typing import Final

from formwarden.asked import UNANSWERED
from formwarden.clock import Clock
from formwarden.course import ENDPOINT_FAILED
from formwarden.desk.release import MAY_HAVE_RUN, Releases
from formwarden.stores.ports import Inquiry, State, Store

UNANSWERED_S: Final = 1_800.0  # a page that asked for another click is taken for closed (G22)
STEP_LEASE_S: Final = 60.0
BATCH: Final = 50


class Waiting:
    """Moves on what nobody came back for; nothing is lost, nothing is repeated by itself."""

    def __init__(self, *, store: Store, releases: Releases, clock: Clock) -> None:
        self._store = store
        self._releases = releases
        self._clock = clock

    async def step(self) -> int:
        """Look once at each kind; return how many were moved."""
        asked = await self._claim(State.ASKED, older_than=self._clock.now() - UNANSWERED_S)
        for inquiry in asked:
            await self._unanswered(inquiry)
        dead = await self._claim(State.ACCEPTED)
        for inquiry in dead:
            await self._hold(inquiry, f"{ENDPOINT_FAILED}: its process ended; {MAY_HAVE_RUN}")
        interrupted = await self._claim(State.RELEASING)
        for inquiry in interrupted:
            await self._hold(inquiry, f"release interrupted; {MAY_HAVE_RUN}")
        return len(asked) + len(dead) + len(interrupted)

    async def _claim(self, state: State, older_than: float | None = None) -> tuple[Inquiry, ...]:
        now = self._clock.now()
        found = await self._store.inquiries.claim(
            state, BATCH, older_than=now if older_than is None else older_than, lease_s=STEP_LEASE_S
        )
        return tuple(found)

    async def _unanswered(self, inquiry: Inquiry) -> None:
        if inquiry.facts.get("address_only") and await self._releases.release(inquiry.id, by_owner=False):
            return
        await self._hold(inquiry, UNANSWERED)

    async def _hold(self, inquiry: Inquiry, note: str) -> None:
        await self._store.inquiries.move(inquiry.id, expect={inquiry.state}, to=State.HELD, note=note)
