from dataclasses import replace
from typing import Final

import pytest

from formwarden.facts import (
    Facts,
    MarkerOutcome,
    Origin,
    PageFacts,
    ScriptFacts,
    TokenFacts,
    TokenOutcome,
    TrapFacts,
    WorkFacts,
)
from formwarden.scoring import Standing
from formwarden.standing import standing_of

TRAP: Final = TrapFacts(name="plaque_topic", present=True)
BEST: Final = Facts(
    token=TokenFacts(outcome=TokenOutcome.FRESH, age_s=20.0, uses=0, same_network=True),
    page=PageFacts(marker=MarkerOutcome.VALID, traps=(TRAP,)),
    script=ScriptFacts(present=True, bound=True, keys=80),
    origin=Origin.OWN,
)


def token(**values: object) -> Facts:
    return replace(BEST, token=replace(BEST.token, **values))  # type: ignore[arg-type]  # names of TokenFacts


def trap(**values: bool) -> Facts:
    return replace(BEST, page=replace(BEST.page, traps=(TRAP, replace(TRAP, name="other", filled=True, **values))))


def test_g34_work_alone_lifts_no_higher_than_plain() -> None:
    done = WorkFacts(level=1, solved=True, clears=True)
    nobody = replace(BEST, script=replace(BEST.script, keys=0), work=done)
    assert standing_of(nobody, 0.0) is Standing.PLAIN
    assert standing_of(replace(BEST, work=done), 0.0) is Standing.SHOWN  # by what was seen, not by the work


@pytest.mark.parametrize("outcome", [each for each in TokenOutcome if each is not TokenOutcome.FRESH])
def test_g34_no_work_lifts_what_came_without_a_fresh_token(outcome: TokenOutcome) -> None:
    facts = replace(token(outcome=outcome), work=WorkFacts(level=1, solved=True, clears=True))
    assert standing_of(facts, 0.0) is Standing.DOUBTFUL


def test_g34_no_work_lifts_what_a_challenge_cleared() -> None:
    facts = replace(token(doubtful=True), work=WorkFacts(level=1, solved=True))
    assert standing_of(facts, 0.0) is Standing.DOUBTFUL


@pytest.mark.parametrize("score", [0.0, 1.99, -1.0])
def test_g01_a_person_with_scripts_at_our_own_page_is_shown(score: float) -> None:
    assert standing_of(BEST, score) is Standing.SHOWN


def test_g01_a_browser_that_sends_neither_origin_header_counts_as_own() -> None:
    assert standing_of(replace(BEST, origin=Origin.ABSENT), 0.0) is Standing.SHOWN


def test_g01_a_network_that_cannot_be_compared_does_not_lower_the_standing() -> None:
    assert standing_of(token(same_network=None), 0.0) is Standing.SHOWN


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        (replace(BEST, script=ScriptFacts()), 0.5),
        (replace(BEST, script=replace(BEST.script, bound=False)), 0.0),
        (BEST, 2.0),
        (BEST, 2.99),
        (token(same_network=False), 0.0),
        (token(uses=1), 0.0),
        (trap(echoes=True), 1.5),
        (trap(autofilled=True), 1.5),
        (replace(BEST, client_known=False), 0.0),
        (replace(BEST, page=replace(BEST.page, marker=MarkerOutcome.MISSING)), 0.0),
    ],
)
def test_g01_what_falls_a_little_short_is_plain(facts: Facts, score: float) -> None:
    assert standing_of(facts, score) is Standing.PLAIN


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        (token(outcome=TokenOutcome.MISSING, uses=None), 0.0),
        *((token(outcome=outcome), 0.0) for outcome in TokenOutcome if outcome is not TokenOutcome.FRESH),
        (token(uses=None), 0.0),  # a fact the gate needs is unknown
        (token(doubtful=True), 0.0),  # re-sent after the address question, or cleared by a challenge
        (replace(BEST, origin=Origin.CROSS), 0.0),
        (BEST, 3.0),
        (BEST, 50.0),
        (trap(), 0.0),
        (trap(echoes=False, autofilled=False), 0.0),
    ],
)
def test_g01_all_else_is_doubtful(facts: Facts, score: float) -> None:
    assert standing_of(facts, score) is Standing.DOUBTFUL


def test_g03_prior_contact_is_the_ledgers_to_say() -> None:
    assert Standing.KNOWN not in {standing_of(BEST, score / 2) for score in range(-4, 30)}
