"""The bound in size of the durable file, and what goes when it is reached (G23).

Counted are pages in use: the file itself keeps its free ones and writes there again. The log beside it comes on top.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import apsw

from formwarden.faults import Faults
from formwarden.stores.eviction import (
    AFTER,
    EVICT_FROM,
    HIGH_WATER,
    LOW_WATER,
    NEEDED,
    PROTECTED_S,
    STEP_BYTES,
    Turn,
    cluster_of,
    counting_note,
    dropped_note,
)
from formwarden.stores.ports import Inquiry, Staff, State

LIVE_REPLY: Final = (
    "EXISTS (SELECT 1 FROM reply WHERE submission = inquiry.id AND reply.state IN ('due', 'held', 'taken'))"
)
FAULT: Final = "store room"
EVICTING: Final = "nearly full (FORMWARDEN_STORE_BYTES): bodies of the highest scores are dropped, see their notes"
KEEP_ROWS: Final = 100  # looked at when a keep finds no room: its visitor waits for them
HEAD: Final = "SELECT count(*) FROM evictable WHERE cluster = ? AND turn = ?"
NOTE: Final = "INSERT INTO evictable VALUES (?, ?, ?, ?)"
NEXT: Final = "SELECT inquiry, turn, cluster FROM evictable ORDER BY turn, score DESC, inquiry LIMIT ?"
STANDING: Final = f"""
SELECT state, staff, note, (SELECT length(content) FROM body WHERE inquiry = n), {LIVE_REPLY} FROM inquiry WHERE n = ?
"""  # noqa: S608 - a constant of ours; the length of a body is read without the body
COUSIN: Final = """
SELECT n, receipt, note FROM evictable JOIN inquiry ON n = evictable.inquiry
WHERE cluster = ? AND turn = ? AND state IN ('held', 'asked') AND EXISTS (SELECT 1 FROM body WHERE body.inquiry = n)
LIMIT 1
"""
NOTED: Final = "UPDATE inquiry SET note = ? WHERE n = ?"
TURN: Final = "UPDATE evictable SET turn = ? WHERE inquiry = ?"
LEFT: Final = "UPDATE evictable SET turn = ?, score = 0, cluster = NULL WHERE inquiry = ?"
SPARE: Final = "DELETE FROM evictable WHERE inquiry = ?"
BODY: Final = "DELETE FROM body WHERE inquiry = ?"
CLEARED: Final = f"""
UPDATE inquiry SET note = ?, recipient = iif({LIVE_REPLY}, recipient, NULL),
clear = iif({LIVE_REPLY}, recipient IS NOT NULL, 0) WHERE n = ?
"""  # noqa: S608 - a constant of ours
ROW: Final = "DELETE FROM inquiry WHERE n = ?"
OLD_BODIES: Final = """
SELECT n FROM inquiry JOIN body ON body.inquiry = n
WHERE clear = 1 AND state = ? AND changed_at <= ? AND received_at <= ? AND staff <> 'due' ORDER BY changed_at LIMIT ?
"""
OLD_NUMBERS: Final = f"""
SELECT n FROM inquiry WHERE received_at <= ? AND clear = 0 AND staff <> 'due'
AND state NOT IN ('accepted', 'releasing') AND NOT {LIVE_REPLY} ORDER BY received_at LIMIT ?
"""  # noqa: S608 - a constant of ours
REJECTED_STILL: Final = frozenset({State.REJECTED, State.DISCARDED})


@dataclass(frozen=True, slots=True)
class _Standing:
    state: State
    staff: Staff
    note: str
    body_bytes: int | None
    live_reply: bool

    @property
    def needed(self) -> bool:
        """Say whether somebody is about to read the body, or has mail to send about it."""
        return self.state in NEEDED or self.staff is Staff.DUE


class Room:
    """Keeps the durable file within its bound; every method is called inside a transaction."""

    def __init__(self, limit_bytes: int, faults: Faults) -> None:
        self._limit = limit_bytes
        self._faults = faults

    def make(self, connection: apsw.Connection, needed: int, now: float) -> bool:
        """Say whether so many bytes more fit; where they do not, evict one step first."""
        if used_bytes(connection) + needed <= self._limit:
            return True
        self._evict(connection, now, needed=needed, rows=KEEP_ROWS)
        return used_bytes(connection) + needed <= self._limit

    def relieve(self, connection: apsw.Connection, now: float, rows: int) -> int:
        """Evict one step if the file is nearly full; return how many rows were looked at."""
        if used_bytes(connection) <= self._limit * HIGH_WATER:
            return 0
        return self._evict(connection, now, needed=0, rows=rows)

    def _evict(self, connection: apsw.Connection, now: float, *, needed: int, rows: int) -> int:
        target = int(self._limit * LOW_WATER) - needed
        looked_at = evict(connection, now, target=target, rows=rows, step_bytes=max(STEP_BYTES, needed))
        if looked_at:
            self._faults.count(FAULT, EVICTING)
        return looked_at


def used_bytes(connection: apsw.Connection) -> int:
    """Return the bytes of all pages in use: three numbers from the file's first page, some 5 µs."""
    pages: int = connection.execute("PRAGMA page_count").get
    free: int = connection.execute("PRAGMA freelist_count").get
    size: int = connection.execute("PRAGMA page_size").get
    return (pages - free) * size


