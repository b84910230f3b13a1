import pytest

from formwarden.errors import TemplateError
from formwarden.mail.autoreply import SLOTS, AutoReply, encoded_size
from formwarden.mail.wording import MINIMAL


def saying(where: str, text: str) -> AutoReply:
    match where:
        case "subject":
            return AutoReply(subject=text)
        case "minimal":
            return AutoReply(minimal=text)
    return AutoReply(text=text)


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
        saying(where, f"Hello ${{{slot}}}")


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
        saying(where, f"a{letter}b")


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


# ------------------------------------------------------------------------------------------ the name slot (section 5)
@pytest.mark.parametrize("what", ["text", "minimal"])
def test_the_name_slot_is_off_unless_it_is_switched_on(what: str) -> None:
    with pytest.raises(TemplateError, match=r"reply \w+: no slot \$name; .* AutoReply\(name=True\) switches it on"):
        saying(what, "Hello $name,")
    assert AutoReply(text="Hello $name,", name=True).slots("fr") == 1
    assert "$name" not in AutoReply().text_for("en") + AutoReply().text_for("ja")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_built_in_text_greets_where_it_is_on(language: str) -> None:
    assert AutoReply(name=True).slots(language) == 1
    assert AutoReply().slots(language) == 0


def test_r15_no_header_carries_a_name() -> None:
    with pytest.raises(TemplateError, match=r"reply subject: no slot \$name; no header carries"):
        AutoReply(subject="For $name", name=True)


@pytest.mark.parametrize(
    "text",
    [
        *("www.$name", "https://site.example/?$name", "@$name", "x-$name"),
        *("$name/x", "${name}com", "$name.com", "$name@x"),
    ],
)
def test_nothing_makes_a_link_or_another_word_of_a_name(text: str) -> None:
    with pytest.raises(TemplateError, match="makes a link or a word of a name"):
        AutoReply(text=text, name=True)


@pytest.mark.parametrize("text", ["Hello $name.", "$name,", "($name)", "「$name」", "$name: hello", "$$name $name"])
def test_a_name_may_stand_in_a_sentence(text: str) -> None:
    assert AutoReply(text=text, name=True).slots("en") == 1


@pytest.mark.parametrize("text", ["$name 様、ありがとう", "${name}さん、ありがとう", "$name　様へ"])
def test_a_second_honorific_is_told(text: str) -> None:
    with pytest.raises(TemplateError, match="brings its 様 itself"):
        AutoReply(text={"ja": text}, name=True)


def test_the_minimal_text_is_the_built_in_one_only_in_place_of_the_built_in_one() -> None:
    assert AutoReply(name=True).minimal_for("ja") == MINIMAL["ja"]
    own = AutoReply(text={"de": "Hallo $name, danke."}, name=True)
    assert own.minimal_for("de") == own.text_for("de")
    assert own.minimal_for("en") == own.minimal_for("fr") == MINIMAL["en"]
    assert AutoReply(text="Merci $name", minimal="Merci", name=True).minimal_for("ja") == "Merci"
    assert AutoReply(text={"de": "Hallo $name"}, minimal={"de": "Danke"}, name=True).minimal_for("de") == "Danke"
    assert AutoReply(text={"en": "Hi $name"}, name=True).minimal_for("fr") == "Hi $name"


def test_every_language_that_has_words_is_checked() -> None:
    auto = AutoReply(subject={"de": "x"}, text={"fr": "x"}, minimal={"pt-BR": "x"})
    assert auto.languages == ("de", "en", "fr", "ja", "pt-BR")
    with pytest.raises(TemplateError, match="no language"):
        AutoReply(minimal={"wxyz": "x"})


def test_r17_whatever_a_visitor_could_type_is_tried_at_construction() -> None:
    with pytest.raises(TemplateError, match=r"reply text \(en\): a URL that a visitor typed would stand there"):
        AutoReply(text="an owner who writes fwcanary himself looks as if he let it through")
