"""What our pages say."""

from dataclasses import fields

import pytest

from formwarden.forms import GuardedForm
from formwarden.page.texts import CAUSES, TEXTS, AskCause, ask_cause, ask_reason, labels, texts_for
from formwarden.signals.defaults import DEFAULT_SIGNALS

LANGUAGES = sorted(TEXTS)


def test_every_signal_that_asks_has_a_cause_to_tell() -> None:
    assert set(CAUSES) == {signal.name for signal in DEFAULT_SIGNALS if signal.asks}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_has_its_sentence(language: str) -> None:
    reasons = TEXTS[language].reasons
    assert set(reasons) == set(AskCause)
    assert len(set(reasons.values())) == len(reasons)
    slots = [cause for cause, text in reasons.items() if "{" in text]
    assert slots == [AskCause.ADDRESS]


def test_both_languages_say_the_same_things() -> None:
    english, japanese = TEXTS["en"], TEXTS["ja"]
    assert set(english.errors) == set(japanese.errors) == {400, 408, 413, 415, 429, 503}
    for field in fields(english):
        assert type(getattr(english, field.name)) is type(getattr(japanese, field.name))
        assert getattr(english, field.name) != getattr(japanese, field.name)


def test_a_language_we_do_not_have_is_english() -> None:
    assert texts_for("fr") is TEXTS["en"]


@pytest.mark.parametrize(
    ("signals", "cause"),
    [
        (("token_stale",), AskCause.STALE),
        (("token_rotated",), AskCause.STALE),
        (("too_young", "urls"), AskCause.TOO_YOUNG),
        (("token_stale", "address_undeliverable"), AskCause.ADDRESS),
        (("token_tampered", "too_young"), AskCause.TAMPERED),
        (("urls",), AskCause.OTHER),
        ((), AskCause.OTHER),
    ],
)
def test_the_most_telling_cause_is_told(signals: tuple[str, ...], cause: AskCause) -> None:
    assert ask_cause(signals) is cause


def test_g32_a_cross_site_post_is_told_before_anything_that_shows_what_was_typed() -> None:
    assert ask_cause(("address_undeliverable", "cross_site_stale_page")) is AskCause.CROSS_SITE


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_doubted_address_is_shown_in_the_reason(language: str) -> None:
    assert "a{address}@example.com" in ask_reason(AskCause.ADDRESS, language, address="a{address}@example.com")
    assert ask_reason(AskCause.ADDRESS, language) == TEXTS[language].reasons[AskCause.OTHER]
    assert "example" not in ask_reason(AskCause.STALE, language, address="a@example.com")


@pytest.mark.parametrize("language", LANGUAGES)
def test_g22_no_page_says_not_sent_and_nothing_more(language: str) -> None:
    texts = TEXTS[language]
    assert texts.not_lost
    assert texts.send
    assert all(remedy for _, remedy in (*texts.errors.values(), texts.error_else))


NOT_SENT = ("not sent", "was not received", "送信できません", "送信されません", "送信されていません")
WAYS = ("Please", "please", "ください")  # each of our pages tells what to do next


@pytest.mark.parametrize("language", LANGUAGES)
def test_g22_whoever_is_stopped_or_asked_is_told_what_to_do(language: str) -> None:
    texts = TEXTS[language]
    told = [(texts.ask_title, *texts.reasons.values(), texts.not_lost)]
    told += [(texts.reject_title, texts.reject_text, way) for way in (texts.reject_contact, texts.reject_no_contact)]
    told += [*texts.errors.values(), texts.error_else]
    for words in map(" ".join, told):
        assert not [phrase for phrase in NOT_SENT if phrase in words]
        assert [way for way in WAYS if way in words]


def test_known_fields_bear_names_for_people() -> None:
    form = GuardedForm("contact", address="mail", person="who", message=("text", "more"))
    assert labels(form, "en") == {"mail": "Email", "who": "Name", "text": "Message", "more": "Message"}
