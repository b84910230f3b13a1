"""Accounts, breakers and alarms in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from formwarden.stores.ahead import too_far
from formwarden.stores.breakers import AccountRow, BreakerRow, Complaints, Probe, Scope
from formwarden.stores.breaking import SCANNED, Known
from formwarden.stores.memory.budgets import MemoryBudgets
from formwarden.stores.memory.days import MemoryDays
from formwarden.stores.ports import Account, Alarm, Key


@dataclass(slots=True, kw_only=True)
class HeldAlarm:
    """An alarm, and who was given it."""

    alarm: Alarm
    lease_until: float | None = None
    told_at: float | None = None


def known_of(row: AccountRow) -> Known:
    """Return an outcome as windows count it."""
    return Known(hard=row.hard, network=row.account.network, domain=row.account.domain)


class MemoryAccounts:
    """What outcomes mean; the ledger holds the lock."""

    def __init__(self, budgets: MemoryBudgets, days: MemoryDays) -> None:
        self.accounts: dict[bytes, AccountRow] = {}
        self.rows: dict[Key, BreakerRow] = {}
        self.places: dict[Key, dict[bytes, None]] = {}
        self.kept_alarms: dict[int, HeldAlarm] = {}
        self._budgets = budgets
        self._days = days

    def open_account(self, reply_id: bytes, account: Account, now: float) -> None:
        """Write whose a reply is that was granted."""
        self.accounts[reply_id] = AccountRow(reply_id=reply_id, account=replace(account, recipient=()), at=now)

    def breaker(self, subject: Key, /) -> BreakerRow | None:
        """Read one."""
        return self.rows.get(subject)

    def standing(self, subjects: Collection[Key], /) -> Mapping[Key, BreakerRow]:
        """Read those of these subjects."""
        return {key: self.rows[key] for key in subjects if key in self.rows}

    def breakers(self) -> Sequence[BreakerRow]:
        """Read all that were not found closed and said so."""
        return [row for row in self.rows.values() if not row.tidied]

    def write_breaker(self, row: BreakerRow, /) -> None:
        """Write one."""
        self.rows[row.subject] = row

    def write_outcome(self, row: AccountRow, /) -> None:
        """Write what became of a reply."""
        self.accounts[row.reply_id] = row

    def erase_account(self, reply_id: bytes, /) -> None:
        """Erase the account of a reply that was never sent."""
        self.accounts.pop(reply_id, None)

    def bounced(self, client: Key, reply_id: bytes, now: float, /) -> None:
        """Write a slot of a client whose reply bounced."""
        self._budgets.put(reply_id, [(client, now)])

    def window(self, scope: Scope, subject: Key, /, *, since: float | None, now: float) -> Iterator[Known]:
        """Read known outcomes after `since`, newest first, at most `SCANNED` rows; a failure is known at once."""
        rows = [
            (row.entered_at, row)
            for row in self.accounts.values()
            if subject == (row.account.provider if scope is Scope.PROVIDER else row.account.site)
            and row.entered_at is not None
            and (since is None or row.entered_at > since)
            and (row.entered_at <= now or row.hard > 0)
        ]
        rows.sort(key=lambda each: each[0], reverse=True)
        return (known_of(row) for _, row in islice(rows, SCANNED))

    def complaints(self, site: Key, /, *, since: float | None, recent_from: float, now: float) -> Complaints:
        """Read the complaints of a site after `since`."""
        ours = [row for row in self.accounts.values() if row.account.site == site]
        found = [
            (row.complained_at, row)
            for row in ours
            if row.complained_at is not None and (since is None or row.complained_at > since)
        ]
        found.sort(key=lambda each: each[0], reverse=True)
        entered = [row.entered_at for row in ours if row.entered_at is not None and row.entered_at <= now]
        return Complaints(
            newest_first=[_complaint(row) for _, row in found[:SCANNED]],
            recent=sum(at >= recent_from for at, _ in found),
            sent=sum(since is None or at > since for at in entered),
        )

    def count_complaint(self, now: float, /) -> None:
        """Count one in its day."""
        self._days.at(now).complaints += 1

    def probes(self, subject: Key, /) -> Sequence[Probe]:
        """Read the probes of a half-open breaker."""
        found = (self.accounts.get(reply_id) for reply_id in self.places.get(subject, ()))
        return [
            Probe(reply_id=row.reply_id, entered_at=row.entered_at, hard=row.hard) for row in found if row is not None
        ]

    def take_place(self, subject: Key, reply_id: bytes, /) -> None:
        """Write that a reply is a probe."""
        self.places.setdefault(subject, {})[reply_id] = None

    def leave_places(self, reply_id: bytes, /) -> Sequence[Key]:
        """Forget that a reply was a probe; return of which breakers."""
        left = [subject for subject, replies in self.places.items() if reply_id in replies]
        for subject in left:
            del self.places[subject][reply_id]
        return left

    def clear_places(self, subject: Key, /) -> None:
        """Forget the probes of a breaker."""
        self.places.pop(subject, None)

    def alarm(self, kind: str, text: str, now: float, /) -> None:
        """Write an alarm."""
        number = max(self.kept_alarms, default=0) + 1
        self.kept_alarms[number] = HeldAlarm(alarm=Alarm(id=number, kind=kind, text=text, at=now))

    def take_alarms(self, limit: int, lease_s: float, now: float) -> tuple[Alarm, ...]:
        """Take alarms nobody was told of, oldest first."""
        free = [
            kept
            for _, kept in sorted(self.kept_alarms.items())
            if kept.told_at is None
            and (kept.lease_until is None or kept.lease_until <= now or too_far(kept.lease_until, now))
        ][:limit]
        for kept in free:
            kept.lease_until = now + lease_s
        return tuple(kept.alarm for kept in free)

    def alarmed(self, text: str, since: float, /) -> bool:
        """Say whether such an alarm was written after a moment."""
        return any(kept.alarm.text == text and kept.alarm.at > since for kept in self.kept_alarms.values())

    def bring_back(self, now: float) -> None:
        """Bring back what a clock that was set back since has left ahead."""
        for name, row in self.accounts.items():
            self.accounts[name] = row.met(now)
        for key, breaker in self.rows.items():
            self.rows[key] = breaker.met(now)
        for kept in self.kept_alarms.values():
            if too_far(kept.alarm.at, now):
                kept.alarm = replace(kept.alarm, at=now)

    def probe_of(self, reply_id: bytes) -> tuple[Key, ...]:
        """Return the half-open breakers that a reply is a probe of."""
        return tuple(sorted(subject for subject, replies in self.places.items() if reply_id in replies))

    def rename(self, reply_id: bytes, other: bytes) -> None:
        """Let an account go with a reply that was cut loose: nothing in it leads to a person."""
        row = self.accounts.pop(reply_id, None)
        if row is not None:
            self.accounts[other] = replace(row, reply_id=other, account=replace(row.account, client=None, network=()))
            for replies in self.places.values():
                if reply_id in replies:
                    del replies[reply_id]
                    replies[other] = None


def _complaint(row: AccountRow) -> Known:
    """Return a complaint by its strangers: of a provider's people, the provider is what they have in common."""
    return Known(hard=1.0, network=row.account.network, domain=row.account.domain or row.account.provider)
