"""Every outcome of token and marker has its own signal."""

import pytest

from formwarden.facts import Facts, MarkerOutcome, PageFacts, RepeatFacts, TokenFacts, TokenOutcome
from formwarden.scoring import Action, Signal, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.token import (
    lineage_spent,
    marker_tampered,
    page_missing,
    token_missing,
    token_other_form,
    token_replayed,
    token_rotated,
    token_stale,
    token_tampered,
)
from formwarden.submission import Submission
from tests.signals.cases import see

BY_TOKEN = {
    TokenOutcome.STALE: token_stale,
    TokenOutcome.ROTATED: token_rotated,
    TokenOutcome.OTHER_FORM: token_other_form,
    TokenOutcome.REPLAYED: token_replayed,
    TokenOutcome.TAMPERED: token_tampered,
}
BY_MARKER = {
    MarkerOutcome.ROTATED: token_rotated,
    MarkerOutcome.OTHER_FORM: token_other_form,
    MarkerOutcome.TAMPERED: marker_tampered,
}
ALL = (*BY_TOKEN.values(), marker_tampered, token_missing, page_missing)


def facts(token: TokenOutcome = TokenOutcome.MISSING, marker: MarkerOutcome = MarkerOutcome.VALID) -> Facts:
    return Facts(token=TokenFacts(outcome=token), page=PageFacts(marker=marker))


@pytest.mark.parametrize(("outcome", "signal"), BY_TOKEN.items())
def test_each_token_outcome_fires_its_own_signal_and_no_other(outcome: TokenOutcome, signal: Signal) -> None:
    fired = {each.name for each in ALL if see(each, facts(outcome))}
    assert fired == {signal.name}


@pytest.mark.parametrize(("outcome", "signal"), BY_MARKER.items())
def test_each_marker_outcome_fires_its_own_signal_and_no_other(outcome: MarkerOutcome, signal: Signal) -> None:
    fired = {each.name for each in ALL if see(each, facts(TokenOutcome.MISSING, outcome))}
    assert fired == {signal.name}


@pytest.mark.parametrize("marker", [MarkerOutcome.VALID, MarkerOutcome.MISSING])
def test_a_fresh_token_is_no_evidence_with_or_without_a_marker(marker: MarkerOutcome) -> None:
    assert not any(see(each, facts(TokenOutcome.FRESH, marker)) for each in ALL)


def test_marker_only_is_a_small_score_and_not_a_page_that_never_was() -> None:
    marker_only = facts(TokenOutcome.MISSING, MarkerOutcome.VALID)
    assert see(token_missing, marker_only) is not None
    assert see(page_missing, marker_only) is None


def test_neither_token_nor_marker_means_that_our_page_was_never_there() -> None:
    nothing = facts(TokenOutcome.MISSING, MarkerOutcome.MISSING)
    assert see(page_missing, nothing) is not None
    assert see(token_missing, nothing) is None


def test_a_stale_token_says_how_old_it_is_or_that_nobody_knows() -> None:
    aged = Facts(token=TokenFacts(outcome=TokenOutcome.STALE, issued_s=7200.0))
    evidence, unknown = see(token_stale, aged), see(token_stale, facts(TokenOutcome.STALE))
    assert evidence is not None
    assert "2.0 h" in evidence.text
    assert unknown is not None


def test_a_replayed_token_says_how_often_it_was_used() -> None:
    evidence = see(token_replayed, Facts(token=TokenFacts(outcome=TokenOutcome.REPLAYED, uses=17)))
    assert evidence is not None
    assert "17" in evidence.text


@pytest.mark.parametrize("outcome", TokenOutcome)
@pytest.mark.parametrize("marker", MarkerOutcome)
def test_g27_no_outcome_of_token_and_marker_rejects(outcome: TokenOutcome, marker: MarkerOutcome) -> None:
    signals = [signal for signal in DEFAULT_SIGNALS if signal.group == "token"]
    weighed = weigh(signals, Submission("contact", {}), facts(outcome, marker), composites=DEFAULT_COMPOSITES)
    assert decide(weighed, Thresholds()) is not Action.REJECT


@pytest.mark.parametrize("outcome", [TokenOutcome.REPLAYED, TokenOutcome.TAMPERED])
def test_g27_replayed_and_tampered_are_eight_points_and_a_second_chance(outcome: TokenOutcome) -> None:
    weighed = weigh(DEFAULT_SIGNALS, Submission("contact", {}), facts(outcome))
    assert sum(hit.points for hit in weighed.hits if hit.group == "token") == 8.0
    assert decide(weighed, Thresholds()) is Action.ASK


@pytest.mark.parametrize(
    ("reissues", "earlier", "spent"),
    [(0, None, False), (4, 5, False), (5, 0, True), (0, 6, True), (0, 5, False)],
)
def test_g28_a_lineage_that_was_asked_five_times_is_held(reissues: int, earlier: int | None, *, spent: bool) -> None:
    told = Facts(
        token=TokenFacts(outcome=TokenOutcome.FRESH, reissues=reissues),
        repeats=RepeatFacts(lineage=earlier),
    )
    assert (see(lineage_spent, told) is not None) is spent


def test_g28_a_spent_lineage_is_held_even_when_a_page_could_ask() -> None:
    told = Facts(
        token=TokenFacts(outcome=TokenOutcome.REPLAYED, reissues=5),
        page=PageFacts(marker=MarkerOutcome.VALID),
    )
    weighed = weigh(DEFAULT_SIGNALS, Submission("contact", {}), told, composites=DEFAULT_COMPOSITES)
    assert decide(weighed, Thresholds()) is Action.QUARANTINE
