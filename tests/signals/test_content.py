"""Texts: links, markup, disguise, one value in several fields."""

import time

import pytest

from formwarden.facts import Facts, Roles
from formwarden.scoring import Action, Signal, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.content import (
    gibberish,
    markup,
    mixed_script,
    one_value_everywhere,
    site_domain_in_text,
    styled_letters,
    url_in_name,
    urls,
)
from formwarden.signals.limits import SignalLimits
from formwarden.submission import Fields, Submission
from tests.signals.cases import see, strength, typed

CONTENT = [signal for signal in DEFAULT_SIGNALS if signal.group == "content"]


@pytest.mark.parametrize(("links", "expected"), [(0, 0.0), (2, 0.0), (3, 0.5), (4, 1.0), (40, 2.5)])
def test_links_beyond_two_count_each(links: int, expected: float) -> None:
    message = " ".join(f"see https://example.com/{number}" for number in range(links))
    assert min(strength(urls, typed({"message": message})), 2.5) == expected


def test_links_are_counted_over_all_texts_but_not_in_name_and_address() -> None:
    spread = {"message": "http://a.example WWW.b.example", "subject": "HTTPS://c.example"}
    elsewhere = {"name": "www.a.example www.b.example www.c.example", "email": "http://d.example"}
    assert strength(urls, typed(spread)) == 0.5
    assert see(urls, typed(elsewhere)) is None


@pytest.mark.parametrize("text", ["awww. cute awww.so awwww.x", "http://www.a.example", "a.www.b", "wwww.wwww"])
def test_groans_and_parts_of_links_are_no_links_of_their_own(text: str) -> None:
    facts = Facts(typed=Fields({"message": text}), limits=SignalLimits(max_urls=0))
    assert strength(urls, facts) == (0.5 if "http" in text else 0.0)


@pytest.mark.parametrize(
    "name",
    [
        "https://example.com",
        "Cheap pills www.example.com",
        "example.com",
        "Ann shop.example.xyz/win",
        "Ann (bit.ly/x)",
    ],
)
def test_a_web_address_in_the_name_is_evidence(name: str) -> None:
    assert see(url_in_name, typed({"name": name})) is not None


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("Your prize https://offer-7.invalid/win", True),
        ("当選 www.offer-7.invalid/win", True),
        ("Cheap pills bit.ly/x", True),
        ("Ann Lee https://annlee.example", False),
        ("Ann Lee linkedin.com/in/annlee", False),
        ("Booking.com", False),
        ("Ann from www.firm.example", False),
        ("https://firm.example/shop", False),
    ],
)
def test_a_link_beside_other_words_is_an_advert_and_ones_own_site_is_not_held(name: str, *, whole: bool) -> None:
    facts = typed({"name": name})
    held = weigh(CONTENT, Submission("contact", {}), facts).score >= Thresholds().quarantine
    assert see(url_in_name, facts) is not None
    assert held is whole


@pytest.mark.parametrize(
    "name",
    [
        "Dr.Smith",
        "J.R.R. Tolkien",
        "St.John Rivers",
        "Ph.D. Ann Lee",
        "Minh.Ly",
        "A.Co",
        "山田．太郎",
        "ann@example.com",
        "",
        ".",
    ],
)
def test_dots_in_names_and_an_address_put_there_are_no_web_address(name: str) -> None:
    assert see(url_in_name, typed({"name": name})) is None


def test_a_web_address_elsewhere_is_not_in_the_name() -> None:
    assert see(url_in_name, typed({"name": "Ann Lee", "message": "https://example.com"})) is None


@pytest.mark.parametrize(
    "text", ["<a href='x'>y</a>", "<A\nHREF=x>", "[url=http://x]y[/url]", "[URL]x[/URL]", "[link=x]", "<script>x"]
)
def test_markup_in_any_field_is_evidence(text: str) -> None:
    assert see(markup, typed({"subject": text})) is not None


@pytest.mark.parametrize(
    "text", ["a < b and b > a", "<ann@example.com>", "[1] see below", "<3", "if (a<b)", "[urls]"]
)
def test_brackets_of_ordinary_writing_are_no_markup(text: str) -> None:
    assert see(markup, typed({"message": text})) is None


def test_one_disguised_word_may_be_a_slip_two_are_not() -> None:
    assert 0 < strength(mixed_script, typed({"message": "привет, paботa?"})) < 1
    assert strength(mixed_script, typed({"subject": "paботa", "message": "зapaбoтoк"})) == 1.0


