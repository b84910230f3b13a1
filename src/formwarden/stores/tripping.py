"""Opening breakers, closing them, and what the owner is told of it; the same in every store (G09, G13)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from formwarden.stores.breakers import SITE_LABEL, BreakerRow, Kind, Rows, met
from formwarden.stores.breaking import DAY_S, Breaking, Cause
from formwarden.stores.ports import Account, Key, Shut

PROVIDERS_TO_OPEN_SITE: Final = 2  # large groups, open at once (reference, section 2.3)
DISTRUST: Final = frozenset({Cause.RATIO, Cause.REPUTATION})
"""Causes by which a provider group helps to open the site."""
STRONGER: Final = frozenset({Cause.REPUTATION, Cause.CONFIG})
"""Causes that change a breaker which is open already."""
CAUSE_TEXTS: Final[Mapping[Cause, str]] = {
    Cause.RATIO: "too many of the last ones failed",
    Cause.REPUTATION: "it says that it distrusts us",
    Cause.CONFIG: "it refuses how we send",
    Cause.COMPLAINT: "several people complained",
    Cause.PROVIDERS: f"{PROVIDERS_TO_OPEN_SITE} of the large provider groups are closed to us",
}
NAMES: Final[Mapping[str, str]] = {"": "a small mail provider", SITE_LABEL: "everybody"}
"""How an alarm calls what has no name of its own."""
CLOSED_TEXT: Final = "replies to {} leave again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tripping:
    """One step at breakers: by these figures, at this moment.

    A provider group without a name is told of once a day, however many there are: anybody can have one.
    """

    rows: Rows
    breaking: Breaking
    now: float

    def open_provider(self, account: Account, cause: Cause) -> None:
        """Open the breaker of a reply's provider group; two large groups open the site."""
        self._open(account.provider, account.label, cause)
        if cause in DISTRUST:
            self.open_site_with_providers(account)

    def open_site(self, account: Account, cause: Cause) -> None:
        """Open the breaker of everybody."""
        self._open(account.site, SITE_LABEL, cause)

    def open_again(self, row: BreakerRow) -> None:
        """Open a half-open breaker again, for longer."""
        self._write_open(row, Cause(row.cause))

    def open_site_with_providers(self, account: Account) -> None:
        """Open the site if enough of the large provider groups are open by ratio or by what they said."""
        found = [row.met(self.now) for row in self.rows.breakers()]
        large = [row for row in found if row.label not in NAMES and row.cause in DISTRUST]
        if sum(row.shut(self.now) is Shut.OPEN for row in large) >= PROVIDERS_TO_OPEN_SITE:
            self._open(account.site, SITE_LABEL, Cause.PROVIDERS)

    def _open(self, subject: Key, label: str, cause: Cause) -> None:
        """Open a breaker, or let a stronger cause keep it open; one that waits to be mended waits on."""
        before = met(self.rows, subject, self.now)
        standing = None if before is None else before.shut(self.now)
        if before is not None and standing in {Shut.OPEN, Shut.CONFIG}:
            if cause in STRONGER and standing is Shut.OPEN:
                self._keep_open(before, cause)
            return
        fresh = BreakerRow(
            subject=subject,
            label=label,
            cause=cause,
            level=0 if before is None else before.level_at(self.now),
            probes=self.breaking.probes,
            opened_at=self.now,
            until=None,
        )
        self._write_open(fresh, cause)

    def _write_open(self, row: BreakerRow, cause: Cause) -> None:
        opened = replace(
            row,
            cause=cause,
            level=row.level + 1,
            probes=self.breaking.probes,
            opened_at=self.now,
            until=self._end(cause, row.level),
            closes_at=None,
            tidied=False,
        )
        self.rows.clear_places(row.subject)
        self.rows.write_breaker(opened)
        self._alarm(opened)

    def _keep_open(self, row: BreakerRow, cause: Cause) -> None:
        """Let an open breaker stay so for as long as this cause alone would open it; its level does not rise."""
        end = self._end(cause, max(0, row.level - 1))
        until = None if end is None or row.until is None else max(row.until, end)
        kept = replace(row, cause=cause, until=until)
        self.rows.write_breaker(kept)
        if row.cause != cause:
            self._alarm(kept)

    def _end(self, cause: Cause, level: int) -> float | None:
        length = self.breaking.opens_for(cause, level)
        return None if length is None else self.now + length

    def _alarm(self, row: BreakerRow) -> None:
        kind = Kind.CONFIG if row.cause == Cause.CONFIG else Kind.BREAKER
        if not row.label:
            text = f"no replies to a small mail provider: {CAUSE_TEXTS[Cause(row.cause)]}; there may be more of them"
            if not self.rows.alarmed(text, self.now - DAY_S):
                self.rows.alarm(kind, text, self.now)
            return
        if row.until is None:
            end = "until somebody mends it and closes the breaker"
        else:
            end = f"until {datetime.fromtimestamp(row.until, UTC):%Y-%m-%d %H:%M} UTC, then a few are tried"
        text = f"no replies to {_name(row)}: {CAUSE_TEXTS[Cause(row.cause)]}; {end}"
        self.rows.alarm(kind, text, self.now)


def tidy(rows: Rows, subjects: Collection[Key], now: float) -> Mapping[Key, BreakerRow]:
    """Write down that breakers have closed, and say so; that they had was seen before. Bring their times back.

    Return those of these subjects as they stand then.
    """
    found: dict[Key, BreakerRow] = {}
    for subject, stored in rows.standing(subjects).items():
        row = found[subject] = stored.met(now)
        if not row.tidied and row.shut(now) is None:
            row = found[subject] = replace(row, tidied=True)
            rows.clear_places(subject)
            if row.label:
                rows.alarm(Kind.CLOSED, CLOSED_TEXT.format(_name(row)), now)
        if row != stored:
            rows.write_breaker(row)
    return found


def close(rows: Rows, subject: Key, now: float) -> bool:
    """Close a breaker by hand: its window is empty, and it starts anew; say whether it was not closed."""
    row = met(rows, subject, now)
    if row is None or row.shut(now) is None:
        return False
    rows.write_breaker(replace(row, level=0, closes_at=now, tidied=True))
    rows.clear_places(subject)
    return True


def _name(row: BreakerRow) -> str:
    return NAMES.get(row.label, row.label)
