"""DNS for tests: a resolver in process, or a real server on loopback."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.clock import Clock, SystemClock
from formwarden.demo.played_dns import PlayedDns
from formwarden.demo.played_zone import PlayedZone
from formwarden.testing.dns_in_process import ask
from formwarden.testing.dns_rows import BY_NAME, DnsRow

TOP: Final = "played"  # a domain in no registry; each row has a registrable domain of its own below it
ALWAYS: Final[Mapping[str, Sequence[str]]] = {"*.h-email.net": ("A 192.175.48.41",)}  # where parked domains point
LANDING_PAGE: Final = "192.175.48.99"
TTL_S: Final = 300
UNCONFIGURED: Final = "no_resolver"


class FakeDNS:
    """Plays every outcome of DNS by name, answers late where it is told to, and counts what it was asked.

    It is a resolver: hand it to `Warden(resolver=...)`. `served()` is the same over UDP and TCP on loopback.

    ```
    dns = FakeDNS({"shop.com": ["MX 10 mx.shop.com."], "mx.shop.com": ["A 192.175.48.1"]})
    dns.domain("nxdomain")                # "nxdomain.played": each row of `DNS_ROWS` has such a domain
    dns.behave("customer.com", "timeout")
    dns.slow("shop.com", 1.5)             # seconds by the clock; real ones over a socket
    dns.asked("shop.com", "MX")           # how often
    ```

    What is listed nowhere does not exist. `rewriting`: names that do not exist lead to a page of the resolver's own,
    as at some providers (row 27), until `rewrite(on=False)`. A wrong record, or a row that is none, raises
    `ValueError`. The warden also asks for a name below `invalid`, to see whether this resolver tells the truth.
    """

    def __init__(
        self, zone: Mapping[str, Sequence[str]] | None = None, *, clock: Clock | None = None, rewriting: bool = False
    ) -> None:
        self._clock = clock or SystemClock()
        self._records: dict[str, Sequence[str]] = dict(ALWAYS)
        self._playing: dict[str, DnsRow] = {}
        for row in BY_NAME.values():
            self._play(_below_top(row), row)
        self._records |= {_lower(name): tuple(records) for name, records in (zone or {}).items()}
        self._zone = _Zone(self._records, rewriting=rewriting)
        self._played = PlayedDns(self._zone)
        for domain, row in self._playing.items():
            self._misbehave(domain, row)

    @property
    def queries(self) -> Counter[tuple[str, str]]:
        """How often each (name, type) was asked, in process and over sockets."""
        return self._played.queries

    def asked(self, name: str, rdtype: str) -> int:
        """Return how often a name was asked for records of one type."""
        return self.queries[_lower(name), rdtype]

    def domain(self, row: str) -> str:
        """Return the domain that behaves as a row of `DNS_ROWS` says, by the row's name."""
        found = _row(row)
        return _joined(found.at, _below_top(found))

    def behave(self, domain: str, row: str) -> None:
        """Let a domain, and what lies below it, behave as a row says."""
        domain, found = _lower(domain), _row(row)
        for name in [name for name in self._records if _is_in(name, domain)]:
            del self._records[name]
        for old in [name for name in self._playing if _is_in(name, domain)]:
            for labels in self._playing.pop(old).misbehaviour:
                self._played.misbehave(_joined(labels, old), None)
        self._play(domain, found)
        self._zone.replace(self._records)
        self._misbehave(domain, found)

    def slow(self, name: str, seconds: float) -> None:
        """Answer later for a name and what lies below it; "." is every name."""
        self._played.slow(name, seconds)

    def rewrite(self, *, on: bool) -> None:
        """Begin, or end, to answer for names that do not exist."""
        self._zone.rewriting = on

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        """Answer one question in process; never raises."""
        if any(row.name == UNCONFIGURED and _is_in(_lower(name), at) for at, row in self._playing.items()):
            return DnsAnswer(rcode=Rcode.UNCONFIGURED)
        return await ask(
            name,
            rdtype,
            replies=self._played.replies,
            delay_s=self._played.delay_s,
            timeout_s=timeout_s,
            clock=self._clock,
        )

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serve over UDP and TCP in a thread while the block runs; gives the address for `FORMWARDEN_DNS_SERVERS`."""
        with self._played.in_thread() as played:
            yield played.address

    def _play(self, domain: str, row: DnsRow) -> None:
        self._playing[domain] = row
        for labels, records in row.records.items():
            self._records[_joined(labels, domain)] = [each.replace("{domain}", domain) for each in records]

    def _misbehave(self, domain: str, row: DnsRow) -> None:
        for labels, how in row.misbehaviour.items():
            self._played.misbehave(_joined(labels, domain), how)


class _Zone:
    """A zone that can be replaced while a server's thread reads it."""

    def __init__(self, records: Mapping[str, Sequence[str]], *, rewriting: bool) -> None:
        self.rewriting = rewriting
        self.replace(records)

    def replace(self, records: Mapping[str, Sequence[str]]) -> None:
        try:
            self._zone = PlayedZone(records)
        except dns.exception.DNSException as error:
            raise ValueError(f"a record is wrong: {error}") from error

    def answer(self, query: dns.message.Message) -> dns.message.Message:
        response = self._zone.answer(query)
        if self.rewriting and response.rcode() == dns.rcode.NXDOMAIN:
            response.set_rcode(dns.rcode.NOERROR)
            question = query.question[0]
            if question.rdtype == dns.rdatatype.A:
                response.authority.clear()
                response.answer = [dns.rrset.from_text(question.name, TTL_S, "IN", "A", LANDING_PAGE)]
        return response


def _row(name: str) -> DnsRow:
    if name not in BY_NAME:
        raise ValueError(f"{name!r} is no row of DNS_ROWS; they are {', '.join(BY_NAME)}")
    return BY_NAME[name]


def _below_top(row: DnsRow) -> str:
    return f"{row.name.replace('_', '-')}.{TOP}"


def _joined(labels: str, domain: str) -> str:
    return f"{labels}.{domain}" if labels else domain


def _is_in(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def _lower(name: str) -> str:
    return name.lower().rstrip(".")
