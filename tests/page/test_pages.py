"""The pages a visitor may meet."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.forms import AskPage, GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.pages import OurPages, problem
from formwarden.page.texts import TEXTS
from formwarden.submission import Answer, Fields
from tests.page.elements import Elements

ASSETS = Assets("/_formwarden/")
FORM = GuardedForm("contact")
PAGES = OurPages(ASSETS, site_name="Aoba & Co.")
TYPED = Fields({"name": "青葉 花子", "email": "hanako@example.com", "message": "一行目\r\n二行目"})
HOSTILE = ("<script>", "</dd>", '"', "'", "&lt;", "&#60;", "<!--", "-->", "]]>", "</form>", "<a href=x>", "\0", "=")
TEXT = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), max_size=5).map("".join)


def asked(
    shown: Fields = TYPED,
    hidden: Fields | None = None,
    *,
    reason: str = "Because.",
    files: tuple[str, ...] = (),
    language: str = "en",
) -> AskPage:
    return AskPage(
        form="contact",
        reason=reason,
        shown=shown,
        hidden=shown if hidden is None else hidden,
        files=files,
        markup='<input type="hidden" name="_fw_token" value="fresh">',
        language=language,
    )


PAGE_NAMES = ("ask", "ask for the address", "thanks", "reject", "named", "stop", "stopped")


def read(answer: Answer) -> Elements:
    return Elements(answer.body.decode())


def every_page(text: str, language: str = "en") -> dict[str, Answer]:
    typed = Fields({"email": text, "message": text, "other": text})
    page = asked(typed, reason=text, files=(text,), language=language)
    return {
        "ask": PAGES.ask(page, FORM),
        "ask for the address": PAGES.ask(page, FORM, correct_address=True),
        "thanks": PAGES.thanks(text, typed, FORM, language),
        "reject": PAGES.reject(text, text, language),
        "named": OurPages(ASSETS, site_name=text).error(400, language),
        "stop": PAGES.stop(language),
        "stopped": PAGES.stopped(language),
    }


def suggesting(suggestion: str | None, shown: Fields = TYPED) -> Answer:
    return PAGES.ask(replace(asked(shown, TYPED), suggestion=suggestion), FORM, correct_address=True)


def test_the_address_that_was_probably_meant_is_one_click_away_in_a_form_of_its_own() -> None:
    body = suggesting("hanako@gmail.com").body.decode()
    first, second = body.split("</form>")[:2]
    assert Elements(first[first.index("<form") :] + "</form>").shape[0][0] == "form"
    fields = [
        (field["name"], field["value"]) for field in Elements(first[first.index("<form") :] + "</form>").all("input")
    ]
    others = [(name, value) for name, value in TYPED.pairs if name != "email"]
    assert sorted(map(str, fields)) == sorted(
        map(str, [*others, ("email", "hanako@gmail.com"), ("_fw_token", "fresh")])
    )
    assert "Did you mean this address?" in first
    assert "hanako@example.com" in second
    assert body.count("_fw_token") == 2


def test_without_a_guess_or_where_nothing_may_be_displayed_there_is_one_form() -> None:
    for answer in (suggesting(None), suggesting("hanako@gmail.com", Fields())):
        assert len(read(answer).all("form")) == len(read(answer).all("button")) == 1


def test_help_stands_at_the_address_and_is_read_with_it() -> None:
    elements = read(suggesting(None))
    assert [around[-1] for tag, _, around in elements.found if tag == "small"] == ["label"]
    assert "Please check that your address is written correctly." in elements.text


@given(TEXT.filter(str.strip))
def test_a_suggestion_becomes_no_element_or_attribute(text: str) -> None:
    assert read(suggesting(text)).shape == read(suggesting("plain")).shape


@given(TEXT.filter(str.strip))
def test_nothing_typed_becomes_an_element_or_an_attribute(text: str) -> None:
    plain = every_page("plain")
    for name, answer in every_page(text).items():
        assert read(answer).shape == read(plain[name]).shape, name


@given(st.dictionaries(TEXT.filter(bool), TEXT, max_size=4))
def test_what_was_typed_is_posted_again_unchanged(values: dict[str, str]) -> None:
    typed = Fields({name: value for name, value in values.items() if name != "_fw_token"})
    elements = read(PAGES.ask(asked(Fields(), typed), FORM))
    again = [(field["name"], field["value"]) for field in elements.all("input") if field["name"] != "_fw_token"]
    assert again == list(typed.pairs)


def test_line_ends_in_hidden_fields_are_written_so_that_parsers_keep_them() -> None:
    body = PAGES.ask(asked(), FORM).body.decode()
    assert "一行目&#13;&#10;二行目" in body


def test_half_a_surrogate_pair_breaks_no_page() -> None:
    assert all(answer.body for answer in every_page("a\ud800b").values())


@pytest.mark.parametrize("page", PAGE_NAMES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_g29_no_page_holds_a_link_or_is_kept_or_indexed(page: str, language: str) -> None:
    answer = every_page("https://example.com/ 03-1234-5678 a@example.com", language)[page]
    elements = read(answer)
    assert not elements.all("a")
    assert not elements.all("img")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    metas = {meta.get("name"): meta.get("content") for meta in elements.all("meta")}
    assert metas["robots"] == "noindex"
    assert "telephone=no" in (metas["format-detection"] or "")  # phones make links of what looks like a number


@pytest.mark.parametrize("page", PAGE_NAMES)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_page_can_be_read_by_everybody(page: str, language: str) -> None:
    elements = read(every_page("plain", language)[page])
    assert elements.all("html") == [{"lang": language}]
    assert len(elements.all("h1")) == len(elements.all("main")) == len(elements.all("title")) == 1
    assert any(meta.get("name") == "viewport" for meta in elements.all("meta"))
    for tag, attributes, around in elements.found:
        assert not {"style", "id"} & set(attributes)
        if tag == "input" and attributes["type"] != "hidden":
            assert around[-1] == "label"


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_the_content_policy_lets_our_style_sheet_pass_and_little_else(page: str) -> None:
    answer = every_page("plain")[page]
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["base-uri"] == "'none'"
    assert policy["form-action"] == ("'self'" if page.startswith("ask") or page == "stop" else "'none'")
    assert policy.get("script-src") == ("'self'" if page.startswith("ask") else None)
    (style,) = read(answer).all("link")
    assert (style["href"], style["integrity"]) == (ASSETS.page_style.url, ASSETS.page_style.integrity)


def test_the_page_that_asks_posts_to_the_same_address_with_one_button() -> None:
    elements = read(PAGES.ask(asked(), FORM))
    assert elements.all("form") == [{"method": "post", "accept-charset": "utf-8", "novalidate": None}]
    assert [button["type"] for button in elements.all("button")] == ["submit"]
    assert elements.field("_fw_token")["value"] == "fresh"


def test_the_page_that_asks_lets_browsers_name_their_origin() -> None:
    assert PAGES.ask(asked(), FORM).headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_that_asks_says_why_shows_what_was_typed_and_that_nothing_is_lost(language: str) -> None:
    answer = PAGES.ask(asked(reason="Darum.", files=("plan.pdf",), language=language), FORM)
    text = read(answer).text
    assert answer.status == 200
    for words in ("Darum.", "青葉 花子", "hanako@example.com", "二行目", "plan.pdf"):
        assert words in text
    for words in (TEXTS[language].not_lost, TEXTS[language].files_kept, TEXTS[language].send):
        assert words in text
    assert "Aoba & Co." in text


def test_g32_where_nothing_may_be_shown_fields_are_hidden_only() -> None:
    answer = PAGES.ask(asked(Fields(), TYPED), FORM, correct_address=True)
    elements = read(answer)
    assert "hanako" not in elements.text
    assert elements.field("email") == {"type": "hidden", "name": "email", "value": "hanako@example.com"}
    assert not elements.all("dl")


def test_a_doubted_address_can_be_corrected_and_is_sent_once() -> None:
    elements = read(PAGES.ask(asked(), FORM, correct_address=True))
    field = elements.field("email")
    assert (field["type"], field["value"]) == ("email", "hanako@example.com")
    assert "hanako" not in elements.text


def test_of_several_addresses_none_is_dropped() -> None:
    typed = Fields([("email", "a@example.com"), ("email", "b@example.com")])
    elements = read(PAGES.ask(asked(typed), FORM, correct_address=True))
    assert [each["value"] for each in elements.all("input") if each["name"] == "email"] == list(typed.all("email"))
    assert {each["type"] for each in elements.all("input")} == {"hidden"}


def test_what_nobody_wrote_is_posted_again_but_not_shown() -> None:
    typed = Fields({"csrfmiddlewaretoken": "3f9a", "_method": "put", "note": " ", "utm_source": "mail", "size": "0"})
    elements = read(PAGES.ask(asked(typed), FORM))
    assert elements.field("csrfmiddlewaretoken")["value"] == "3f9a"
    assert not [word for word in ("3f9a", "put", "mail", "note") if word in elements.text]
    assert "size" in elements.text


@pytest.mark.parametrize("language", ["en", "ja"])
def test_g29_the_thanks_page_shows_receipt_and_copy(language: str) -> None:
    answer = PAGES.thanks("FW-7K3M-9QXD", TYPED, FORM, language)
    text = read(answer).text
    assert answer.status == 200
    for words in ("FW-7K3M-9QXD", "青葉 花子", "二行目", TEXTS[language].thanks_title):
        assert words in text


def test_a_refused_person_gets_a_receipt_and_another_way() -> None:
    answer = PAGES.reject("FW-7K3M-9QXD", "03-1234-5678", "ja")
    assert answer.status == 403
    text = read(answer).text
    assert "FW-7K3M-9QXD" in text
    assert "03-1234-5678" in text
    assert TEXTS["en"].reject_no_contact in read(PAGES.reject("FW-7K3M-9QXD", None, "en")).text


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("status", [400, 408, 413, 415, 503])
def test_an_error_says_what_happened_and_what_to_do(status: int, language: str) -> None:
    answer = PAGES.error(status, language)
    assert answer.status == status
    assert all(words in read(answer).text for words in TEXTS[language].errors[status])
    assert answer.headers.get("retry-after") == ("60" if status == 503 else None)


def test_an_error_nobody_thought_of_still_has_a_page() -> None:
    answer = PAGES.error(418, "en")
    assert answer.status == 418
    assert TEXTS["en"].error_else[0] in read(answer).text


def test_a_site_without_a_name_has_no_empty_line() -> None:
    assert 'class="site"' not in OurPages(ASSETS).error(400, "en").body.decode()


@pytest.mark.parametrize("language", ["en", "ja"])
def test_r23_the_page_that_stops_mails_is_one_button_for_the_same_address(language: str) -> None:
    elements = read(PAGES.stop(language))
    assert elements.all("form") == [{"method": "post", "accept-charset": "utf-8", "novalidate": None}]
    assert elements.all("button") == [{"type": "submit"}]
    assert not elements.all("input")
    assert not read(PAGES.stopped(language)).all("form")
    assert TEXTS[language].stopped_text in PAGES.stopped(language).body.decode()


def test_problem_details_are_those_of_rfc_9457() -> None:
    answer = problem(409, "One more click", "もう一度", "FW-7K3M-9QXD", "token")
    assert answer.status == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "One more click",
        "status": 409,
        "detail": "もう一度",
        "receipt": "FW-7K3M-9QXD",
        "token": "token",
    }


def test_problem_details_leave_out_what_is_not_known() -> None:
    assert json.loads(problem(400, "a", "b").body) == {
        "type": "about:blank",
        "title": "a",
        "status": 400,
        "detail": "b",
    }
