"""Return paths that name one reply: a bounce tells which, and nobody can invent one (ruling G14)."""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from formwarden.errors import ComposeError
from formwarden.tokens import Tokens

PREFIX: Final = "bounce+"
VALID_DAYS: Final = 14
LOCAL_LIMIT: Final = 64  # octets (RFC 5321 section 4.5.3.1.1)
DAY_S: Final = 86_400
MAC_BYTES: Final = 16
DAY_BYTES: Final = 2  # days since the epoch fit until the year 2149
ID_LIMIT: Final = (LOCAL_LIMIT - len(PREFIX)) * 5 // 8 - MAC_BYTES - DAY_BYTES  # base32: five bits a character


class Verp:
    """Makes and reads local parts; readable under every secret key, made under the newest."""

    def __init__(self, tokens: Tokens) -> None:
        self._keys = tokens.derive_all("verp")

    def make(self, reply_id: bytes, now: float) -> str:
        """Name a reply in a local part that is good for 14 days. Raises ComposeError for an id that does not fit."""
        if not 0 < len(reply_id) <= ID_LIMIT:
            raise ComposeError(f"a reply id of {len(reply_id)} bytes does not fit into a return path")
        signed = (int(now // DAY_S) + VALID_DAYS).to_bytes(DAY_BYTES, "big") + reply_id
        return PREFIX + _encode(_mac(self._keys[0], signed) + signed)

    def read(self, local_part: str, now: float) -> bytes | None:
        """Return the reply id, in whatever case a relay left the letters; None: not ours, altered or too old."""
        text = local_part.lower()
        if len(text) > LOCAL_LIMIT or not text.isascii() or not text.startswith(PREFIX):
            return None
        data = _decode(text.removeprefix(PREFIX))
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
