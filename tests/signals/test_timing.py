"""Time since the form was first shown."""

from dataclasses import replace

import pytest

from formwarden.facts import Facts, ScriptFacts, TokenFacts, TokenOutcome
from formwarden.signals.limits import SignalLimits
from formwarden.signals.timing import too_young, typed_too_fast
from formwarden.submission import Fields
from tests.signals.cases import ASKED, FRESH, see, strength


def aged(age_s: float | None, outcome: TokenOutcome = TokenOutcome.FRESH) -> Facts:
    return Facts(token=TokenFacts(outcome=outcome, age_s=age_s))


@pytest.mark.parametrize(
    ("age_s", "expected"), [(0.0, 1.0), (1.5, 0.5), (2.9, 0.1 / 3), (3.0, 0.0), (60.0, 0.0), (None, 0.0), (-5.0, 1.0)]
)
def test_only_a_known_short_age_is_evidence(age_s: float | None, expected: float) -> None:
    assert strength(too_young, aged(age_s)) == pytest.approx(expected)


@pytest.mark.parametrize("outcome", [each for each in TokenOutcome if each is not TokenOutcome.FRESH])
def test_only_a_fresh_token_tells_an_age(outcome: TokenOutcome) -> None:
    assert see(too_young, aged(0.1, outcome)) is None


def test_the_page_that_asks_may_be_answered_at_once() -> None:
    assert see(too_young, Facts(token=replace(ASKED, age_s=0.5))) is None


def test_no_age_is_too_young_where_the_limit_is_off() -> None:
    assert see(too_young, Facts(token=replace(FRESH, age_s=0.0), limits=SignalLimits(min_age_s=0))) is None


TYPING = ScriptFacts(present=True, bound=True, keys=300, inputs=300)


def message(length: int, age_s: float | None, script: ScriptFacts = TYPING) -> Facts:
    return Facts(typed=Fields({"message": "a" * length}), token=replace(FRESH, age_s=age_s), script=script)


def test_three_hundred_characters_in_ten_seconds_are_typed_too_fast() -> None:
    assert see(typed_too_fast, message(300, 10.0)) is not None


@pytest.mark.parametrize(
    ("length", "age_s"), [(300, 12.0), (300, None), (199, 1.0)], ids=["as fast as one can", "age unknown", "short"]
)
def test_slow_or_short_messages_are_no_evidence_of_speed(length: int, age_s: float | None) -> None:
    assert see(typed_too_fast, message(length, age_s)) is None


@pytest.mark.parametrize(
    "script",
    [
        ScriptFacts(),
        replace(TYPING, bound=False),
        replace(TYPING, pastes=1),
        replace(TYPING, autofilled=frozenset({"message"})),
        replace(TYPING, keys=3),
    ],
    ids=["no script", "evidence of another page", "pasted", "filled by the browser", "dictated or restored"],
)
def test_a_message_that_was_not_typed_is_not_typed_too_fast(script: ScriptFacts) -> None:
    assert see(typed_too_fast, message(300, 5.0, script)) is None
