"""Tokens, markers and seals."""

import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from formwarden.entropy import system_entropy
from formwarden.facts import MarkerOutcome, TokenOutcome
from formwarden.tokens import Tokens
from tests.clock import MovableClock

DAY_S = 86_400.0
LETTERS = string.ascii_letters + string.digits + "-_.=+/ \0é"
NETWORK = bytes(range(17))


def make(*keys: str, clock: MovableClock | None = None) -> Tokens:
    return Tokens(keys or ("key",), clock=clock or MovableClock(), entropy=system_entropy)


def outcome(tokens: Tokens, text: str | None, form: str = "contact") -> TokenOutcome:
    return tokens.read(text, form, stale_after_s=DAY_S)[0]


@given(
    form=st.text(min_size=1, max_size=30),
    network=st.none() | st.binary(min_size=17, max_size=17).filter(any),
    parent=st.none() | st.binary(min_size=16, max_size=16).filter(any),
    doubtful=st.booleans(),
    age=st.floats(0, DAY_S),
)
def test_a_token_survives_a_round_trip(
    form: str, network: bytes | None, parent: bytes | None, *, doubtful: bool, age: float
) -> None:
    clock = MovableClock()
    tokens = make(clock=clock)
    issued = clock.now()
    text = tokens.issue(form, network=network, parent=parent, doubtful=doubtful)
    clock.move(age)
    result, token = tokens.read(text, form, stale_after_s=2 * DAY_S)
    assert result is TokenOutcome.FRESH
    assert token is not None
    assert (token.network, token.parent, token.doubtful) == (network, parent, doubtful)
    assert (token.first, token.issued, token.reissues) == (issued, issued, 0)


@given(data=st.data())
def test_a_token_with_any_one_character_changed_is_not_fresh(data: st.DataObject) -> None:
    tokens = make()
    text = tokens.issue("contact", network=NETWORK)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != text[place]))
    result, token = tokens.read(text[:place] + letter + text[place + 1 :], "contact", stale_after_s=DAY_S)
    assert result in {TokenOutcome.TAMPERED, TokenOutcome.ROTATED}
    assert token is None


def test_no_character_of_a_token_has_a_second_spelling() -> None:
    tokens = make()
    text = tokens.issue("contact")
    changed = [
        text[:place] + letter + text[place + 1 :]
        for place in range(len(text))
        for letter in ("A", "B", "-", "_")
        if letter != text[place]
    ]
    assert not [each for each in changed if outcome(tokens, each) is TokenOutcome.FRESH]
    assert outcome(tokens, text) is TokenOutcome.FRESH


@pytest.mark.parametrize("addition", [" ", "=", "\n", ".", "A", "\0"])
def test_nothing_may_be_added_to_a_token(addition: str) -> None:
    tokens = make()
    text = tokens.issue("contact")
    assert outcome(tokens, text + addition) is TokenOutcome.TAMPERED
    assert outcome(tokens, addition + text) is TokenOutcome.TAMPERED


@given(st.text(max_size=700))
def test_no_text_makes_reading_raise(text: str) -> None:
    tokens = make()
    assert outcome(tokens, text) is not TokenOutcome.FRESH
    assert tokens.read_marker(text, "contact").outcome is not MarkerOutcome.VALID


def test_absence_is_missing_and_not_tampered() -> None:
    tokens = make()
    assert outcome(tokens, None) is outcome(tokens, "") is TokenOutcome.MISSING
    assert tokens.read_marker(None, "contact").outcome is MarkerOutcome.MISSING


def test_g27_a_key_that_is_gone_is_told_from_a_text_that_was_altered() -> None:
    text = make("old").issue("contact")
    assert outcome(make("new", "old"), text) is TokenOutcome.FRESH
    assert outcome(make("new"), text) is TokenOutcome.ROTATED
    assert outcome(make("old"), text[:-1] + ("A" if text[-1] != "A" else "B")) is TokenOutcome.TAMPERED


def test_the_newest_key_signs() -> None:
    text = make("new", "old").issue("contact")
    assert outcome(make("new"), text) is TokenOutcome.FRESH
    assert outcome(make("old"), text) is TokenOutcome.ROTATED


def test_a_key_given_twice_is_one_key() -> None:
    tokens = make("new", "old", "new")
    assert outcome(make("new"), tokens.issue("contact")) is TokenOutcome.FRESH
    assert len(tokens.derive_all("traps")) == 2


def test_without_a_key_there_are_no_tokens() -> None:
    with pytest.raises(ValueError, match="secret key"):
        Tokens((), clock=MovableClock(), entropy=system_entropy)


def test_a_token_of_another_form_is_told_apart_and_still_read() -> None:
    tokens = make()
    result, token = tokens.read(tokens.issue("contact"), "career", stale_after_s=DAY_S)
    assert result is TokenOutcome.OTHER_FORM
    assert token is not None


def test_a_token_is_stale_only_after_its_life() -> None:
    clock = MovableClock()
    tokens = make(clock=clock)
    text = tokens.issue("contact")
    clock.move(DAY_S)
    assert outcome(tokens, text) is TokenOutcome.FRESH
    clock.move(1)
    result, token = tokens.read(text, "contact", stale_after_s=DAY_S)
    assert result is TokenOutcome.STALE
    assert token is not None


