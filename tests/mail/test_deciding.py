"""What is asked of the ledger: budgets and account, a place in the queue, a probe."""

from dataclasses import replace

import pytest

from formwarden.mail.cases import Case, case_of
from formwarden.mail.deciding import QUEUE_CHECK_S, Decided, Deciding
from formwarden.mail.settings import Mail
from formwarden.mail.watched import watch
from formwarden.scoring import Action, Standing
from formwarden.stores.ports import Decision, Growth, Queue, Reputation, Shut
from formwarden.subjects import Subjects
from tests.clock import MovableClock
from tests.mail.gate_samples import CLIENTS, CONTACT, DEFAULTS, SITE, report, unknown, verdict

SUBJECTS = Subjects((b"newest key",))
HALF_AN_HOUR = 1_800.0


def decided(
    clock: MovableClock, *, reputation: Reputation | None = None, settings: Mail = DEFAULTS, **changes: object
) -> Decided:
    case = replace(case_of(verdict(), CONTACT, CLIENTS, clock.now()), **changes)  # type: ignore[arg-type]
    return of(clock, case, reputation or Reputation(), settings)


def of(clock: MovableClock, case: Case, reputation: Reputation, settings: Mail = DEFAULTS) -> Decided:
    deciding = Deciding(settings=settings, site=SITE, clock=clock)
    return deciding.decided(case, watch(case.report, SUBJECTS), reputation, SUBJECTS)


def test_g02_shown_may_wait_half_an_hour_for_a_shared_budget_with_its_score(clock: MovableClock) -> None:
    assert decided(clock, score=1.5).request.queue == Queue(
        limit=10, until=clock.now() + HALF_AN_HOUR, check_s=QUEUE_CHECK_S, score=1.5
    )


@pytest.mark.parametrize(
    "who",
    [
        {"standing": Standing.PLAIN},
        {"standing": Standing.KNOWN},
        {"standing": Standing.SHOWN, "released": True},
        {"standing": Standing.DOUBTFUL, "released": True},
        {"standing": Standing.SHOWN, "own_mailer": True},
    ],
)
def test_g02_nobody_else_waits(clock: MovableClock, who: dict[str, object]) -> None:
    request = decided(clock, **who).request  # type: ignore[arg-type]  # names and types are the table's
    assert (request.decision, request.queue) == (Decision.SEND, None)


def test_g02_a_remembered_person_needs_no_queue(clock: MovableClock) -> None:
    assert decided(clock, reputation=Reputation(known=True)).request.queue is None


def test_g02_whoever_waits_already_never_waits_longer(clock: MovableClock) -> None:
    for end, expected in ((60.0, 60.0), (7_200.0, HALF_AN_HOUR)):
        queue = decided(clock, queued_until=clock.now() + end).request.queue
        assert queue is not None
        assert queue.until == clock.now() + expected


def test_g02_the_queue_s_figures_are_settings(clock: MovableClock) -> None:
    queue = decided(clock, settings=DEFAULTS.model_copy(update={"queued_replies": 3, "queued_s": 60.0})).request.queue
    assert queue is not None
    assert (queue.limit, queue.until) == (3, clock.now() + 60.0)


@pytest.mark.parametrize(
    ("who", "probe", "exempt"),
    [
        ({"standing": Standing.SHOWN}, True, False),
        ({"standing": Standing.PLAIN}, False, False),
        ({"standing": Standing.DOUBTFUL, "released": True}, True, False),
        ({"standing": Standing.KNOWN}, False, True),
    ],
)
def test_g09_row_18_who_may_be_a_probe_and_whom_a_half_open_breaker_does_not_concern(
    clock: MovableClock, who: dict[str, object], *, probe: bool, exempt: bool
) -> None:
    request = decided(clock, **who).request  # type: ignore[arg-type]  # names and types are the table's
    assert (request.probe, request.exempt) == (probe, exempt)


def test_g03_who_was_remembered_is_exempt_draws_on_the_whole_and_is_written_as_known(clock: MovableClock) -> None:
    known = decided(clock, reputation=Reputation(known=True), standing=Standing.PLAIN)
    request = known.request
    assert (request.exempt, request.probe, known.standing) == (True, False, Standing.KNOWN)
    assert request.account is not None
    assert request.account.standing == "known"
    site = SUBJECTS.keys("site", "")
    assert {each.keys for each in request.spends if each.budget == "SITE_RATE"} == {site}


def test_g06_and_g10_what_history_allows_reaches_the_budgets(clock: MovableClock) -> None:
    growth = Growth(cap=70, day=20_000, drip_cap=6)
    spends = decided(clock, reputation=Reputation(growth=growth), standing=Standing.KNOWN).request.spends
    assert [each.limit for each in spends if each.budget == "SITE_RATE"][-1] == 70
    assert [each.limit for each in spends if each.budget == "DRIP"] == [6]


@pytest.mark.parametrize(
    "against",
    [
        {"judged": Action.REJECT},
        {"report": unknown()},
        {"standing": Standing.DOUBTFUL},
        {"report": report("abuse@example.com")},
    ],
)
def test_what_is_not_sent_draws_on_nothing(clock: MovableClock, against: dict[str, object]) -> None:
    request = decided(clock, **against).request  # type: ignore[arg-type]  # names and types are the table's
    assert (request.spends, request.account, request.queue) == ((), None, None)
    assert not request.probe
    assert not request.exempt


def test_row_18_what_is_no_probe_asks_the_ledger_for_nothing(clock: MovableClock) -> None:
    case = case_of(verdict(standing=Standing.PLAIN), CONTACT, CLIENTS, clock.now())
    half_open = Reputation(breakers={watch(case.report, SUBJECTS).provider[0]: Shut.PROBING})
    request = of(clock, case, half_open).request
    assert (request.decision, request.code, request.spends) == (Decision.SUPPRESS, "BREAKER_PROBE", ())
