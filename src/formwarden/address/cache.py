"""Verdicts of domains, kept for as long as DNS and caution allow."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from formwarden.address.outcomes import Outcome
from formwarden.address.report import Status
from formwarden.clock import Clock
from formwarden.forks import Lock

MAX_ENTRIES: Final = 4096  # about 1 MB
POSITIVE_S: Final = (300.0, 21_600.0)  # zones with a TTL of 0 exist, and of 68 years
NEGATIVE_S: Final = (60.0, 900.0)  # a registrar's mistake must not outlive the repair by hours
FIRST_FAILURE_S: Final = 5.0  # failures must be kept too, else a dead zone is asked for ever (RFC 9520)
LONGEST_FAILURE_S: Final = 300.0  # RFC 9520 section 3.2: at most five minutes
MOST_DOUBLINGS: Final = 6  # 5 s times 64 is past the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainVerdict:
    """What is known of one domain: the outcome of DNS, and who runs its mailboxes."""

    outcome: Outcome
    provider: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    verdict: DomainVerdict
    until: float  # by the monotonic clock
    failures: int  # in a row
    was_deliverable: bool


class VerdictCache:
    """Bounded; the verdict unused for longest goes first. Safe to use from several threads."""

    def __init__(self, clock: Clock, *, max_entries: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._max = max_entries
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()

    def get(self, domain: str) -> DomainVerdict | None:
        """Return the verdict while its time runs."""
        with self._lock:
            entry = self._entries.get(domain)
            if entry is None or entry.until <= self._clock.monotonic():
                return None
            self._entries.move_to_end(domain)
            return entry.verdict

    def put(self, domain: str, verdict: DomainVerdict) -> None:
        """Keep a verdict: a deliverable one for hours, a negative for minutes, a failure for seconds that double."""
        with self._lock:
            before = self._entries.pop(domain, None)
            failures = 0
            if verdict.outcome.status is Status.UNKNOWN:
                failures = (before.failures if before else 0) + 1
            deliverable = verdict.outcome.status is Status.DELIVERABLE
            self._entries[domain] = _Entry(
                verdict=verdict,
                until=self._clock.monotonic() + _keep_s(verdict.outcome, failures),
                failures=failures,
                was_deliverable=deliverable or (before is not None and failures > 0 and before.was_deliverable),
            )
            while len(self._entries) > self._max:
                self._entries.popitem(last=False)

    def seen_deliverable(self, domain: str) -> bool:
        """Tell whether the last definite answer was a good one, even if its time is over."""
        with self._lock:
            entry = self._entries.get(domain)
            return entry is not None and entry.was_deliverable

    def __len__(self) -> int:
        return len(self._entries)


def _keep_s(outcome: Outcome, failures: int) -> float:
    if outcome.status is Status.UNKNOWN:
        return min(FIRST_FAILURE_S * 2.0 ** min(failures - 1, MOST_DOUBLINGS), LONGEST_FAILURE_S)
    least, most = POSITIVE_S if outcome.status is Status.DELIVERABLE else NEGATIVE_S
    return min(max(outcome.ttl_s, least), most)
