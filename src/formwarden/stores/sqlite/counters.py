"""Counters in the volatile file: one transaction an observation."""

from functools import partial
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.stores.crowding import may_add
from formwarden.stores.ports import Key, Observation, Observed, Tally
from formwarden.stores.sqlite.counters_purging import purge_counters
from formwarden.stores.sqlite.file import SqliteFile
from formwarden.stores.sqlite.room import used_bytes
from formwarden.stores.windows import (
    BODIES_PER_NONCE,
    NONCE_WINDOW_S,
    PRINT_WINDOW_S,
    slot_at,
    slot_over_at,
    slots_within,
)

PURGE_EVERY: Final = 16  # observations: each adds some ten rows
PURGE_ROWS: Final = 200  # then: more than were added, and about a millisecond

USES: Final = "SELECT uses, bodies, networks FROM token WHERE nonce = ? AND over_at > ?"
BODY: Final = "SELECT at FROM token_body WHERE nonce = ? AND body = ?"
BODY_NOW: Final = "UPDATE token_body SET at = ? WHERE nonce = ? AND body = ?"
ADD_BODY: Final = "INSERT OR REPLACE INTO token_body VALUES (?, ?, ?)"
SET_USES: Final = "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)"
COUNT: Final = "SELECT coalesce(sum(n), 0) FROM tally WHERE key = ? AND window = ? AND slot BETWEEN ? AND ?"
RAISE: Final = """
INSERT INTO tally VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET n = n + 1
"""
NEWEST: Final = """
SELECT slot, n FROM tally WHERE key = ? AND window = ? AND slot BETWEEN ? AND ? ORDER BY slot DESC LIMIT 1
"""
RAISE_NEWEST: Final = "UPDATE tally SET n = n + 1 WHERE key = ? AND window = ? AND slot = ?"
LOWER: Final = "UPDATE tally SET n = n - 1 WHERE key = ? AND window = ? AND slot = ?"
EMPTY: Final = "DELETE FROM tally WHERE key = ? AND window = ? AND slot = ?"
SEEN: Final = "SELECT n FROM print WHERE print = ? AND over_at > ?"
SET_PRINT: Final = "INSERT OR REPLACE INTO print VALUES (?, ?, ?)"
LOWER_PRINT: Final = "UPDATE print SET n = n - 1 WHERE print = ?"
EMPTY_PRINT: Final = "DELETE FROM print WHERE print = ? AND n < 1"


class SqliteCounters:
    """The judging side of a SQLite store."""

    def __init__(self, file: SqliteFile, clock: Clock, limit_bytes: int) -> None:
        self._file = file
        self._clock = clock
        self._limit_bytes = limit_bytes
        self._since_purge = PURGE_EVERY  # so that the first one looks at how full the file is
        self._share = 0.0  # of the limit

    async def observe(self, observation: Observation, /) -> Observed:
        """Read what stood before and add this; a body seen before with its nonce adds nothing (a retry)."""
        return await self._file.write(partial(self._observe, observation))

    async def forget(self, observation: Observation, /) -> None:
        """Take tallies and prints of an observation back: the site itself refused it, or it was released."""
        await self._file.write(partial(self._forget, observation))

    def _observe(self, observation: Observation, connection: apsw.Connection) -> Observed:
        now = self._clock.now()
        self._since_purge += 1
        if self._since_purge >= PURGE_EVERY:
            self._since_purge = 0
            purge_counters(connection, now, PURGE_ROWS)
            self._share = used_bytes(connection) / self._limit_bytes
        uses, bodies, same_network, body_age_s = _use(connection, observation, now, self._share)
        retry = body_age_s is not None
        counts = {tally.keys[0]: _count(connection, tally, now) for tally in observation.tallies}
        seen = {text: _seen(connection, text, now) for text in observation.prints}
        if not retry:
            for tally in observation.tallies:
                _raise(connection, tally, now, self._share, known=counts[tally.keys[0]] > 0)
            for text, times in seen.items():
                if times or may_add(self._share, known=False, coarse=False):
                    connection.execute(SET_PRINT, (text, times + 1, now + PRINT_WINDOW_S))
        return Observed(
            uses=uses,
            bodies=bodies,
            same_body=retry,
            body_age_s=body_age_s,
            same_network=same_network,
            counts=counts,
            seen=seen,
        )

    def _forget(self, observation: Observation, connection: apsw.Connection) -> None:
        now = self._clock.now()
        for tally in observation.tallies:
            _take_back(connection, tally, now)
        for text in dict.fromkeys(observation.prints):
            connection.execute(LOWER_PRINT, (text,))
            connection.execute(EMPTY_PRINT, (text,))


