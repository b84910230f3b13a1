"""Judges one submission: look-ups first, then judgement, then the inquiry is kept and the action named."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.report import AddressReport, Status
from formwarden.address.verify import AddressChecker
from formwarden.asked import Answered, Asked
from formwarden.challenge import Click, click_of
from formwarden.clock import Clock
from formwarden.errors import StoreError, StoreFullError
from formwarden.facts import Deadline, Facts, TokenOutcome, gather
from formwarden.faults import Faults, bug
from formwarden.forms import GuardedForm
from formwarden.kept_files import ResentBody
from formwarden.outside import Outside
from formwarden.page.effort import CHALLENGE_LEVEL
from formwarden.page.pressure import Pressure
from formwarden.page.receipts import receipt_number
from formwarden.reading import Reader, Reading
from formwarden.record import first_action, record, unjudged, unjudged_record
from formwarden.scoring import (
    Action,
    Composite,
    Scoring,
    Signal,
    Thresholds,
    Verdict,
    Weighed,
    decide,
    weigh,
    worse,
)
from formwarden.signals.defaults import EARLY_SIGNALS
from formwarden.site import Site
from formwarden.standing import standing_of
from formwarden.stores.journal import Journal, Spooled
from formwarden.stores.journal_lines import Move
from formwarden.stores.ports import Inquiry, Observation, Observed, State, Store
from formwarden.subjects import ClientSubjects
from formwarden.submission import Submission
from formwarden.tokens import Tokens

RETRY_WINDOW_S: Final = 600.0  # the same body with the same token within ten minutes is a second click
CORRECTIONS: Final = 3  # bodies one token may carry from one network (DESIGN, Retry)
UNHEARD: Final = "accepted, and its request was cancelled before its handler heard of it"
ENDPOINT_LEASE_S: Final = 120.0  # an endpoint that answers later than this is taken for dead
BENIGN: Final = frozenset({"token_stale", "token_rotated", "too_young"})  # a second click leaves no doubt after these


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, and what the store says this very submission already is (None: it is new)."""

    verdict: Verdict
    inquiry: Inquiry
    existing: Inquiry | None
    observation: Observation
    resent: ResentBody | None = None  # what the endpoint gets in place of the body that came: files that were kept

    def with_reply_to(self, address: str | None) -> "Judged":
        """Return the same with the address the staff's mail may name as Reply-To (G24)."""
        return replace(self, verdict=replace(self.verdict, staff_reply_to=address))


