import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.mail.signed_ids import SignedIds

DAY_S = 86_400.0
NOW = 1_790_000_000.0
KEY, OLDER, OTHER = b"k" * 32, b"o" * 32, b"x" * 32


@given(st.binary(min_size=1, max_size=40))
def test_an_id_comes_back_from_small_letters_and_digits(named: bytes) -> None:
    text = SignedIds((KEY,), days=3).make(named, NOW)
    assert text.isalnum()
    assert text == text.lower()
    assert SignedIds((OTHER, KEY), days=3).read(text.upper(), NOW) == named


def test_an_id_is_good_for_its_days_and_no_longer() -> None:
    ids = SignedIds((KEY,), days=3)
    text = ids.make(b"id", NOW)
    assert ids.read(text, NOW + 3 * DAY_S) == b"id"
    assert ids.read(text, NOW + 4 * DAY_S) is None


def test_what_another_key_signed_is_nobodys() -> None:
    assert SignedIds((KEY,), days=3).read(SignedIds((OLDER,), days=3).make(b"id", NOW), NOW) is None


def test_an_id_with_one_letter_changed_is_nobodys() -> None:
    ids = SignedIds((KEY,), days=3)
    text = ids.make(b"seventeen bytes..", NOW)
    for place, letter in enumerate(text):
        assert ids.read(text[:place] + ("b" if letter != "b" else "c") + text[place + 1 :], NOW) is None
        assert ids.read(text[:place], NOW) is None


@pytest.mark.parametrize("text", ["", "=", "ｉｄ", "a" * 10_000, "0189", "aaaaaaaa", "\ud800", "é"])
def test_what_we_never_wrote_is_nobodys(text: str) -> None:
    assert SignedIds((KEY,), days=3).read(text, NOW) is None


@given(st.text(max_size=60))
def test_no_text_makes_reading_raise(text: str) -> None:
    assert SignedIds((KEY,), days=3).read(text, NOW) is None
