import pytest

from formwarden.address.messages import SENTENCES, public_message


@pytest.mark.parametrize(
    ("language", "spoken"),
    [("en", "en"), ("ja", "ja"), ("ja-JP", "ja"), ("JA_jp", "ja"), ("en-GB", "en"), ("fr", "en"), ("", "en")],
)
def test_the_sentence_is_in_the_visitors_language_or_in_english(language: str, spoken: str) -> None:
    assert public_message(language) == SENTENCES[spoken]


def test_without_a_language_it_is_english() -> None:
    assert public_message() == SENTENCES["en"]


def test_it_is_one_sentence_without_a_slot() -> None:
    assert set(SENTENCES) == {"en", "ja"}
    assert SENTENCES["en"].count(".") == 1
    assert SENTENCES["ja"].count("。") == 1
    assert not any(mark in sentence for sentence in SENTENCES.values() for mark in "{%$")
