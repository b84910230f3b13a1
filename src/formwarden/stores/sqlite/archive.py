"""The durable file as an archive: read in one snapshot, written in small transactions beside the workers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

import apsw

from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.stores.archive import (
    KINDS,
    OTHER_KEYS,
    Erasure,
    KeptInquiry,
    KeptMark,
    KeptOutcome,
    KeptReply,
    KeptSuppression,
    RecipientKey,
    Record,
    joined_keys,
)
from formwarden.stores.ports import Key
from formwarden.stores.sqlite.accounts import SqliteRows, account_of, add_account, probe_of
from formwarden.stores.sqlite.archive_measures import add_measure, measures
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.erasing import erase
from formwarden.stores.sqlite.kept import FIELDS, inquiry_of, insert, row_of
from formwarden.stores.sqlite.plans import durable_plan
from formwarden.stores.sqlite.replies import COLUMNS, Columns
from formwarden.stores.sqlite.replies import row_of as reply_of
from formwarden.stores.sqlite.texts import plain

KEYS: Final = "SELECT key, made_at FROM recipient_key ORDER BY n"
NEW_KEY: Final = "INSERT INTO recipient_key (key, made_at) VALUES (?, ?)"
INQUIRIES: Final = f"""
SELECT staff_at, {FIELDS}, content FROM inquiry LEFT JOIN body ON body.inquiry = inquiry.n ORDER BY n
"""  # noqa: S608 - a constant of ours
REPLIES: Final = f"SELECT n, check_at, due_at, lease_until, recipient, wanted, {COLUMNS} FROM reply"  # noqa: S608 - a constant of ours
REPLIES_IN_ORDER: Final = f"{REPLIES} ORDER BY n"
OF_INQUIRY: Final = f"{REPLIES} WHERE submission = ?"
OF_SUBJECT: Final = f"{REPLIES} WHERE recipient = ?1 OR n IN (SELECT reply FROM spend WHERE key = ?1)"  # noqa: S608 - ours
SPENDS: Final = "SELECT key, at FROM spend WHERE reply = ? ORDER BY key, at"
STAFF_AT: Final = "UPDATE inquiry SET staff_at = ? WHERE id = ?"
NEW_REPLY: Final = """
INSERT INTO reply (id, submission, state, code, created_at, held_until, check_at, due_at, lease_until, attempts, last,
    recipient, score, wanted)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING
