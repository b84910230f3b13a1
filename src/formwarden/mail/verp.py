"""Return paths that name one reply: a bounce tells which, and nobody can invent one (ruling G14)."""

from typing import Final

from formwarden.errors import ComposeError
from formwarden.mail.signed_ids import DAY_BYTES, MAC_BYTES, SignedIds
from formwarden.tokens import Tokens

PREFIX: Final = "bounce+"
VALID_DAYS: Final = 14
LOCAL_LIMIT: Final = 64  # octets (RFC 5321 section 4.5.3.1.1)
ID_LIMIT: Final = (LOCAL_LIMIT - len(PREFIX)) * 5 // 8 - MAC_BYTES - DAY_BYTES  # base32: five bits a character


class Verp:
    """Makes and reads local parts; readable under every secret key, made under the newest."""

    def __init__(self, tokens: Tokens) -> None:
        self._ids = SignedIds(tokens.derive_all("verp"), days=VALID_DAYS)

    def make(self, reply_id: bytes, now: float) -> str:
        """Name a reply in a local part that is good for 14 days. Raises ComposeError for an id that does not fit."""
        if not 0 < len(reply_id) <= ID_LIMIT:
            raise ComposeError(f"a reply id of {len(reply_id)} bytes does not fit into a return path")
        return PREFIX + self._ids.make(reply_id, now)

    def read(self, local_part: str, now: float) -> bytes | None:
        """Return the reply id, in whatever case a relay left the letters; None: not ours, altered or too old."""
        text = local_part.lower()
        if len(text) > LOCAL_LIMIT or not text.startswith(PREFIX):
            return None
        return self._ids.read(text.removeprefix(PREFIX), now)