class Judge:
    """Judging fails open: whatever does not answer is unknown, and the inquiry goes on."""

    def __init__(
        self,
        *,
        ready: Callable[[], Awaitable[None]],
        reader: Reader,
        tokens: Tokens,
        store: Store,
        journal: Journal,
        checker: AddressChecker,
        outside: Outside,
        asked: Asked,
        site: Site,
        scoring: Scoring,
        judge_seconds: float,
        clients: ClientSubjects,
        hold_s: float,
        signals: Sequence[Signal],
        composites: Sequence[Composite],
        pressure: Pressure,
        clock: Clock,
        faults: Faults,
    ) -> None:
        self._ready = ready  # loads what is slow to load
        self._reader = reader
        self._tokens = tokens
        self._store = store
        self._journal = journal
        self._checker = checker
        self._outside = outside
        self._asked = asked
        self._site = site
        self._scoring = scoring
        self._judge_seconds = judge_seconds
        self._clients = clients
        self._hold_s = hold_s  # how long a reply may wait: its client is counted by then
        self._signals = tuple(signals)
        self._early = frozenset(each.name for each in signals if each in EARLY_SIGNALS)
        self._composites = tuple(composites)
        self._pressure = pressure
        self._clock = clock
        self._faults = faults
        self._judging = set[asyncio.Task[Judged]]()

    async def judge(self, form: GuardedForm, submission: Submission, *, watched: bool) -> Judged:
        """Judge and keep. `watched`: somebody will report how the endpoint ended; else accepted is done (G21).

        Whole was it sent: a request that is cancelled meanwhile is still judged and kept, and held when its lease
        is over.
        """
        judging = self._hold_on(self._surely(form, submission, watched=watched))
        try:
            return await asyncio.shield(judging)
        except asyncio.CancelledError:
            if not watched:
                self._hold_on(self._unheard(judging))
            raise

    def _hold_on(self, work: Coroutine[object, object, Judged]) -> asyncio.Task[Judged]:
        """Run it to its end; the loop itself would let go of it."""
        task = asyncio.ensure_future(work)
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)
        return task

    async def _unheard(self, judging: asyncio.Task[Judged]) -> Judged:
        """Hold what was accepted for a handler that is gone: it is not done (G21)."""
        judged = await judging
        if judged.verdict.accepted and judged.verdict.recorded and judged.existing is None:
            try:
                await self._store.inquiries.move(judged.inquiry.id, expect={State.DONE}, to=State.HELD, note=UNHEARD)
            except StoreError as error:
                self._faults.count("inquiries", str(error))
                expect = frozenset({State.DONE})
                await self._journal.move(Move(inquiry=judged.inquiry.id, expect=expect, to=State.HELD, note=UNHEARD))
        return judged

    async def _surely(self, form: GuardedForm, submission: Submission, *, watched: bool) -> Judged:
        try:
            return await self._judge(form, submission, watched=watched)
        except Exception as error:  # noqa: BLE001 - our own bug must lose nobody an inquiry; counted, passed on, no mail
            self._faults.count("judge", bug(error))
            return await self._unjudged(form, submission)

    def passed_on(self, form: GuardedForm, submission: Submission) -> Verdict:
        """Return the verdict of a submission whose judging nobody waits for any more (`warden.sync`)."""
        self._faults.count("judge", "not in time: passed on unjudged")
        return unjudged(form.name, submission, self._reader.new_id(), self._clock.now())

    async def _judge(self, form: GuardedForm, submission: Submission, *, watched: bool) -> Judged:
        await self._ready()
        reading = self._reader.read(form, submission)
        deadline = Deadline(self._clock, self._judge_seconds)
        lookup = self._store.counters.observe(reading.observation)
        observed = await gather("counters", lookup, deadline, self._faults)
        outcome, retry = self._replayed(reading, observed)
        answered = await self._asked.answered(reading, outcome, observed, deadline)
        resent = self._asked.resent(reading, answered) if watched and answered else None
        if resent is not None:
            reading = reading.resent(resent)
        thresholds = self._thresholds(form)
        facts = self._reader.facts(reading, outcome, observed, reading.syntax)
        weighed = self._weigh(reading, facts)
        if weighed.score < thresholds.quarantine:  # DNS last (G33)
            report, told = await asyncio.gather(
                self._ask_dns(reading, deadline), self._outside.ask(reading, observed, deadline)
            )
            facts = replace(facts, address=report, blocklists=told.blocklists, vouchers=told.vouchers)
            weighed = self._weigh(reading, facts, before=weighed)
        for name, kind in weighed.failed:
            self._faults.count(f"signal {name}", kind)
        self._pressure.note(form.name, reading.client.network, bot=weighed.score >= thresholds.quarantine)
        verdict = self._verdict(reading, facts, weighed, thresholds, retry=retry)
        judged = await self._keep(reading, facts, verdict, answered, watched=watched)
        return judged if resent is None else replace(judged, resent=resent)

    async def _unjudged(self, form: GuardedForm, submission: Submission) -> Judged:
        """Pass a submission on that could not be judged: into the journal, and never answered by a machine."""
        verdict = unjudged(form.name, submission, self._reader.new_id(), self._clock.now())
        inquiry = unjudged_record(verdict, submission)
        await self._journal.keep(inquiry)
        observation = Observation(nonce=None, networks=(), body=verdict.id)
        return Judged(verdict=verdict, inquiry=inquiry, existing=None, observation=observation)

    async def _ask_dns(self, reading: Reading, deadline: Deadline) -> AddressReport | None:
        """Ask whether the address can receive mail; what its syntax says stands where nobody answers."""
        if not _worth_asking(reading.syntax):
            return reading.syntax
        client = reading.networks[0] if reading.networks else None
        asking = self._checker.verify(reading.addresses[0], syntax=reading.syntax, client=client)
        return await gather("dns", asking, deadline, self._faults) or reading.syntax

    def _replayed(self, reading: Reading, observed: Observed | None) -> tuple[TokenOutcome, bool]:
        """Tell a replay from a retry and from a correction (DESIGN, Retry). The second part: it may be a retry."""
        if observed is None or reading.token is None or reading.outcome is TokenOutcome.OTHER_FORM:
            return reading.outcome, reading.token is not None
        if observed.same_body:
            late = (observed.body_age_s or 0.0) > RETRY_WINDOW_S
            return (TokenOutcome.REPLAYED if late else reading.outcome), not late
        if observed.uses and (observed.bodies >= CORRECTIONS or not observed.same_network):
            return TokenOutcome.REPLAYED, False
        return reading.outcome, True

    def _thresholds(self, form: GuardedForm) -> Thresholds:
        return form.thresholds or Thresholds(quarantine=self._scoring.quarantine, reject=self._scoring.reject)

    def _weigh(self, reading: Reading, facts: Facts, before: Weighed | None = None) -> Weighed:
        """Weigh what Starlette reads and what other frameworks read in the same bytes: the worse reading counts.

        `before`: the same, before DNS has answered; what it saw is taken over where there is one reading only.
        """
        signals, weights, composites = self._signals, self._scoring.weights, self._composites
        other = reading.submission.alternative
        if other is None or reading.alternative is None:
            return weigh(
                signals,
                reading.submission,
                facts,
                weights=weights,
                composites=composites,
                early=self._early,
                before=before,
            )
        weighed = weigh(signals, reading.submission, facts, weights=weights, composites=composites)
        sent = replace(reading.submission, fields=other)
        facts = replace(facts, typed=reading.alternative)
        return worse(weighed, weigh(signals, sent, facts, weights=weights, composites=composites))

    def _verdict(
        self, reading: Reading, facts: Facts, weighed: Weighed, thresholds: Thresholds, *, retry: bool
    ) -> Verdict:
        click, judged = self._clicked(reading.form, facts, weighed, thresholds)
        monitor = (reading.form.mode or self._site.mode) == "monitor"
        action = Action.ACCEPT if monitor else judged
        submission_id = reading.id if retry else self._reader.new_id()
        asking = action is Action.ASK
        challenged = asking and click is Click.OFFERED
        doubt = challenged or (asking and any(hit.asks and hit.signal not in BENIGN for hit in weighed.hits))
        return Verdict(
            id=submission_id,
            receipt=receipt_number(submission_id),
            form=reading.form.name,
            action=action,
            judged=judged,
            score=weighed.score,
            hits=weighed.hits,
            standing=standing_of(facts, weighed.score),
            fields=reading.typed,
            uploads=reading.submission.uploads,
            address=reading.addresses[0] if len(reading.addresses) == 1 else None,
            report=facts.address,
            language=reading.submission.language,
            lineage=reading.token.lineage if reading.token else None,
            client=reading.client.identity,
            network=reading.client.network,
            received_at=reading.received_at,
            again=self._again(reading, submission_id if asking else None, doubtful=doubt, challenged=challenged),
            click=click,
        )

    def _clicked(
        self, form: GuardedForm, facts: Facts, weighed: Weighed, thresholds: Thresholds
    ) -> tuple[Click, Action]:
        """Name the action, and what the click of a challenge has to do with it: nothing, where none is needed."""
        offered = (form.on_quarantine or self._scoring.on_quarantine) == "challenge"
        click = click_of(facts.token, offered=offered)
        judged, unclicked = decide(weighed, thresholds, click), decide(weighed, thresholds)
        return (Click.NONE if judged is unclicked else click), judged

    def _again(self, reading: Reading, parent: bytes | None, *, doubtful: bool, challenged: bool = False) -> str:
        return self._tokens.issue(
            reading.form.name,
            network=reading.networks[0] if reading.networks else None,
            after=reading.token if reading.outcome is not TokenOutcome.OTHER_FORM else None,
            parent=parent,
            doubtful=doubtful,
            challenged=challenged,
            work=CHALLENGE_LEVEL if challenged else 0,  # G34: where scripts run, a click has its price
            asked=parent is not None,
        )

    async def _keep(
        self, reading: Reading, facts: Facts, verdict: Verdict, answered: Answered | None, *, watched: bool
    ) -> Judged:
        """Keep first, then act (G21, G22). What the store cannot take goes to the journal and is passed on."""
        client = self._clients.facts(
            client=verdict.client, network=verdict.network, now=reading.received_at, hold_s=self._hold_s
        )
        inquiry = record(reading, facts, verdict, client=client, watched=watched)
        replaces = answered.replaced_by(reading) if answered else None
        try:
            existing = await self._store.inquiries.keep(inquiry, lease_s=ENDPOINT_LEASE_S, replaces=replaces)
            if answered is not None and replaces is not None:
                await self._asked.close(answered, inquiry.receipt)
        except StoreError as error:
            self._faults.count("inquiries", str(error))
            # what a full store cannot take, the journal could not hand on to it: it is passed on at once (G23)
            full = isinstance(error, StoreFullError)
            spooled = Spooled(kept=False) if full else await self._journal.keep(inquiry, replaces=replaces)
            verdict = self._unrecorded(verdict, kept=spooled.kept)
            # a second click, told by the journal: its endpoint does not run again, whichever process this is
            existing = None if spooled.before is None else replace(inquiry, state=spooled.before)
        if existing is not None and existing.state is State.ASKED and not _asks_alike(verdict, existing):
            # a second click that would not have been asked: it sees the page again, and its answer replaces the first
            verdict = self._asked_before(reading, verdict, existing)
        if existing is not None:
            verdict = replace(verdict, repeated=True, action=verdict.action if watched else first_action(existing))
        return Judged(verdict=verdict, inquiry=inquiry, existing=existing, observation=reading.observation)

    def _asked_before(self, reading: Reading, verdict: Verdict, first: Inquiry) -> Verdict:
        """Let the page be seen again that asked when this came first, whatever it would be judged by now."""
        asked = {each.name for each in self._signals if each.asks} & set(first.hits)
        challenged = _was_challenged(first)
        again = self._again(reading, first.id, doubtful=challenged or not asked <= BENIGN, challenged=challenged)
        return replace(verdict, again=again, click=Click.OFFERED if challenged else verdict.click)

    def _unrecorded(self, verdict: Verdict, *, kept: bool) -> Verdict:
        """Mark what the store could not take; what the journal could not take either is passed on (G23).

        `judged` stays, so no machine answers it. A rejected one is told so, with another way to reach the owner.
        """
        if not kept:
            self._faults.count("not recorded", f"neither store nor journal took an inquiry ({verdict.judged})")
        passed_on = not kept and verdict.action in {Action.ASK, Action.QUARANTINE}
        return replace(verdict, recorded=False, action=Action.ACCEPT if passed_on else verdict.action)


def _was_challenged(first: Inquiry) -> bool:
    return first.facts.get("click") == Click.OFFERED


def _asks_alike(verdict: Verdict, first: Inquiry) -> bool:
    """Say whether a second click asks what the first asked: a challenge stays one, however it is judged by now."""
    return verdict.action is Action.ASK and (verdict.click is Click.OFFERED or not _was_challenged(first))


def _worth_asking(syntax: AddressReport | None) -> bool:
    return syntax is not None and syntax.status is not Status.INVALID
