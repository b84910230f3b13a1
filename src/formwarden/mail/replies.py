"""Replies: the gate's table, then one reservation whose row is the outbox row (G15)."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.report import AddressReport
from formwarden.address.syntax import check_syntax
from formwarden.clock import Clock
from formwarden.errors import StoreError, UnknownFormError
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.mail.budgets import MEANINGS, Draw, spends_for
from formwarden.mail.cases import Case, case_of, kept_case
from formwarden.mail.gate import (
    WORKER_LATE_S,
    GateDecision,
    GateFacts,
    answerable,
    decide,
)
from formwarden.mail.permit import PERMIT_LEASE_S, Permit, Taken
from formwarden.mail.settings import Mail
from formwarden.mail.watched import Watched, watch
from formwarden.scoring import Standing, Verdict
from formwarden.site import Site
from formwarden.stores.ports import (
    REPLIES_OFF,
    Decision,
    Inquiry,
    Ledger,
    ReplyRequest,
    ReplyRow,
    Reputation,
    Reservation,
)
from formwarden.subjects import ClientSubjects, Subjects

REPLY_ID_BYTES: Final = 16  # fits into a return path beside its signature
LATELY_S: Final = 1.0  # the endpoint replies to what was judged a moment ago: the ledger need not be read twice
MOST_LATELY: Final = 1_024  # submissions whose endpoint has not replied yet
LEDGER_DOWN: Final = "LEDGER_DOWN"
DECIDED_BEFORE: Final = "Decided before, or the ledger knew better while it reserved."
RecipientKeys = Callable[[], Awaitable[Sequence[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyResult:
    """What was decided of one reply. `until` is the end of a hold, in seconds since the epoch."""

    decision: Decision
    code: str
    until: float | None = None
    explanation: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lately:
    """What the ledger said of a submission's address while it was judged."""

    watched: Watched
    reputation: Reputation
    until: float  # by the monotonic clock


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    decision: GateDecision
    request: ReplyRequest
    watched: Watched

    def result(self, reservation: Reservation) -> ReplyResult:
        """Say what the ledger made of it."""
        code = reservation.code
        as_decided = code == self.decision.code and reservation.decision is self.decision.decision
        return ReplyResult(
            decision=reservation.decision,
            code=code,
            until=self.request.hold_until if as_decided else None,
            explanation=self.decision.explanation if as_decided else MEANINGS.get(code, DECIDED_BEFORE),
        )


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
    ) -> None:
        self._ledger = ledger
        self._recipient_keys = recipient_keys
        self._clients = clients
        self._settings = settings
        self._forms = forms
        self._clock = clock
        self._faults = faults
        self._lately = OrderedDict[bytes, _Lately]()
        self._own_domains = _own_domains(site, settings)
        self._owners = _owners(site, settings)

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

        return Permit(take, ledger=self._ledger, clock=self._clock, faults=self._faults)

    async def decide_again(
        self, row: ReplyRow, inquiry: Inquiry, report: AddressReport, *, released: bool = False
    ) -> ReplyResult:
        """Decide once more of a held reply, its standing unchanged; `released`: now by the owner's hand."""
        case = kept_case(inquiry, self._form(inquiry.form), report, self._clock.now())
        whole_s = self._settings.hold_dns_s + WORKER_LATE_S
        left_s = whole_s if row.held_until is None else row.held_until - self._clock.now()
        case = replace(case, waited_s=max(0.0, whole_s - left_s), released=case.released or released)
        return await self._reserve(case, preview=False)

    async def staff_reply_to(self, verdict: Verdict) -> str | None:
        """Return the address for the staff mail's Reply-To; None where a program there might answer (G24)."""
        return verdict.address if await self._answerable(self._case(verdict), keep=verdict.id) else None

    async def answerable(self, inquiry: Inquiry, report: AddressReport) -> bool:
        """Tell of a kept inquiry whether the staff's mail may carry its address as Reply-To (G24)."""
        return await self._answerable(kept_case(inquiry, self._form(inquiry.form), report, self._clock.now()))

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

    async def _reserve(self, case: Case, *, preview: bool, lately: _Lately | None = None) -> ReplyResult:
        try:
            decided = await self._decide(case, lately)
            return decided.result(await self._ledger.reserve(replace(decided.request, preview=preview)))
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
            watched=decided.watched,
        )

    async def _decide(self, case: Case, lately: _Lately | None = None) -> _Decided:
        subjects = await self._subjects()
        watched = watch(case.report, subjects)
        known = lately is not None and lately.watched == watched and self._clock.monotonic() < lately.until
        reputation = lately.reputation if lately and known else await self._ledger.reputation(watched.all)
        facts = self._facts(case, watched, reputation)
        decision = decide(facts)
        if known and decision.decision is not Decision.SEND:  # of one that is sent, the reservation asks again itself
            return await self._decide(case)
        now = self._clock.now()
        sends = decision.decision is Decision.SEND
        request = ReplyRequest(
            reply_id=_reply_id(subjects, case.submission),
            submission_id=case.submission,
            decision=decision.decision,
            code=decision.code,
            spends=spends_for(_draw(case, facts), subjects, self._settings) if sends else (),
            subjects=watched.recipient,
            hold_until=_after(now, decision.until_s),
            check_at=_after(now, decision.check_s),
        )
        return _Decided(decision=decision, request=request, watched=watched)

    async def _answerable(self, case: Case, *, keep: bytes | None = None) -> bool:
        try:
            watched = watch(case.report, await self._subjects())
            reputation = await self._ledger.reputation(watched.all)
            if keep is not None:
                self._remember(keep, watched, reputation)
            return answerable(self._facts(case, watched, reputation))
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

    def _facts(self, case: Case, watched: Watched, reputation: Reputation) -> GateFacts:
        return GateFacts(
            reputation=reputation,
            report=case.report,
            judged=case.judged,
            standing=case.standing,
            released=case.released,
            watched=watched,
            own_domains=self._own_domains,
            owners=self._owners,
            replies=self._settings.replies,
            suppress_disposable=self._settings.suppress_disposable,
            form_replies=case.own_mailer or case.form.reply is not None,
            relay=case.own_mailer or self._settings.smtp_url is not None,
            waited_s=case.waited_s,
            hold_dns_s=self._settings.hold_dns_s,
            hold_suspect_s=self._settings.hold_suspect_s,
        )


