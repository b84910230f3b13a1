"""From one reply and what the ledger knows to a request for a reservation: settings and time in, nothing asked."""

from dataclasses import dataclass, replace
from typing import Final

from formwarden.address.syntax import check_syntax
from formwarden.clock import Clock
from formwarden.mail.accounts import account_of
from formwarden.mail.budgets import Draw, spends_for
from formwarden.mail.cases import Case
from formwarden.mail.gate import decide
from formwarden.mail.gate_facts import GateDecision, GateFacts
from formwarden.mail.settings import Mail
from formwarden.mail.watched import Watched
from formwarden.scoring import Standing
from formwarden.site import Site
from formwarden.stores.ports import Decision, Queue, ReplyRequest, Reputation
from formwarden.subjects import Subjects, bounced

REPLY_ID_BYTES: Final = 16  # fits into a return path beside its signature
QUEUE_CHECK_S: Final = 20.0  # a reply that waits for a shared budget is looked at again so often


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What the table says of one reply, and what is asked of the ledger."""

    decision: GateDecision
    request: ReplyRequest
    watched: Watched
    standing: Standing  # from whose share of the budgets it draws


class Deciding:
    """Reads the table with what the site's settings say."""

    def __init__(self, *, settings: Mail, site: Site, clock: Clock, own_sender: bool = False) -> None:
        self._settings = settings
        self._relay = own_sender or settings.smtp_url is not None
        self._clock = clock
        self._own_domains = _own_domains(site, settings)
        self._owners = _owners(site, settings)

    def decided(self, case: Case, watched: Watched, reputation: Reputation, subjects: Subjects) -> Decided:
        """Read the table; for what may be sent, name the budgets and whose reply it is."""
        facts = self.facts(case, watched, reputation)
        decision, now = decide(facts), self._clock.now()
        standing = Standing.KNOWN if facts.known else case.standing
        request = ReplyRequest(
            reply_id=_reply_id(subjects, case.submission),
            submission_id=case.submission,
            decision=decision.decision,
            code=decision.code,
            subjects=watched.recipient,
            hold_until=_after(now, decision.until_s),
            check_at=_after(now, decision.check_s),
        )
        if decision.decision is Decision.SEND:
            request = replace(
                request,
                spends=spends_for(_draw(case, facts, reputation, standing), subjects, self._settings),
                account=account_of(case, watched, subjects, standing),
                queue=self._queue(case, standing),
                probe=facts.may_probe,
                exempt=facts.known,
            )
        return Decided(decision=decision, request=request, watched=watched, standing=standing)

    def facts(self, case: Case, watched: Watched, reputation: Reputation) -> GateFacts:
        """Return all that the table reads."""
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
            relay=case.own_mailer or self._relay,
            waited_s=case.waited_s,
            hold_dns_s=self._settings.hold_dns_s,
            hold_suspect_s=self._settings.hold_suspect_s,
        )

    def _queue(self, case: Case, standing: Standing) -> Queue | None:
        """Let a few that showed themselves wait for a shared budget (G02); nobody waits with a mailer of his own."""
        if standing is not Standing.SHOWN or case.released or case.own_mailer:
            return None
        until = self._clock.now() + self._settings.queued_s
        return Queue(
            limit=self._settings.queued_replies,
            until=until if case.queued_until is None else min(until, case.queued_until),
            check_s=QUEUE_CHECK_S,
            score=case.score,
        )


def _draw(case: Case, facts: GateFacts, reputation: Reputation, standing: Standing) -> Draw:
    return Draw(
        form=case.form.name,
        limits=case.form.limits,
        report=case.report,
        standing=standing,
        released=case.released,
        owner=facts.owner,
        proven=reputation.feedback_seen,
        growth=reputation.growth,
        lineage=case.lineage,
        client=case.client.budget,
        bounced=bounced(case.client.readable),
        network=case.network.budget,
        carrier=case.carrier,
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
