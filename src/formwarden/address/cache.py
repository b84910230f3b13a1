"""Verdicts of domains, kept for as long as DNS and caution allow."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.outcomes import Outcome
from formwarden.address.report import Reason, Status
from formwarden.clock import Clock
from formwarden.forks import Lock

MAX_ENTRIES: Final = 4096  # about 1 MB
PROTECTED: Final = 0.75  # of them, for domains that were asked for again or took mail
POSITIVE_S: Final = (300.0, 21_600.0)  # zones with a TTL of 0 exist, and of 68 years
NEGATIVE_S: Final = (60.0, 900.0)  # a registrar's mistake must not outlive the repair by hours
STALE_S: Final = 86_400.0  # a good verdict helps on while DNS does not answer (RFC 8767 allows a week)
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
    retry_at: float  # a stale verdict is looked up again from then on

    def is_usable(self, now: float) -> bool:
        """Tell whether this is a good verdict, and its time not over for too long."""
        return self.verdict.outcome.status is Status.DELIVERABLE and now < self.until + STALE_S


class VerdictCache:
    """Bounded, in two segments, each losing the verdict unused for longest. Safe to use from several threads.

    A domain comes on probation. One that takes mail, or is asked for again, is protected: names that somebody
    invents by thousands push out each other, and nothing else.
    """

    def __init__(self, clock: Clock, *, max_entries: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._max = max_entries
        self._max_protected = int(max_entries * PROTECTED)
        self._probation: OrderedDict[str, _Entry] = OrderedDict()
        self._protected: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = Lock()

    def get(self, domain: str) -> DomainVerdict | None:
        """Return the verdict while its time runs."""
        with self._lock:
            entry = self._entry(domain)
            if entry is None or entry.until <= self._clock.monotonic():
                return None
            self._protect(domain, entry)
            return entry.verdict

    def stale(self, domain: str) -> DomainVerdict | None:
        """Return a good verdict, for a day after its time is over."""
        with self._lock:
            entry = self._entry(domain)
            if entry is None or not entry.is_usable(self._clock.monotonic()):
                return None
            self._protect(domain, entry)
            return entry.verdict

    def refresh_due(self, domain: str) -> bool:
        """Tell whether it may be looked up again: not so soon after a failure."""
        with self._lock:
            entry = self._entry(domain)
            return entry is None or entry.retry_at <= self._clock.monotonic()

    def put(self, domain: str, verdict: DomainVerdict) -> None:
        """Keep a verdict: a deliverable one for hours, a negative for minutes, a failure for seconds that double.

        A failure leaves a good verdict as it is until that is stale for too long.
        """
        now = self._clock.monotonic()
        with self._lock:
            before = self._entry(domain)
            failed = not verdict.outcome.complete
            failures = (before.failures if before else 0) + 1 if failed else 0
            until = now + _keep_s(verdict.outcome, failures)
            deliverable = verdict.outcome.status is Status.DELIVERABLE
            if failed and before is not None and before.is_usable(now):
                self._store(domain, replace(before, failures=failures, retry_at=until))
                return
            entry = _Entry(
                verdict=verdict,
                until=until,
                failures=failures,
                was_deliverable=deliverable or (failed and before is not None and before.was_deliverable),
                retry_at=until,
            )
            self._store(domain, entry)
            if deliverable:
                self._protect(domain, entry)

    def drop(self, reasons: frozenset[Reason]) -> None:
        """Forget what was found for these reasons."""
        with self._lock:
            for segment in (self._probation, self._protected):
                for domain in [each for each, entry in segment.items() if entry.verdict.outcome.reason in reasons]:
                    del segment[domain]

    def seen_deliverable(self, domain: str) -> bool:
        """Tell whether the last definite answer was a good one, even if its time is over."""
        with self._lock:
            entry = self._entry(domain)
            return entry is not None and entry.was_deliverable

    def __len__(self) -> int:
        return len(self._probation) + len(self._protected)

    def _entry(self, domain: str) -> _Entry | None:
        return self._protected.get(domain) or self._probation.get(domain)

    def _store(self, domain: str, entry: _Entry) -> None:
        segment = self._protected if domain in self._protected else self._probation
        segment[domain] = entry
        segment.move_to_end(domain)
        while len(self) > self._max:
            self._probation.popitem(last=False)

    def _protect(self, domain: str, entry: _Entry) -> None:
        """Move to the protected; whoever must make room there is on probation again."""
        self._probation.pop(domain, None)
        self._protected[domain] = entry
        self._protected.move_to_end(domain)
        while len(self._protected) > self._max_protected:
            self._store(*self._protected.popitem(last=False))


def _keep_s(outcome: Outcome, failures: int) -> float:
    if not outcome.complete:
        return min(FIRST_FAILURE_S * 2.0 ** min(failures - 1, MOST_DOUBLINGS), LONGEST_FAILURE_S)
    least, most = POSITIVE_S if outcome.status is Status.DELIVERABLE else NEGATIVE_S
    return min(max(outcome.ttl_s, least), most)
