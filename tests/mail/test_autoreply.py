import pytest

from formwarden.errors import TemplateError
from formwarden.mail.autoreply import SLOTS, AutoReply, encoded_size


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_built_in_receipt_has_a_subject_and_a_text(language: str) -> None:
    assert "$reference" in AutoReply().subject_for(language)
    assert "$reference" in AutoReply().text_for(language)
    assert AutoReply().language_for(language) == language


def test_a_language_without_a_text_gets_english() -> None:
    auto = AutoReply(text={"de": "Danke, $reference"})
    assert auto.text_for("de") == "Danke, $reference"
    assert auto.text_for("fr") == AutoReply().text_for("en")
    assert (auto.language_for("de"), auto.language_for("fr")) == ("de", "en")


def test_one_text_for_all_has_no_language_we_could_name() -> None:
    assert AutoReply(text="Merci $reference").language_for("ja") is None


@pytest.mark.parametrize("slot", ["message", "email", "Site", "fields"])
@pytest.mark.parametrize("where", ["subject", "text"])
def test_nothing_a_visitor_typed_has_a_slot(where: str, slot: str) -> None:
    with pytest.raises(TemplateError, match=f"no slot \\${slot}"):
        AutoReply(**{where: f"Hello ${{{slot}}}"})


def test_a_text_in_any_language_is_checked() -> None:
    with pytest.raises(TemplateError, match=r"no slot \$message"):
        AutoReply(text={"de": "$message"})


@pytest.mark.parametrize("slot", sorted(SLOTS))
def test_every_slot_of_ours_may_stand_in_a_text(slot: str) -> None:
    assert AutoReply(text=f"${slot}").text_for("en") == f"${slot}"


@pytest.mark.parametrize("text", ["a lone $", "$ 5", "$受付"])
def test_a_lone_dollar_sign_is_told(text: str) -> None:
    with pytest.raises(TemplateError, match=r"\$\$"):
        AutoReply(text=text)


@pytest.mark.parametrize("letter", ["\0", "\r", "\x0b", "\x0c", "\x1b", "\x85", "\u2028", "\u2029", "\ud800"])
@pytest.mark.parametrize("where", ["subject", "text"])
def test_control_characters_are_refused(where: str, letter: str) -> None:
    with pytest.raises(TemplateError, match="control characters"):
        AutoReply(**{where: f"a{letter}b"})


@pytest.mark.parametrize("subject", ["", " ", "two\nlines", "a\ttab"])
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(TemplateError, match="one line"):
        AutoReply(subject=subject)


def test_a_subject_holds_no_encoded_word() -> None:
    with pytest.raises(TemplateError, match="plain characters"):
        AutoReply(subject="=?utf-8?q?Bob=0D=0ABcc:_v@x?=")


def test_a_subject_has_at_most_150_characters() -> None:
    assert AutoReply(subject="x" * 150).subject
    with pytest.raises(TemplateError, match="at most 150"):
        AutoReply(subject="x" * 151)


@pytest.mark.parametrize(("letter", "fits"), [("x", 2_800), ("あ", 600)])
def test_a_text_that_would_exceed_four_kilobytes_is_told(letter: str, fits: int) -> None:
    assert AutoReply(text=letter * fits).text
    with pytest.raises(TemplateError, match="octets"):
        AutoReply(text=letter * fits * 2)


@pytest.mark.parametrize("language", ["", "EN", "en\r\nBcc: v@x", "english"])
def test_a_language_is_a_language_tag(language: str) -> None:
    with pytest.raises(TemplateError, match="no language"):
        AutoReply(text={language: "x"})


def test_nobody_changes_a_text_behind_the_check() -> None:
    texts = {"en": "fine"}
    auto = AutoReply(text=texts)
    texts["en"] = "$message"
    assert auto.text_for("en") == "fine"


def test_the_size_of_a_text_in_a_mail_counts_its_encoding() -> None:
    assert encoded_size("abc\n") == 6
    assert encoded_size("あ") == 4
