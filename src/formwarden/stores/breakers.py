"""Breakers: how one stands, what opens and closes it (G08, G09, G12, G13); the same in every store.

A store reads and writes rows; what is done with them is decided here. A breaker that is closed keeps its row: its
window begins where it closed, and one that trips again soon opens for longer.

**Clocks.** What was stamped further ahead than `AHEAD_S` was stamped by a clock set back since: such a breaker is
read as if it had opened now, for as long as it was to last. A clock set forward ends it early by as much as it went
forward, and presumes delivery as much too early: what follows is a few probes, never a burst.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from formwarden.stores.ahead import AHEAD_S, too_far
from formwarden.stores.breaking import DAY_S, Cause, Known
from formwarden.stores.ports import Account, Breaker, Key, Shut

PRESUMED_AHEAD_S: Final = 7 * DAY_S + AHEAD_S  # no delivery is presumed later than a week after the relay took it
LEVEL_KEPT_S: Final = 30 * DAY_S  # a breaker that was closed for so long starts anew
SITE_LABEL: Final = "site"


class Scope(StrEnum):
    """Whose window: all replies to a provider group, or all of a site."""

    PROVIDER = "provider"
    SITE = "site"


class Kind(StrEnum):
    """What an alarm is about."""

    BREAKER = "breaker"
    CONFIG = "config"
    COMPLAINT = "complaint"
    DRIP = "drip"
    CLOSED = "closed"  # of an end: begins nothing, and makes no day unclean


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRow:
    """A breaker as it is kept; one that never opened has none."""

    subject: Key
    label: str
    cause: str
    level: int  # how many times it opened in a row
    probes: int  # so many decide
    opened_at: float
    until: float | None  # None: until mended
    closes_at: float | None = None  # from then on it is closed, and its window begins there
    tidied: bool = False  # closed, and said so

    def met(self, now: float) -> "BreakerRow":
        """Return it with its times brought back, where a clock that was set back since has left them ahead."""
        if self.closes_at is not None and self.tidied and too_far(self.closes_at, now):
            return replace(self, opened_at=min(self.opened_at, now), closes_at=now)
        if not too_far(self.opened_at, now):
            return self
        ahead = self.opened_at - now
        return replace(
            self,
            opened_at=now,
            until=None if self.until is None else self.until - ahead,
            closes_at=None if self.closes_at is None else self.closes_at - ahead,
        )

    def shut(self, now: float) -> Shut | None:
        """Say how it stands; None: closed. A breaker whose last probe is presumed delivered by now is closed."""
        if self.closes_at is not None and self.closes_at <= now:
            return None
        if self.until is None:
            return Shut.CONFIG if self.cause == Cause.CONFIG else Shut.OPEN
        return Shut.OPEN if now < self.until else Shut.PROBING

    def since(self, now: float) -> float | None:
        """Return when the window of a closed one begins; None: the row does not limit it."""
        return self.closes_at if self.shut(now) is None else None

    def level_at(self, now: float) -> int:
        """Return how many times in a row it has opened; once closed for a month it starts anew."""
        closed_at = self.since(now)
        return 0 if closed_at is not None and now - closed_at >= LEVEL_KEPT_S else self.level


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """Whose a granted reply is, and what became of it."""

    reply_id: bytes
    account: Account
    at: float
    entered_at: float | None = None  # known, or presumed delivered, from then on
    hard: float = 0.0
    complained_at: float | None = None

    def met(self, now: float) -> "AccountRow":
        """Return it with its times brought back, where a clock that was set back since has left them ahead."""
        if self.entered_at is None or self.entered_at <= now + PRESUMED_AHEAD_S:
            return self
        return replace(self, entered_at=now if self.hard > 0 else now + DAY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A reply that is out for a half-open breaker, or came back well."""

    reply_id: bytes
    entered_at: float | None
    hard: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaints:
    """Those of a site since a moment, newest first: those of the last days are `recent`; `sent` were known by now."""

    newest_first: Sequence[Known]
    recent: int
    sent: int


class Rows(Protocol):
    """What a store reads and writes of breakers, inside its step."""

    def breaker(self, subject: Key, /) -> BreakerRow | None:
        """Read one."""

    def standing(self, subjects: Collection[Key], /) -> Mapping[Key, BreakerRow]:
        """Read those of these subjects."""

    def breakers(self) -> Sequence[BreakerRow]:
        """Read all that were not found closed and said so."""

    def write_breaker(self, row: BreakerRow, /) -> None:
        """Write one."""

    def write_outcome(self, row: AccountRow, /) -> None:
        """Write `entered_at`, `hard` and `complained_at` of a reply's account."""

    def erase_account(self, reply_id: bytes, /) -> None:
        """Erase the account of a reply that was never sent."""

    def bounced(self, client: Key, reply_id: bytes, now: float, /) -> None:
        """Write a slot of a client whose reply bounced."""

    def window(self, scope: Scope, subject: Key, /, *, since: float | None, now: float) -> Iterable[Known]:
        """Read known outcomes after `since`, newest first, at most `SCANNED` rows; a failure is known at once."""

    def complaints(self, site: Key, /, *, since: float | None, recent_from: float, now: float) -> Complaints:
        """Read the complaints of a site after `since`."""

    def count_complaint(self, now: float, /) -> None:
        """Count one in its day."""

    def probes(self, subject: Key, /) -> Sequence[Probe]:
        """Read the probes of a half-open breaker."""

    def take_place(self, subject: Key, reply_id: bytes, /) -> None:
        """Write that a reply is a probe."""

    def leave_places(self, reply_id: bytes, /) -> Sequence[Key]:
        """Forget that a reply was a probe; return of which breakers."""

    def clear_places(self, subject: Key, /) -> None:
        """Forget the probes of a breaker."""

    def alarmed(self, text: str, since: float, /) -> bool:
        """Say whether such an alarm was written after a moment."""

    def alarm(self, kind: str, text: str, now: float, /) -> None:
        """Write an alarm."""


def met(rows: Rows, subject: Key, now: float) -> BreakerRow | None:
    """Read a breaker as it stands for this clock."""
    row = rows.breaker(subject)
    return None if row is None else row.met(now)


def shuts(rows: Rows, subjects: Collection[Key], now: float) -> Mapping[Key, Shut]:
    """Say how those of these breakers stand that are not closed."""
    found = {key: row.met(now).shut(now) for key, row in rows.standing(subjects).items()}
    return {key: standing for key, standing in found.items() if standing is not None}


def shown(rows: Rows, now: float) -> tuple[Breaker, ...]:
    """Return every breaker that is not closed, newest first."""
    found: list[Breaker] = []
    for row in (each.met(now) for each in rows.breakers()):
        standing = row.shut(now)
        if standing is not None:
            found.append(
                Breaker(
                    subject=row.subject,
                    cause=row.cause,
                    label=row.label,
                    shut=standing,
                    opened_at=row.opened_at,
                    until=row.until,
                    probes=taken(rows, row) if standing is Shut.PROBING else 0,
                )
            )
    return tuple(sorted(found, key=lambda each: (-each.opened_at, each.subject)))


def taken(rows: Rows, row: BreakerRow) -> int:
    """Count the places that are taken: probes that are out, or came back well."""
    return sum(probe.hard == 0 for probe in rows.probes(row.subject))
