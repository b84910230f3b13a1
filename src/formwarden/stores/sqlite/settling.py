"""What becomes of a reply: its row, its slots, suppression, and the recipient's erasure, in one transaction."""

from collections.abc import Sequence
from typing import Final

import apsw

from formwarden.stores.evidence import settle_account
from formwarden.stores.outcomes import ENDS_AS, LIVE, REASON_LIMIT, cause_of, is_feedback, later
from formwarden.stores.ports import Key, Outcome, OutcomeKind
from formwarden.stores.sqlite.accounts import SqliteRows, account_of
from formwarden.stores.sqlite.texts import plain

NOTE: Final = "INSERT INTO outcome VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
STANDING: Final = "SELECT state, submission, n FROM reply WHERE id = ?"
MARK: Final = "INSERT INTO mark VALUES ('feedback_seen', ?) ON CONFLICT DO NOTHING"
AGAIN: Final = "UPDATE reply SET state = 'due', due_at = ?, lease_until = NULL WHERE id = ?"
END: Final = """
UPDATE reply SET state = ?, held_until = NULL, check_at = NULL, due_at = NULL, lease_until = NULL, score = NULL
WHERE id = ?
"""
REFUND: Final = "DELETE FROM spend WHERE reply = ?"
LAST: Final = "UPDATE reply SET last = ? WHERE id = ?"
SUPPRESSED: Final = "SELECT until FROM suppression WHERE subject = ? AND cause = ?"
SUPPRESS: Final = "INSERT OR REPLACE INTO suppression VALUES (?, ?, ?)"
CAUSES: Final = "SELECT subject, cause FROM suppression WHERE subject IN ({}) AND (until IS NULL OR until > ?)"
ERASE: Final = """
UPDATE inquiry SET recipient = NULL, clear = EXISTS (SELECT 1 FROM body WHERE body.inquiry = inquiry.n)
WHERE id = ? AND recipient IS NOT NULL
"""


def settle(connection: apsw.Connection, outcome: Outcome, now: float) -> None:
    """Record one piece of evidence; the same id twice changes nothing, and a reply ends only once."""
    reason = plain(outcome.reason[:REASON_LIMIT])
    connection.execute(NOTE, (outcome.id, outcome.reply_id, outcome.kind, reason, now))
    if connection.changes() == 0:
        return
    if is_feedback(outcome):
        connection.execute(MARK, (now,))
    cause = cause_of(outcome)
    if cause is not None and outcome.subject is not None:
        set_suppression(connection, subject=outcome.subject, cause=cause, until=outcome.until)
    standing: tuple[str, bytes, int] | None = connection.execute(STANDING, (outcome.reply_id,)).get
    rows = SqliteRows(connection)
    if standing is None:
        settle_account(rows, None, outcome, now, state="")
        return
    connection.execute(LAST, (reason, outcome.reply_id))
    state, submission, number = standing
    settle_account(rows, account_of(connection, number, outcome.reply_id), outcome, now, state=state)
    if state not in LIVE:
        return
    if outcome.kind is OutcomeKind.NOT_SENT:
        if state == "taken":
            connection.execute(AGAIN, (now if outcome.until is None else outcome.until, outcome.reply_id))
        return
    if outcome.kind is OutcomeKind.REFUNDED:
        connection.execute(REFUND, (number,))
    end(connection, outcome.reply_id, submission, ENDS_AS[outcome.kind])


def end(connection: apsw.Connection, reply: bytes, submission: bytes, state: str) -> None:
    """Bring a live reply to its end; nobody needs the recipient's address any more."""
    connection.execute(END, (state, reply))
    erase_recipient(connection, submission)


def erase_recipient(connection: apsw.Connection, submission: bytes) -> None:
    """Erase the address that was kept for the reply."""
    connection.execute(ERASE, (submission,))


def causes_of(connection: apsw.Connection, subjects: Sequence[Key], now: float) -> dict[Key, list[str]]:
    """Return why those of these subjects are on the list that are."""
    causes: dict[Key, list[str]] = {}
    for subject, cause in connection.execute(CAUSES.format(", ".join("?" * len(subjects))), (*subjects, now)):
        causes.setdefault(subject, []).append(cause)
    return causes


def set_suppression(connection: apsw.Connection, *, subject: bytes, cause: str, until: float | None) -> None:
    """Put a subject on the list, or keep it there longer; causes stand side by side and the strongest is named."""
    stands: list[tuple[float | None]] = list(connection.execute(SUPPRESSED, (subject, cause)))
    if stands:
        until = later(until, stands[0][0])
    connection.execute(SUPPRESS, (subject, cause, until))