def note_evictable(connection: apsw.Connection, number: int, inquiry: Inquiry) -> None:
    """Note an inquiry with a body that may be dropped when the store is full."""
    if inquiry.score < EVICT_FROM:
        return
    cluster = cluster_of(inquiry.facts)
    turn = Turn.REJECTED if inquiry.state is State.REJECTED else Turn.SCORE
    if turn is Turn.SCORE and cluster is not None and connection.execute(HEAD, (cluster, Turn.SCORE)).get:
        turn = Turn.ALIKE
    connection.execute(NOTE, (number, turn, inquiry.score, cluster))


def note_erased(connection: apsw.Connection, number: int) -> None:
    """Note that only the numbers of an inquiry are left, its body being erased in its time."""
    connection.execute(LEFT, (Turn.NUMBERS, number))


def evict(connection: apsw.Connection, now: float, *, target: int, rows: int, step_bytes: int) -> int:
    """Evict in order until `target` bytes are in use, or one step is done; return how many rows were looked at.

    What is looked at and stays gets another turn or is left to its time, so the next step looks further.
    """
    looked_at = freed = 0
    waiting: list[tuple[int, int, bytes | None]] = list(connection.execute(NEXT, (rows,)))
    for number, turn, cluster in waiting:
        if freed >= step_bytes or used_bytes(connection) <= target:
            return looked_at
        freed += _take_turn(connection, number, Turn(turn), cluster)
        looked_at += 1
    for number, has_body in _old(connection, now - PROTECTED_S, rows - looked_at):
        if freed >= step_bytes or used_bytes(connection) <= target:
            return looked_at
        if has_body:
            freed += _drop(connection, number, _standing(connection, number))
        else:
            connection.execute(ROW, (number,))
        looked_at += 1
    return looked_at


def _old(connection: apsw.Connection, before: float, rows: int) -> Iterator[tuple[int, bool]]:
    """Find what few points protect no longer: bodies, the longest unchanged first, then the oldest numbers."""
    for state in State:
        if rows > 0 and state not in NEEDED:
            bodies: list[tuple[int]] = list(connection.execute(OLD_BODIES, (state, before, before, rows)))
            rows -= len(bodies)
            yield from ((number, True) for (number,) in bodies)
    if rows > 0:
        numbers: list[tuple[int]] = list(connection.execute(OLD_NUMBERS, (before, rows)))
        yield from ((number, False) for (number,) in numbers)


def _take_turn(connection: apsw.Connection, number: int, turn: Turn, cluster: bytes | None) -> int:
    """Do what this inquiry's turn says; return the bytes of the body that went."""
    standing = _standing(connection, number)
    if standing.needed or (standing.live_reply and turn not in AFTER):
        connection.execute(SPARE, (number,))
        return 0
    if turn not in AFTER:
        connection.execute(ROW, (number,))
        return 0
    if standing.body_bytes is None:
        connection.execute(LEFT, (AFTER[turn], number))
        return 0
    like = None
    if turn is Turn.ALIKE:
        cousin: tuple[int, str, str] | None = connection.execute(COUSIN, (cluster, Turn.SCORE)).get
        if cousin is not None:
            other, like, note = cousin
            connection.execute(NOTED, (counting_note(note), other))
    if (turn is Turn.ALIKE and like is None) or (turn is Turn.REJECTED and standing.state not in REJECTED_STILL):
        connection.execute(TURN, (Turn.SCORE, number))  # the one it was like is gone, or somebody let it go on
        return 0
    freed = _drop(connection, number, standing, like)
    connection.execute(LEFT, (AFTER[turn], number))
    return freed


def _standing(connection: apsw.Connection, number: int) -> _Standing:
    row: tuple[str, str, str, int | None, int] = connection.execute(STANDING, (number,)).get
    state, staff, note, body_bytes, live_reply = row
    return _Standing(State(state), Staff(staff), note, body_bytes, bool(live_reply))


def _drop(connection: apsw.Connection, number: int, standing: _Standing, like: str | None = None) -> int:
    """Erase a body; the row stays, its numbers, and why."""
    connection.execute(BODY, (number,))
    connection.execute(CLEARED, (dropped_note(standing.note, like=like), number))
    return standing.body_bytes or 0
