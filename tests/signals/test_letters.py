"""Disguise, styling and gibberish, in words of many languages."""

import pytest

from formwarden.signals.letters import has_styled_letters, is_gibberish, is_mixed_word, words_of_two_scripts


def disguised(text: str) -> list[str]:
    return [word for word in words_of_two_scripts(text) if is_mixed_word(word)]


@pytest.mark.parametrize(
    "word",
    ["зapaбoтoк", "Paботa", "cкидка", "pаypаl", "Οnline", "vіаgrа"],
    ids=["Latin inside", "Latin edge and inside", "lone Latin", "Cyrillic inside", "lone Greek", "Cyrillic twice"],
)
def test_look_alike_letters_of_another_script_are_disguise(word: str) -> None:
    assert disguised(f"({word})!") == [word]


@pytest.mark.parametrize(
    "text",
    [
        "PHPшник и SQLный запрос",
        "USB-кабель, wi-fi и html",
        "Iшли вони далекi",
        "TNFα and 5 kΩ at 3 μm, πr²",
        "Привет мир",
        "hello world",
        "日本語とEnglish",
        "ΑΒΓ and abc",
    ],
    ids=["slang", "hyphens", "keyboard without a key", "science", "Cyrillic", "Latin", "Japanese", "two languages"],
)
def test_slang_science_and_two_languages_are_no_disguise(text: str) -> None:
    assert disguised(text) == []


@pytest.mark.parametrize("text", ["𝐅𝐫𝐞𝐞 spins", "win ⓜⓞⓝⓔⓨ", "🅆🄸🄽 now", "𝒸𝒶𝓈𝒾𝓃ℴ"])
def test_mathematical_and_enclosed_letters_are_styled(text: str) -> None:
    assert has_styled_letters(text)


@pytest.mark.parametrize(
    "text",
    ["ＡＢＣ商事のＷＥＢ担当です", "①②③のうち②", "𝑥 + 𝑦 = 𝑧", "🆗🅿️🅰️", "🇯🇵🇫🇷", "℃ ™ ℡", "ａｂｃ", "naïve café"],
    ids=["full width", "circled digits", "formula", "emoji", "flags", "signs", "full width small", "accents"],
)
def test_full_width_letters_digits_formulas_and_emoji_are_not_styled(text: str) -> None:
    assert not has_styled_letters(text)


@pytest.mark.parametrize("word", ["asdfghjkl", "HkqWJxTzvbNmRd", "xkcdbrtwq", "Please see dfkgjhsdfkg."])
def test_keys_hit_at_random_are_gibberish(word: str) -> None:
    assert is_gibberish(word)


@pytest.mark.parametrize(
    "text",
    [
        "wkwkwkwkwk",
        "hahahhhhhh zzzzzzzzz hmmmmmmmm",
        "pfffffft",
        "Rechtsschutzversicherung Angstschweiß Geschichtsschreibung Herzschlag",
        "slechtstschrijvend angstschreeuw lengths twelfths strengths",
        "čtvrthrst zmrzlina vlk",
        "order BCDFGHJKLM and XKRTBGHJKL",
        "https://example.com/watch?v=hGkLpqRstvWx and a1bcdfghjk2 or sdfghjklm7",
        "бцдфгхйклм ありがとうございます 안녕하세요",
        "rhythms syzygy gwrthwynebu ffwrdd",
    ],
    ids=[
        "laughter",
        "groans",
        "puff",
        "German",
        "Dutch, English",
        "Czech",
        "codes",
        "links",
        "scripts",
        "y and w as vowels",
    ],
)
def test_laughter_clusters_codes_and_links_are_not_gibberish(text: str) -> None:
    assert not is_gibberish(text)
