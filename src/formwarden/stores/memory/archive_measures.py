"""What limits grow and shrink by, as the archive of a memory store reads and adds it."""

from collections.abc import Iterator
from typing import assert_never

from formwarden.stores.archive import KeptAlarm, KeptDay, KeptKnown, KeptNewcomer, Measure
from formwarden.stores.breakers import BreakerRow
from formwarden.stores.memory.accounts import HeldAlarm
from formwarden.stores.memory.days import Counted
from formwarden.stores.memory.replies import Shelves
from formwarden.stores.ports import Growth


def measures(shelves: Shelves) -> Iterator[Measure]:
    """Read one after another."""
    yield from shelves.accounts.rows.values()
    for recipient, (first_at, seen_at) in shelves.days.people.items():
        yield KeptNewcomer(recipient=recipient, first_at=first_at, seen_at=seen_at)
    for subject in shelves.known:
        yield KeptKnown(subject=subject)
    if shelves.growth is not None:
        yield shelves.growth
    for _, held in sorted(shelves.accounts.kept_alarms.items()):
        yield KeptAlarm(alarm=held.alarm, told_at=held.told_at)
    for day, counted in sorted(shelves.days.days.items()):
        yield KeptDay(
            day=day,
            wanted=counted.wanted,
            granted=counted.granted,
            newcomers=counted.newcomers,
            complaints=counted.complaints,
        )


def add_measure(shelves: Shelves, record: Measure) -> bool:
    """Add one record; False: it stands there already."""
    match record:
        case BreakerRow():
            return shelves.accounts.rows.setdefault(record.subject, record) is record
        case KeptNewcomer():
            moments = record.first_at, record.seen_at
            return shelves.days.people.setdefault(record.recipient, moments) is moments
        case KeptKnown():
            new = record.subject not in shelves.known
            shelves.known[record.subject] = None
            return new
        case Growth():
            shelves.growth = shelves.growth or record
            return shelves.growth is record
        case KeptAlarm():
            held = HeldAlarm(alarm=record.alarm, told_at=record.told_at)
            return shelves.accounts.kept_alarms.setdefault(record.alarm.id, held) is held
        case KeptDay():
            counted = Counted(
                wanted=record.wanted,
                granted=record.granted,
                newcomers=record.newcomers,
                complaints=record.complaints,
            )
            return shelves.days.days.setdefault(record.day, counted) is counted
        case _:
            assert_never(record)
