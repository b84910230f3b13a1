"""Replies: the gate's table, then one reservation whose row is the outbox row (G15)."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.report import AddressReport
from formwarden.clock import Clock
from formwarden.errors import StoreError, UnknownFormError
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.breaker_settings import breaking_of
from formwarden.mail.cases import Case, case_of, kept_case
from formwarden.mail.codes import meaning_of, row_of
from formwarden.mail.deciding import Decided, Deciding
from formwarden.mail.gate import DNS_TEMPORARY, WORKER_LATE_S, answerable
from formwarden.mail.permit import PERMIT_LEASE_S, Permit, Taken
from formwarden.mail.settings import Mail
from formwarden.mail.watched import Watched, provider_group, watch
from formwarden.scoring import Standing, Verdict
from formwarden.site import Site
from formwarden.stores.ports import (
    REPLIES_OFF,
    Decision,
    Inquiry,
    Ledger,
    Outcome,
    OutcomeKind,
    ReplyRow,
    Reputation,
    Reservation,
)
from formwarden.subjects import ClientSubjects, Subjects

LATELY_S: Final = 1.0  # the endpoint replies to what was judged a moment ago: the ledger need not be read twice
MOST_LATELY: Final = 1_024  # submissions whose endpoint has not replied yet
LEDGER_DOWN: Final = "LEDGER_DOWN"
HELP_DESK: Final = "left to the help desk"
RecipientKeys = Callable[[], Awaitable[Sequence[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyResult:
    """What was decided of one reply. `until` is the end of a hold, in seconds since the epoch."""

    decision: Decision
    code: str
    until: float | None = None
    explanation: str = ""
    row: int | None = None  # of the decision table; 0: before it
    standing: Standing | None = None  # from whose share of the budgets it drew; None: not decided


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lately:
    """What the ledger said of a submission's address while it was judged."""

    watched: Watched
    reputation: Reputation
    until: float  # by the monotonic clock


