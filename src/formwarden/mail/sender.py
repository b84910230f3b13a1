"""The relay, as a port: hand over bytes, learn what became of them."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

REFUSAL_TEXT_LIMIT: Final = 500  # characters of a relay's word that are kept


class SendState(StrEnum):
    """What became of one mail."""

    TAKEN = "taken"
    REFUSED = "refused"  # at or after RCPT: spent and counted (ruling G17)
    NOT_SENT = "not_sent"  # no connection, or refused before RCPT: nothing can have left
    UNKNOWN = "unknown"  # the line broke at or after RCPT: nobody knows, so it counts as sent


@dataclass(frozen=True, slots=True, kw_only=True)
class SendResult:
    """The relay's word: state, SMTP code and text. The text is one line, at most 500 characters, names nobody."""

    state: SendState
    code: int | None = None
    text: str = ""


class NothingLeftError(asyncio.CancelledError):
    """Cancelled before RCPT: nothing can have left, and another process may send it."""


class Sender(Protocol):
    """What the outbox needs of a relay."""

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        """Send one message to one recipient; never raises but when cancelled, early enough NothingLeftError."""
