import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.mail.names import LONGEST, READ, plain_name

PLAIN = (
    "山田 太郎",
    "佐々木 希",
    "ヤマダ タロウ",
    "マリー・アントワネット",
    "约翰·史密斯",
    "やまだ たろう",
    "李",
    "Li Wei",
    "James Bond",
    "Minji Kim",
    "Dev Patel",
    "O'Neill-Smith",
    "D’Angelo",
    "Jean-Luc Picard",
    "Dr. José María",
    "J. Smith",
    "Ma. Teresa",
    "Zoë Müller",
    "Nguyễn Văn An",
    "Kealiʻi",
    "Анна Иванова",
    "Γιώργος",
    "محمد علي",
    "דוד כהן",
    "สมชาย ใจดี",
    "अमित शर्मा",
    "김민지",
)
MORE = (
    "www evil test",
    "ＷＷＷ evil test",
    "w w w evil test",
    "wwwevil",
    "evil dot com",
    "evil com",
    "evil. test",
    "evil. com",
    "evil.test",
    "evil。test",
    "evil．test",
    "evil｡test",
    "evil・com",
    "evil·com",
    "evil·li",
    "пример·испытание",
    "例え・テスト",
    "e\u0336v\u0336i\u0336l\u0336",
    "e\u035cvil",
    "evil ドット コム",
    "evil丶test",
    "http evil",
    "hxxps evil",
    "https://evil.test",
    "ｈｔｔｐ：／／evil.test",
    "//evil",
    "\\evil",
    "a@b",
    "<b>",
    "[x]",
    "\u202eevil",
    "ev\u200bil",
    "ev\u00adil",
    "ev\ufeffil",
    "ev\u2060il",
    "می\u200cخواهم",
    "ev\u034fil",
    "e\ufe0fvil",
    "\u3164",
    "a\u3164b",
    "a\u115f",
    "Bob\r\nBcc: x",
    "Bob\nevil",
    "Bob\tevil",
    "Bob\0",
    "Bob\x85",
    "Bob\u2028evil",
    "\ud800",
    "\ue000",
    "\u0378",
    "=?utf-8?q?Bob=0D=0A?=",
    "Bob1",
    "１２３",
    "①",
    "Bob €5",
    "Bob 🎁",
    "Bob + Ann",
    "Bob ☎",
    "A\u20dd",
    "Bob\u0301\u0301\u0301\u0301\u0301",
    "\u0301Bob",
    "Аpple Inc",
    "Pаypal",
    "山田 Taro",
    "ǃbob",
    "Bobː",
    "Bob_Smith",
    "Bob, Ann",
    "Bob!",
    "Bob?",
    "(Bob)",
    "-Bob",
    "Bob-",
    "'Bob",
    "Bob'",
    "Bob.",
    ".Bob",
    "Bob  Smith",
    "Bob--Smith",
    "Dr. J. Smith",
    "Davis Jr. Sammy",
    "a b c d e",
    "a" * (LONGEST + 1),
    "a" * 10_000,
    "𐎠𐎡",
    "",
    " ",
    "-",
)


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_name_stands_as_it_is(name: str) -> None:
    assert plain_name(name) == name


@pytest.mark.parametrize(
    ("typed", "name"),
    [("山田　太郎", "山田 太郎"), ("Ｔａｒｏ", "Taro"), ("ﾔﾏﾀﾞ", "ヤマダ"), ("  Bob ", "Bob"), ("e\u0301va", "éva")],
)
def test_what_means_the_same_is_written_the_same(typed: str, name: str) -> None:
    assert plain_name(typed) == name


@pytest.mark.parametrize("text", MORE, ids=ascii)
def test_what_could_be_more_than_a_name_is_none(text: str) -> None:
    assert plain_name(text) is None


def test_thirty_characters_and_four_words_are_a_name() -> None:
    assert plain_name("a" * LONGEST) is not None
    assert plain_name("José María Aznar López") is not None


def test_of_a_long_text_nothing_is_read() -> None:
    assert plain_name(" " * READ + "Bob") is None


HOSTILE = st.sampled_from("abеw山やア.。．｡・·'’- \u200b\u202e\u0301:/@1")
ANYTHING = st.text(max_size=40) | st.text(HOSTILE, max_size=34)


@given(ANYTHING)
def test_whatever_passes_is_letters_with_single_separators(text: str) -> None:
    name = plain_name(text)
    if name is None:
        return
    assert 0 < len(name) <= LONGEST
    assert unicodedata.normalize("NFKC", name) == name
    assert re.fullmatch(r"[^\W\d_].*", name)
    assert all(unicodedata.category(each)[0] in "LM" or each in " '’‐-·・." for each in name)
    assert not re.search(r"[ '’‐\-·・]{2}|\.(?! )|\..*\.|^[ .]|[ '’‐\-·・.]$", name)
    assert plain_name(name) == name
