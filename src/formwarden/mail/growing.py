"""Lets the site's day grow and shrink: measures what days brought, and writes what is allowed from now on (G06)."""

import logging
from collections.abc import Mapping
from typing import Final

from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.mail.growth import IDLE_DAYS, Bounds, allowed, day_of, next_growth, said_real
from formwarden.mail.settings import Mail
from formwarden.stores.ports import Day, Growth, Ledger, Measures

LOGGER: Final = logging.getLogger("formwarden")
READ_DAYS: Final = IDLE_DAYS + 1  # a site that slept longer starts again anyway
TRIES: Final = 5  # somebody else may write in between, once a day each
UNPROVEN: Final = "no feedback yet"
NEXT_STEP: Final = (
    "no refusal or bounce was ever seen, so replies stay at the figures of unproven_per_hour and unproven_per_day: "
    "let the relay's refusals and bounces come back to formwarden (docs/replies.md)"
)


def bounds_of(mail: Mail) -> Bounds:
    """Return between what the site's day may move."""
    return Bounds(start=max(mail.site_per_day, mail.warm_start_per_day or 0), ceiling=mail.reply_ceiling_per_day)


class Growing:
    """Judges each day once, in whichever process comes first, and looks for a drip."""

    def __init__(self, measures: Measures, ledger: Ledger, *, mail: Mail, clock: Clock, faults: Faults) -> None:
        self._measures = measures
        self._ledger = ledger
        self._mail = mail
        self._bounds = bounds_of(mail)
        self._clock = clock
        self._faults = faults

    async def step(self) -> int:
        """Measure, and write what is allowed now; return 1 where that is another figure. Raises StoreError."""
        now = self._clock.now()
        _, newcomers, growth = await self._measures.measure(day_of(now))
        proven = (await self._ledger.reputation(())).feedback_seen
        days = await self._days(growth, day_of(now))
        grown = next_growth(growth, days, newcomers, self._bounds, now=now, proven=proven)
        if grown.growth == growth:
            return 0
        if not await self._measures.grow(grown.growth, after=growth, alarm=grown.alarm):
            return 0  # somebody else judged it, or the owner spoke: the next pass sees what stands now
        if not proven and any(day.granted for day in days.values()):
            self._faults.count(UNPROVEN, NEXT_STEP)  # once a day, in whichever process judged it (G07)
        before, after = allowed(growth, self._bounds), allowed(grown.growth, self._bounds)
        if after == before:
            return 0
        LOGGER.info("replies: %d a day from now on, after %d", after, before)
        return 1

    async def _days(self, growth: Growth | None, today: int) -> Mapping[int, Day]:
        """Read the days that were not judged, and as many before them as may show that the site was idle."""
        if growth is None:
            return {}
        days: dict[int, Day] = {}
        idle = growth.cap > self._bounds.start
        for number in range(today - 1, today - 1 - READ_DAYS, -1):
            if number <= growth.day and not idle:
                break
            days[number] = (await self._measures.measure(number))[0]
            idle = idle and not days[number].wanted
        return days


async def mark_real(measures: Measures, clock: Clock) -> Growth | None:
    """Write that the new addresses of this week are real people; None: no drip is suspected. Raises StoreError."""
    for _ in range(TRIES):
        now = clock.now()
        _, newcomers, growth = await measures.measure(day_of(now))
        if growth is None or growth.drip_cap is None:
            return None
        real = said_real(growth, newcomers, now)
        if await measures.grow(real, after=growth):
            return real
    raise StoreError("others write what is allowed all the time; try again")
