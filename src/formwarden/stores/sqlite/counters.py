"""Counters in the volatile file: one transaction an observation."""

from functools import partial
from typing import Final

import apsw

from formwarden.clock import Clock
from formwarden.stores.ports import Key, Observation, Observed, Tally
from formwarden.stores.sqlite.file import SqliteFile
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
ADD_BODY: Final = "INSERT OR REPLACE INTO token_body VALUES (?, ?, ?)"
SET_USES: Final = "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?, ?)"
COUNT: Final = "SELECT coalesce(sum(n), 0) FROM tally WHERE key = ? AND window = ? AND slot BETWEEN ? AND ?"
RAISE: Final = """
INSERT INTO tally VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE SET n = n + 1
"""
NEWEST: Final = """
SELECT slot, n FROM tally WHERE key = ? AND window = ? AND slot BETWEEN ? AND ? ORDER BY slot DESC LIMIT 1
"""
LOWER: Final = "UPDATE tally SET n = n - 1 WHERE key = ? AND window = ? AND slot = ?"
EMPTY: Final = "DELETE FROM tally WHERE key = ? AND window = ? AND slot = ?"
SEEN: Final = "SELECT n FROM print WHERE print = ? AND over_at > ?"
SET_PRINT: Final = "INSERT OR REPLACE INTO print VALUES (?, ?, ?)"
LOWER_PRINT: Final = "UPDATE print SET n = n - 1 WHERE print = ?"
EMPTY_PRINT: Final = "DELETE FROM print WHERE print = ? AND n < 1"


class SqliteCounters:
    """The judging side of a SQLite store."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._since_purge = 0

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
        uses, bodies, same_network, body_age_s = _use(connection, observation, now)
        retry = body_age_s is not None
        counts = {tally.keys[0]: _count(connection, tally, now) for tally in observation.tallies}
        seen = {text: _seen(connection, text, now) for text in observation.prints}
        if not retry:
            for tally in observation.tallies:
                slot = slot_at(now, tally.window_s)
                row = (tally.keys[0], tally.window_s, slot, slot_over_at(slot, tally.window_s))
                connection.execute(RAISE, row)
            for text, times in seen.items():
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


def purge_counters(connection: apsw.Connection, now: float, limit: int) -> int:
    """Erase at most `limit` rows whose time is over; return how many."""
    erased = 0
    for table, key in (("print", "print"), ("tally", "key, window, slot")):
        erased += _erase(
            connection,
            f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE over_at <= ? LIMIT ?)",  # noqa: S608 - both are written two lines above
            (now, limit - erased),
        )
    over = "SELECT nonce FROM token WHERE over_at <= ? LIMIT ?"
    nonces = [row[0] for row in connection.execute(over, (now, (limit - erased + 1) // 2))]
    for nonce in nonces:
        connection.execute("DELETE FROM token_body WHERE nonce = ?", (nonce,))
        connection.execute("DELETE FROM token WHERE nonce = ?", (nonce,))
    return erased + len(nonces)


def _erase(connection: apsw.Connection, sql: str, bindings: tuple[float, int]) -> int:
    connection.execute(sql, bindings)
    return connection.changes()


def _use(connection: apsw.Connection, observation: Observation, now: float) -> tuple[int, int, bool, float | None]:
    """Note a use of the nonce; return uses and bodies before, whether the network fits, and the body's age."""
    nonce = observation.nonce
    if nonce is None:
        return 0, 0, True, None
    here = observation.networks
    token: tuple[int, int, bytes] | None = connection.execute(USES, (nonce, now)).get
    if token is None:
        connection.execute("DELETE FROM token_body WHERE nonce = ?", (nonce,))
        connection.execute(SET_USES, (nonce, 1, 1, joined(here), now + NONCE_WINDOW_S))
        connection.execute(ADD_BODY, (nonce, observation.body, now))
        return 0, 0, True, None
    uses, bodies, networks = token
    first = parted(networks)
    same_network = not first or not here or not set(first).isdisjoint(here)
    at: float | None = connection.execute(BODY, (nonce, observation.body)).get
    if at is not None:
        return uses, min(uses, bodies), same_network, max(0.0, now - at)
    kept = bodies < BODIES_PER_NONCE
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
