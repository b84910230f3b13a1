"""One reservation: every budget or none, and the reply's row, in one transaction.

A budget (n, w) counts rows, so in no closed interval of length w are more than n granted: whoever takes the last slot
of an interval has counted all others in it, also those stamped later than himself.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Final

import apsw

from formwarden.stores.deciding import MARK_EVERY_S, Before, Decided, decide
from formwarden.stores.outcomes import decision_of, strongest
from formwarden.stores.ports import Decision, Key, ReplyRequest, Reservation, Spend
from formwarden.stores.sqlite.accounts import SqliteRows, open_account
from formwarden.stores.sqlite.days import count_wanted
from formwarden.stores.sqlite.settling import causes_of, erase_recipient

STANDING: Final = "SELECT state, code, held_until, score, wanted FROM reply WHERE id = ?"
SPENT: Final = "SELECT {}, count(*), max(at) FROM spend WHERE key = ? AND at >= ?"
TERMS: Final = 100  # of one question; SQLite allows 500
CLAMP: Final = "UPDATE spend SET at = ?1 WHERE key = ?2 AND at > ?1"
SPEND: Final = "INSERT INTO spend VALUES (?, ?, ?)"
MARK: Final = """
INSERT INTO spend SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM spend WHERE key = ?1 AND at > ?4)
ON CONFLICT DO NOTHING
"""
WAITING: Final = "SELECT count(*) FROM reply WHERE state = 'held' AND score IS NOT NULL"
WRITE: Final = """
INSERT INTO reply (id, submission, state, code, created_at, held_until, check_at, due_at, lease_until, attempts,
    recipient, score, wanted)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    state = excluded.state, code = excluded.code, held_until = excluded.held_until, check_at = excluded.check_at,
    due_at = excluded.due_at, lease_until = excluded.lease_until, attempts = excluded.attempts,
    score = excluded.score, wanted = excluded.wanted
RETURNING n
"""


def reserve(connection: apsw.Connection, request: ReplyRequest, now: float) -> Reservation:
    """Decide and write; what was decided before is answered again, and a held row may be decided anew."""
    before = _before(connection, request.reply_id)
    if before is not None and before.state != "held":
        return Reservation(decision=decision_of(before.state), code=before.code, new=False)
    decided = decide(_Books(connection, now), request, before, now)
    if not request.preview:
        _write(connection, request, now, decided=decided, before=before)
    return Reservation(decision=decided.decision, code=decided.code, new=True, until=decided.held_until)


def _before(connection: apsw.Connection, reply: bytes) -> Before | None:
    found: tuple[str, str, float | None, float | None, int] | None = connection.execute(STANDING, (reply,)).get
    if found is None:
        return None
    state, code, held_until, score, wanted = found
    return Before(state=state, code=code, held_until=held_until, score=score, wanted=bool(wanted))


class _Books:
    """What stands in the file at this moment."""

    def __init__(self, connection: apsw.Connection, now: float) -> None:
        self._connection = connection
        self._now = now
        self.rows = SqliteRows(connection)

    def causes(self, subjects: Collection[Key], /) -> Mapping[Key, str]:
        """Return the strongest cause against those of these subjects that are on the list."""
        found = causes_of(self._connection, tuple(subjects), self._now)
        return {subject: strongest(causes) for subject, causes in found.items()}

    def counts(self, spends: Sequence[Spend], /, *, clamp: bool) -> Sequence[int]:
        """Return how many slots of each budget are taken; `TERMS` keys a question, a third of what one each costs."""
        asked = [(number, key) for number, spend in enumerate(spends) for key in spend.keys]
        counts = [0] * len(spends)
        ahead: dict[Key, None] = {}
        for start in range(0, len(asked), TERMS):
            terms = asked[start : start + TERMS]
            bounds = [each for number, key in terms for each in (key, self._now - spends[number].window_s)]
            for term, count, newest in self._connection.execute(_question(len(terms)), bounds):
                if count:
                    number, key = terms[term]
                    counts[number] += count
                    if newest > self._now + spends[number].window_s:
                        ahead[key] = None
        for key in ahead if clamp else ():
            self._clamp(key, max(spend.window_s for spend in spends if key in spend.keys))
        return counts

    def waiting(self) -> int:
        """Return how many replies wait in the queue."""
        waiting: int = self._connection.execute(WAITING).get
        return waiting

    def _clamp(self, key: Key, window_s: float) -> None:
        """Move slots beyond now + window, which a clock since corrected has left there, back to that moment.

        They would stand for ever. The longest window of a key decides: nothing is forgotten that any budget still
        counts.
        """
        self._connection.execute(CLAMP, (self._now + window_s, key))


@cache
def _question(terms: int) -> str:
    return " UNION ALL ".join(SPENT.format(number) for number in range(terms))


def _write(
    connection: apsw.Connection, request: ReplyRequest, now: float, *, decided: Decided, before: Before | None
) -> None:
    due_at = lease_until = None
    state = "held" if decided.decision is Decision.HOLD else "suppressed"
    if decided.decision is Decision.SEND and request.lease_s is not None:
        state, lease_until = "taken", now + request.lease_s
    elif decided.decision is Decision.SEND:
        state, due_at = "due", now
    was_wanted = before is not None and before.wanted
    moments = (now, decided.held_until, decided.check_at, due_at, lease_until)
    whose = request.subjects[0] if request.subjects else None
    rest = (int(state == "taken"), whose, decided.score, int(decided.wanted or was_wanted))
    row = (request.reply_id, request.submission_id, state, decided.code, *moments, *rest)
    number: int = connection.execute(WRITE, row).get
    if decided.decision is Decision.SEND:
        _grant(connection, request, number, decided, now)
    for key in decided.marks:
        connection.execute(MARK, (key, now, number, now - MARK_EVERY_S))
    granted = decided.decision is Decision.SEND
    wanted = decided.wanted and not was_wanted
    if wanted or granted:
        recipient = request.account.recipient if wanted and request.account is not None else ()
        count_wanted(connection, recipient, now, wanted=wanted, granted=granted)
    if decided.decision is Decision.SUPPRESS:
        erase_recipient(connection, request.submission_id)


def _grant(connection: apsw.Connection, request: ReplyRequest, number: int, decided: Decided, now: float) -> None:
    keys = dict.fromkeys(spend.keys[0] for spend in request.spends if spend.taken)
    connection.executemany(SPEND, [(key, now, number) for key in keys])
    if request.account is not None:
        open_account(connection, number, request.account, now)
    for subject in decided.probe_of:
        SqliteRows(connection).take_place(subject, request.reply_id)
