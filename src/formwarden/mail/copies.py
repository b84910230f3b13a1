"""The copies of the staff's mail: one for each of them, and who has his already while others have not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.faults import Faults
from formwarden.mail.compose import Composed
from formwarden.mail.sender import Sender, SendResult, SendState

RETRY_S: Final = 20.0  # so that the staff's mail leaves within a minute of the relay's return
REFUSED_S: Final = 900.0  # the relay is well and took another's copy: this address is wrong for longer
REMEMBERED: Final = 10_000  # things of which some of the staff have their copy and others do not


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One mail to one of the staff, and what it tells of."""

    mail: Composed
    about: tuple[bytes, ...]


class Copies:
    """Sends them. What it remembers is lost with its process: then a copy may come twice, and none is left out."""

    def __init__(self, sender: Sender, *, deadline_s: float, faults: Faults, remembered: int = REMEMBERED) -> None:
        self._sender = sender
        self._deadline_s = deadline_s
        self._faults = faults
        self._remembered = remembered
        self._taken: dict[bytes, set[str]] = {}  # oldest first

    def lacks(self, recipient: str, what: bytes) -> bool:
        """Say whether he has no copy of this yet, as far as is remembered."""
        return recipient not in self._taken.get(what, ())

    async def hand_out(self, copies: Sequence[Copy]) -> tuple[SendResult, ...]:
        """Send every copy, whatever becomes of the others; return what failed. Cancelled: the rest is not sent."""
        failed: list[SendResult] = []
        for copy in copies:
            mail = copy.mail
            result = await self._sender.send(
                mail.envelope_from, mail.recipient, mail.data, deadline_s=self._deadline_s
            )
            if result.state is SendState.TAKEN:
                self._note(copy)
            else:
                failed.append(result)
                self._faults.count("staff mail", words(result))
        return tuple(failed)

    def told(self, what: bytes) -> None:
        """Forget who has a copy: everybody has, and it is written down."""
        self._taken.pop(what, None)

    def _note(self, copy: Copy) -> None:
        for what in copy.about:
            self._taken.setdefault(what, set()).add(copy.mail.recipient)
        while len(self._taken) > self._remembered:  # those another process sent are never taken out
            del self._taken[next(iter(self._taken))]


def wait_s(failed: Sequence[SendResult], copies: int) -> float:
    """Return after how long it is worth trying again, when so many of the copies failed."""
    refused = all(result.state is SendState.REFUSED for result in failed)
    return REFUSED_S if refused and len(failed) < copies else RETRY_S


def words(result: SendResult) -> str:
    """Return what the relay said."""
    return f"{result.code or ''} {result.text or result.state}".strip()
