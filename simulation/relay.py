"""The relay, as a port: it decides what becomes of a mail by the address alone, and remembers every mail."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from formwarden.clock import Clock
from formwarden.mail.sender import SendResult, SendState

DEAD: Final = "dead-"  # local parts that begin so have no mailbox
NO_SUCH_USER: Final = "5.1.1 The email account that you tried to reach does not exist"
Fate = Callable[[str, str], SendResult | None]
"""(recipient, envelope sender) -> what the relay says; None: it takes the mail."""


def refuses_the_dead(recipient: str, envelope_from: str) -> SendResult | None:  # noqa: ARG001 - the shape of a fate
    """Refuse at RCPT, in the session."""
    if recipient.startswith(DEAD):
        return SendResult(state=SendState.REFUSED, code=550, text=NO_SUCH_USER)
    return None


def takes_all(recipient: str, envelope_from: str) -> SendResult | None:  # noqa: ARG001 - the shape of a fate
    """Take every mail: what becomes of it is told later, or never."""
    return None


@dataclass(slots=True)
class ScriptedRelay:
    """A relay that follows a fate."""

    clock: Clock
    fate: Fate = refuses_the_dead
    mails: list[tuple[float, str, str]] = field(default_factory=list)  # (when, recipient, envelope sender), taken
    refused: Counter[str] = field(default_factory=Counter)  # by recipient
    took: Callable[[str, str], None] = lambda _recipient, _sender: None

    async def send(
        self,
        envelope_from: str,
        recipient: str,
        data: bytes,  # noqa: ARG002 - the port's shape
        /,
        *,
        deadline_s: float,  # noqa: ARG002 - the port's shape
    ) -> SendResult:
        """Say what becomes of it."""
        said = self.fate(recipient, envelope_from)
        if said is not None:
            self.refused[recipient] += 1
            return said
        self.mails.append((self.clock.now(), recipient, envelope_from))
        self.took(recipient, envelope_from)
        return SendResult(state=SendState.TAKEN, code=250, text="2.0.0 Ok: queued")
