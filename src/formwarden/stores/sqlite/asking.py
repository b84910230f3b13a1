"""What the durable file holds about one person: for a question that is seldom asked, without an index of its own."""

from collections.abc import Collection
from typing import Final

import apsw

from formwarden.errors import StoreError
from formwarden.stores.ports import Key, ReplyRow
from formwarden.stores.sqlite.replies import COLUMNS, row_of
from formwarden.stores.statistics import About, Listed

LISTED: Final = (
    "SELECT cause, until FROM suppression WHERE subject = ? AND (until IS NULL OR until > ?) ORDER BY cause"
)
# Replies granted before rows bore their recipient are found by the slots they took; those live for a month.
REPLIES: Final = f"""
SELECT {COLUMNS} FROM reply WHERE recipient = ?1 OR n IN (SELECT reply FROM spend WHERE key = ?1)
ORDER BY n DESC LIMIT ?2
"""  # noqa: S608 - a constant of ours
WITH_RECIPIENTS: Final = 4  # the first schema whose rows bear them


def about(connection: apsw.Connection, subjects: Collection[Key], *, schema: int, limit: int, now: float) -> About:
    """Read what stands against these subjects, and the last replies to them. StoreError: an older store."""
    if schema < WITH_RECIPIENTS:
        raise StoreError(f"the store has schema {schema}, of an older formwarden: start the site with this one first")
    listed = tuple(
        Listed(subject=subject, cause=cause, until=until)
        for subject in subjects
        for cause, until in connection.execute(LISTED, (subject, now))
    )
    rows = {row.reply_id: row for subject in subjects for row in _replies(connection, subject, limit)}
    newest = sorted(rows.values(), key=lambda row: (row.created_at, row.reply_id), reverse=True)
    return About(listed=listed, replies=tuple(newest[:limit]))


def _replies(connection: apsw.Connection, subject: Key, limit: int) -> list[ReplyRow]:
    return [row_of(row) for row in connection.execute(REPLIES, (subject, limit))]
