"""Traps: filled, and missing."""

import pytest

from formwarden.facts import Facts, MarkerOutcome, PageFacts, ScriptFacts, TrapFacts
from formwarden.signals.trap import trap_filled, trap_missing
from tests.signals.cases import see, strength

EMPTY = TrapFacts(name="website2", present=True)
UNTICKED = TrapFacts(name="agree2", present=False)
FILLED = TrapFacts(name="website2", present=True, filled=True)
TICKED = TrapFacts(name="agree2", present=True, filled=True)


def facts(*traps: TrapFacts, marker: MarkerOutcome = MarkerOutcome.VALID, script: ScriptFacts | None = None) -> Facts:
    return Facts(page=PageFacts(marker=marker, traps=traps), script=script or ScriptFacts())


def test_a_filled_trap_counts_in_full() -> None:
    assert strength(trap_filled, facts(FILLED, UNTICKED)) == 1.0


def test_several_filled_traps_count_as_one() -> None:
    assert strength(trap_filled, facts(FILLED, TICKED)) == 1.0


@pytest.mark.parametrize(("echoes", "autofilled"), [(True, False), (False, True), (True, True)])
def test_a_password_manager_costs_at_most_a_point_and_a_half(*, echoes: bool, autofilled: bool) -> None:
    managed = TrapFacts(name="website2", present=True, filled=True, echoes=echoes, autofilled=autofilled)
    assert 0 < trap_filled.weight * strength(trap_filled, facts(managed, UNTICKED)) <= 1.5


def test_one_trap_that_no_password_manager_fills_counts_in_full_beside_one_it_did() -> None:
    managed = TrapFacts(name="website2", present=True, filled=True, echoes=True)
    assert strength(trap_filled, facts(managed, TICKED)) == 1.0


def test_g35_a_visible_trap_counts_nothing_but_is_noted() -> None:
    evidence = see(trap_filled, facts(FILLED, script=ScriptFacts(present=True, bound=True, traps_visible=True)))
    assert evidence is not None
    assert evidence.strength == 0.0


def test_g35_only_evidence_of_this_page_can_say_that_traps_were_visible() -> None:
    borrowed = ScriptFacts(present=True, bound=False, traps_visible=True)
    assert strength(trap_filled, facts(FILLED, script=borrowed)) == 1.0


def test_empty_traps_are_no_evidence() -> None:
    assert see(trap_filled, facts(EMPTY, UNTICKED)) is None


def test_traps_that_were_rendered_and_not_sent_are_evidence() -> None:
    absent = TrapFacts(name="website2", present=False)
    assert see(trap_missing, facts(absent, UNTICKED)) is not None


def test_an_unticked_checkbox_is_not_a_missing_trap() -> None:
    assert see(trap_missing, facts(EMPTY, UNTICKED)) is None


@pytest.mark.parametrize("marker", [each for each in MarkerOutcome if each is not MarkerOutcome.VALID])
def test_a_trap_is_missing_only_where_a_valid_marker_proves_it_was_rendered(marker: MarkerOutcome) -> None:
    assert see(trap_missing, facts(UNTICKED, marker=marker)) is None


def test_a_page_without_traps_misses_none() -> None:
    assert see(trap_missing, facts()) is None
