"""Receipt numbers that people can read aloud, and signed links that show the copy for half an hour."""

import struct
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from formwarden.clock import Clock
from formwarden.tokens import Tokens

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
NUMBER_BYTES: Final = 5  # 40 bits, eight letters: found by whoever looks through one site's inquiries
PARAMETER: Final = "receipt"
PURPOSE: Final = "receipt"
_EXPIRY: Final = struct.Struct(">d")


def receipt_number(id: bytes) -> str:  # noqa: A002 - the ports call it so
    """Return a number like `FW-7K3M-9QXD` for a submission's id; ValueError for one of less than five bytes."""
    if len(id) < NUMBER_BYTES:
        raise ValueError("the id of a submission is longer")
    value = int.from_bytes(id[:NUMBER_BYTES], "big")
    letters = "".join(ALPHABET[value >> shift & 31] for shift in range(35, -1, -5))
    return f"FW-{letters[:4]}-{letters[4:]}"


class ReceiptLinks:
    """Makes and reads the addresses of thanks pages (G29)."""

    def __init__(self, tokens: Tokens, clock: Clock, minutes: float) -> None:
        self._tokens = tokens
        self._clock = clock
        self._seconds = minutes * 60

    def url(self, thanks: str, submission_id: bytes) -> str:
        """Add a receipt to the address of the thanks page; its own query and fragment stay."""
        sealed = self._tokens.seal(PURPOSE, _EXPIRY.pack(self._clock.now() + self._seconds) + submission_id)
        parts = urlsplit(thanks)
        query = "&".join(filter(None, (parts.query, f"{PARAMETER}={sealed}")))
        return urlunsplit(parts._replace(query=query))

    def read(self, query_string: str) -> bytes | None:
        """Return the submission's id if the query holds a receipt that is ours and not expired."""
        texts = [part.removeprefix(f"{PARAMETER}=") for part in query_string.split("&") if _is_receipt(part)]
        if len(texts) != 1:
            return None
        _, payload = self._tokens.unseal(PURPOSE, texts[0])
        if payload is None or len(payload) <= _EXPIRY.size:
            return None
        (expires,) = _EXPIRY.unpack_from(payload)
        return payload[_EXPIRY.size :] if self._clock.now() <= expires else None


def _is_receipt(part: str) -> bool:
    return part.startswith(f"{PARAMETER}=")
