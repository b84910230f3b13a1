"""Days and new people in the durable file, inside one step."""

from typing import Final

import apsw

from formwarden.stores.measuring import NEWCOMERS_A_DAY, day_of, seen_again
from formwarden.stores.ports import Key

MET: Final = "SELECT recipient, seen_at FROM newcomer WHERE recipient IN ({}) LIMIT 1"
SEEN: Final = "UPDATE newcomer SET seen_at = ? WHERE recipient = ?"
MEET: Final = "INSERT INTO newcomer VALUES (?1, ?2, ?2) ON CONFLICT DO NOTHING"
FIRST: Final = "INSERT INTO mark VALUES ('first_wanted', ?) ON CONFLICT DO NOTHING"
COUNT: Final = """
INSERT INTO day (day, wanted, granted, newcomers) VALUES (?, ?, ?, ?)
ON CONFLICT (day) DO UPDATE SET wanted = wanted + excluded.wanted, granted = granted + excluded.granted,
newcomers = newcomers + excluded.newcomers
RETURNING newcomers
"""


def count_wanted(
    connection: apsw.Connection, recipient: tuple[Key, ...], now: float, *, wanted: bool, granted: bool
) -> None:
    """Count a reply in its day, and remember that one to this recipient was wanted."""
    new = bool(recipient) and not _met(connection, recipient, now)
    today: int = connection.execute(COUNT, (day_of(now), int(wanted), int(granted), int(new))).get
    if new and today <= NEWCOMERS_A_DAY:
        connection.execute(MEET, (recipient[0], now))
        if today == 1:
            connection.execute(FIRST, (now,))


def _met(connection: apsw.Connection, recipient: tuple[Key, ...], now: float) -> bool:
    sql = MET.format(", ".join("?" * len(recipient)))
    met: tuple[bytes, float] | None = connection.execute(sql, recipient).get
    if met is None:
        return False
    key, seen_at = met
    if seen_again(seen_at, now):
        connection.execute(SEEN, (now, key))
    return True
