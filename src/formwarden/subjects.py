"""Keyed hashes of the subjects we count: nothing that names a person is stored."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from formwarden.carriers import is_shared
from formwarden.stores.ports import Key

DAY_S: Final = 86_400.0
REMEMBERED: Final = 2_048  # names of one kind each: one submission asks for the same ones again and again
READABLE_DAYS: Final = 8  # client keys change daily; those of the last eight days are kept for reading (G20)
HELD_DAYS: Final = READABLE_DAYS - 2  # yesterday and today are among the eight, too


class ClientSubjects:
    """Hashes of clients and networks, under a key that changes every day (G20)."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)  # newest first

    def keys(self, kind: str, value: bytes, *, now: float, window_s: float) -> tuple[Key, ...]:
        """Name a subject under every key its window touches, newest first."""
        today = int(now // DAY_S)
        oldest = max(int((now - window_s) // DAY_S), today - READABLE_DAYS + 1)
        return _of_days(self._secrets, kind, value, today, oldest)

    def readable(self, kind: str, value: bytes, *, now: float, hold_s: float = 0.0) -> tuple[Key, ...]:
        """Name a subject under every key that can be read at a time until the end of a hold, newest first."""
        today = int(now // DAY_S)
        last = int((now + min(hold_s, HELD_DAYS * DAY_S)) // DAY_S)
        return _of_days(self._secrets, kind, value, last, today - READABLE_DAYS + 1)

    def facts(self, *, client: bytes | None, network: bytes | None, now: float, hold_s: float) -> dict[str, object]:
        """Return a client's hashes as an inquiry's facts keep them, so that a held reply is counted too.

        Those of the days a hold reaches into are among them, the next six at most: the keys change at midnight.
        A client that is many people's is not named, only said to be one (G05).
        """
        shared = client is not None and is_shared(client)
        named = (("client", None if shared else client), ("network", network))
        kept: dict[str, object] = {
            kind: [key.hex() for key in self.readable(kind, value, now=now, hold_s=hold_s)]
            for kind, value in named
            if value is not None
        }
        return {**kept, "carrier": True} if shared else kept


def bounced(client: Sequence[Key]) -> tuple[Key, ...]:
    """Return what a bounce of this client is written under, of the same days: nobody else's budget lies there."""
    return tuple(
        [Key(key[:1] + hashlib.blake2b(key, digest_size=16, person=b"fw bounced").digest()) for key in client]
    )


class Subjects:
    """Hashes under keys that stay: recipients and domains (keys kept in the ledger, G20), forms, lineages."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)  # newest first

    def keys(self, kind: str, value: str | bytes) -> tuple[Key, ...]:
        """Name a subject under every key, newest first."""
        data = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        return _of_keys(self._keys, kind, data)


@lru_cache(maxsize=REMEMBERED)
def _of_days(secrets: tuple[bytes, ...], kind: str, value: bytes, today: int, oldest: int) -> tuple[Key, ...]:
    return tuple(
        [
            _hash(_day_key(secret, day), day % 256, kind, value)
            for secret in secrets
            for day in range(today, oldest - 1, -1)
        ]
    )


@lru_cache(maxsize=REMEMBERED)
def _of_keys(keys: tuple[bytes, ...], kind: str, data: bytes) -> tuple[Key, ...]:
    count = len(keys)
    return tuple([_hash(key, (count - index) % 256, kind, data) for index, key in enumerate(keys)])


@lru_cache(maxsize=REMEMBERED)
def _day_key(secret: bytes, day: int) -> bytes:
    return hashlib.blake2b(day.to_bytes(4, "big"), key=secret, digest_size=32, person=b"fw day").digest()


def _hash(key: bytes, key_id: int, kind: str, value: bytes) -> Key:
    digest = hashlib.blake2b(kind.encode() + b"\0" + value, key=key, digest_size=16).digest()
    return Key(bytes([key_id]) + digest)
