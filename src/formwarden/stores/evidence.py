"""What an outcome does to breakers, in the step that settles it; the same in every store (G08, G09, G12, G13)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from formwarden.stores.breakers import AccountRow, BreakerRow, Kind, Rows, Scope, met
from formwarden.stores.breaking import Cause, complaints_trip, trips
from formwarden.stores.outcomes import ENDS_AS, LIVE
from formwarden.stores.ports import Key, Ours, Outcome, OutcomeKind, Shut
from formwarden.stores.tripping import Tripping, tidy

HARDNESS: Final[Mapping[OutcomeKind, float]] = {
    OutcomeKind.HARD: 1.0,
    OutcomeKind.DOMAIN: 1.0,
    OutcomeKind.SOFT_LONG: 0.5,  # G08
}
"""How much of a failure an outcome is; the others say nothing of the address."""
MAY_BE_SENT: Final = LIVE | {ENDS_AS[OutcomeKind.LOST]}
"""States of a reply that the relay may be heard to have taken."""
CAUSES: Final[Mapping[Ours, Cause]] = {Ours.REPUTATION: Cause.REPUTATION, Ours.CONFIG: Cause.CONFIG}
COMPLAINT_TEXT: Final = "a person called a reply of ours unwanted; limits do not grow for now"


def settle_account(rows: Rows, row: AccountRow | None, outcome: Outcome, now: float, *, state: str) -> None:
    """Let an outcome count: in windows, at breakers, for the client. `state`: the reply's, before this outcome.

    One that may be forged ends the reply, and says nothing else. A reply ends once, but a refusal or a complaint may
    come long after the relay took it. `row` is None for a reply that has no account, or is not known any more.
    """
    evidence = _Evidence(rows=rows, outcome=outcome, now=now, live=state in LIVE)
    if row is not None:
        tidy(rows, (row.account.provider, row.account.site), now)
    if not outcome.counts:
        evidence.ended_unknown()
    elif outcome.kind is OutcomeKind.COMPLAINT:
        evidence.complained(row)
    elif row is None:
        evidence.ended_unknown()
    elif outcome.kind in HARDNESS:
        evidence.failed(row, HARDNESS[outcome.kind])
    elif outcome.kind in {OutcomeKind.OURS, OutcomeKind.SOFT_SHORT}:
        evidence.failed_for_another_reason(row)
    elif outcome.kind is OutcomeKind.SENT:
        if state in MAY_BE_SENT:
            evidence.sent(row)
    else:
        evidence.ended_unknown()


def leave(rows: Rows, reply_id: bytes, now: float) -> None:
    """Free the place among the probes of a reply of which nothing will be known."""
    for subject in rows.leave_places(reply_id):
        breaker = met(rows, subject, now)
        if breaker is not None and breaker.shut(now) is Shut.PROBING:
            rows.write_breaker(replace(breaker, closes_at=None))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """One outcome in its step."""

    rows: Rows
    outcome: Outcome
    now: float
    live: bool  # it ends the reply

    @property
    def tripping(self) -> Tripping:
        return Tripping(rows=self.rows, breaking=self.outcome.breaking, now=self.now)

    def sent(self, row: AccountRow) -> None:
        """Presume it delivered in a day, unless it is heard of before (G08)."""
        if row.entered_at is not None:
            return
        self.rows.write_outcome(replace(row, entered_at=self.now + self.outcome.breaking.presumed_s))
        for subject in (row.account.provider, row.account.site):
            breaker = self._probing(subject)
            if breaker is None or not self._is_probe(subject, row):
                continue
            probes = self.rows.probes(subject)
            well = [each.entered_at for each in probes if each.hard == 0 and each.entered_at is not None]
            if len(well) >= breaker.probes:
                self.rows.write_breaker(replace(breaker, closes_at=max(well)))

    def failed(self, row: AccountRow, hard: float) -> None:
        """Count a failure, once a reply: what comes after the first may only make it a whole one."""
        if hard <= row.hard:
            return
        row = replace(row, hard=hard, entered_at=self.now if row.hard == 0 else row.entered_at)
        self.rows.write_outcome(row)
        if self.outcome.kind is OutcomeKind.HARD and row.account.client is not None:
            self.rows.bounced(row.account.client, row.reply_id, self.now)
        for scope, subject in ((Scope.PROVIDER, row.account.provider), (Scope.SITE, row.account.site)):
            self._failed_in(scope, subject, row)

    def failed_for_another_reason(self, row: AccountRow) -> None:
        """Take a reply out of the windows that tells neither that an address is dead nor that it is well."""
        if row.hard == 0:
            self.rows.write_outcome(replace(row, entered_at=None))
            leave(self.rows, row.reply_id, self.now)
        spoke = self.outcome.subject in {None, row.account.provider}  # MX that changed meanwhile speak for another
        if spoke and self.outcome.kind is OutcomeKind.OURS and self.outcome.ours in CAUSES:
            self.tripping.open_provider(row.account, CAUSES[self.outcome.ours])

    def ended_unknown(self) -> None:
        """Let a reply that ends without a word leave its place; one that never left has no account."""
        if not self.live or self.outcome.kind is OutcomeKind.NOT_SENT:
            return
        leave(self.rows, self.outcome.reply_id, self.now)
        if self.outcome.kind is OutcomeKind.REFUNDED:
            self.rows.erase_account(self.outcome.reply_id)

    def complained(self, row: AccountRow | None) -> None:
        """Count a complaint, once a reply; enough of strangers, or of all, open the site (G13)."""
        if row is not None and row.complained_at is not None:
            return
        self.rows.count_complaint(self.now)
        self.rows.alarm(Kind.COMPLAINT, COMPLAINT_TEXT, self.now)
        if row is None:
            return
        known_at = self.now if row.entered_at is None else min(row.entered_at, self.now)  # it was delivered
        self.rows.write_outcome(replace(row, complained_at=self.now, entered_at=known_at))
        breaker = met(self.rows, row.account.site, self.now)
        since = None
        if breaker is not None:
            since = breaker.opened_at if breaker.shut(self.now) is Shut.PROBING else breaker.since(self.now)
        breaking = self.outcome.breaking
        recent_from = self.now - breaking.complaints_s
        found = self.rows.complaints(row.account.site, since=since, recent_from=recent_from, now=self.now)
        if complaints_trip(found.newest_first, breaking, recent=found.recent, sent=found.sent):
            self.tripping.open_site(row.account, Cause.COMPLAINT)

    def _failed_in(self, scope: Scope, subject: Key, row: AccountRow) -> None:
        breaker = met(self.rows, subject, self.now)
        standing = None if breaker is None else breaker.shut(self.now)
        if breaker is not None and standing is Shut.PROBING:
            self._probe_failed(scope, breaker, row)
        elif standing is None:
            since = None if breaker is None else breaker.since(self.now)
            if trips(self.rows.window(scope, subject, since=since, now=self.now), self.outcome.breaking):
                self._open(scope, row)

    def _open(self, scope: Scope, row: AccountRow) -> None:
        if scope is Scope.SITE:
            self.tripping.open_site(row.account, Cause.RATIO)
        else:
            self.tripping.open_provider(row.account, Cause.RATIO)

    def _probe_failed(self, scope: Scope, breaker: BreakerRow, row: AccountRow) -> None:
        """Open a half-open breaker again once its probes make a whole failure; half of one leaves its place."""
        if not self._is_probe(breaker.subject, row):
            return  # it left before, or was none: a person we know
        if sum(each.hard for each in self.rows.probes(breaker.subject)) < 1:
            self.rows.write_breaker(replace(breaker, closes_at=None))
            return
        self.tripping.open_again(breaker)
        if scope is Scope.PROVIDER:
            self.tripping.open_site_with_providers(row.account)

    def _probing(self, subject: Key) -> BreakerRow | None:
        breaker = met(self.rows, subject, self.now)
        return breaker if breaker is not None and breaker.shut(self.now) is Shut.PROBING else None

    def _is_probe(self, subject: Key, row: AccountRow) -> bool:
        return any(each.reply_id == row.reply_id for each in self.rows.probes(subject))