class Replies:
    """Decides and reserves. Sending fails closed: without the ledger no reply, and the store's fault is counted."""

    def __init__(
        self,
        ledger: Ledger,
        recipient_keys: RecipientKeys,
        clients: ClientSubjects,
        *,
        settings: Mail,
        site: Site,
        forms: Mapping[str, GuardedForm],
        clock: Clock,
        faults: Faults,
        own_sender: bool = False,  # the site hands mail over by itself: no relay needs to be set
    ) -> None:
        self._ledger = ledger
        self._recipient_keys = recipient_keys
        self._clients = clients
        self._settings = settings
        self._forms = forms
        self._clock = clock
        self._faults = faults
        self._lately = OrderedDict[bytes, _Lately]()
        self._deciding = Deciding(settings=settings, site=site, clock=clock, own_sender=own_sender)

    async def reply(self, verdict: Verdict) -> ReplyResult:
        """Decide, reserve and write the row that the outbox sends; a second call returns the first one's result."""
        case = self._case(verdict)  # an unknown form is the caller's fault, whatever the store says
        lately = self._lately.pop(verdict.id, None)
        return await self._reserve(case, preview=False, lately=lately) if verdict.recorded else _down()

    async def preview(self, verdict: Verdict) -> ReplyResult:
        """Say what `reply` would do; reserves and writes nothing (G18)."""
        case = self._case(verdict)
        return await self._reserve(case, preview=True) if verdict.recorded else _down()

    def permit(self, verdict: Verdict) -> Permit:
        """Return the context in which the caller sends this reply with a mailer of his own (G17)."""
        case = replace(self._case(verdict), own_mailer=True)

        async def take() -> Taken:
            return await self._take(case) if verdict.recorded else Taken(code=LEDGER_DOWN)

        return Permit(
            take,
            ledger=self._ledger,
            clock=self._clock,
            faults=self._faults,
            breaking=breaking_of(self._settings),
        )

    async def decide_again(
        self, row: ReplyRow, inquiry: Inquiry, report: AddressReport, *, released: bool = False
    ) -> ReplyResult:
        """Decide once more of a held reply, its standing unchanged; `released`: now by the owner's hand."""
        case = kept_case(inquiry, self._form(inquiry.form), report, self._clock.now())
        case = replace(
            case,
            waited_s=self._waited_s(row),
            queued_until=None if row.score is None else row.held_until,
            released=case.released or released,
        )
        return await self._reserve(case, preview=False)

    async def staff_reply_to(self, verdict: Verdict) -> str | None:
        """Return the address for the staff mail's Reply-To; None where a program there might answer (G24)."""
        return verdict.address if await self._answerable(self._case(verdict), keep=verdict.id) else None

    async def answerable(self, inquiry: Inquiry, report: AddressReport) -> bool:
        """Tell of a kept inquiry whether the staff's mail may carry its address as Reply-To (G24)."""
        return await self._answerable(kept_case(inquiry, self._form(inquiry.form), report, self._clock.now()))

    async def answered_by_desk(self, inquiry: Inquiry, report: AddressReport) -> bool:
        """Take a reply's place in every budget for a help desk that answers whom Reply-To names (G24).

        True again for the same inquiry, whose mail may have to be written again.
        """
        try:
            row = (await self._ledger.replies((inquiry.id,))).get(inquiry.id)
            if row is not None:
                return row.last == HELP_DESK
            now = self._clock.now()
            case = replace(kept_case(inquiry, self._form(inquiry.form), report, now), own_mailer=True)
            foreseen = await self._reserve(case, preview=True)  # one that would wait leaves no row
            if foreseen.decision is not Decision.SEND:
                return False
            reply_id = (await self._take(case)).reply_id
            if reply_id is None:
                return False
            # what becomes of the desk's answer only the desk knows: the slot stays spent, and no breaker hears
            end = Outcome(id=b"help desk " + reply_id, reply_id=reply_id, kind=OutcomeKind.LOST, reason=HELP_DESK)
            await self._ledger.settle(end)
        except StoreError as error:
            self._faults.count("ledger", str(error))
            return False
        return True

    async def switch(self, *, on: bool) -> None:
        """Let replies leave, or stop all of them in all processes at once (G18). Raises StoreError."""
        if on:
            await self._ledger.lift(REPLIES_OFF)
        else:
            await self._ledger.suppress(REPLIES_OFF, cause="manual", until=None)

    async def status(self) -> bool:
        """Tell whether replies may leave: the setting and the switch. Raises StoreError."""
        return self._settings.replies and not (await self._ledger.reputation((REPLIES_OFF,))).replies_off

    async def watched(self, report: AddressReport) -> Watched:
        """Name whom a suppression may concern, in the ledger's keys. Raises StoreError."""
        return watch(report, await self._subjects())

    def _waited_s(self, row: ReplyRow) -> float:
        """Return for how long a held reply has waited for DNS; one in a queue, since it was first wanted."""
        now = self._clock.now()
        if row.score is not None:
            return max(0.0, now - row.created_at)
        if row.code != DNS_TEMPORARY or row.held_until is None:
            return 0.0
        return max(0.0, self._settings.hold_dns_s + WORKER_LATE_S - (row.held_until - now))

    async def _reserve(self, case: Case, *, preview: bool, lately: _Lately | None = None) -> ReplyResult:
        try:
            decided = await self._decide(case, lately)
            return _result(decided, await self._ledger.reserve(replace(decided.request, preview=preview)))
        except StoreError as error:
            self._faults.count("ledger", str(error))
            return _down()

    async def _take(self, case: Case) -> Taken:
        """Reserve for a caller with a mailer of his own; what is held waits for the owner, nobody else sends it."""
        try:
            decided = await self._decide(case)
            request = replace(decided.request, lease_s=PERMIT_LEASE_S, check_at=None)
            reservation = await self._ledger.reserve(request)
        except StoreError as error:
            self._faults.count("ledger", str(error))
            return Taken(code=LEDGER_DOWN)
        if reservation.decision is not Decision.SEND:
            return Taken(code=reservation.code)
        if not reservation.new:
            return Taken(code="DUP_LINEAGE")  # this very submission has had its reply
        return Taken(
            code=reservation.code,
            reply_id=request.reply_id,
            canonical=case.report.canonical,
            group=provider_group(case.report),
            watched=decided.watched,
        )

    async def _decide(self, case: Case, lately: _Lately | None = None) -> Decided:
        subjects = await self._subjects()
        watched = watch(case.report, subjects)
        known = lately is not None and lately.watched == watched and self._clock.monotonic() < lately.until
        reputation = lately.reputation if lately and known else await self._ledger.reputation(watched.all)
        decided = self._deciding.decided(case, watched, reputation, subjects)
        if known and decided.decision.decision is not Decision.SEND:
            return await self._decide(case)  # of one that is sent, the reservation asks again itself
        return decided

    async def _answerable(self, case: Case, *, keep: bytes | None = None) -> bool:
        try:
            watched = watch(case.report, await self._subjects())
            reputation = await self._ledger.reputation(watched.all)
            if keep is not None:
                self._remember(keep, watched, reputation)
            return answerable(self._deciding.facts(case, watched, reputation))
        except StoreError as error:
            self._faults.count("ledger", str(error))
            return False

    def _remember(self, submission: bytes, watched: Watched, reputation: Reputation) -> None:
        until = self._clock.monotonic() + LATELY_S
        self._lately[submission] = _Lately(watched=watched, reputation=reputation, until=until)
        while len(self._lately) > MOST_LATELY:
            self._lately.popitem(last=False)

    async def _subjects(self) -> Subjects:
        return Subjects(await self._recipient_keys())  # asked anew: another process may have made a newer key

    def _case(self, verdict: Verdict) -> Case:
        return case_of(verdict, self._form(verdict.form), self._clients, self._clock.now())

    def _form(self, name: str) -> GuardedForm:
        try:
            return self._forms[name]
        except KeyError as error:
            raise UnknownFormError(f"no guarded form {name!r}") from error


def _result(decided: Decided, reservation: Reservation) -> ReplyResult:
    """Say what the ledger made of it."""
    code = reservation.code
    as_decided = code == decided.decision.code and reservation.decision is decided.decision.decision
    return ReplyResult(
        decision=reservation.decision,
        code=code,
        until=decided.request.hold_until if as_decided and reservation.until is None else reservation.until,
        explanation=meaning_of(code),
        row=row_of(code),
        standing=decided.standing,
    )


def _down() -> ReplyResult:
    return ReplyResult(
        decision=Decision.SUPPRESS,
        code=LEDGER_DOWN,
        explanation=meaning_of(LEDGER_DOWN),
        row=row_of(LEDGER_DOWN),
    )
