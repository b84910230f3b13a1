"""Of typing speed, whatever the script counted: what cannot be too fast never is."""

from dataclasses import replace
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from formwarden.facts import Facts, ScriptFacts, TokenFacts, TokenOutcome
from formwarden.signals.timing import FASTEST_PER_S, LONG_MESSAGE, too_young, typed_too_fast
from formwarden.submission import Fields
from tests.signals.cases import see

COUNTS: Final = st.integers(0, 5_000)
SCRIPTS: Final = st.builds(
    ScriptFacts,
    present=st.booleans(),
    bound=st.booleans(),
    keys=COUNTS,
    pastes=st.integers(0, 2),
    pointers=COUNTS,
    inputs=COUNTS,
    autofilled=st.frozensets(st.sampled_from(("name", "message")), max_size=2),
)
AGES: Final = st.floats(0, 10_000) | st.none()
FACTS: Final = st.builds(
    lambda script, age_s, length, outcome, parent: Facts(
        typed=Fields({"message": "あ" * length}),
        script=script,
        token=TokenFacts(outcome=outcome, age_s=age_s, parent=parent),
    ),
    SCRIPTS,
    AGES,
    COUNTS,
    st.sampled_from(TokenOutcome),
    st.none() | st.just(b"p" * 16),
)


@given(FACTS)
def test_only_a_long_message_of_many_keys_is_ever_typed_too_fast(facts: Facts) -> None:
    if see(typed_too_fast, facts) is None:
        return
    script, age_s, length = facts.script, facts.token.age_s, len(facts.typed["message"])
    assert script.present
    assert script.bound
    assert (script.pastes, script.autofilled) == (0, frozenset())
    assert length >= LONG_MESSAGE
    assert age_s is not None
    assert age_s * FASTEST_PER_S < length
    assert script.keys * 2 >= length


@given(FACTS, st.integers(1, 100))
def test_a_paste_more_or_a_field_filled_in_silences_it(facts: Facts, pastes: int) -> None:
    for script in (
        replace(facts.script, pastes=pastes),
        replace(facts.script, autofilled=frozenset({"email"})),
    ):
        assert see(typed_too_fast, replace(facts, script=script)) is None


@given(FACTS, st.floats(0, 10_000))
def test_more_time_is_never_more_evidence(facts: Facts, more_s: float) -> None:
    age_s = facts.token.age_s
    if age_s is None:
        return
    later = replace(facts, token=replace(facts.token, age_s=age_s + more_s))
    for signal in (too_young, typed_too_fast):
        before, after = see(signal, facts), see(signal, later)
        assert after is None or (before is not None and after.strength <= before.strength)


@given(FACTS)
def test_what_answers_a_page_that_asks_is_never_too_young(facts: Facts) -> None:
    asked = replace(facts, token=replace(facts.token, parent=b"p" * 16))
    assert see(too_young, asked) is None
