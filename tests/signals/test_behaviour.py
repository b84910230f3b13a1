"""What the script counted."""

from dataclasses import replace

import pytest

from formwarden.facts import Facts, ScriptFacts, TokenOutcome, WorkFacts
from formwarden.signals.behaviour import (
    automation_flag,
    evidence_unbound,
    no_interaction,
    script_missing,
    work_missing,
    work_solved,
)
from formwarden.submission import Fields
from tests.signals.cases import ASKED, FRESH, see

SEEN = ScriptFacts(present=True, bound=True, visible_s=20.0)
TYPED = Fields({"message": "Good morning"})


def test_a_browser_that_says_it_is_driven_is_evidence() -> None:
    assert see(automation_flag, Facts(script=replace(SEEN, automated=True))) is not None


def test_a_browser_that_says_nothing_is_not_driven() -> None:
    assert see(automation_flag, Facts(script=SEEN)) is None


def test_text_that_nobody_put_in_is_evidence() -> None:
    assert see(no_interaction, Facts(script=SEEN, token=FRESH, typed=TYPED)) is not None


@pytest.mark.parametrize(
    "script",
    [
        replace(SEEN, keys=1),
        replace(SEEN, pastes=1),
        replace(SEEN, pointers=1),
        replace(SEEN, inputs=1),
        replace(SEEN, autofilled=frozenset({"email"})),
    ],
    ids=["keyboard", "paste", "touch", "voice or assistive tool", "autofill"],
)
def test_each_way_to_fill_a_field_is_as_good_as_another(script: ScriptFacts) -> None:
    assert see(no_interaction, Facts(script=script, token=FRESH, typed=TYPED)) is None


@pytest.mark.parametrize(
    "facts",
    [
        Facts(script=ScriptFacts(), token=FRESH, typed=TYPED),
        Facts(script=replace(SEEN, bound=False), token=FRESH, typed=TYPED),
        Facts(script=SEEN, token=ASKED, typed=TYPED),
        Facts(script=SEEN, token=FRESH, typed=Fields({"message": ""})),
    ],
    ids=["no script", "evidence of another page", "the page that asks", "nothing was typed"],
)
def test_no_interaction_is_evidence_only_where_there_should_be_some(facts: Facts) -> None:
    assert see(no_interaction, facts) is None


def test_evidence_of_another_token_is_evidence() -> None:
    assert see(evidence_unbound, Facts(script=replace(SEEN, bound=False), token=FRESH)) is not None


@pytest.mark.parametrize(
    "facts",
    [Facts(script=SEEN, token=FRESH), Facts(token=FRESH), Facts(script=replace(SEEN, bound=False))],
    ids=["bound", "absent", "no token to bind to"],
)
def test_evidence_of_this_page_or_of_none_is_not_unbound(facts: Facts) -> None:
    assert see(evidence_unbound, facts) is None


def test_a_fresh_token_without_scripts_is_a_trifle() -> None:
    assert see(script_missing, Facts(token=FRESH)) is not None
    assert script_missing.weight <= 1


@pytest.mark.parametrize("outcome", [TokenOutcome.MISSING, TokenOutcome.STALE])
def test_missing_scripts_are_told_only_beside_a_fresh_token(outcome: TokenOutcome) -> None:
    assert see(script_missing, Facts(token=replace(FRESH, outcome=outcome))) is None


def test_scripts_that_ran_are_not_missing() -> None:
    assert see(script_missing, Facts(token=FRESH, script=SEEN)) is None


def test_g34_work_that_was_demanded_and_not_done_is_a_point_at_most() -> None:
    assert see(work_missing, Facts(work=WorkFacts(level=1))) is not None
    assert work_missing.weight <= 1
    assert see(work_missing, Facts()) is None
    assert see(work_missing, Facts(work=WorkFacts(level=1, solved=True))) is None


def test_g34_work_that_was_done_is_written_down_and_is_no_point_in_itself() -> None:
    assert see(work_solved, Facts(work=WorkFacts(level=3, solved=True))) is not None
    assert see(work_solved, Facts(work=WorkFacts(level=3))) is None
    assert work_solved.weight == 0


def test_g34_work_makes_up_for_missing_evidence_and_for_nothing_else() -> None:
    done = WorkFacts(level=1, solved=True, clears=True)
    untouched = Facts(script=SEEN, token=FRESH, typed=TYPED, work=done)
    assert see(no_interaction, untouched) is None
    assert see(no_interaction, replace(untouched, work=replace(done, clears=False))) is not None
    assert see(automation_flag, replace(untouched, script=replace(SEEN, automated=True))) is not None
    assert see(evidence_unbound, replace(untouched, script=replace(SEEN, bound=False))) is not None
