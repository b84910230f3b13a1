"""Rows of replies, as the durable file holds them."""

from typing import Final

from formwarden.stores.ports import ReplyRow

COLUMNS: Final = "id, submission, state, code, created_at, held_until, attempts, last, score"
Columns = tuple[bytes, bytes, str, str, float, float | None, int, str, float | None]


def row_of(columns: Columns) -> ReplyRow:
    """Return a row as a value."""
    reply, submission, state, code, created_at, held_until, attempts, last, score = columns
    return ReplyRow(
        reply_id=reply,
        submission_id=submission,
        state=state,
        code=code,
        created_at=created_at,
        held_until=held_until,
        attempts=attempts,
        last=last,
        score=score,
    )