def _draw(case: Case, facts: GateFacts) -> Draw:
    return Draw(
        form=case.form.name,
        limits=case.form.limits,
        report=case.report,
        standing=Standing.KNOWN if facts.known else case.standing,
        released=case.released,
        owner=facts.owner,
        proven=facts.reputation is not None and facts.reputation.feedback_seen,
        lineage=case.lineage,
        client=case.client,
        network=case.network,
    )


def _down() -> ReplyResult:
    return ReplyResult(
        decision=Decision.SUPPRESS, code=LEDGER_DOWN, explanation="Sending fails closed: the ledger did not answer."
    )


def _reply_id(subjects: Subjects, submission: bytes) -> bytes:
    """Name the reply of a submission, always alike: under the oldest key, which a rotation leaves in place."""
    return bytes(subjects.keys("reply", submission)[-1])[-REPLY_ID_BYTES:]


def _after(now: float, seconds: float | None) -> float | None:
    return None if seconds is None else now + seconds


def _own_domains(site: Site, settings: Mail) -> frozenset[str]:
    sender = (settings.mail_from or "").rpartition("@")[2]
    return frozenset(each.lower() for each in (site.site_domain, sender, *settings.own_domains) if each)


def _owners(site: Site, settings: Mail) -> frozenset[str]:
    given = (check_syntax(each).canonical for each in (*site.staff_address, *settings.owner_test_addresses))
    return frozenset(each for each in given if each is not None)
