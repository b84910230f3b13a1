"""What goes into a form."""

import jinja2
import markupsafe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.markup import Markup, render
from formwarden.page.texts import TEXTS
from formwarden.page.traps import Traps
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD
from formwarden.tokens import Tokens
from tests.page.elements import Elements


@pytest.fixture
def markup(form: GuardedForm, tokens: Tokens, traps: Traps, assets: Assets) -> Markup:
    return make(form, tokens, traps, assets)


def make(form: GuardedForm, tokens: Tokens, traps: Traps, assets: Assets, language: str = "en") -> Markup:
    return render(
        form,
        marker=tokens.mark(form.name, 2958),
        token=None if form.cacheable else tokens.issue(form.name),
        traps=traps.of(form, epoch=2958),
        assets=assets,
        language=language,
    )


def test_marker_and_token_are_hidden_fields_that_browsers_do_not_restore(markup: Markup, tokens: Tokens) -> None:
    elements = Elements(markup)
    for name in (MARKER_FIELD, TOKEN_FIELD):
        field = elements.field(name)
        assert (field["type"], field["autocomplete"]) == ("hidden", "off")
    assert tokens.read(elements.field(TOKEN_FIELD)["value"], "contact", stale_after_s=1)[1] is not None
    assert elements.field(TOKEN_FIELD)["data-fresh"] == "/_formwarden/token"


def test_a_page_without_a_token_still_has_its_field_for_the_script(
    tokens: Tokens, traps: Traps, assets: Assets
) -> None:
    form = GuardedForm("contact", cacheable=True)
    assert Elements(make(form, tokens, traps, assets)).field(TOKEN_FIELD)["value"] == ""


def test_traps_are_out_of_reach_for_people_and_their_tools(markup: Markup, form: GuardedForm, traps: Traps) -> None:
    elements = Elements(markup)
    for trap in traps.of(form, epoch=2958):
        field = elements.field(trap.name)
        assert field["type"] == trap.kind
        assert field["tabindex"] == "-1"
        assert field["autocomplete"] == "off"
    (box,) = elements.all("div")
    assert box["aria-hidden"] == "true"
    assert all("div" in around for tag, each, around in elements.found if tag == "input" and each["type"] != "hidden")


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_a_person_who_meets_a_trap_reads_what_to_do(
    language: str, form: GuardedForm, tokens: Tokens, traps: Traps, assets: Assets
) -> None:
    elements = Elements(make(form, tokens, traps, assets, language))
    words = "".join(elements.words)
    assert TEXTS[language].leave_empty in words
    assert TEXTS[language].leave_unticked in words
    labelled = [around for tag, each, around in elements.found if tag == "input" and each["type"] != "hidden"]
    assert all(around[-1] == "label" for around in labelled)


def test_nothing_is_inline_and_nothing_has_an_id(markup: Markup) -> None:
    for tag, attributes, _ in Elements(markup).found:
        assert not {"id", "for", "style", "nonce"} & set(attributes), tag
        assert not [name for name in attributes if name.startswith("on")]
    (script,) = Elements(markup).all("script")
    assert script["src"]
    assert "defer" in script


def test_nothing_in_the_markup_says_what_it_is_for(markup: Markup) -> None:
    assert not [word for word in ("honey", "trap", "bot", "spam", "guardfield") if word in markup.lower()]


def test_style_and_script_are_pinned_by_their_hash(markup: Markup, assets: Assets) -> None:
    elements = Elements(markup)
    assert elements.all("link")[0]["integrity"] == assets.guard_style.integrity
    assert elements.all("script")[0]["integrity"] == assets.guard_script.integrity


def test_g35_a_page_that_may_outlive_this_release_takes_the_file_of_the_next(
    tokens: Tokens, traps: Traps, assets: Assets
) -> None:
    elements = Elements(make(GuardedForm("contact", cacheable=True), tokens, traps, assets))
    assert "integrity" not in elements.all("link")[0]
    assert "integrity" not in elements.all("script")[0]


def test_template_engines_leave_the_markup_as_it_is(markup: Markup) -> None:
    template = jinja2.Environment(autoescape=True).from_string("<form>{{ guard }}</form>")
    assert template.render(guard=markup) == f"<form>{markup}</form>"
    assert str(markupsafe.escape(markup)) == str(markup)
    assert markup.__html__() == markup  # what Django's conditional_escape asks for


def test_what_is_added_to_the_markup_is_escaped_again(markup: Markup) -> None:
    joined = markup + "<b>"
    assert str(markupsafe.escape(joined)) != joined


@given(st.text(max_size=40))
def test_no_value_breaks_out_of_its_attribute(text: str) -> None:
    assets = Assets("/_formwarden/")
    html = render(GuardedForm("contact"), marker=text, token=text, traps=(), assets=assets, language="en")
    elements = Elements(html)
    assert [tag for tag, _, _ in elements.found] == ["link", "input", "input", "div", "script"]
    assert elements.field(MARKER_FIELD)["value"] == text


def test_the_script_knows_the_names_of_our_fields(assets: Assets) -> None:
    source = assets.guard_script.body.decode("ascii")
    for name in (MARKER_FIELD, TOKEN_FIELD, EVIDENCE_FIELD):
        assert f'"{name}"' in source
