"""What came before."""

from dataclasses import replace

import pytest

from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.facts import Facts, RepeatFacts, ScriptFacts, TokenFacts, TokenOutcome
from formwarden.scoring import Scoring, Signal, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.limits import SignalLimits
from formwarden.signals.repeats import (
    address_velocity,
    client_velocity,
    domain_velocity,
    form_velocity,
    near_text,
    network_velocity,
    same_text,
)
from formwarden.submission import Submission
from tests.signals.cases import FRESH, see, strength

REPEATS = [signal for signal in DEFAULT_SIGNALS if signal.group == "repeats"]
COMPANY = AddressReport(address="a@example.com", status=Status.DELIVERABLE, reason=Reason.MX_OK)
LIMITS = SignalLimits(client_per_10_min=10, network_per_hour=60, address_per_day_seen=5, domain_per_hour_seen=20)


@pytest.mark.parametrize("signal", [same_text, near_text])
def test_a_repeated_text_grows_with_its_number_up_to_full(signal: Signal) -> None:
    def told(count: int) -> Facts:
        return Facts(repeats=RepeatFacts(same_text=count, near_text=count))

    counts = (0, 1, 2, 3, 4, 5, 50)
    assert [strength(signal, told(count)) for count in counts] == [0.0, 0.2, 0.35, 0.5, 0.75, 1.0, 1.0]


def test_a_copy_and_its_likeness_count_once() -> None:
    facts = Facts(repeats=RepeatFacts(same_text=1, near_text=9))
    copied = weigh(REPEATS, Submission("contact", {}), facts, composites=DEFAULT_COMPOSITES)
    alike = weigh(
        REPEATS, Submission("contact", {}), Facts(repeats=RepeatFacts(near_text=9)), composites=DEFAULT_COMPOSITES
    )
    assert {hit.signal: hit.points for hit in copied.hits} == {"same_text": 6.0, "near_text": 0.0}
    assert copied.score >= alike.score


HANDS = ScriptFacts(present=True, bound=True, keys=40, inputs=40)


def colleague(alike: int, here: int | None, *, script: ScriptFacts = HANDS) -> Facts:
    """Make facts of a text that came before, and of how much came from behind the same address in that week."""
    repeats = RepeatFacts(same_text=alike, near_text=alike, client_week=here)
    return Facts(repeats=repeats, script=script, token=FRESH)


@pytest.mark.parametrize("signal", [same_text, near_text])
def test_alike_from_behind_one_address_are_colleagues_up_to_an_office_of_thirty(signal: Signal) -> None:
    assert see(signal, colleague(29, 29)) is None
    assert strength(signal, colleague(30, 29)) == 0.2  # one of them came from elsewhere
    assert strength(signal, colleague(90, 90)) == 1.0
    assert strength(signal, colleague(9, 1)) == 1.0
    assert strength(signal, colleague(9, None)) == 1.0  # the counters did not answer that


@pytest.mark.parametrize("signal", [same_text, near_text])
@pytest.mark.parametrize(
    "script",
    [
        ScriptFacts(),
        replace(HANDS, bound=False),
        replace(HANDS, automated=True),
        ScriptFacts(present=True, bound=True),
    ],
)
def test_only_those_who_showed_that_somebody_writes_are_taken_for_colleagues(
    signal: Signal, script: ScriptFacts
) -> None:
    assert strength(signal, colleague(9, 9, script=script)) == 1.0
    assert strength(signal, replace(colleague(9, 9), token=TokenFacts(outcome=TokenOutcome.REPLAYED))) == 1.0


def test_g31_nobody_is_the_colleague_of_an_unknown_client() -> None:
    assert strength(near_text, replace(colleague(9, 9), client_known=False)) == 1.0


VELOCITIES = [
    (client_velocity, "client", 10),
    (network_velocity, "network", 60),
    (address_velocity, "address", 5),
    (domain_velocity, "domain", 20),
    (form_velocity, "form", 300),
]


def before(subject: str, count: int | None) -> Facts:
    counts: dict[str, int | None] = {subject: count}
    repeats = RepeatFacts(
        client=counts.get("client"),
        network=counts.get("network"),
        address=counts.get("address"),
        domain=counts.get("domain"),
        form=counts.get("form"),
    )
    return Facts(repeats=repeats, address=COMPANY, limits=LIMITS)


@pytest.mark.parametrize(("signal", "subject", "limit"), VELOCITIES, ids=[subject for _, subject, _ in VELOCITIES])
def test_velocity_counts_from_the_first_beyond_its_limit_to_three_times_it(
    signal: Signal, subject: str, limit: int
) -> None:
    assert see(signal, before(subject, limit - 1)) is None
    first, full = strength(signal, before(subject, limit)), strength(signal, before(subject, 3 * limit - 1))
    assert 0 < first < 0.5
    assert full == 1.0


@pytest.mark.parametrize(("signal", "subject", "limit"), VELOCITIES, ids=[subject for _, subject, _ in VELOCITIES])
def test_what_the_counters_did_not_answer_scores_nothing(signal: Signal, subject: str, limit: int) -> None:
    assert limit
    assert see(signal, before(subject, None)) is None


@pytest.mark.parametrize(("signal", "subject"), [(client_velocity, "client"), (network_velocity, "network")])
def test_g31_an_unknown_client_scores_nothing(signal: Signal, subject: str) -> None:
    assert see(signal, replace(before(subject, 10_000), client_known=False)) is None


def test_a_limit_of_nothing_is_exceeded_by_the_first() -> None:
    facts = replace(before("client", 0), limits=SignalLimits(client_per_10_min=0))
    assert strength(client_velocity, facts) == 1.0


@pytest.mark.parametrize("address", [None, replace(COMPANY, flags=frozenset({Flag.FREEMAIL}))])
def test_a_freemail_domain_may_come_as_often_as_it_likes(address: AddressReport | None) -> None:
    assert see(domain_velocity, replace(before("domain", 10_000), address=address)) is None


def test_a_forms_flood_weighs_little_for_people_suffer_in_it() -> None:
    flood = replace(before("client", None), repeats=RepeatFacts(form=100_000))
    assert weigh(REPEATS, Submission("contact", {}), flood).score <= 0.5
    assert see(form_velocity, replace(flood, repeats=RepeatFacts(form=flood.limits.form_per_hour_seen - 1))) is None


def test_nothing_of_an_office_of_thirty_within_ten_minutes_holds_it_even_behind_a_stripping_proxy() -> None:
    office = RepeatFacts(client=29, network=29, domain=29, form=29, address=0, lineage=0, same_text=0, near_text=0)
    facts = Facts(repeats=office, address=COMPANY)
    score = weigh(REPEATS, Submission("contact", {}), facts, composites=DEFAULT_COMPOSITES).score
    assert score == 3.0
    assert score + 1.5 < Scoring().quarantine  # what such a proxy costs: tests/signals/test_consistency.py


@pytest.mark.parametrize("signal", REPEATS, ids=[signal.name for signal in REPEATS])
def test_each_of_them_is_silent_while_the_counters_are_down(signal: Signal) -> None:
    assert see(signal, Facts(repeats=RepeatFacts(), address=COMPANY)) is None
