"""The resolver port on aiodns (the extra of that name), for sites that check thousands of addresses a minute."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from formwarden.address.dns_resolver import FAULT, DnsServer, parse_servers
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.clock import SystemClock
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.forks import Lock

if TYPE_CHECKING:
    from formwarden.address.aiodns_questions import AresQuestions

QUESTIONS: Final = 4_096  # then c-ares begins anew: its own cache has no bound but time
MISSING: Final = (
    "dns_resolver: aiodns is not installed; pip install 'formwarden[aiodns]', or FORMWARDEN_DNS_RESOLVER=dnspython"
)


@dataclass(slots=True)
class _Channel:
    """What is used in one event loop, and how often it was."""

    questions: "AresQuestions"
    asked: int = 0


class AiodnsResolver:
    """Asks the given resolvers, or the system's where none is given; raises `SettingsError` without the extra.

    It tells fewer outcomes apart than `DnsResolver`, and errs towards *unknown*: c-ares does not say whether a
    negative answer had an SOA, so a name that exists and has neither MX nor address is *lame*. All questions share
    a socket: one server's bad bytes can make others that are asked at that moment *unknown* too.
    """

    def __init__(self, servers: Sequence[str] = (), *, faults: Faults | None = None) -> None:
        if find_spec("aiodns") is None:
            raise SettingsError((MISSING,))
        self._servers = parse_servers(servers)
        self.faults = faults or Faults(SystemClock())
        self._lock = Lock()
        self._channels: WeakKeyDictionary[asyncio.AbstractEventLoop, _Channel] = WeakKeyDictionary()

    async def load(self) -> None:
        """Import aiodns, in a thread."""
        await asyncio.to_thread(_load)

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        """Ask for one record type of one ASCII name; never raises."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._questions().ask(name, rdtype)
        except TimeoutError:
            return DnsAnswer(rcode=Rcode.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - the port never raises: counted, and *unknown* (row 24)
            self.faults.count(FAULT, type(error).__name__)  # the text may name a domain
            return DnsAnswer(rcode=Rcode.BROKEN)

    def _questions(self) -> "AresQuestions":
        """Return what asks in the running loop; who still waits for an old one keeps it."""
        loop = asyncio.get_running_loop()
        with self._lock:
            channel = self._channels.get(loop)
            if channel is None or channel.asked >= QUESTIONS:
                channel = self._channels[loop] = _Channel(_made(self._servers))
            channel.asked += 1
            return channel.questions


def _load() -> None:
    import formwarden.address.aiodns_questions  # noqa: F401 - from now on it is there


def _made(servers: Sequence[DnsServer]) -> "AresQuestions":
    from formwarden.address.aiodns_questions import AresQuestions

    return AresQuestions(servers)
