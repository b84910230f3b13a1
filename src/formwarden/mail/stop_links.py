"""Links by which whoever gets a mail stops them: signed, good for 60 days, and no address in them (R23, G30)."""

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from formwarden.clock import Clock
from formwarden.mail.signed_ids import SignedIds
from formwarden.stores.ports import Key
from formwarden.tokens import Tokens

VALID_DAYS: Final = 60  # who finds such a mail later has had no other one from it
STOP_PATH: Final = "stop/"  # below our own prefix
LONGEST: Final = 80  # characters of what stands after that; ours are 56
KEY_BYTES: Final = 17  # of a subject's hash, its key's id included


class StopLinks:
    """Makes and reads links that name an address by its hash in the ledger."""

    def __init__(self, tokens: Tokens, clock: Clock, *, public_url: str, prefix: str) -> None:
        self._ids = SignedIds(tokens.derive_all("stop"), days=VALID_DAYS)
        self._clock = clock
        self._base = _base(public_url) + prefix + STOP_PATH

    def url(self, recipient: Key) -> str:
        """Return the link for one recipient."""
        return self._base + self._ids.make(recipient, self._clock.now())

    def read(self, text: str) -> Key | None:
        """Return whom a link names; None: not ours, altered or too old."""
        named = self._ids.read(text, self._clock.now()) if len(text) <= LONGEST else None
        return Key(named) if named is not None and len(named) == KEY_BYTES else None


def _base(public_url: str) -> str:
    """Return the site's address without what belongs to one page of it."""
    parts = urlsplit(public_url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