def test_plain_words_are_not_disguised() -> None:
    assert see(mixed_script, typed({"message": "Привет, is there a Russian manual? 日本語"})) is None


def test_styled_letters_in_any_field_are_evidence() -> None:
    assert see(styled_letters, typed({"subject": "𝐅𝐫𝐞𝐞"})) is not None
    assert see(styled_letters, typed({"subject": "ＦＲＥＥ Ⓐ"})) is None


def test_the_name_as_message_is_evidence() -> None:
    assert see(one_value_everywhere, typed({"name": "Kzzup", "message": " kzzup "})) is not None


def test_the_name_in_three_fields_is_evidence() -> None:
    assert see(one_value_everywhere, typed({"name": "Kzzup", "company": "Kzzup", "city": "Kzzup"})) is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Ann", "company": "Ann", "message": "Hello"},
        {"name": "佐藤", "fax": "特になし", "budget": "特になし", "notes": "特になし", "message": "特になし"},
        {"name": "", "message": "", "company": "", "city": ""},
    ],
    ids=["twice", "people put nothing into many fields", "empty"],
)
def test_values_that_people_repeat_are_no_evidence(fields: dict[str, str]) -> None:
    assert see(one_value_everywhere, typed(fields)) is None


def test_gibberish_in_any_text_but_the_address_is_evidence() -> None:
    assert see(gibberish, typed({"name": "HkqWJxTzvbNmRd"})) is not None
    assert see(gibberish, typed({"email": "HkqWJxTzvbNmRd@example.com", "message": "Good morning"})) is None


def test_the_sites_own_domain_is_watched_and_weighs_nothing() -> None:
    roles = Roles(site_domain="shop.example")
    named = Facts(typed=Fields({"message": "I saw https://SHOP.example and"}), roles=roles)
    assert see(site_domain_in_text, named) is not None
    assert site_domain_in_text.weight == 0
    assert see(site_domain_in_text, Facts(typed=Fields({"message": "hello"}), roles=roles)) is None
    assert see(site_domain_in_text, Facts(typed=Fields({"message": "shop.example"}))) is None


def test_what_stands_beyond_the_cut_is_not_scored() -> None:
    facts = Facts(typed=Fields({"message": "a" * 50 + "<script>"}), limits=SignalLimits(scored_characters=50))
    assert see(markup, facts) is None


HOSTILE = {
    "dots": ".a" * 10_000,
    "at signs": "a@" * 10_000,
    "consonants": "bcdfg" * 4_000,
    "consonants and codes": "bcdfghjk1" * 2_222,
    "two scripts": "aа" * 10_000,
    "two scripts in words": "aаaа " * 4_000,
    "www": "www." * 5_000,
    "schemes": "http://" * 2_857,
    "brackets": "<a[u" * 5_000,
    "styled": "𝐀𝐁a" * 6_666,
    "white space": " \n" * 10_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("signal", CONTENT, ids=[signal.name for signal in CONTENT])
def test_time_grows_no_faster_than_length(signal: Signal, kind: str) -> None:
    """Compare 20 kB with a tenth of it: a pattern that backtracks takes a hundred times as long."""
    limits, roles = SignalLimits(scored_characters=20_000), Roles(site_domain="shop.example")

    def seconds(length: int) -> float:
        text = HOSTILE[kind][:length]
        facts = Facts(typed=Fields({"name": text, "message": text}), limits=limits, roles=roles)
        took = []
        for _ in range(3):
            start = time.process_time()
            signal.rule(Submission("contact", {}), facts)
            took.append(time.process_time() - start)
        return min(took)

    assert seconds(20_000) < 40 * seconds(2_000) + 0.002


def test_the_whole_group_stays_below_rejection() -> None:
    everything = {
        "name": "https://a.example зapaбoтoк",
        "message": "<a href=x>𝐅𝐫𝐞𝐞 HkqWJxTzvbNmRd paботa " + "http://x.example " * 9,
    }
    weighed = weigh(CONTENT, Submission("contact", {}), typed(everything), composites=DEFAULT_COMPOSITES)
    assert len([hit for hit in weighed.hits if hit.strength > 0]) >= 6
    assert decide(weighed, Thresholds()) is Action.QUARANTINE
