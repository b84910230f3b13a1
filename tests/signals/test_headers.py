"""Headers: consistency, and where the post came from."""

import pytest

from formwarden.facts import Facts, Origin, TokenFacts, TokenOutcome
from formwarden.scoring import Action, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.signals.headers import cross_site_post, cross_site_stale_page
from formwarden.submission import Submission
from tests.signals.cases import FRESH, see


def test_g32_a_post_from_another_site_without_a_fresh_token_asks() -> None:
    facts = Facts(origin=Origin.CROSS, token=TokenFacts(outcome=TokenOutcome.STALE))
    assert see(cross_site_stale_page, facts) is not None
    assert see(cross_site_post, facts) is None
    assert decide(weigh(DEFAULT_SIGNALS, Submission("contact", {}), facts), Thresholds()) is Action.ASK


def test_g32_a_post_from_another_site_with_a_fresh_token_is_a_trifle() -> None:
    facts = Facts(origin=Origin.CROSS, token=FRESH)
    assert see(cross_site_post, facts) is not None
    assert see(cross_site_stale_page, facts) is None


@pytest.mark.parametrize("origin", [Origin.OWN, Origin.ABSENT])
@pytest.mark.parametrize("outcome", TokenOutcome)
def test_g01_an_own_or_unstated_origin_is_no_evidence(origin: Origin, outcome: TokenOutcome) -> None:
    facts = Facts(origin=origin, token=TokenFacts(outcome=outcome))
    assert see(cross_site_stale_page, facts) is None
    assert see(cross_site_post, facts) is None
