"""What one click may do: asked for once, clearing one submission, and never a score that rejects."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.challenge import SETTLED, Click, click_of
from formwarden.facts import Facts, TokenFacts, TokenOutcome
from formwarden.scoring import CLICK_WORDS, GROUP_CAPS, Action, Hit, Signal, Thresholds, Weighed, decide, weigh
from tests.test_scoring import KINDER, SUBMISSION, make, signals_drawn, verdict

ANSWER = TokenFacts(outcome=TokenOutcome.FRESH, uses=0, challenged=True, doubtful=True)


@pytest.mark.parametrize("outcome", list(TokenOutcome))
def test_it_is_asked_for_only_where_the_form_says_so_and_nothing_was_asked_before(outcome: TokenOutcome) -> None:
    token = TokenFacts(outcome=outcome, uses=0)
    assert (click_of(token, offered=True), click_of(token, offered=False)) == (Click.OFFERED, Click.NONE)
    assert click_of(replace(token, challenged=True), offered=True) is not Click.OFFERED


@pytest.mark.parametrize("offered", [True, False])
def test_it_counts_for_the_first_use_of_its_token_even_where_the_setting_was_changed_meanwhile(offered: bool) -> None:  # noqa: FBT001 - a table
    assert click_of(ANSWER, offered=offered) is Click.MADE
    assert click_of(replace(ANSWER, outcome=TokenOutcome.STALE), offered=offered) is Click.MADE


@pytest.mark.parametrize("uses", [1, 2, None])
def test_a_token_that_was_used_or_of_which_nothing_is_known_clears_nothing(uses: int | None) -> None:
    assert click_of(replace(ANSWER, uses=uses), offered=True) is Click.NONE


@pytest.mark.parametrize("outcome", sorted(set(TokenOutcome) - {TokenOutcome.FRESH, TokenOutcome.STALE}))
def test_no_other_token_clears_anything(outcome: TokenOutcome) -> None:
    assert click_of(replace(ANSWER, outcome=outcome), offered=True) is Click.NONE


def act(click: Click, *signals: Signal) -> Action:
    return decide(weigh(signals, SUBMISSION, Facts()), Thresholds(), click)


FIRM = {"trap", "token", "behaviour", "repeats", "outside"}


def test_every_group_is_either_settled_by_a_click_or_is_not() -> None:
    assert not FIRM & SETTLED
    assert GROUP_CAPS.keys() == FIRM | SETTLED


@pytest.mark.parametrize("group", sorted(GROUP_CAPS))
def test_what_speaks_of_the_click_itself_or_of_repetition_counts_in_full(group: str) -> None:
    points = min(4.0, GROUP_CAPS[group])
    heavy = weigh((make("one", points, group=group), make("other", 1.0, group="repeats")), SUBMISSION, Facts())
    thresholds = Thresholds(quarantine=points + 1.0)
    assert decide(heavy, thresholds, Click.NONE) is Action.QUARANTINE
    assert decide(heavy, thresholds, Click.OFFERED) is Action.ASK
    assert decide(heavy, thresholds, Click.MADE) is (Action.ACCEPT if group in SETTLED else Action.QUARANTINE)


@pytest.mark.parametrize(
    ("points", "action"), [(4.9, Action.ACCEPT), (5.0, Action.ASK), (11.9, Action.ASK), (12.0, Action.REJECT)]
)
def test_the_range_of_quarantine_is_challenged_and_nothing_else(points: float, action: Action) -> None:
    assert decide(Weighed(score=points, hits=()), Thresholds(), Click.OFFERED) is action


def test_what_rejects_is_not_cleared() -> None:
    control = make("control", 1.0, group="address", rejects=True)
    assert act(Click.MADE, control) is act(Click.OFFERED, control) is Action.REJECT
    heavy = (make("one", 7.0), make("two", 5.0, group="headers"))
    assert act(Click.MADE, *heavy) is act(Click.OFFERED, *heavy) is Action.REJECT
    stale = make("stale", 1.0, group="token", asks=True)
    assert act(Click.MADE, *heavy, stale) is Action.REJECT  # one doubt more is no way out


def test_a_page_that_lay_open_too_long_is_asked_about_though_its_click_cleared_the_rest() -> None:
    stale = make("stale", 1.0, group="token", asks=True)
    assert act(Click.MADE, make("odd", 6.0), stale) is Action.ASK
    assert act(Click.MADE, make("odd", 6.0, group="trap"), stale) is Action.QUARANTINE


@given(st.sampled_from(Click), signals_drawn, signals_drawn, st.floats(0.5, 20), st.floats(0, 20))
def test_a_higher_score_is_never_treated_more_kindly_whatever_was_clicked(
    click: Click, some: list[Signal], more: list[Signal], quarantine: float, between: float
) -> None:
    thresholds = Thresholds(quarantine=quarantine, reject=quarantine + between)
    fewer, all_of_them = weigh(some, SUBMISSION, Facts()), weigh([*some, *more], SUBMISSION, Facts())
    assert KINDER.index(decide(fewer, thresholds, click)) <= KINDER.index(decide(all_of_them, thresholds, click))


@given(st.lists(st.builds(make, st.uuids().map(str), st.floats(0, 10), group=st.sampled_from(sorted(GROUP_CAPS)))))
def test_an_offer_accepts_and_rejects_exactly_what_quarantine_would(signals: list[Signal]) -> None:
    plain, offered = act(Click.NONE, *signals), act(Click.OFFERED, *signals)
    assert (plain, offered) in {*((each, each) for each in Action), (Action.QUARANTINE, Action.ASK)}


@pytest.mark.parametrize(("click", "action"), list(product(CLICK_WORDS, (Action.ASK, Action.ACCEPT))))
def test_a_verdict_tells_what_the_click_did(click: Click, action: Action) -> None:
    told = replace(verdict(), click=click, action=action)
    assert CLICK_WORDS[click] in told.explain()
    assert told.as_dict()["click"] == click
    assert "click" not in verdict().explain()


def test_hits_of_an_older_release_whose_group_is_forgotten_are_not_cleared() -> None:
    hit = Hit(signal="urls", group="", points=6.0, strength=1.0, evidence="")
    assert decide(Weighed(score=6.0, hits=(hit,)), Thresholds(), Click.MADE) is Action.QUARANTINE
