"""Promises of all signals together."""

import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden import signals
from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.facts import (
    Facts,
    MarkerOutcome,
    Origin,
    PageFacts,
    RepeatFacts,
    Roles,
    ScriptFacts,
    TokenFacts,
    TokenOutcome,
    TrapFacts,
)
from formwarden.scoring import GROUP_CAPS, Action, Scoring, Signal, Thresholds, decide, weigh
from formwarden.signals import (
    DEFAULT_COMPOSITES,
    DEFAULT_SIGNALS,
    address,
    around,
    behaviour,
    consistency,
    content,
    offers,
    outside,
    timing,
    token,
    trap,
)
from formwarden.signals import headers as headers_room
from formwarden.signals import repeats as repeats_room
from formwarden.signals.defaults import EARLY_SIGNALS
from formwarden.submission import Fields, Submission

KINDER = [Action.ACCEPT, Action.ASK, Action.QUARANTINE, Action.REJECT]
SECRET = "QZ7sesame"  # stands in everything that is typed; nothing of ours holds it
counts = st.none() | st.integers(0, 10_000)
times = st.none() | st.floats(-1e6, 1e9)

fragments = st.sampled_from(
    [
        "http://x.example/",
        "www.x.example",
        "<a href=",
        "[url=x]",
        "paботa",
        "𝐅𝐫𝐞𝐞",
        "HkqWJxTzvbNmRd",
        "shop.example",
        "\r\nBcc: ",
        "\0",
        "a@b.example",
        "こんにちは",
    ]
)
texts = st.lists(fragments | st.text(max_size=30), max_size=12).map(" ".join)
typed = st.dictionaries(st.sampled_from(["name", "email", "message", "subject", "phone"]), texts, max_size=5)
headers = st.dictionaries(
    st.sampled_from(
        ["user-agent", "accept", "accept-language", "origin", "host", "sec-fetch-mode", "x-forwarded-proto"]
    ),
    st.text(max_size=60)
    | st.sampled_from(["Mozilla/5.0 Chrome/120.0", "Mozilla/5.0 Version/x Safari/", "*/*", "https://a.example"]),
)
traps = st.lists(
    st.builds(
        TrapFacts,
        name=st.just("website2"),
        present=st.booleans(),
        filled=st.booleans(),
        echoes=st.booleans(),
        autofilled=st.booleans(),
    ),
    max_size=3,
).map(tuple)
scripts = st.builds(
    ScriptFacts,
    present=st.booleans(),
    bound=st.booleans(),
    keys=st.integers(0, 5000),
    pastes=st.integers(0, 3),
    inputs=st.integers(0, 5000),
    visible_s=st.floats(0, 1e6),
    automated=st.booleans(),
    traps_visible=st.booleans(),
)
tokens = st.builds(
    TokenFacts,
    outcome=st.sampled_from(TokenOutcome),
    age_s=times,
    issued_s=times,
    reissues=st.integers(0, 255),
    uses=counts,
    parent=st.none() | st.just(b"p" * 16),
)
reports = st.none() | st.builds(
    AddressReport,
    address=st.just(f"{SECRET}@{SECRET}.example"),
    status=st.sampled_from(Status),
    reason=st.sampled_from(Reason),
    flags=st.frozensets(st.sampled_from(Flag)),
    domain=st.just(f"{SECRET}.example"),
)
repeats = st.builds(RepeatFacts, **{each.name: counts for each in dataclass_fields(RepeatFacts)})


@st.composite
def cases(draw: st.DrawFn) -> tuple[Submission, Facts]:
    """Draw any submission with any facts."""
    values: Mapping[str, str] = draw(typed)
    facts = Facts(
        typed=Fields({name: f"{SECRET} {value} {SECRET}" for name, value in values.items()}),
        roles=Roles(site_domain=draw(st.none() | st.just("shop.example"))),
        token=draw(tokens),
        page=PageFacts(marker=draw(st.sampled_from(MarkerOutcome)), traps=draw(traps)),
        script=draw(scripts),
        origin=draw(st.sampled_from(Origin)),
        client_known=draw(st.booleans()),
        repeats=draw(repeats),
        address=draw(reports),
        addresses=tuple(f"{SECRET}{value}" for value in draw(st.lists(texts, max_size=3))),
    )
    return Submission("contact", facts.typed, headers=draw(headers)), facts


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_text_header_or_token_makes_a_signal_raise(case: tuple[Submission, Facts]) -> None:
    assert weigh(DEFAULT_SIGNALS, *case, composites=DEFAULT_COMPOSITES).failed == ()


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_evidence_holds_what_was_typed(case: tuple[Submission, Facts]) -> None:
    for hit in weigh(DEFAULT_SIGNALS, *case).hits:
        assert SECRET not in hit.evidence
        assert re.fullmatch(r"[A-Za-z0-9 .,:/*'_-]+", hit.evidence), hit


@settings(max_examples=60, deadline=None)
@given(cases())
def test_no_group_counts_more_than_its_cap(case: tuple[Submission, Facts]) -> None:
    weighed = weigh(DEFAULT_SIGNALS, *case, composites=DEFAULT_COMPOSITES)
    for group, cap in GROUP_CAPS.items():
        assert sum(hit.points for hit in weighed.hits if hit.group == group) <= cap + 1e-6


