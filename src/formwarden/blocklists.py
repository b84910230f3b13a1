"""Whether lists of abusive networks name the client (RFC 5782): asked through our resolver, and off by default."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.clock import Clock
from formwarden.facts import BlocklistFacts
from formwarden.faults import Faults
from formwarden.forks import Lock

MAX_ENTRIES: Final = 4096  # answers that are remembered, about 0.5 MB
LISTED_S: Final = (60.0, 3_600.0)  # how long one is believed, within what its TTL says
UNLISTED_S: Final = 300.0
FAILURES: Final = 3  # in a row, then a list is left alone
QUIET_S: Final = 60.0
ANSWERS: Final = "127."  # RFC 5782 section 2.1: all answers; anything else comes from a resolver that rewrites names
REFUSED: Final = ("127.255.255.", "127.0.0.1")  # the lists' own errors; .1 never means listed (RFC 5782 section 5)
NO_ABUSE: Final = frozenset({10, 11})  # "of a household" (PBL and its like): that is where people are
_ZONE: Final = re.compile(r"(?=.{1,190}\Z)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})+")
_CODES: Final = re.compile(r"\d{1,3}(?:,\d{1,3})*")
REMEDY: Final = "is no blocklist; give its zone, or zone=2,3 where only these last numbers of its answers count"


@dataclass(frozen=True, slots=True)
class Zone:
    """One list, and which answers count; None: all but those that speak of households."""

    name: str
    codes: frozenset[int] | None = None

    @classmethod
    def parse(cls, word: str) -> "Zone":
        """Read `zone` or `zone=2,3`. Raises ValueError with the remedy; never names the word: it may hold a key."""
        given, equals, codes = word.strip().partition("=")
        name = given.rstrip(".")
        if not _ZONE.fullmatch(name) or (equals and not _CODES.fullmatch(codes)):
            raise ValueError(REMEDY)
        return cls(name.lower(), frozenset(map(int, codes.split(","))) if equals else None)

    def counts(self, code: int) -> bool:
        """Tell whether an answer's last number is held against the client."""
        return code not in NO_ABUSE if self.codes is None else code in self.codes


class Blocklists:
    """Asks every list at once. What no list says is *unknown*, and is held against nobody."""

    def __init__(self, resolver: Resolver, zones: Sequence[str], *, clock: Clock, faults: Faults) -> None:
        self._resolver = resolver
        self._zones = tuple(map(Zone.parse, zones))
        self._clock = clock
        self._faults = faults
        self._known: OrderedDict[tuple[Zone, IPv4Address | IPv6Address], tuple[bool, float]] = OrderedDict()
        self._failures = dict.fromkeys(self._zones, (0, 0.0))  # how many in a row, and until when it is left alone
        self._lock = Lock()

    def __bool__(self) -> bool:
        return bool(self._zones)

    async def ask(self, ip: IPv4Address | IPv6Address | None, *, timeout_s: float) -> BlocklistFacts | None:
        """Ask about one client; None where nobody may be asked: unknown, private and loopback ones (G31)."""
        if ip is None or not ip.is_global:
            return None
        found = await asyncio.gather(*(self._ask(zone, ip, timeout_s) for zone in self._zones))
        known = [each for each in found if each is not None]
        return BlocklistFacts(asked=len(known), listed=sum(known)) if known else None

    async def _ask(self, zone: Zone, ip: IPv4Address | IPv6Address, timeout_s: float) -> bool | None:
        now = self._clock.monotonic()
        with self._lock:
            listed, until = self._known.get((zone, ip), (False, 0.0))
            quiet = self._failures[zone][1] > now
        if until > now:
            return listed
        if quiet:
            return None
        answer = await self._resolver.resolve(f"{reversed_name(ip)}.{zone.name}", "A", timeout_s=timeout_s)
        told = read_answer(answer, zone)
        if told is None:
            self._note_failure(zone)
        else:
            until = min(max(answer.ttl_s, LISTED_S[0]), LISTED_S[1]) if told else UNLISTED_S
            self._remember((zone, ip), (told, self._clock.monotonic() + until))
        return told

    def _note_failure(self, zone: Zone) -> None:
        with self._lock:
            count = self._failures[zone][0] + 1
            quiet_until = self._clock.monotonic() + QUIET_S if count >= FAILURES else 0.0
            self._failures[zone] = (count, quiet_until)
        self._faults.count("blocklists", f"number {self._zones.index(zone) + 1} does not answer us")

    def _remember(self, key: tuple[Zone, IPv4Address | IPv6Address], told: tuple[bool, float]) -> None:
        with self._lock:
            self._failures[key[0]] = (0, 0.0)
            self._known[key] = told
            self._known.move_to_end(key)
            while len(self._known) > MAX_ENTRIES:
                self._known.popitem(last=False)


def reversed_name(ip: IPv4Address | IPv6Address) -> str:
    """Write an address as lists name it: bytes or nibbles, last first (RFC 5782 sections 2.1 and 2.4)."""
    return ip.reverse_pointer.rpartition(".")[0].rpartition(".")[0]  # less in-addr.arpa, ip6.arpa


def read_answer(answer: DnsAnswer, zone: Zone) -> bool | None:
    """Tell whether the answer lists the client; None: the list or a resolver refused, failed or made it up."""
    if answer.rcode in {Rcode.NXDOMAIN, Rcode.NODATA}:
        return False
    texts = [text for _, text in answer.records]
    if answer.rcode is not Rcode.OK or not texts or not all(map(_is_answer, texts)):
        return None
    return any(zone.counts(ip_address(text).packed[-1]) for text in texts)


def _is_answer(text: str) -> bool:
    return text.startswith(ANSWERS) and not text.startswith(REFUSED[0]) and text != REFUSED[1]
