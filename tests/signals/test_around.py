"""Names, numbers, websites and lone links around a message."""

import pytest

from formwarden.facts import Facts, Roles
from formwarden.signals.around import (
    bare_link,
    name_suffix,
    price_probe,
    search_engine_as_website,
    six_digits,
    tag_with_digits,
)
from formwarden.submission import Fields
from tests.signals.cases import see, typed


@pytest.mark.parametrize("text", ["https://a.example/x", "More... www.a.example", "see here https://a.example"])
def test_a_link_and_hardly_a_word_is_evidence(text: str) -> None:
    assert see(bare_link, typed({"message": text})) is not None


@pytest.mark.parametrize(
    "text",
    ["Is https://a.example yours?", "I would like this one: https://a.example", "ok", "https://" + "a" * 500],
)
def test_a_link_with_a_question_or_a_sentence_is_none(text: str) -> None:
    assert see(bare_link, typed({"message": text})) is None


def test_a_link_to_a_page_of_this_site_names_what_is_asked_about() -> None:
    facts = Facts(typed=Fields({"message": "https://Shop.example/chair"}), roles=Roles(site_domain="shop.example"))
    assert see(bare_link, facts) is None


@pytest.mark.parametrize("name", ["JohnsonAB", "Ann JohnsonXY", "Robert Robertcic", "James Jamesvor"])
def test_an_ending_glued_to_a_name_is_evidence(name: str) -> None:
    assert see(name_suffix, typed({"name": name})) is not None


@pytest.mark.parametrize(
    "name",
    [
        "Ann Lee",
        "John Johnson",
        "Ann Anna",
        "McDonald",
        "MacDONALD",
        "ANN LEE",
        "Lee",
        "山田 太郎",
        "Dr. Ann Lee MD",
        "",
    ],
)
def test_names_of_people_have_no_ending_glued_on(name: str) -> None:
    assert see(name_suffix, typed({"name": name})) is None


@pytest.mark.parametrize("field", ["phone", "your-tel", "Subject"])
def test_six_digits_and_nothing_else_are_evidence_in_phone_and_subject(field: str) -> None:
    assert see(six_digits, typed({field: "483920"})) is not None
    assert see(six_digits, typed({field: "order 483920"})) is None
    assert see(six_digits, typed({field: "0791112345"})) is None


def test_six_digits_elsewhere_are_an_order_or_a_code() -> None:
    assert see(six_digits, typed({"order": "483920", "message": "483920", "name": "483920"})) is None


@pytest.mark.parametrize("value", ["google.com", "https://www.google.com/", "http://bing.com", "https://yandex.ru"])
def test_a_search_engine_is_nobodys_website(value: str) -> None:
    assert see(search_engine_as_website, typed({"website": value})) is not None
    assert see(search_engine_as_website, typed({"message": value})) is None


@pytest.mark.parametrize(
    "value", ["https://sites.google.com/view/ann", "https://google.com/maps/x", "ann.example", ""]
)
def test_a_page_hosted_there_is_ones_own(value: str) -> None:
    assert see(search_engine_as_website, typed({"website": value})) is None


@pytest.mark.parametrize(
    ("address", "found"),
    [("ann+8391@example.com", True), ("ann+shop@example.com", False), ("ann1999@example.com", False)],
)
def test_only_a_plus_tag_with_digits_is_evidence(address: str, *, found: bool) -> None:
    assert (see(tag_with_digits, Facts(addresses=(address,))) is not None) is found


@pytest.mark.parametrize(
    "text", ["Hi, I wanted to know your price.", "Hola, quería saber tu precio..", "ich wollte Ihren Preis"]
)
def test_a_price_of_nothing_is_a_probe(text: str) -> None:
    assert see(price_probe, typed({"message": text})) is not None


@pytest.mark.parametrize(
    "text", ["What does the blue chair cost?", "I wanted to know your price " + "for a table " * 9]
)
def test_a_price_of_something_is_a_question(text: str) -> None:
    assert see(price_probe, typed({"message": text})) is None
