"""Erasing one person from the durable file, a few rows in a transaction, and from the log beside it."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Final

import apsw

from formwarden.entropy import Entropy
from formwarden.stores.archive import ENDED, ERASED_NOTE, LINKS, OPEN_STATES, Erasure
from formwarden.stores.sqlite.attached import Attached
from formwarden.stores.sqlite.remedies import BUSY
from formwarden.stores.sqlite.room import note_erased

Step = Callable[[apsw.Connection, bytes], Mapping[str, int]]
STEP: Final = 5  # inquiries or replies in a transaction: bodies may be a megabyte each, and writers wait meanwhile
ID_BYTES: Final = 16
STANDING: Final = "SELECT n, state, facts, recipient, EXISTS (SELECT 1 FROM body WHERE inquiry = n) FROM inquiry"
ERASE: Final = """
UPDATE inquiry SET state = ?, facts = ?, recipient = NULL, clear = 0, lineage = NULL, answer = NULL, note = ?,
staff = iif(staff = 'due', 'none', staff), staff_note = '' WHERE n = ?
"""
CUT: Final = "UPDATE reply SET id = ?, submission = ?, state = ?, last = '', recipient = NULL WHERE n = ?"
CUT_OUTCOME: Final = "UPDATE outcome SET id = ?, reply = ?, reason = '' WHERE id = ?"
CUT_ACCOUNT: Final = "UPDATE account SET client = NULL, networks = x'' WHERE reply = ?"
FORGET_NEWCOMER: Final = "DELETE FROM newcomer WHERE recipient = ?"
FORGET_KNOWN: Final = "DELETE FROM known WHERE subject = ?"
FORGET: Final = "DELETE FROM suppression WHERE subject = ?"
FORGET_SLOTS: Final = "DELETE FROM spend WHERE key = ?"


def erase(attached: Attached, connection: apsw.Connection, erasure: Erasure, entropy: Entropy) -> Mapping[str, int]:
    """Erase what is named; return how many of what. `log_stays`: a reader kept the log from being emptied."""
    done = Counter[str](bodies=0, recipients=0, replies=0, outcomes=0)
    evidence = _outcomes(connection, erasure.replies)
    steps: list[tuple[Step, Sequence[bytes]]] = [
        (_erase_inquiry, sorted(erasure.inquiries)),
        (partial(_cut_loose, evidence=evidence, entropy=entropy), sorted(erasure.replies)),
    ]
    steps.append((_forget_person, sorted(erasure.subjects)))
    if erasure.forget:
        done.update(suppressions=0, slots=0)
        steps.append((_forget, sorted(erasure.subjects)))
    for step, names in steps:
        for some in _in_steps(names):
            for found in attached.write(connection, partial(_all, step, some)):
                done.update(found)
    try:
        truncate = apsw.SQLITE_CHECKPOINT_TRUNCATE  # what was erased from the file stands in its log still
        attached.patience.until_free(lambda: connection.wal_checkpoint(mode=truncate), BUSY)
    except BUSY:
        done["log_stays"] = 1
    return done


def _all(step: Step, names: Sequence[bytes], connection: apsw.Connection) -> list[Mapping[str, int]]:
    return [step(connection, name) for name in names]


def _outcomes(connection: apsw.Connection, replies: Collection[bytes]) -> Mapping[bytes, Sequence[bytes]]:
    """Return the evidence about these replies: read before anything is written, for no index leads there."""
    found: dict[bytes, list[bytes]] = {}
    if replies:
        for outcome, reply in connection.execute("SELECT id, reply FROM outcome"):
            if reply in replies:
                found.setdefault(reply, []).append(outcome)
    return found


def _erase_inquiry(connection: apsw.Connection, inquiry: bytes) -> Mapping[str, int]:
    row: tuple[int, str, str, str | None, int] | None = connection.execute(f"{STANDING} WHERE id = ?", (inquiry,)).get
    if row is None:
        return {}
    number, state, facts, recipient, body = row
    left = {name: value for name, value in json.loads(facts).items() if name not in LINKS}
    connection.execute("DELETE FROM body WHERE inquiry = ?", (number,))
    state = "discarded" if state in OPEN_STATES else state
    connection.execute(ERASE, (state, json.dumps(left), ERASED_NOTE, number))
    note_erased(connection, number)
    return {"bodies": body, "recipients": int(recipient is not None)}


def _cut_loose(
    connection: apsw.Connection, reply: bytes, *, evidence: Mapping[bytes, Sequence[bytes]], entropy: Entropy
) -> Mapping[str, int]:
    """Leave the row and its slots, which budgets count, and nothing by which it leads to a person."""
    row: tuple[int, str] | None = connection.execute("SELECT n, state FROM reply WHERE id = ?", (reply,)).get
    if row is None:
        return {}
    number, state = row
    nobody, outcomes = entropy(ID_BYTES), evidence.get(reply, ())
    connection.execute(CUT, (nobody, entropy(ID_BYTES), ENDED.get(state, state), number))
    connection.execute(CUT_ACCOUNT, (number,))
    for outcome in outcomes:
        connection.execute(CUT_OUTCOME, (entropy(ID_BYTES), nobody, outcome))
    return {"replies": 1, "outcomes": len(outcomes)}


def _forget_person(connection: apsw.Connection, subject: bytes) -> Mapping[str, int]:
    """Forget that somebody came, and that he is known: whoever writes again is new."""
    connection.execute(FORGET_NEWCOMER, (subject,))
    connection.execute(FORGET_KNOWN, (subject,))
    return {}


def _forget(connection: apsw.Connection, subject: bytes) -> Mapping[str, int]:
    connection.execute(FORGET, (subject,))
    suppressions = connection.changes()
    connection.execute(FORGET_SLOTS, (subject,))
    return {"suppressions": suppressions, "slots": connection.changes()}


def _in_steps(names: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    rest = iter(names)
    while some := list(islice(rest, STEP)):
        yield some
