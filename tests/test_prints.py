"""Fingerprints of messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.prints import Prints, text_prints

KEY = b"k" * 32
OFFER = (
    "Hello {name}, we looked at {site} last week and noticed that your pages are slow on phones. Our team of "
    "{number} engineers has helped many shops like yours to double the number of orders within a few months. "
    "Would you be open to a short call on how we could do the same for you? Just answer this message or write to "
    "{mail} and we will send you a free report without any obligation at all."
)
FIRST = {"name": "Anna", "site": "https://a.example/shop", "number": "12", "mail": "bob@offers.example"}
SECOND = {"name": "Robert", "site": "www.second.example", "number": "250", "mail": "sales@other.example"}
INQUIRY = (
    "Good morning, I bought a desk lamp from you in spring and the switch has stopped working. Could you tell me "
    "whether that is still covered and where I should send it? I would rather have it repaired than replaced, since "
    "my daughter is fond of it and the colour is no longer sold."
)


def alike(one: str, other: str) -> bool:
    return not set(text_prints([one], KEY).near).isdisjoint(text_prints([other], KEY).near)


@pytest.mark.parametrize(
    "other",
    [
        "i'd like to  ask for a QUOTE, please\n",
        "\tI'd like to ask\nfor a quote, please",
        "Ｉ'd like to ask for a quote, please",
    ],
    ids=["case", "white space", "compatible forms"],
)
def test_the_exact_print_knows_no_case_and_no_white_space(other: str) -> None:
    same = text_prints(["I'd like to ask for a quote, please"], KEY)
    assert same.exact is not None
    assert text_prints([other], KEY).exact == same.exact


def test_the_exact_print_knows_every_letter() -> None:
    assert text_prints([INQUIRY], KEY).exact != text_prints([INQUIRY.replace("lamp", "lamb")], KEY).exact


def test_several_texts_are_one_message() -> None:
    assert text_prints([INQUIRY[:100], INQUIRY[100:]], KEY) == text_prints([f"{INQUIRY[:100]}\n{INQUIRY[100:]}"], KEY)


@pytest.mark.parametrize("text", ["", "hello", "thank you very much", "  \n " * 50, "ありがとうございます"])
def test_too_short_a_text_has_no_print(text: str) -> None:
    assert text_prints([text], KEY) == Prints()


def test_a_template_is_known_again_under_other_names_numbers_links_and_addresses() -> None:
    first, second = OFFER.format(**FIRST), OFFER.format(**SECOND)
    assert alike(first, second)
    assert text_prints([first], KEY).exact != text_prints([second], KEY).exact


def test_a_template_is_known_again_with_a_word_changed_and_a_sentence_added() -> None:
    changed = OFFER.format(**SECOND).replace("short call", "brief call") + " Kind regards from all of us."
    assert alike(OFFER.format(**FIRST), changed)


def test_different_messages_are_not_alike() -> None:
    assert not alike(OFFER.format(**FIRST), INQUIRY)


def test_a_japanese_template_is_known_again() -> None:
    template = (
        "突然のご連絡失礼いたします。{}の{}と申します。貴社のホームページを拝見し、"
        "集客のお手伝いができればと思いご連絡いたしました。"
        "弊社では{}社以上の支援実績がございます。無料でご提案をお送りいたしますので、"
        "ご興味がございましたらご返信ください。"
    )
    other = (
        "先日購入したランプのスイッチが壊れてしまいました。修理は可能でしょうか。"
        "送り先と費用を教えていただけますと助かります。"
    )
    assert alike(template.format("アルファ商事", "佐藤", 120), template.format("ベータ企画", "高橋", 85))
    assert not alike(template.format("アルファ商事", "佐藤", 120), other)


def test_short_messages_are_alike_only_in_the_very_same_words() -> None:
    assert alike("please send the catalogue number 1234 soon", "please send the catalogue number 99 soon")
    assert not alike("please send the catalogue number 1234 soon", "please send the catalogue of chairs soon")


def test_names_are_left_out_wherever_they_stand() -> None:
    told = "please tell {} that the lamp she ordered has arrived"
    assert alike(told.format("Anna Smith"), told.format("Ms Roberta Miller"))
    assert not alike(told.format("anna smith"), told.format("roberta miller"))


def test_whatever_word_of_a_long_message_is_changed_it_is_known_again() -> None:
    words = INQUIRY.split()
    for at in range(len(words)):
        assert alike(INQUIRY, " ".join([*words[:at], "truly", *words[at + 1 :]])), words[at]


def test_letters_that_unfold_into_many_are_not_read_further_than_others() -> None:
    assert text_prints(["\ufdfa" * 2000], KEY) == text_prints(["\ufdfa" * 1000], KEY)


def test_a_text_of_nothing_but_links_is_near_to_none() -> None:
    prints = text_prints(["https://a.example/one https://b.example/two 12345 67890"], KEY)
    assert prints.exact is not None
    assert prints.near == ()


def test_title_case_everywhere_is_not_taken_for_names() -> None:
    assert text_prints([OFFER.format(**FIRST).title()], KEY).near != ()


def test_what_follows_the_first_two_thousand_characters_is_not_read() -> None:
    text = (INQUIRY + " ") * 10
    assert len(text) > 2000
    assert text_prints([text[:2000]], KEY) == text_prints([text[:2000] + "and much more"], KEY)


def test_another_key_makes_other_prints() -> None:
    one, other = text_prints([INQUIRY], KEY), text_prints([INQUIRY], b"another key")
    assert one.exact != other.exact
    assert set(one.near).isdisjoint(other.near)


def test_prints_do_not_hold_the_text() -> None:
    prints = text_prints([INQUIRY], KEY)
    assert all(len(each) == 16 for each in (prints.exact or b"", *prints.near))
    assert len(prints.near) <= 8


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=400), max_size=4))
def test_any_text_has_the_same_few_prints_each_time(texts: list[str]) -> None:
    prints = text_prints(texts, KEY)
    assert prints == text_prints(iter(texts), KEY)
    assert len(prints.near) <= 8


@pytest.mark.parametrize(
    "text", ["\ud800 lone surrogates in a long text \udfff", "\ufdfa" * 2000, ".a" * 1000, "@ " * 1000]
)
def test_odd_texts_have_prints_too(text: str) -> None:
    assert text_prints([text], KEY).exact is not None
