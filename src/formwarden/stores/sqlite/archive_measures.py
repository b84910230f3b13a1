"""What limits grow and shrink by, as the archive of the durable file reads and adds it."""

from collections.abc import Iterator
from typing import Final, assert_never

import apsw

from formwarden.stores.archive import KeptAlarm, KeptDay, KeptKnown, KeptNewcomer, Measure
from formwarden.stores.breakers import BreakerRow
from formwarden.stores.ports import Alarm, Growth, Key
from formwarden.stores.sqlite.accounts import BREAKER_FIELDS, breaker_columns, breaker_of
from formwarden.stores.sqlite.measures import growth_columns, growth_of
from formwarden.stores.sqlite.texts import plain

BREAKERS: Final = f"SELECT {BREAKER_FIELDS} FROM breaker"  # noqa: S608 - a constant of ours
NEW_BREAKER: Final = "INSERT INTO breaker VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
NEW_PERSON: Final = "INSERT INTO newcomer VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
NEW_KNOWN: Final = "INSERT INTO known VALUES (?) ON CONFLICT DO NOTHING"
NEW_GROWTH: Final = "INSERT INTO growth VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
NEW_ALARM: Final = "INSERT INTO alarm (id, kind, text, at, told_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
NEW_DAY: Final = "INSERT INTO day VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"


def measures(connection: apsw.Connection) -> Iterator[Measure]:
    """Read one after another."""
    read = connection.execute
    for row in read(BREAKERS):
        yield breaker_of(row)
    for recipient, first_at, seen_at in read("SELECT recipient, first_at, seen_at FROM newcomer"):
        yield KeptNewcomer(recipient=Key(recipient), first_at=first_at, seen_at=seen_at)
    for (subject,) in read("SELECT subject FROM known"):
        yield KeptKnown(subject=Key(subject))
    growth = growth_of(connection)
    if growth is not None:
        yield growth
    for number, kind, text, at, told_at in read("SELECT id, kind, text, at, told_at FROM alarm ORDER BY id"):
        yield KeptAlarm(alarm=Alarm(id=number, kind=kind, text=text, at=at), told_at=told_at)
    for day, wanted, granted, newcomers, complaints in read("SELECT * FROM day ORDER BY day"):
        yield KeptDay(day=day, wanted=wanted, granted=granted, newcomers=newcomers, complaints=complaints)


def add_measure(connection: apsw.Connection, record: Measure) -> None:
    """Add one record where it does not stand yet."""
    match record:
        case BreakerRow():
            connection.execute(NEW_BREAKER, breaker_columns(record))
        case KeptNewcomer():
            connection.execute(NEW_PERSON, (record.recipient, record.first_at, record.seen_at))
        case KeptKnown():
            connection.execute(NEW_KNOWN, (record.subject,))
        case Growth():
            connection.execute(NEW_GROWTH, growth_columns(record))
        case KeptAlarm():
            alarm = record.alarm
            connection.execute(NEW_ALARM, (alarm.id, plain(alarm.kind), plain(alarm.text), alarm.at, record.told_at))
        case KeptDay():
            counts = (record.wanted, record.granted, record.newcomers, record.complaints)
            connection.execute(NEW_DAY, (record.day, *counts))
        case _:
            assert_never(record)
