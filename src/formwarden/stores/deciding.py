"""What a reservation says of one reply, in the order of the gate's table; the same in every store.

A store answers what stands; what follows from it is decided here, and written down by the store in the same step.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from formwarden.stores.breakers import BreakerRow, Rows, taken
from formwarden.stores.outcomes import REPLIES_OFF_CODE, hold_end, suppression_code
from formwarden.stores.ports import REPLIES_OFF, Account, Decision, Key, ReplyRequest, Shut, Spend
from formwarden.stores.tripping import tidy

CONFIG_CODE: Final = "CONFIG_UNSAFE"
PROVIDER_CODE: Final = "BREAKER_PROVIDER"
SITE_CODE: Final = "BREAKER_SITE"
PROBE_CODE: Final = "BREAKER_PROBE"
MARK_EVERY_S: Final = 60.0  # a mark stands for its hour: a flood of refused replies writes one a minute, not one each


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a reply's row said before."""

    state: str
    code: str
    held_until: float | None
    score: float | None  # it waits in the queue
    wanted: bool  # it was counted in its day


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What is written of a reply."""

    decision: Decision
    code: str
    held_until: float | None = None
    check_at: float | None = None
    score: float | None = None
    wanted: bool = False
    marks: tuple[Key, ...] = ()
    probe_of: tuple[Key, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """The breakers that stand before one reply: of its provider group, then of its site; no closed ones."""

    rows: tuple[BreakerRow, ...] = ()
    codes: tuple[str, ...] = ()  # of row 11
    now: float

    @classmethod
    def of(cls, account: Account, found: Mapping[Key, BreakerRow], now: float) -> "Barrier":
        """Return what stands of these rows against the reply of this account."""
        named = ((PROVIDER_CODE, found.get(account.provider)), (SITE_CODE, found.get(account.site)))
        standing = [(code, row) for code, row in named if row is not None and row.shut(now) is not None]
        return cls(rows=tuple(row for _, row in standing), codes=tuple(code for code, _ in standing), now=now)

    @property
    def unsafe_code(self) -> str | None:
        """Return the code of row 1."""
        if not self.rows:
            return None
        return CONFIG_CODE if any(row.shut(self.now) is Shut.CONFIG for row in self.rows) else None

    @property
    def open_code(self) -> str | None:
        """Return the code of row 11."""
        for code, row in zip(self.codes, self.rows, strict=True):
            if row.shut(self.now) is Shut.OPEN:
                return code
        return None

    def probe_of(self, rows: Rows, request: ReplyRequest) -> tuple[Key, ...] | None:
        """Return the half-open breakers that a reply is a probe of (row 18); None: it may not leave."""
        if request.exempt or not self.rows:
            return ()
        half_open = [row for row in self.rows if row.shut(self.now) is Shut.PROBING]
        if half_open and (not request.probe or any(taken(rows, row) >= row.probes for row in half_open)):
            return None
        return tuple(row.subject for row in half_open)


class Books(Protocol):
    """What stands in a ledger, inside one step."""

    @property
    def rows(self) -> Rows:
        """Its breakers."""

    def causes(self, subjects: Collection[Key], /) -> Mapping[Key, str]:
        """Return the strongest cause against those of these subjects that are on the list."""

    def counts(self, spends: Sequence[Spend], /, *, clamp: bool) -> Sequence[int]:
        """Return how many slots of each budget are taken; `clamp`: bring slots back that a wrong clock left ahead."""

    def waiting(self) -> int:
        """Return how many replies wait in the queue."""


def decide(books: Books, request: ReplyRequest, before: Before | None, now: float) -> Decided:
    """Decide one reply that is new, or was held."""
    if request.decision is Decision.SUPPRESS:
        return Decided(decision=Decision.SUPPRESS, code=request.code)
    if request.decision is Decision.HOLD:
        standing = None if before is None else (before.code, before.held_until)
        held_until = hold_end(standing, request.code, request.hold_until)
        return Decided(decision=Decision.HOLD, code=request.code, held_until=held_until, check_at=request.check_at)
    barrier = _barrier(books.rows, request, now)
    against = _against(books, request, barrier)
    if against is not None:
        return Decided(decision=Decision.SUPPRESS, code=against)
    counts = books.counts(request.spends, clamp=not request.preview)
    return _within_budgets(books, request, before, counts, barrier)


def _barrier(rows: Rows, request: ReplyRequest, now: float) -> Barrier:
    account = request.account
    if account is None:
        return Barrier(now=now)
    subjects = (account.provider, account.site)
    if request.preview:
        found: Mapping[Key, BreakerRow] = {key: row.met(now) for key, row in rows.standing(subjects).items()}
    else:
        found = tidy(rows, subjects, now)
    return Barrier.of(account, found, now) if found else Barrier(now=now)


def _against(books: Books, request: ReplyRequest, barrier: Barrier) -> str | None:
    """Return the code of the first thing that stands against sending, budgets apart."""
    causes = books.causes((REPLIES_OFF, *request.subjects))
    if REPLIES_OFF in causes:
        return REPLIES_OFF_CODE
    if barrier.unsafe_code is not None:
        return barrier.unsafe_code
    for subject in request.subjects:
        if subject in causes:
            return suppression_code(causes[subject])
    return barrier.open_code


def _within_budgets(
    books: Books, request: ReplyRequest, before: Before | None, counts: Sequence[int], barrier: Barrier
) -> Decided:
    spent: list[Spend] = []
    last: list[Spend] = []
    for spend, count in zip(request.spends, counts, strict=True):
        if count >= spend.limit:
            spent.append(spend)
        elif spend.marks is not None and spend.taken and count + 1 == spend.limit:
            last.append(spend)
    probe_of = barrier.probe_of(books.rows, request)
    if spent:
        may_wait = probe_of is not None and all(spend.shared for spend in spent)
        until = _waits_until(books, request, before, barrier.now) if may_wait else None
        return _refused(request, spent, until, barrier.now)
    if probe_of is None:
        return Decided(decision=Decision.SUPPRESS, code=PROBE_CODE)
    return Decided(decision=Decision.SEND, code=request.code, marks=_marks(last), wanted=True, probe_of=probe_of)


def _refused(request: ReplyRequest, spent: Sequence[Spend], until: float | None, now: float) -> Decided:
    """Refuse a reply for its spent budgets, or let it wait."""
    code, marks = spent[0].budget, _marks(spent)
    wanted = all(spend.shared for spend in spent)
    if until is None or request.queue is None:
        return Decided(decision=Decision.SUPPRESS, code=code, marks=marks, wanted=wanted)
    return Decided(
        decision=Decision.HOLD,
        code=code,
        held_until=until,
        check_at=_next_look(now, request.queue.check_s),
        score=request.queue.score,
        marks=marks,
        wanted=wanted,
    )


def _next_look(now: float, check_s: float) -> float:
    """Return when the queue is looked at next: at one moment for all that wait, so that the lowest score is first."""
    return now if check_s <= 0 else (now // check_s + 1) * check_s


def _waits_until(books: Books, request: ReplyRequest, before: Before | None, now: float) -> float | None:
    """Return the end of the wait in the queue, which looking again never puts off; None: there is no place."""
    queue = request.queue
    if queue is None:
        return None
    until = queue.until
    if before is not None and before.score is not None:
        until = until if before.held_until is None else min(until, before.held_until)
    elif books.waiting() >= queue.limit:
        return None
    return until if until > now else None


def _marks(spends: Sequence[Spend]) -> tuple[Key, ...]:
    if not spends:
        return ()
    return tuple(dict.fromkeys(spend.marks for spend in spends if spend.marks is not None))
