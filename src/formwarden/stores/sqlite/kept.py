"""Rows of inquiries, as the durable file holds them."""

import json
from typing import Final

import apsw

from formwarden.stores.ports import Inquiry, Staff, State
from formwarden.stores.sqlite.room import note_evictable
from formwarden.stores.sqlite.texts import plain

FIELDS: Final = (
    "id, receipt, form, state, received_at, score, hits, evidence, facts, lineage, content_type, recipient, staff, "
    "staff_note, answer, note, changed_at"
)
SELECT: Final = f"SELECT {FIELDS}, content FROM inquiry LEFT JOIN body ON body.inquiry = inquiry.n"  # noqa: S608 - ours
INSERT: Final = f"""
INSERT INTO inquiry ({FIELDS}, clear, lease_until, staff_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 - ours
Columns = tuple[
    bytes,
    str,
    str,
    str,
    float,
    float,
    str,
    str,
    str,
    bytes | None,
    str,
    str | None,
    str,
    str,
    str | None,
    str,
    float,
    bytes | None,
]
Row = tuple[str | float | bytes | None, ...]


def row_of(inquiry: Inquiry, *, changed_at: float, lease_until: float) -> Row:
    """Return what is inserted for an inquiry, its body apart; the caller's mistakes are raised here."""
    return (
        inquiry.id,
        plain(inquiry.receipt),
        plain(inquiry.form),
        inquiry.state,
        inquiry.received_at,
        inquiry.score,
        json.dumps(dict(inquiry.hits)),
        json.dumps(dict(inquiry.evidence)),
        json.dumps(dict(inquiry.facts)),
        inquiry.lineage,
        plain(inquiry.content_type),
        None if inquiry.recipient is None else plain(inquiry.recipient),
        inquiry.staff,
        plain(inquiry.staff_note),
        answer_text(inquiry.answer),
        plain(inquiry.note),
        changed_at,
        int(inquiry.body is not None or inquiry.recipient is not None),
        lease_until,
    )


def insert(connection: apsw.Connection, row: Row, inquiry: Inquiry) -> bool:
    """Write an inquiry and its body; False: its id stands there already."""
    connection.execute(INSERT, row)
    if not connection.changes():
        return False
    body = inquiry.content()
    if body is not None:
        number = connection.last_insert_rowid()
        connection.execute("INSERT INTO body VALUES (?, ?)", (number, body))
        note_evictable(connection, number, inquiry)
    return True


def inquiry_of(columns: Columns) -> Inquiry:
    """Return a row as a value."""
    (
        key,
        receipt,
        form,
        state,
        received_at,
        score,
        hits,
        evidence,
        facts,
        lineage,
        content_type,
        recipient,
        staff,
        staff_note,
        answer,
        note,
        changed_at,
        body,
    ) = columns
    return Inquiry(
        id=key,
        receipt=receipt,
        form=form,
        state=State(state),
        received_at=received_at,
        score=score,
        hits=json.loads(hits),
        evidence=json.loads(evidence),
        facts=json.loads(facts),
        lineage=lineage,
        content_type=content_type,
        body=body,
        recipient=recipient,
        staff=Staff(staff),
        staff_note=staff_note,
        answer=answer_of(answer),
        note=note,
        changed_at=changed_at,
    )


def answer_text(answer: tuple[int, str] | None) -> str | None:
    """Return an answer as JSON."""
    return None if answer is None else json.dumps(answer)


def answer_of(text: str | None) -> tuple[int, str] | None:
    """Read such an answer."""
    if text is None:
        return None
    status, location = json.loads(text)
    return status, location