def _use(
    connection: apsw.Connection, observation: Observation, now: float, share: float
) -> tuple[int, int, bool, float | None]:
    """Note a use of the nonce; return uses and bodies before, whether the network fits, and the body's age."""
    nonce = observation.nonce
    if nonce is None:
        return 0, 0, True, None
    here = observation.networks
    token: tuple[int, int, bytes] | None = connection.execute(USES, (nonce, now)).get
    room = may_add(share, known=True, coarse=False)
    if token is None and not room:
        return 0, 0, True, None
    if token is None:
        connection.execute("DELETE FROM token_body WHERE nonce = ?", (nonce,))
        connection.execute(SET_USES, (nonce, 1, 1, joined(here), now + NONCE_WINDOW_S))
        connection.execute(ADD_BODY, (nonce, observation.body, now))
        return 0, 0, True, None
    uses, bodies, networks = token
    first = parted(networks)
    same_network = not first or not here or not set(first).isdisjoint(here)
    at: float | None = connection.execute(BODY, (nonce, observation.body)).get
    if at is not None and at > now:  # the clock was set back: its age begins anew, and does not stand still
        connection.execute(BODY_NOW, (now, nonce, observation.body))
    if at is not None:
        return uses, min(uses, bodies), same_network, max(0.0, now - at)
    kept = bodies < BODIES_PER_NONCE and room
    if kept:
        connection.execute(ADD_BODY, (nonce, observation.body, now))
    row = (uses + 1, bodies + kept, networks or joined(here), nonce)
    connection.execute("UPDATE token SET uses = ?, bodies = ?, networks = ? WHERE nonce = ?", row)
    return uses, bodies, same_network, None


def _count(connection: apsw.Connection, tally: Tally, now: float) -> int:
    first, last = slots_within(now, tally.window_s)
    total = 0
    for key in tally.keys:
        found: int = connection.execute(COUNT, (key, tally.window_s, first, last)).get
        total += found
    return total


def _raise(connection: apsw.Connection, tally: Tally, now: float, share: float, *, known: bool) -> None:
    """Count one more of a subject: in the slot of this moment, or in the newest it has where there is no room."""
    key, window_s = tally.keys[0], tally.window_s
    slot = slot_at(now, window_s)
    if may_add(share, known=known, coarse=tally.coarse):
        connection.execute(RAISE, (key, window_s, slot, slot_over_at(slot, window_s)))
        return
    first, last = slots_within(now, window_s)
    newest: tuple[int, int] | None = connection.execute(NEWEST, (key, window_s, first, last)).get
    if newest is not None:
        connection.execute(RAISE_NEWEST, (key, window_s, newest[0]))


def _seen(connection: apsw.Connection, text: bytes, now: float) -> int:
    times: int | None = connection.execute(SEEN, (text, now)).get
    return times or 0


def _take_back(connection: apsw.Connection, tally: Tally, now: float) -> None:
    """Lower the newest slot of the newest key that holds anything."""
    first, last = slots_within(now, tally.window_s)
    for key in tally.keys:
        newest: tuple[int, int] | None = connection.execute(NEWEST, (key, tally.window_s, first, last)).get
        if newest is not None:
            slot, times = newest
            connection.execute(LOWER if times > 1 else EMPTY, (key, tally.window_s, slot))
            return


def joined(keys: tuple[Key, ...]) -> bytes:
    """Return keys as one blob, each after its length."""
    return b"".join(bytes((len(key),)) + key for key in keys)


def parted(blob: bytes) -> tuple[bytes, ...]:
    """Return the keys of such a blob."""
    keys: list[bytes] = []
    while blob:
        end = 1 + blob[0]
        keys.append(blob[1:end])
        blob = blob[end:]
    return tuple(keys)
