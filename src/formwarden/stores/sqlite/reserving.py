"""One reservation: every budget or none, and the reply's row, in one transaction.

A budget (n, w) counts rows, so in no closed interval of length w are more than n granted: whoever takes the last slot
of an interval has counted all others in it, also those stamped later than himself.
"""

from dataclasses import dataclass
from typing import Final

import apsw

from formwarden.stores.outcomes import (
    REPLIES_OFF_CODE,
    decision_of,
    hold_end,
    strongest,
    suppression_code,
)
from formwarden.stores.ports import REPLIES_OFF, Decision, Key, ReplyRequest, Reservation
from formwarden.stores.sqlite.settling import causes_of, erase_recipient

STANDING: Final = "SELECT state, code, held_until FROM reply WHERE id = ?"
SPENT: Final = "SELECT count(*), max(at) FROM spend WHERE key = ? AND at >= ?"
CLAMP: Final = "UPDATE spend SET at = ? WHERE key = ? AND at > ?"
SPEND: Final = "INSERT INTO spend VALUES (?, ?, ?)"
WRITE: Final = """
INSERT INTO reply (id, submission, state, code, created_at, held_until, check_at, due_at, lease_until, attempts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, code = excluded.code, held_until = excluded.held_until, check_at = excluded.check_at,
    due_at = excluded.due_at, lease_until = excluded.lease_until, attempts = excluded.attempts
RETURNING n
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    state: str
    code: str
    held_until: float | None


def reserve(connection: apsw.Connection, request: ReplyRequest, now: float) -> Reservation:
    """Decide and write; what was decided before is answered again, and a held row may be decided anew."""
    before = _standing(connection, request.reply_id)
    if before is not None and before.state != "held":
        return Reservation(decision=decision_of(before.state), code=before.code, new=False)
    decision, code = request.decision, request.code
    if decision is Decision.SEND:
        against = _against(connection, request, now)
        if against is not None:
            decision, code = Decision.SUPPRESS, against
    if request.preview:
        return Reservation(decision=decision, code=code, new=True)
    _write(connection, request, now, decision=decision, code=code, before=before)
    if decision is Decision.SUPPRESS:
        erase_recipient(connection, request.submission_id)
    return Reservation(decision=decision, code=code, new=True)


def _standing(connection: apsw.Connection, reply: bytes) -> _Standing | None:
    found: tuple[str, str, float | None] | None = connection.execute(STANDING, (reply,)).get
    if found is None:
        return None
    state, code, held_until = found
    return _Standing(state=state, code=code, held_until=held_until)


def _against(connection: apsw.Connection, request: ReplyRequest, now: float) -> str | None:
    """Return the code of the first thing that stands against sending."""
    causes = causes_of(connection, (REPLIES_OFF, *request.subjects), now)
    if REPLIES_OFF in causes:
        return REPLIES_OFF_CODE
    for subject in request.subjects:
        if subject in causes:
            return suppression_code(strongest(causes[subject]))
    spent: str | None = None
    for spend in request.spends:
        total = 0
        for key in spend.keys:
            count, newest = connection.execute(SPENT, (key, now - spend.window_s)).get
            total += count
            if count and newest > now + spend.window_s and not request.preview:
                longest = max(each.window_s for each in request.spends if key in each.keys)
                _clamp(connection, key, now + longest)
        if total >= spend.limit and spent is None:
            spent = spend.budget  # the others are looked at all the same: each is clamped when it is first asked for
    return spent


def _clamp(connection: apsw.Connection, key: Key, ahead: float) -> None:
    """Move slots beyond now + window, which a clock since corrected has left there, back to that moment.

    They would stand for ever. The longest window of a key decides: nothing is forgotten that any budget still counts.
    """
    connection.execute(CLAMP, (ahead, key, ahead))


def _write(
    connection: apsw.Connection,
    request: ReplyRequest,
    now: float,
    *,
    decision: Decision,
    code: str,
    before: _Standing | None,
) -> None:
    held_until = check_at = due_at = lease_until = None
    state = "suppressed"
    if decision is Decision.HOLD:
        state, check_at = "held", request.check_at
        standing = None if before is None else (before.code, before.held_until)
        held_until = hold_end(standing, code, request.hold_until)
    elif decision is Decision.SEND and request.lease_s is not None:
        state, lease_until = "taken", now + request.lease_s
    elif decision is Decision.SEND:
        state, due_at = "due", now
    row = (state, code, now, held_until, check_at, due_at, lease_until, int(state == "taken"))
    number: int = connection.execute(WRITE, (request.reply_id, request.submission_id, *row)).get
    if decision is Decision.SEND:
        keys = dict.fromkeys(spend.keys[0] for spend in request.spends)
        connection.executemany(SPEND, [(key, now, number) for key in keys])
