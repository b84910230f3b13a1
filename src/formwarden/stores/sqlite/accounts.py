"""Accounts, breakers and alarms in the durable file, inside one step."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import apsw

from formwarden.stores.breakers import AccountRow, BreakerRow, Complaints, Probe, Scope
from formwarden.stores.breaking import SCANNED, Known
from formwarden.stores.measuring import day_of
from formwarden.stores.ports import Account, Key
from formwarden.stores.sqlite.texts import plain

FIELDS: Final = "provider, site, label, domain, client, networks, standing, at, entered_at, hard, complained_at"
OPEN: Final = """
INSERT OR REPLACE INTO account (reply, provider, site, label, domain, client, networks, standing, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
ACCOUNT: Final = f"SELECT {FIELDS} FROM account WHERE reply = ?"  # noqa: S608 - a constant of ours
NUMBER: Final = "(SELECT n FROM reply WHERE id = ?)"
OUTCOME: Final = f"UPDATE account SET entered_at = ?, hard = ?, complained_at = ? WHERE reply = {NUMBER}"  # noqa: S608
ERASE: Final = f"DELETE FROM account WHERE reply = {NUMBER}"  # noqa: S608 - a constant of ours
BOUNCED: Final = "INSERT INTO spend SELECT ?, ?, n FROM reply WHERE id = ? ON CONFLICT DO NOTHING"
BREAKER_FIELDS: Final = "subject, label, cause, level, probes, opened_at, until, closes_at, tidied"
BREAKER: Final = f"SELECT {BREAKER_FIELDS} FROM breaker WHERE subject = ?"  # noqa: S608 - a constant of ours
STANDING: Final = f"SELECT {BREAKER_FIELDS} FROM breaker WHERE subject IN ({{}})"  # noqa: S608 - a constant of ours
BREAKERS: Final = f"SELECT {BREAKER_FIELDS} FROM breaker WHERE tidied = 0"  # noqa: S608 - a constant of ours
WRITE_BREAKER: Final = "INSERT OR REPLACE INTO breaker VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
WINDOW: Final = """
SELECT hard, networks, domain FROM account
WHERE {} = ? AND entered_at IS NOT NULL AND entered_at > ? AND (entered_at <= ? OR hard > 0)
ORDER BY entered_at DESC LIMIT ?
"""
WINDOWS: Final = {scope: WINDOW.format(scope) for scope in Scope}
COMPLAINTS: Final = """
SELECT complained_at, networks, coalesce(domain, provider) FROM account
WHERE complained_at > ? AND site = ? ORDER BY complained_at DESC LIMIT ?
"""
KNOWN: Final = "SELECT count(*) FROM account WHERE site = ? AND entered_at > ? AND entered_at <= ?"
COMPLAINED: Final = """
INSERT INTO day (day, complaints) VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET complaints = complaints + 1
"""
PROBES: Final = """
SELECT id, entered_at, hard FROM probe JOIN account ON account.reply = probe.reply JOIN reply ON n = probe.reply
WHERE subject = ?
"""
TAKE_PLACE: Final = "INSERT INTO probe SELECT ?, n FROM reply WHERE id = ? ON CONFLICT DO NOTHING"
LEAVE_PLACES: Final = f"DELETE FROM probe WHERE reply = {NUMBER} RETURNING subject"  # noqa: S608 - ours
CLEAR_PLACES: Final = "DELETE FROM probe WHERE subject = ?"
PROBE_OF: Final = "SELECT subject FROM probe WHERE reply = ? ORDER BY subject"
ALARM: Final = "INSERT INTO alarm (kind, text, at) VALUES (?, ?, ?)"
ALARMED: Final = "SELECT EXISTS (SELECT 1 FROM alarm WHERE text = ? AND at > ?)"
ALWAYS: Final = -1e18  # before every moment
AccountColumns = tuple[
    bytes, bytes, str, bytes | None, bytes | None, bytes, str, float, float | None, float, float | None
]
BreakerColumns = tuple[bytes, str, str, int, int, float, float | None, float | None, int]


def packed(keys: Sequence[bytes]) -> bytes:
    """Return keys as one value, each behind its length."""
    return b"".join(bytes((len(key),)) + key for key in keys)


def unpacked(value: bytes) -> tuple[Key, ...]:
    """Read such a value."""
    keys: list[Key] = []
    at = 0
    while at < len(value):
        end = at + 1 + value[at]
        keys.append(Key(value[at + 1 : end]))
        at = end
    return tuple(keys)


def open_account(connection: apsw.Connection, number: int, account: Account, now: float) -> None:
    """Write whose a reply is that was granted."""
    whose = (account.provider, account.site, plain(account.label), account.domain, account.client)
    connection.execute(OPEN, (number, *whose, packed(account.network), plain(account.standing), now))


def add_account(connection: apsw.Connection, number: int, row: AccountRow) -> None:
    """Take over an account with what became of the reply."""
    open_account(connection, number, row.account, row.at)
    SqliteRows(connection).write_outcome(row)


def probe_of(connection: apsw.Connection, number: int) -> tuple[Key, ...]:
    """Return the half-open breakers that a reply is a probe of."""
    return tuple(Key(subject) for (subject,) in connection.execute(PROBE_OF, (number,)))


def account_of(connection: apsw.Connection, number: int, reply_id: bytes) -> AccountRow | None:
    """Read whose a reply is; None: it was not granted, or before there were accounts."""
    row: AccountColumns | None = connection.execute(ACCOUNT, (number,)).get
    if row is None:
        return None
    provider, site, label, domain, client, networks, standing, at, entered_at, hard, complained_at = row
    return AccountRow(
        reply_id=reply_id,
        account=Account(
            recipient=(),
            provider=Key(provider),
            site=Key(site),
            label=label,
            domain=None if domain is None else Key(domain),
            client=None if client is None else Key(client),
            network=unpacked(networks),
            standing=standing,
        ),
        at=at,
        entered_at=entered_at,
        hard=hard,
        complained_at=complained_at,
    )


class SqliteRows:
    """What breakers read and write, in one transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def breaker(self, subject: Key, /) -> BreakerRow | None:
        """Read one."""
        row: BreakerColumns | None = self._connection.execute(BREAKER, (subject,)).get
        return None if row is None else breaker_of(row)

    def standing(self, subjects: Collection[Key], /) -> Mapping[Key, BreakerRow]:
        """Read those of these subjects."""
        rows = self._connection.execute(STANDING.format(", ".join("?" * len(subjects))), tuple(subjects))
        return {breaker.subject: breaker for breaker in map(breaker_of, rows)}

    def breakers(self) -> Sequence[BreakerRow]:
        """Read all that were not found closed and said so."""
        return [breaker_of(row) for row in self._connection.execute(BREAKERS)]

    def write_breaker(self, row: BreakerRow, /) -> None:
        """Write one."""
        self._connection.execute(WRITE_BREAKER, breaker_columns(row))

    def write_outcome(self, row: AccountRow, /) -> None:
        """Write what became of a reply."""
        self._connection.execute(OUTCOME, (row.entered_at, row.hard, row.complained_at, row.reply_id))

    def erase_account(self, reply_id: bytes, /) -> None:
        """Erase the account of a reply that was never sent."""
        self._connection.execute(ERASE, (reply_id,))

    def bounced(self, client: Key, reply_id: bytes, now: float, /) -> None:
        """Write a slot of a client whose reply bounced."""
        self._connection.execute(BOUNCED, (client, now, reply_id))

    def window(self, scope: Scope, subject: Key, /, *, since: float | None, now: float) -> Iterator[Known]:
        """Read known outcomes after `since`, newest first, at most `SCANNED` rows; a failure is known at once."""
        bounds = (subject, ALWAYS if since is None else since, now, SCANNED)
        for hard, networks, domain in self._connection.execute(WINDOWS[scope], bounds):
            yield Known(hard=hard, network=unpacked(networks), domain=domain)

    def complaints(self, site: Key, /, *, since: float | None, recent_from: float, now: float) -> Complaints:
        """Read the complaints of a site after `since`."""
        begins = ALWAYS if since is None else since
        rows: list[tuple[float, bytes, bytes]] = list(self._connection.execute(COMPLAINTS, (begins, site, SCANNED)))
        return Complaints(
            newest_first=[Known(hard=1.0, network=unpacked(networks), domain=domain) for _, networks, domain in rows],
            recent=sum(at >= recent_from for at, _, _ in rows),
            sent=self._connection.execute(KNOWN, (site, begins, now)).get,
        )

    def count_complaint(self, now: float, /) -> None:
        """Count one in its day."""
        self._connection.execute(COMPLAINED, (day_of(now),))

    def probes(self, subject: Key, /) -> Sequence[Probe]:
        """Read the probes of a half-open breaker."""
        rows: Iterator[tuple[bytes, float | None, float]] = self._connection.execute(PROBES, (subject,))
        return [Probe(reply_id=reply_id, entered_at=entered_at, hard=hard) for reply_id, entered_at, hard in rows]

    def take_place(self, subject: Key, reply_id: bytes, /) -> None:
        """Write that a reply is a probe."""
        self._connection.execute(TAKE_PLACE, (subject, reply_id))

    def leave_places(self, reply_id: bytes, /) -> Sequence[Key]:
        """Forget that a reply was a probe; return of which breakers."""
        return [Key(subject) for (subject,) in self._connection.execute(LEAVE_PLACES, (reply_id,))]

    def clear_places(self, subject: Key, /) -> None:
        """Forget the probes of a breaker."""
        self._connection.execute(CLEAR_PLACES, (subject,))

    def alarmed(self, text: str, since: float, /) -> bool:
        """Say whether such an alarm was written after a moment."""
        return bool(self._connection.execute(ALARMED, (text, since)).get)

    def alarm(self, kind: str, text: str, now: float, /) -> None:
        """Write an alarm."""
        self._connection.execute(ALARM, (kind, plain(text), now))


def breaker_of(row: BreakerColumns) -> BreakerRow:
    """Return a row as a value."""
    subject, label, cause, level, probes, opened_at, until, closes_at, tidied = row
    return BreakerRow(
        subject=Key(subject),
        label=label,
        cause=cause,
        level=level,
        probes=probes,
        opened_at=opened_at,
        until=until,
        closes_at=closes_at,
        tidied=bool(tidied),
    )


def breaker_columns(row: BreakerRow) -> BreakerColumns:
    """Return a value as a row."""
    moments = (row.opened_at, row.until, row.closes_at)
    return (row.subject, plain(row.label), row.cause, row.level, row.probes, *moments, int(row.tidied))
