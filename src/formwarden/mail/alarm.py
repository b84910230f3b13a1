"""Alarms are rows; each is told at least once, by ways other than the stream that failed, and never in a storm."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final, Protocol

from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.faults import Faults, bug
from formwarden.mail.alarm_words import line_of, subject_of, text_of
from formwarden.mail.smtp import masked
from formwarden.stores.ports import Alarm, Store
from formwarden.stores.runs import Run

LOGGER: Final = logging.getLogger("formwarden")
CLAIMED: Final = 200  # that are told together at most
RETRY_S: Final = 300.0  # an alarm that nobody took is told again after this
GATHER_S: Final = 3_600.0  # one kind is told no more often: what comes in between is told together
CHANNEL_S: Final = 30.0  # for one channel, whoever wrote it
HOLDER_BYTES: Final = 8


class AlarmError(Exception):
    """A channel did not take it, and why; the text holds no secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told at once: alarms of one kind, and the words for them in English and Japanese."""

    kind: str  # breaker, config, complaint, drip
    site: str
    subject: str
    text: str
    alarms: tuple[Alarm, ...]  # the same one may come twice: its id tells


class AlarmChannel(Protocol):
    """One way to the owner. It belongs to no event loop."""

    @property
    def name(self) -> str:
        """What failures are counted under."""

    async def tell(self, notice: Notice, /) -> None:
        """Hand it over; raises AlarmError where nobody took it. It is cancelled after half a minute."""


class Alarms:
    """Tells what stands to be told. One kind within an hour is one notice, in all processes: a lease says so."""

    def __init__(
        self,
        store: Store,
        channels: Sequence[AlarmChannel],
        *,
        site: str,
        clock: Clock,
        entropy: Entropy,
        faults: Faults,
        channel_s: float = CHANNEL_S,
    ) -> None:
        self._store = store
        self._channels = tuple(channels)
        self._site = site
        self._clock = clock
        self._entropy = entropy
        self._faults = faults
        self._channel_s = channel_s
        self._logged = -1  # the newest alarm that this process logged

    async def step(self) -> int:
        """Tell every kind that was not told within the hour; return how many alarms were. Raises StoreError."""
        claimed = await self._store.measures.alarms(CLAIMED, lease_s=RETRY_S)
        alarms = [replace(alarm, text=masked(alarm.text)) for alarm in claimed]  # whatever wrote it: no address
        for alarm in alarms:
            if alarm.id > self._logged:
                LOGGER.error("alarm (%s): %s", alarm.kind, line_of(alarm))
        self._logged = max((self._logged, *(alarm.id for alarm in alarms)))
        kinds = groupby(sorted(alarms, key=lambda each: (each.kind, each.id)), lambda each: each.kind)
        return sum([await self._tell(kind, tuple(same)) for kind, same in kinds])

    async def _tell(self, kind: str, alarms: tuple[Alarm, ...]) -> int:
        task, holder = f"alarm {kind}", self._entropy(HOLDER_BYTES).hex()
        if not await self._store.lease(task, holder, seconds=GATHER_S):
            return 0  # told within the hour; these come again, and are told together
        began, told = self._clock.now(), False
        try:
            told = await self._reach(kind, alarms)
            if told:
                await self._store.measures.told([alarm.id for alarm in alarms])
        finally:
            if not told:
                await self._store.release(holder, {})
        if not told:
            return 0
        run = Run(started_at=began, ended_at=self._clock.now(), done=len(alarms), error="")
        await self._store.lease(task, holder, seconds=GATHER_S, run=run)  # for `formwarden stats`
        return len(alarms)

    async def _reach(self, kind: str, alarms: tuple[Alarm, ...]) -> bool:
        """Tell every channel at once; say whether one took it, or none is set and the log must do."""
        notice = Notice(
            kind=kind,
            site=self._site,
            subject=subject_of(kind, self._site, len(alarms)),
            text=text_of(kind, alarms),
            alarms=alarms,
        )
        took = await asyncio.gather(*(self._by(channel, notice) for channel in self._channels))
        return any(took) or not took

    async def _by(self, channel: AlarmChannel, notice: Notice) -> bool:
        try:
            async with asyncio.timeout(self._channel_s):
                await channel.tell(notice)
        except AlarmError as error:
            self._faults.count(f"alarm by {channel.name}", str(error))
        except TimeoutError:
            self._faults.count(f"alarm by {channel.name}", "no answer in time")
        except Exception as error:  # noqa: BLE001 - one channel's bug must not keep the others from hearing
            self._faults.count(f"alarm by {channel.name}", bug(error))
        else:
            return True
        return False
