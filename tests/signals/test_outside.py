"""What others say of the visitor."""

import pytest

from formwarden.facts import BlocklistFacts, Facts, TokenFacts, TokenOutcome, Vouched, VoucherFacts
from formwarden.scoring import GROUP_CAPS, Action, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.signals.behaviour import no_interaction, script_missing
from formwarden.signals.outside import client_listed, voucher_failed, voucher_missing
from formwarden.submission import Submission
from tests.signals.cases import ASKED, FRESH, see, strength


def listed(count: int, *, asked: int = 2, known: bool = True) -> Facts:
    return Facts(blocklists=BlocklistFacts(asked=asked, listed=count), client_known=known)


def vouchers(*words: Vouched, token: TokenFacts = FRESH) -> Facts:
    return Facts(token=token, vouchers=tuple(VoucherFacts(name="club", word=word) for word in words))


def test_one_list_counts_less_than_two() -> None:
    assert [strength(client_listed, listed(count)) for count in (0, 1, 2, 3)] == [0.0, 0.6, 1.0, 1.0]
    assert see(client_listed, Facts()) is None


def test_g31_no_list_speaks_of_an_unknown_client() -> None:
    assert see(client_listed, listed(2, known=False)) is None


@pytest.mark.parametrize("word", Vouched)
def test_only_what_failed_or_came_from_elsewhere_is_evidence(word: Vouched) -> None:
    assert (see(voucher_failed, vouchers(word)) is not None) == (word in {Vouched.FAILED, Vouched.REUSED})


@pytest.mark.parametrize("word", Vouched)
def test_only_a_solution_stands_in_for_missing_evidence(word: Vouched) -> None:
    facts = vouchers(word)
    assert (see(script_missing, facts) is None) == (word is Vouched.SOLVED)
    assert facts.vouched == (word is Vouched.SOLVED)
    assert see(no_interaction, facts) is None  # no script, so nothing was counted


@pytest.mark.parametrize(
    "token",
    [
        ASKED,
        TokenFacts(outcome=TokenOutcome.MISSING),
        TokenFacts(outcome=TokenOutcome.REPLAYED, uses=5),
        TokenFacts(outcome=TokenOutcome.FRESH, uses=0, doubtful=True),
    ],
    ids=["after a question", "marker only", "replayed", "doubtful"],
)
def test_g34_a_solution_counts_for_a_fresh_page_of_ours_alone(token: TokenFacts) -> None:
    assert not vouchers(Vouched.SOLVED, token=token).vouched


def test_what_is_missing_is_a_trifle_and_never_on_a_page_of_ours_that_asks() -> None:
    assert see(voucher_missing, vouchers(Vouched.ABSENT)) is not None
    assert see(voucher_missing, vouchers(Vouched.ABSENT, token=ASKED)) is None
    assert see(voucher_missing, vouchers(Vouched.UNKNOWN)) is None


def test_all_others_together_hold_nobody() -> None:
    outside = [each for each in DEFAULT_SIGNALS if each.group == "outside"]
    facts = Facts(
        token=FRESH, blocklists=BlocklistFacts(asked=3, listed=3), vouchers=vouchers(Vouched.FAILED).vouchers
    )
    weighed = weigh(outside, Submission("contact", {}), facts)
    assert weighed.score == GROUP_CAPS["outside"]
    assert decide(weighed, Thresholds()) is Action.ACCEPT
