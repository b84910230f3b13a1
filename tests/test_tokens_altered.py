"""No alteration of a token or marker verifies: every one of them is tried, not some."""

import string
from typing import Final

import pytest

from formwarden.facts import MarkerOutcome, TokenOutcome
from formwarden.tokens import Tokens
from tests.clock import MovableClock

LIFE_S: Final = 86_400.0
ALPHABET: Final = string.ascii_letters + string.digits + "-_.=+/ %\0\n²é\ud800"
GOOD: Final = {TokenOutcome.FRESH, TokenOutcome.STALE, TokenOutcome.OTHER_FORM}
KNOWN: Final = {MarkerOutcome.VALID, MarkerOutcome.OTHER_FORM}


class Kit:
    """Two tokens and a marker, by one key that is in force."""

    def __init__(self) -> None:
        self._drawn = 0
        self.tokens = Tokens(["k" * 40, "older" * 8], clock=MovableClock(), entropy=self._entropy)
        self.first = self.tokens.issue("contact", network=b"n" * 17)
        self.second = self.tokens.issue("contact", network=b"m" * 17, parent=b"p" * 16, doubtful=True)
        self.marker = self.tokens.mark("contact", 7)

    def _entropy(self, size: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(size, "big")

    def verifies(self, text: str, form: str = "contact") -> bool:
        """Tell whether a text is taken for a token, or for a marker."""
        outcome, token = self.tokens.read(text, form, stale_after_s=LIFE_S)
        assert (token is not None) == (outcome in GOOD)
        return outcome in GOOD or self.tokens.read_marker(text, form).outcome in KNOWN


@pytest.fixture(scope="module")
def kit() -> Kit:
    return Kit()


@pytest.mark.parametrize("kind", ["first", "second", "marker"])
def test_every_change_of_a_single_character_is_refused(kit: Kit, kind: str) -> None:
    text: str = getattr(kit, kind)
    assert kit.verifies(text)
    changed = (
        text[:at] + other + text[at + 1 :] for at in range(len(text)) for other in ALPHABET if other != text[at]
    )
    assert [each for each in changed if kit.verifies(each)] == []


@pytest.mark.parametrize("kind", ["first", "marker"])
def test_every_truncation_and_every_character_more_is_refused(kit: Kit, kind: str) -> None:
    text: str = getattr(kit, kind)
    shorter = [text[:end] for end in range(len(text))] + [text[start:] for start in range(1, len(text))]
    without_one = [text[:at] + text[at + 1 :] for at in range(len(text))]
    longer = [text[:at] + more + text[at:] for at in range(len(text) + 1) for more in "A.=\0 -"]
    assert [each for each in (*shorter, *without_one, *longer) if kit.verifies(each)] == []


def test_every_concatenation_and_every_mixture_of_two_is_refused(kit: Kit) -> None:
    one, two = kit.first, kit.second
    joined = [one + two, f"{one}.{two}", f"{one},{two}", f"{one} {two}", one * 2, f"{kit.marker}.{one}"]
    parts = list(zip(one.split("."), two.split("."), kit.marker.split("."), strict=True))
    mixed = {f"{a}.{b}.{c}.{d}" for a in parts[0] for b in parts[1] for c in parts[2] for d in parts[3]}
    assert [each for each in joined if kit.verifies(each)] == []
    assert {each for each in mixed if kit.verifies(each)} == {one, two, kit.marker}


@pytest.mark.parametrize("purpose", ["marker", "receipt", "verp", "evidence", "Token", "token ", ""])
def test_what_was_sealed_for_another_purpose_is_no_token(kit: Kit, purpose: str) -> None:
    _, payload = kit.tokens.unseal("token", kit.first)
    assert payload is not None
    outcome, token = kit.tokens.read(kit.tokens.seal(purpose, payload), "contact", stale_after_s=LIFE_S)
    assert (outcome, token) == (TokenOutcome.TAMPERED, None)


@pytest.mark.parametrize("form", ["Contact", "contact ", "", "contact\0", "order"])
def test_a_token_and_a_marker_of_another_form_are_told_apart(kit: Kit, form: str) -> None:
    assert kit.tokens.read(kit.first, form, stale_after_s=LIFE_S)[0] is TokenOutcome.OTHER_FORM
    assert kit.tokens.read_marker(kit.marker, form).outcome is MarkerOutcome.OTHER_FORM


def test_a_token_by_any_other_key_is_of_a_key_that_is_gone_or_altered(kit: Kit) -> None:
    stranger = Tokens(["s" * 40], clock=MovableClock(), entropy=bytes)
    theirs = stranger.issue("contact")
    assert kit.tokens.read(theirs, "contact", stale_after_s=LIFE_S) == (TokenOutcome.ROTATED, None)
    claimed = ".".join((theirs.split(".")[0], kit.first.split(".")[1], *theirs.split(".")[2:]))
    assert kit.tokens.read(claimed, "contact", stale_after_s=LIFE_S) == (TokenOutcome.TAMPERED, None)
