"""Weights, caps, composites, thresholds, and what a verdict tells."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from formwarden.facts import Facts
from formwarden.scoring import (
    EVIDENCE_LIMIT,
    GROUP_CAPS,
    Action,
    Composite,
    Evidence,
    Hit,
    Scoring,
    Signal,
    Standing,
    Thresholds,
    Verdict,
    Weighed,
    decide,
    signal,
    weigh,
)
from formwarden.submission import Fields, Submission

SUBMISSION = Submission("contact", {"message": "hello"})
KINDER = [Action.ACCEPT, Action.ASK, Action.QUARANTINE, Action.REJECT]


def make(
    name: str,
    weight: float,
    *,
    group: str = "content",
    strength: float = 1.0,
    asks: bool = False,
    rejects: bool = False,
    text: str = "seen",
) -> Signal:
    def rule(_submission: Submission, _facts: Facts) -> Evidence | None:
        return Evidence(text=text, strength=strength)

    return Signal(name=name, group=group, weight=weight, rule=rule, summary="Fires.", asks=asks, rejects=rejects)


def act(*signals: Signal, composites: tuple[Composite, ...] = ()) -> Action:
    return decide(weigh(signals, SUBMISSION, Facts(), composites=composites), Thresholds())


def test_a_signal_is_named_by_its_function_and_explained_by_its_first_line() -> None:
    @signal(weight=2.0, group="content", asks=True)
    def wrote_in_green(_submission: Submission, _facts: Facts) -> Evidence | None:
        """The ink is green.

        More is said here.
        """
        return None

    assert wrote_in_green.name == "wrote_in_green"
    assert wrote_in_green.summary == "The ink is green."
    assert (wrote_in_green.weight, wrote_in_green.asks, wrote_in_green.rejects) == (2.0, True, False)
    assert weigh([wrote_in_green], SUBMISSION, Facts()) == Weighed(score=0, hits=())


def test_a_signal_of_an_unknown_group_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown group 'colour'"):
        signal(weight=1.0, group="colour")


def test_points_are_weight_times_strength() -> None:
    weighed = weigh([make("half", 3.0, strength=0.5)], SUBMISSION, Facts())
    assert weighed.score == 1.5
    assert weighed.hits[0].strength == 0.5


@pytest.mark.parametrize(("given_strength", "kept"), [(7.0, 1.0), (-1.0, 0.0), (math.nan, 0.0), (math.inf, 1.0)])
def test_strength_stays_between_nothing_and_one(given_strength: float, kept: float) -> None:
    weighed = weigh([make("odd", 2.0, strength=given_strength)], SUBMISSION, Facts())
    assert weighed.hits[0].strength == kept
    assert weighed.score == 2.0 * kept


def test_a_weight_from_settings_replaces_the_default() -> None:
    weighed = weigh([make("tuned", 2.0), make("kept", 1.0)], SUBMISSION, Facts(), weights={"tuned": 4.5})
    assert {hit.signal: hit.points for hit in weighed.hits} == {"tuned": 4.5, "kept": 1.0}


def test_a_signal_that_raises_is_told_and_scores_nothing() -> None:
    def broken(_submission: Submission, _facts: Facts) -> Evidence | None:
        raise LookupError("a bug of ours")

    faulty = Signal(name="broken", group="content", weight=9.0, rule=broken, summary="Breaks.")
    weighed = weigh([faulty, make("well", 1.0)], SUBMISSION, Facts())
    assert weighed.failed == (("broken", "LookupError"),)
    assert weighed.score == 1.0


def test_evidence_is_cut() -> None:
    weighed = weigh([make("talker", 1.0, text="x" * 5000)], SUBMISSION, Facts())
    assert len(weighed.hits[0].evidence) == EVIDENCE_LIMIT


def test_a_group_counts_no_more_than_its_cap_the_heaviest_first() -> None:
    weighed = weigh([make("light", 2.0), make("heavy", 6.0), make("lighter", 1.0)], SUBMISSION, Facts())
    assert weighed.score == GROUP_CAPS["content"] == 7.0
    assert [(hit.signal, hit.points) for hit in weighed.hits] == [("heavy", 6.0), ("light", 1.0), ("lighter", 0.0)]


def test_a_negative_weight_lowers_the_score_and_frees_no_room_in_the_cap() -> None:
    weighed = weigh([make("heavy", 9.0), make("kind", -2.0)], SUBMISSION, Facts())
    assert weighed.score == 5.0


def test_a_composite_silences_what_says_the_same_again() -> None:
    twice = Composite(when=frozenset({"copy"}), silences=frozenset({"alike"}))
    weighed = weigh([make("copy", 3.0), make("alike", 2.0)], SUBMISSION, Facts(), composites=(twice,))
    assert {hit.signal: hit.points for hit in weighed.hits} == {"copy": 3.0, "alike": 0.0}


def test_a_watching_signal_silences_none() -> None:
    twice = Composite(when=frozenset({"copy"}), silences=frozenset({"alike"}))
    weighed = weigh([make("copy", 0.0), make("alike", 2.0)], SUBMISSION, Facts(), composites=(twice,))
    assert weighed.score == 2.0


@pytest.mark.parametrize(
    ("points", "action"),
    [(0.0, Action.ACCEPT), (4.999, Action.ACCEPT), (5.0, Action.QUARANTINE), (11.9, Action.QUARANTINE)],
)
def test_the_score_names_the_action(points: float, action: Action) -> None:
    assert act(make("one", points / 2, group="trap"), make("two", points / 2, group="token")) is action


def test_twelve_points_reject() -> None:
    assert act(make("one", 6.0, group="trap"), make("two", 6.0, group="token")) is Action.REJECT


def test_what_a_click_can_settle_is_asked_whatever_it_weighs() -> None:
    heavy = [make("replayed", 8.0, group="token", asks=True), make("cross", 6.0, group="headers", asks=True)]
    assert act(*heavy) is Action.ASK


def test_nothing_is_asked_once_the_rest_is_enough_for_quarantine() -> None:
    assert act(make("young", 3.0, group="timing", asks=True), make("trap", 6.0, group="trap")) is Action.QUARANTINE


def test_the_threshold_is_met_by_what_the_score_says_not_by_its_last_binary_digit() -> None:
    five = [make("one", 0.1), make("two", 0.6), make("three", 4.3)]
    assert sum([4.3, 0.6, 0.1]) < 5.0
    assert act(*five) is Action.QUARANTINE
    assert act(*five, make("young", 1.0, group="timing", asks=True)) is Action.QUARANTINE


def test_what_asks_does_not_crowd_out_what_does_not() -> None:
    signals = [make("replayed", 8.0, group="token", asks=True), make("spent", 5.0, group="token")]
    assert act(*signals[1:]) is Action.QUARANTINE
    assert act(*signals) is Action.QUARANTINE


def test_a_full_group_does_not_keep_the_page_from_asking() -> None:
    signals = [make("fast", 4.0, group="timing"), make("young", 3.0, group="timing", asks=True)]
    weighed = weigh(signals, SUBMISSION, Facts())
    assert weighed.score == GROUP_CAPS["timing"]
    assert decide(weighed, Thresholds()) is Action.ASK


def test_a_watching_or_silenced_signal_asks_nothing() -> None:
    assert act(make("young", 0.0, asks=True)) is Action.ACCEPT
    twice = Composite(when=frozenset({"copy"}), silences=frozenset({"young"}))
    assert act(make("copy", 1.0), make("young", 2.0, asks=True), composites=(twice,)) is Action.ACCEPT


def test_a_rejecting_signal_rejects_whatever_its_group_still_holds() -> None:
    assert act(make("control", 12.0, group="address", rejects=True), make("x", 4.0, group="address")) is Action.REJECT


signals_drawn = st.lists(
    st.builds(
        make,
        st.uuids().map(str),
        st.floats(0, 10).map(lambda weight: round(weight, 1)),
        group=st.sampled_from(sorted(GROUP_CAPS)),
        strength=st.floats(0, 1),
        asks=st.booleans(),
    ),
    max_size=8,
)


@given(signals_drawn, signals_drawn, st.floats(0.5, 20), st.floats(0, 20))
def test_a_higher_score_is_never_treated_more_kindly(
    some: list[Signal], more: list[Signal], quarantine: float, between: float
) -> None:
    thresholds = Thresholds(quarantine=quarantine, reject=quarantine + between)
    fewer, all_of_them = weigh(some, SUBMISSION, Facts()), weigh([*some, *more], SUBMISSION, Facts())
    assert KINDER.index(decide(fewer, thresholds)) <= KINDER.index(decide(all_of_them, thresholds))


@given(st.floats(0, 30), st.floats(0, 30))
def test_of_two_sums_the_higher_is_never_treated_more_kindly(one: float, other: float) -> None:
    low, high = (decide(Weighed(score=score, hits=()), Thresholds()) for score in sorted((one, other)))
    assert KINDER.index(low) <= KINDER.index(high)


@pytest.mark.parametrize(("quarantine", "reject"), [(0.0, 5.0), (6.0, 5.0), (-1.0, -1.0)])
def test_thresholds_out_of_order_are_refused(quarantine: float, reject: float) -> None:
    with pytest.raises(ValueError, match="quarantine <= reject"):
        Thresholds(quarantine=quarantine, reject=reject)


def test_weights_are_read_as_people_write_them() -> None:
    assert Scoring.model_validate({"weights": "near_text=0, urls=1.5"}).weights == {"near_text": 0.0, "urls": 1.5}


@pytest.mark.parametrize("weights", ["urls=nan", "urls=inf", "urls=much", "urls"])
def test_a_weight_that_is_no_number_is_refused(weights: str) -> None:
    with pytest.raises(ValidationError):
        Scoring.model_validate({"weights": weights})


def verdict(action: Action = Action.QUARANTINE, judged: Action = Action.QUARANTINE) -> Verdict:
    hits = (
        Hit(signal="trap_filled", group="trap", points=6.0, strength=1.0, evidence="1 of 2 traps filled"),
        Hit(signal="script_missing", group="behaviour", points=0.5, strength=1.0, evidence="no scripts"),
    )
    return Verdict(
        id=b"i",
        receipt="R-1",
        form="contact",
        action=action,
        judged=judged,
        score=6.5,
        hits=hits,
        standing=Standing.DOUBTFUL,
        fields=Fields({"message": "typed text"}),
        address="ann@example.com",
    )


def test_a_verdict_explains_itself_with_its_reasons_in_their_order() -> None:
    told = verdict().explain()
    assert told.splitlines() == [
        "R-1 quarantine (score 6.5, standing doubtful)",
        "   +6.00  trap_filled: 1 of 2 traps filled",
        "   +0.50  script_missing: no scripts",
    ]


def test_a_watched_verdict_says_what_it_would_have_been() -> None:
    watched = verdict(action=Action.ACCEPT)
    assert watched.accepted
    assert "judged quarantine" in watched.explain()


def test_neither_explanation_nor_values_hold_what_was_typed() -> None:
    told = f"{verdict().explain()} {verdict().as_dict()}"
    assert "typed text" not in told
    assert "ann@example.com" not in told
    assert verdict().as_dict()["hits"] == [
        {"signal": "trap_filled", "group": "trap", "points": 6.0, "evidence": "1 of 2 traps filled"},
        {"signal": "script_missing", "group": "behaviour", "points": 0.5, "evidence": "no scripts"},
    ]
