"""Identities that stand in the open for some days: signed, expiring, in lower-case letters and digits only."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

DAY_S: Final = 86_400
MAC_BYTES: Final = 16
DAY_BYTES: Final = 2  # days since the epoch fit until the year 2149


class SignedIds:
    """Makes and reads texts that name one thing; readable under every key, made under the first."""

    def __init__(self, keys: Sequence[bytes], *, days: int) -> None:
        self._keys = tuple(keys)
        self._days = days

    def make(self, named: bytes, now: float) -> str:
        """Sign an id that is good for so many days."""
        signed = (int(now // DAY_S) + self._days).to_bytes(DAY_BYTES, "big") + named
        return _encode(_mac(self._keys[0], signed) + signed)

    def read(self, text: str, now: float) -> bytes | None:
        """Return the id, in whatever case the letters come back; None: not ours, altered or too old."""
        if not text.isascii():
            return None
        data = _decode(text.lower())
        mac, signed = data[:MAC_BYTES], data[MAC_BYTES:]
        if len(signed) <= DAY_BYTES:
            return None
        # every key is tried: the time taken tells neither which key nor how much of the signature was right
        genuine = [hmac.compare_digest(_mac(key, signed), mac) for key in self._keys]
        if not any(genuine):
            return None
        expires = int.from_bytes(signed[:DAY_BYTES], "big")
        return signed[DAY_BYTES:] if int(now // DAY_S) <= expires else None


def _mac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, hashlib.sha256)[:MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.b32encode(data).decode("ascii").rstrip("=").lower()


def _decode(text: str) -> bytes:
    """Return the bytes; none for a text that we would have spelled otherwise."""
    try:
        data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        return b""
    return data if _encode(data) == text else b""
