"""The resolver port on dnspython, which is loaded in a thread and not before it is needed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.clock import SystemClock
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.forks import Lock

if TYPE_CHECKING:
    from formwarden.address.dns_questions import Questions

DNS_PORT: Final = 53
MAX_PORT: Final = 65_535
FAULT: Final = "dns resolver"


@dataclass(frozen=True, slots=True)
class DnsServer:
    """Where one resolver listens."""

    address: str
    port: int = DNS_PORT


class DnsResolver:
    """Asks the given resolvers, or the system's where none is given.

    Servers are `host` or `host:port`, an IPv6 address with a port in brackets; a wrong one raises `SettingsError`.
    It belongs to no event loop. Failures that nobody foresaw are counted in `faults`.
    """

    def __init__(self, servers: Sequence[str] = (), *, faults: Faults | None = None) -> None:
        self._servers = parse_servers(servers)
        self.faults = faults or Faults(SystemClock())
        self._questions: Questions | None = None
        self._lock = Lock()

    async def load(self) -> None:
        """Import dnspython and read the resolver's configuration, in a thread (0.2 s)."""
        if self._questions is None:
            await asyncio.to_thread(self._load)

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        """Ask for one record type of one ASCII name; never raises."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.load()
                if self._questions is None:
                    return DnsAnswer(rcode=Rcode.UNCONFIGURED)
                return await self._questions.ask(name, rdtype, timeout_s)
        except TimeoutError:  # dnspython looks at its clock between tries only, and overshoots by its back-off
            return DnsAnswer(rcode=Rcode.TIMEOUT)
        except Exception as error:  # noqa: BLE001 - the port never raises: counted, and *unknown* (row 24)
            self.faults.count(FAULT, type(error).__name__)  # the text may name a domain
            return DnsAnswer(rcode=Rcode.BROKEN)

    def _load(self) -> None:
        from formwarden.address.dns_questions import Questions

        with self._lock:
            if self._questions is None:
                # None where the system names no resolver: asked again later, the file may come with the network
                self._questions = Questions.to(self._servers)


def parse_servers(servers: Sequence[str]) -> tuple[DnsServer, ...]:
    """Read `host` and `host:port`; raises `SettingsError` with all that are wrong."""
    parsed = [(text, _parse(text)) for text in servers]
    wrong = [text for text, server in parsed if server is None]
    if wrong:
        raise SettingsError(
            tuple(
                f"dns_servers: {text!r} is no resolver; give an IP address, with a port if it is not 53: "
                "127.0.0.1:5353 or [::1]:5353"
                for text in wrong
            )
        )
    return tuple(server for _, server in parsed if server is not None)


def _parse(text: str) -> DnsServer | None:
    host, port = _split(text.strip())
    if not (port.isascii() and port.isdecimal() and 0 < int(port) <= MAX_PORT):
        return None
    try:
        return DnsServer(str(ip_address("127.0.0.1" if host == "localhost" else host)), int(port))
    except ValueError:
        return None


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") if rest else str(DNS_PORT)
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, str(DNS_PORT)