"""
NEW_SPEND: Final = "INSERT INTO spend VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
NEW_OUTCOME: Final = "INSERT INTO outcome VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
NEW_SUPPRESSION: Final = "INSERT INTO suppression VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
NEW_MARK: Final = "INSERT INTO mark VALUES (?, ?) ON CONFLICT DO NOTHING"
ReplyColumns = tuple[int, float | None, float | None, float | None, bytes | None, int, *Columns]


class SqliteSnapshot:
    """What one read transaction sees."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def keys(self) -> Sequence[RecipientKey]:
        """The keys of all recipient hashes, oldest first."""
        return _keys(self._connection)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each of `KINDS` there are."""
        return _counts(self._connection)

    def records(self) -> Iterator[Record]:
        """Read one after another, in the order of `KINDS`."""
        read = self._connection.execute
        for row in read(INQUIRIES):
            yield KeptInquiry(inquiry=inquiry_of(row[1:]), staff_at=row[0])
        for row in read(REPLIES_IN_ORDER):
            yield _reply(self._connection, row)
        for key, reply, kind, reason, at in read("SELECT id, reply, kind, reason, at FROM outcome ORDER BY at, id"):
            yield KeptOutcome(id=key, reply_id=reply, kind=kind, reason=reason, at=at)
        for subject, cause, until in read("SELECT subject, cause, until FROM suppression"):
            yield KeptSuppression(subject=Key(subject), cause=cause, until=until)
        for name, at in read("SELECT name, at FROM mark"):
            yield KeptMark(name=name, at=at)
        yield from measures(self._connection)


class SqliteArchive:
    """The durable file of a store; the file must stand."""

    def __init__(self, path: str, *, entropy: Entropy, faults: Faults) -> None:
        self._entropy = entropy
        self._attached = Attached(durable_plan(path), entropy=entropy, faults=faults)
        self._open = ExitStack()
        self._connection = self._open.enter_context(self._attached.migrated())

    @contextmanager
    def snapshot(self) -> Iterator[SqliteSnapshot]:
        """Hold one moment of the store; the log beside the file grows as long as others write meanwhile."""
        with self._attached.errors():
            self._connection.execute("BEGIN")
            try:
                yield SqliteSnapshot(self._connection)
            finally:
                self._connection.execute("ROLLBACK")

    def adopt(self, keys: Sequence[RecipientKey], /) -> None:
        """Take over the keys of what will be added; StoreError where they are not those of what is there."""
        with self._attached.errors():
            self._attached.write(self._connection, lambda connection: _adopt(connection, keys))

    def add(self, records: Sequence[Record], /) -> int:
        """Add what is not there yet, all or nothing, and leave what is; return how many were new."""

        def add(connection: apsw.Connection) -> int:
            return sum(_add(connection, record) for record in records)

        with self._attached.errors():
            return self._attached.write(self._connection, add)

    def replies_of(self, subjects: Collection[Key], inquiries: Collection[bytes], /) -> Mapping[bytes, KeptReply]:
        """Return by id the replies that went to these subjects, or that answer these inquiries."""
        with self._attached.errors():
            asked = [(OF_SUBJECT, key) for key in subjects] + [(OF_INQUIRY, each) for each in inquiries]
            rows = (row for sql, value in asked for row in self._connection.execute(sql, (value,)))
            found = [_reply(self._connection, row) for row in rows]
        return {reply.row.reply_id: reply for reply in found}

    def erase(self, erasure: Erasure, /) -> Mapping[str, int]:
        """Erase, in steps for which nobody waits long; return how many of what."""
        with self._attached.errors():
            return erase(self._attached, self._connection, erasure, self._entropy)

    def close(self) -> None:
        """Let go of the file."""
        self._open.close()


def _keys(connection: apsw.Connection) -> tuple[RecipientKey, ...]:
    return tuple(RecipientKey(key=key, made_at=made_at) for key, made_at in connection.execute(KEYS))


def _counts(connection: apsw.Connection) -> Mapping[str, int]:
    return {kind: connection.execute(f"SELECT count(*) FROM {kind}").get for kind in KINDS}  # noqa: S608 - ours


def _adopt(connection: apsw.Connection, keys: Sequence[RecipientKey]) -> None:
    standing = _keys(connection)
    if keys and not any(_counts(connection).values()):
        connection.execute("DELETE FROM recipient_key")  # nothing was hashed with the one it made for itself
        standing = ()
    if not joined_keys(standing, keys):
        raise StoreError(OTHER_KEYS)
    for each in keys[len(standing) :]:
        connection.execute(NEW_KEY, (each.key, each.made_at))


def _reply(connection: apsw.Connection, row: ReplyColumns) -> KeptReply:
    number, check_at, due_at, lease_until, recipient, wanted = row[:6]
    spends = tuple((Key(key), at) for key, at in connection.execute(SPENDS, (number,)))
    kept = reply_of(row[6:])
    return KeptReply(
        row=kept,
        check_at=check_at,
        due_at=due_at,
        lease_until=lease_until,
        spends=spends,
        recipient=None if recipient is None else Key(recipient),
        wanted=bool(wanted),
        account=account_of(connection, number, kept.reply_id),
        probe_of=probe_of(connection, number),
    )


def _add(connection: apsw.Connection, record: Record) -> bool:
    """Add one record; False: it stands there already."""
    match record:
        case KeptInquiry():
            inquiry = record.inquiry
            new = insert(connection, row_of(inquiry, changed_at=inquiry.changed_at, lease_until=0.0), inquiry)
            if new and record.staff_at:
                connection.execute(STAFF_AT, (record.staff_at, inquiry.id))
            return new
        case KeptReply():
            return _add_reply(connection, record)
        case KeptOutcome():
            row = (record.id, record.reply_id, plain(record.kind), plain(record.reason), record.at)
            connection.execute(NEW_OUTCOME, row)
        case KeptSuppression():
            connection.execute(NEW_SUPPRESSION, (record.subject, plain(record.cause), record.until))
        case KeptMark():
            connection.execute(NEW_MARK, (plain(record.name), record.at))
        case _:
            add_measure(connection, record)
    return connection.changes() > 0


def _add_reply(connection: apsw.Connection, record: KeptReply) -> bool:
    row = record.row
    moments = (row.created_at, row.held_until, record.check_at, record.due_at, record.lease_until)
    ids = (row.reply_id, row.submission_id, plain(row.state), plain(row.code))
    connection.execute(
        NEW_REPLY, (*ids, *moments, row.attempts, plain(row.last), record.recipient, row.score, int(record.wanted))
    )
    if not connection.changes():
        return False
    number = connection.last_insert_rowid()
    for key, at in record.spends:
        connection.execute(NEW_SPEND, (key, at, number))
    if record.account is not None:
        add_account(connection, number, record.account)
    for subject in record.probe_of:
        SqliteRows(connection).take_place(subject, row.reply_id)
    return True
