"""Lines of what limits grow and shrink by: accounts, breakers, people, alarms and days."""

from dataclasses import asdict
from typing import assert_never

from formwarden.stores.archive import KeptAlarm, KeptDay, KeptKnown, KeptNewcomer, Measure
from formwarden.stores.archive_fields import Fields, LineError, dump
from formwarden.stores.breakers import AccountRow, BreakerRow
from formwarden.stores.ports import Account, Alarm, Growth, Key


def measure_line(record: Measure) -> str:
    """Write one record."""
    match record:
        case BreakerRow():
            return dump({"kind": "breaker", **asdict(record), "subject": record.subject.hex()})
        case KeptNewcomer():
            recipient = record.recipient.hex()
            moments = {"first_at": record.first_at, "seen_at": record.seen_at}
            return dump({"kind": "newcomer", "recipient": recipient, **moments})
        case KeptKnown():
            return dump({"kind": "known", "subject": record.subject.hex()})
        case Growth():
            return dump({"kind": "growth", **asdict(record)})
        case KeptAlarm():
            alarm = record.alarm
            about = {"id": alarm.id, "about": alarm.kind, "text": alarm.text}
            return dump({"kind": "alarm", **about, "at": alarm.at, "told_at": record.told_at})
        case KeptDay():
            return dump({"kind": "day", **asdict(record)})
        case _:
            assert_never(record)


def read_measure(kind: object, fields: Fields) -> Measure:
    """Read one record of this kind. Raises LineError."""
    match kind:
        case "breaker":
            return _read_breaker(fields)
        case "newcomer":
            recipient = Key(fields.octets("recipient"))
            first_at, seen_at = fields.number("first_at"), fields.number("seen_at")
            return KeptNewcomer(recipient=recipient, first_at=first_at, seen_at=seen_at)
        case "known":
            return KeptKnown(subject=Key(fields.octets("subject")))
        case "growth":
            return _read_growth(fields)
        case "alarm":
            text, at = fields.text("text"), fields.number("at")
            alarm = Alarm(id=fields.whole("id"), kind=fields.text("about"), text=text, at=at)
            return KeptAlarm(alarm=alarm, told_at=fields.maybe_number("told_at"))
        case "day":
            return KeptDay(
                day=fields.whole("day"),
                wanted=fields.whole("wanted"),
                granted=fields.whole("granted"),
                newcomers=fields.whole("newcomers"),
                complaints=fields.whole("complaints"),
            )
        case _:
            raise LineError(f"no record of ours is a {kind!r}")


def account_members(row: AccountRow) -> dict[str, object]:
    """Return the members of a reply's account."""
    account = row.account
    return {
        "provider": account.provider.hex(),
        "site": account.site.hex(),
        "label": account.label,
        "domain": None if account.domain is None else account.domain.hex(),
        "client": None if account.client is None else account.client.hex(),
        "network": [key.hex() for key in account.network],
        "standing": account.standing,
        "at": row.at,
        "entered_at": row.entered_at,
        "hard": row.hard,
        "complained_at": row.complained_at,
    }


def read_account(fields: Fields, reply_id: bytes) -> AccountRow:
    """Read the account of a reply. Raises LineError."""
    return AccountRow(
        reply_id=reply_id,
        account=Account(
            recipient=(),
            provider=Key(fields.octets("provider")),
            site=Key(fields.octets("site")),
            label=fields.text("label"),
            domain=fields.maybe_key("domain"),
            client=fields.maybe_key("client"),
            network=fields.keys("network"),
            standing=fields.text("standing"),
        ),
        at=fields.number("at"),
        entered_at=fields.maybe_number("entered_at"),
        hard=fields.number("hard"),
        complained_at=fields.maybe_number("complained_at"),
    )


def _read_breaker(fields: Fields) -> BreakerRow:
    return BreakerRow(
        subject=Key(fields.octets("subject")),
        label=fields.text("label"),
        cause=fields.text("cause"),
        level=fields.whole("level"),
        probes=fields.whole("probes"),
        opened_at=fields.number("opened_at"),
        until=fields.maybe_number("until"),
        closes_at=fields.maybe_number("closes_at"),
        tidied=fields.truth("tidied"),
    )


def _read_growth(fields: Fields) -> Growth:
    return Growth(
        cap=fields.whole("cap"),
        day=fields.whole("day"),
        drip_cap=fields.maybe_whole("drip_cap"),
        drip_at=fields.maybe_number("drip_at"),
        real_at=fields.maybe_number("real_at"),
        real_week=fields.whole("real_week"),
    )