@settings(max_examples=60, deadline=None)
@given(cases(), st.sets(st.sampled_from([signal.name for signal in DEFAULT_SIGNALS])))
def test_one_more_hit_is_never_treated_more_kindly(case: tuple[Submission, Facts], left_out: set[str]) -> None:
    fewer = [signal for signal in DEFAULT_SIGNALS if signal.name not in left_out]
    some, all_of_them = (weigh(which, *case, composites=DEFAULT_COMPOSITES) for which in (fewer, DEFAULT_SIGNALS))
    assert some.score <= all_of_them.score + 1e-6
    assert KINDER.index(decide(some, Thresholds())) <= KINDER.index(decide(all_of_them, Thresholds()))


@settings(max_examples=30, deadline=None)
@given(cases())
def test_hits_stand_with_the_heaviest_first(case: tuple[Submission, Facts]) -> None:
    points = [hit.points for hit in weigh(DEFAULT_SIGNALS, *case, composites=DEFAULT_COMPOSITES).hits]
    assert points == sorted(points, reverse=True)


@settings(max_examples=30, deadline=None)
@given(cases())
def test_a_weight_of_nothing_watches_on(case: tuple[Submission, Facts]) -> None:
    silent = weigh(DEFAULT_SIGNALS, *case, weights={signal.name: 0.0 for signal in DEFAULT_SIGNALS})
    assert silent.score == 0
    assert {hit.signal for hit in silent.hits} == {hit.signal for hit in weigh(DEFAULT_SIGNALS, *case).hits}


def test_each_of_the_groups_has_a_signal_and_there_are_twelve_at_least() -> None:
    assert len(DEFAULT_SIGNALS) >= 12
    assert {signal.group for signal in DEFAULT_SIGNALS} == set(GROUP_CAPS)


def test_every_signal_of_the_room_runs() -> None:
    rooms = (
        address,
        around,
        behaviour,
        consistency,
        content,
        headers_room,
        offers,
        outside,
        repeats_room,
        timing,
        token,
        trap,
    )
    defined = {value.name for room in rooms for value in vars(room).values() if isinstance(value, Signal)}
    assert defined == {signal.name for signal in DEFAULT_SIGNALS}


def test_names_are_unique() -> None:
    assert len({signal.name for signal in DEFAULT_SIGNALS}) == len(DEFAULT_SIGNALS)


@pytest.mark.parametrize("signal", DEFAULT_SIGNALS, ids=[signal.name for signal in DEFAULT_SIGNALS])
def test_each_signal_explains_itself_in_a_sentence(signal: Signal) -> None:
    assert signal.summary.endswith(".")
    assert len(signal.summary) > 20


def test_g27_only_control_characters_in_an_address_reject_alone() -> None:
    reject = Scoring().reject
    assert [signal.name for signal in DEFAULT_SIGNALS if signal.rejects] == ["address_control_characters"]
    assert all(signal.weight < reject for signal in DEFAULT_SIGNALS if not signal.rejects)
    assert all(cap < reject for cap in GROUP_CAPS.values())


def test_composites_silence_known_signals_of_no_more_weight_and_asking_ones_silence_none() -> None:
    by_name = {signal.name: signal for signal in DEFAULT_SIGNALS}
    for composite in DEFAULT_COMPOSITES:
        for name in composite.when:
            assert not by_name[name].asks
            assert all(by_name[silent].weight <= by_name[name].weight for silent in composite.silences)


def test_an_unknown_name_of_the_room_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NO_SUCH"):
        _ = signals.NO_SUCH


@pytest.mark.parametrize("first", ["formwarden.facts", "formwarden.signals", "formwarden.signals.trap"])
def test_the_tuple_loads_whatever_was_imported_first(first: str) -> None:
    code = f"import {first}; from formwarden.signals import DEFAULT_SIGNALS; assert DEFAULT_SIGNALS"
    subprocess.run([sys.executable, "-c", code], check=True)


@settings(max_examples=60, deadline=None)
@given(cases(), reports)
def test_signals_that_run_before_dns_say_the_same_after_it(
    case: tuple[Submission, Facts], after: AddressReport | None
) -> None:
    submission, facts = case
    later = replace(facts, address=after)
    assert [each.name for each in EARLY_SIGNALS if each.rule(submission, facts) != each.rule(submission, later)] == []


@settings(max_examples=60, deadline=None)
@given(cases(), reports)
def test_weighing_again_after_dns_equals_weighing_everything(
    case: tuple[Submission, Facts], after: AddressReport | None
) -> None:
    submission, facts = case
    later = replace(facts, address=after)
    early = frozenset(each.name for each in EARLY_SIGNALS)
    first = weigh(DEFAULT_SIGNALS, submission, facts, composites=DEFAULT_COMPOSITES, early=early)
    again = weigh(DEFAULT_SIGNALS, submission, later, composites=DEFAULT_COMPOSITES, early=early, before=first)
    assert again == weigh(DEFAULT_SIGNALS, submission, later, composites=DEFAULT_COMPOSITES)
    assert first.early
