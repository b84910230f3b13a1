"""What a page demands of a browser, and what counts as done."""

import pytest
from altcha.v1 import hash_hex, solve_challenge
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formwarden.facts import TokenOutcome, WorkFacts
from formwarden.page.effort import CHALLENGE_LEVEL, HARDEST, LEVELS, Effort, most
from formwarden.tokens import Tokens
from tests.clock import MovableClock

HOUR_S = 3_600.0


def solution(effort: Effort, token: str) -> int:
    """Let the package of ALTCHA look for it: the scheme is the published one."""
    challenge = effort.challenge("contact", token) or ""
    numbers, _, wanted = challenge.partition(".")
    found = solve_challenge(wanted, f"{token[-16:]}&", "SHA-256", int(numbers))
    assert found is not None
    return found.number


def facts(tokens: Tokens, token: str, number: int | None) -> WorkFacts:
    outcome, read = tokens.read(token, "contact", stale_after_s=HOUR_S)
    return Effort(tokens).facts(outcome, read, token, number)


def test_g34_the_work_is_bounded_and_doubles_by_level() -> None:
    assert [most(level) for level in range(-1, 6)] == [0, 0, 7_500, 15_000, 30_000, 60_000, 120_000]
    assert most(LEVELS) == most(LEVELS + 1) == HARDEST
    assert 0 < CHALLENGE_LEVEL < LEVELS


def test_g34_in_calm_times_a_page_demands_nothing(tokens: Tokens) -> None:
    token = tokens.issue("contact")
    assert Effort(tokens).challenge("contact", token) is None
    assert facts(tokens, token, 0) == WorkFacts()


@pytest.mark.parametrize("text", [None, "", "nonsense", "1.key.payload.signature"])
def test_what_is_no_token_of_ours_demands_nothing(tokens: Tokens, text: str | None) -> None:
    assert Effort(tokens).challenge("contact", text) is None


def test_the_number_that_altcha_finds_is_the_answer(tokens: Tokens) -> None:
    token = tokens.issue("contact", work=1)
    number = solution(Effort(tokens), token)
    assert facts(tokens, token, number) == WorkFacts(level=1, solved=True, clears=True)
    for wrong in (number + 1, number - 1, -number - 1, None, most(1) + 1, 2**200):
        assert facts(tokens, token, wrong) == WorkFacts(level=1)


def test_the_work_for_one_page_is_no_work_for_another(tokens: Tokens) -> None:
    first, second = (tokens.issue("contact", work=1) for _ in range(2))
    assert Effort(tokens).challenge("contact", first) != Effort(tokens).challenge("contact", second)
    assert not facts(tokens, second, solution(Effort(tokens), first)).solved


def test_g34_after_a_challenge_or_a_doubt_work_clears_nothing(tokens: Tokens) -> None:
    asked = tokens.issue("contact", parent=b"p" * 16, work=1)
    doubtful = tokens.issue("contact", doubtful=True, work=1)
    for token in (asked, doubtful):
        done = facts(tokens, token, solution(Effort(tokens), token))
        assert (done.solved, done.clears) == (True, False)


def test_a_corrected_form_demands_what_its_first_page_did(tokens: Tokens) -> None:
    _, first = tokens.read(tokens.issue("contact", work=4), "contact", stale_after_s=HOUR_S)
    for asked, expected in ((0, 4), (2, 4), (6, 6)):
        _, again = tokens.read(tokens.issue("contact", after=first, work=asked), "contact", stale_after_s=HOUR_S)
        assert again is not None
        assert again.work == expected


def test_only_a_fresh_token_tells_what_was_demanded(tokens: Tokens, clock: MovableClock) -> None:
    token = tokens.issue("contact", work=1)
    number = solution(Effort(tokens), token)
    clock.move(HOUR_S + 1)
    assert tokens.read(token, "contact", stale_after_s=HOUR_S)[0] is TokenOutcome.STALE
    assert facts(tokens, token, number) == WorkFacts()


def test_a_key_that_was_rotated_still_knows_its_work(clock: MovableClock) -> None:
    before = Tokens(["old key"], clock=clock, entropy=lambda size: b"e" * size)
    after = Tokens(["new key", "old key"], clock=clock, entropy=lambda size: b"e" * size)
    token = before.issue("contact", work=1)
    assert facts(after, token, solution(Effort(before), token)).solved


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(level=st.integers(1, 63), number=st.integers() | st.none())
def test_no_number_is_taken_but_the_one(tokens: Tokens, level: int, number: int | None) -> None:
    token = tokens.issue("contact", work=level)
    challenge = Effort(tokens).challenge("contact", token)
    assert challenge is not None
    done = facts(tokens, token, number)
    assert done.level == level
    if done.solved:
        found = hash_hex("SHA-256", f"{token[-16:]}&{number}".encode())
        assert challenge == f"{most(level)}.{found}"