def test_g28_a_reissued_token_keeps_lineage_first_issue_and_doubt() -> None:
    clock = MovableClock()
    tokens = make(clock=clock)
    _, first = tokens.read(tokens.issue("contact", doubtful=True), "contact", stale_after_s=DAY_S)
    clock.move(60)
    _, second = tokens.read(tokens.issue("contact", after=first), "contact", stale_after_s=DAY_S)
    assert first is not None
    assert second is not None
    assert (second.lineage, second.first, second.doubtful) == (first.lineage, first.first, True)
    assert second.nonce != first.nonce
    assert second.issued == first.issued + 60
    assert second.reissues == 1


def test_g28_a_form_that_the_site_shows_again_is_no_reissue() -> None:
    tokens = make()
    _, first = tokens.read(tokens.issue("contact"), "contact", stale_after_s=DAY_S)
    _, asked = tokens.read(tokens.issue("contact", after=first), "contact", stale_after_s=DAY_S)
    _, again = tokens.read(tokens.issue("contact", after=asked, asked=False), "contact", stale_after_s=DAY_S)
    assert first is not None
    assert again is not None
    assert (again.lineage, again.reissues) == (first.lineage, 1)


def test_facts_give_ages_by_our_clock_and_never_below_zero() -> None:
    clock = MovableClock()
    tokens = make(clock=clock)
    result, token = tokens.read(tokens.issue("contact", network=NETWORK), "contact", stale_after_s=DAY_S)
    clock.move(5)
    assert tokens.facts(result, token, networks=()).age_s == 5
    clock.step(-10)
    facts = tokens.facts(result, token, networks=())
    assert (facts.age_s, facts.issued_s) == (0, 0)


@pytest.mark.parametrize(
    ("in_token", "seen", "expected"),
    [
        (NETWORK, (NETWORK,), True),
        (NETWORK, (bytes([1]) * 17, NETWORK), True),
        (NETWORK, (bytes([1]) * 17,), False),
        (NETWORK, (), None),
        (None, (NETWORK,), None),
    ],
)
def test_networks_compare_only_where_both_are_known(
    in_token: bytes | None, seen: tuple[bytes, ...], *, expected: bool | None
) -> None:
    tokens = make()
    result, token = tokens.read(tokens.issue("contact", network=in_token), "contact", stale_after_s=DAY_S)
    assert tokens.facts(result, token, networks=seen).same_network is expected


def test_facts_of_an_unreadable_token_hold_its_outcome_only() -> None:
    facts = make().facts(TokenOutcome.TAMPERED, None, networks=(NETWORK,))
    assert facts.outcome is TokenOutcome.TAMPERED
    assert (facts.lineage, facts.age_s) == (None, None)


def test_a_marker_names_form_key_and_epoch_and_never_ages() -> None:
    clock = MovableClock()
    old = make("old", clock=clock)
    text = old.mark("contact", 2958)
    clock.move(400 * DAY_S)
    marker = make("new", "old", clock=clock).read_marker(text, "contact")
    assert (marker.outcome, marker.epoch) == (MarkerOutcome.VALID, 2958)
    assert marker.key_id == text.split(".")[1]


@given(data=st.data())
def test_a_marker_with_any_one_character_changed_is_not_valid(data: st.DataObject) -> None:
    tokens = make()
    text = tokens.mark("contact", 2958)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from(LETTERS).filter(lambda letter: letter != text[place]))
    marker = tokens.read_marker(text[:place] + letter + text[place + 1 :], "contact")
    assert marker.outcome in {MarkerOutcome.TAMPERED, MarkerOutcome.ROTATED}
    assert marker.key_id is None


def test_marker_outcomes_are_told_apart() -> None:
    text = make("old").mark("contact", 1)
    assert make("new").read_marker(text, "contact").outcome is MarkerOutcome.ROTATED
    assert make("old").read_marker(text, "career").outcome is MarkerOutcome.OTHER_FORM


def test_a_text_sealed_for_one_purpose_is_worthless_for_another() -> None:
    tokens = make()
    assert outcome(tokens, tokens.mark("contact", 1)) is TokenOutcome.TAMPERED
    assert tokens.read_marker(tokens.issue("contact"), "contact").outcome is MarkerOutcome.TAMPERED
    assert outcome(tokens, tokens.seal("token", b"too short")) is TokenOutcome.TAMPERED


def test_what_we_signed_ourselves_and_cannot_decode_is_tampered() -> None:
    key_id = make().mark("contact", 1).split(".")[1]
    signer = Signer("key", salt="formwarden.token", key_derivation="hmac", digest_method=hashlib.sha256)
    text = signer.sign(f"1.{key_id}.no base64").decode("ascii")
    assert outcome(make(), text) is TokenOutcome.TAMPERED


def test_derived_keys_differ_by_purpose_and_key_and_are_lasting() -> None:
    tokens = make("new", "old")
    keys = {*tokens.derive_all("traps"), *tokens.derive_all("clients")}
    assert len(keys) == 4
    assert tokens.derive("traps") == make("new").derive("traps")
    assert tokens.derive_all("traps") == (make("new").derive("traps"), make("old").derive("traps"))


def test_a_key_that_is_gone_cannot_be_derived_from() -> None:
    key_id = make("old").mark("contact", 1).split(".")[1]
    with pytest.raises(KeyError):
        make("new").derive("traps", key_id)


def test_a_token_tells_nothing_of_its_key() -> None:
    assert "secret" not in make("secret").issue("contact")
