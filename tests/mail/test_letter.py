import pytest

from formwarden.mail.autoreply import SAMPLE, AutoReply
from formwarden.mail.letter import Letter, letter
from formwarden.mail.wording import MINIMAL

LINK = "https://site.example/_formwarden/stop/abc"


def said(auto: AutoReply, language: str = "en", *, person: str = "", stop: str | None = None) -> Letter:
    return letter(auto, language, SAMPLE, person=person, stop=stop)


@pytest.mark.parametrize(
    ("language", "person", "greeting"),
    [
        ("en", "Bob", "Hello Bob,\n"),
        ("en", "", "Hello,\n"),
        ("en", "   ", "Hello,\n"),
        ("ja", "山田　太郎", "山田 太郎 様\n"),
        ("ja", "", "お客様\n"),
    ],
)
def test_a_name_stands_where_its_slot_is_and_nobodys_greeting_else(language: str, person: str, greeting: str) -> None:
    written = said(AutoReply(name=True), language, person=person)
    assert written.text.startswith(greeting)
    assert not written.stripped


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("person", ["https://evil.test", "www evil test", "می\u200cخواهم", "\u202eBob", "x" * 10_000])
def test_row_12_where_a_name_was_dropped_the_minimal_text_is_sent(language: str, person: str) -> None:
    written = said(AutoReply(name=True), language, person=person)
    assert written.stripped
    assert written.name is None
    assert written.text == MINIMAL[language].replace("$site", "site").replace("$reference", "FW-1").replace(
        "$received", "today"
    )


def test_an_owners_text_goes_without_the_name_then() -> None:
    auto = AutoReply(text="Guten Tag $name,\n$reference", name=True)
    assert said(auto, person="Bob").text == "Guten Tag Bob,\nFW-1"
    dropped = said(auto, person="www evil test")
    assert (dropped.text, dropped.stripped, dropped.language) == ("Guten Tag,\nFW-1", True, None)


def test_one_text_for_all_is_japanese_by_its_letters() -> None:
    auto = AutoReply(text="$name、ありがとうございます。", name=True)
    assert said(auto, person="山田").text == "山田 様、ありがとうございます。"
    assert said(auto).text == "お客様、ありがとうございます。"


@pytest.mark.parametrize("person", ["Bob", "https://evil.test", ""])
def test_without_the_slot_a_name_is_not_read_at_all(person: str) -> None:
    assert said(AutoReply(), person=person) == said(AutoReply())
    own = AutoReply(text="Thanks", name=True)
    assert said(own, person=person) == said(own)


def test_a_name_is_no_template() -> None:
    assert "$" not in said(AutoReply(text="Hello $name", name=True), person="$reference").text


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "No more automatic mail to this address:"),
        ("ja", "今後このアドレスに自動返信が不要な場合は、次のページで停止できます。"),
    ],
)
def test_r23_the_last_line_is_the_link_to_stop_such_mails(language: str, line: str) -> None:
    assert said(AutoReply(), language, stop=LINK).text.endswith(f"\n\n{line}\n{LINK}\n")
    assert said(AutoReply(name=True), language, person="//", stop=LINK).text.endswith(f"{line}\n{LINK}\n")


def test_in_a_language_without_a_sentence_of_ours_the_link_is_named_in_one_word() -> None:
    assert said(AutoReply(text={"de": "Danke"}), "de", stop=LINK).text == f"Danke\n\nStop: {LINK}\n"
    assert said(AutoReply(text="Merci"), "ja", stop=LINK).text == f"Merci\n\nStop: {LINK}\n"
    assert LINK in said(AutoReply(text="ありがとうございます"), "en", stop=LINK).text.splitlines()


def test_without_a_link_nothing_is_said_of_it() -> None:
    assert "http" not in said(AutoReply()).text
