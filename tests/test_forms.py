"""Guarded forms are wrong at construction or not at all."""

import pytest

from formwarden.forms import FormLimits, GuardedForm
from formwarden.submission import MARKER_FIELD


def test_a_form_needs_only_a_name() -> None:
    form = GuardedForm("contact")
    assert (form.path, form.address, form.person, form.message) == ((), "email", "name", ("message",))
    assert form.methods == frozenset({"POST"})
    assert form.limits == FormLimits()
    assert (form.mode, form.reply, form.thresholds) == (None, None, None)


def test_one_path_or_several_and_one_message_field_or_several() -> None:
    form = GuardedForm("contact", "/contact", message="text", methods=("post", "put"))
    assert (form.path, form.message, form.methods) == (("/contact",), ("text",), frozenset({"POST", "PUT"}))
    assert GuardedForm("contact", ("/a", "/b"), message=("a", "b")).path == ("/a", "/b")


@pytest.mark.parametrize("name", ["", "a\nb", "a\0", "\ud800"])
def test_a_name_that_cannot_be_printed_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name is needed"):
        GuardedForm(name)


def test_paths_begin_with_a_slash() -> None:
    with pytest.raises(ValueError, match="'contact' must start with '/'"):
        GuardedForm("form", "contact")
    with pytest.raises(ValueError, match="must start with '/'"):
        GuardedForm("form", thanks="https://example.com/thanks")


@pytest.mark.parametrize("role", ["address", "person", "message"])
def test_a_field_cannot_bear_one_of_our_names(role: str) -> None:
    fields = {"address": "email", "person": "name", "message": "message"} | {role: MARKER_FIELD}
    with pytest.raises(ValueError, match="is ours"):
        GuardedForm("form", address=fields["address"], person=fields["person"], message=fields["message"])


def test_roles_tell_signals_what_the_fields_mean() -> None:
    roles = GuardedForm("form", address="mail", person="who", message="text").roles("example.com")
    assert (roles.address, roles.person, roles.message, roles.site_domain) == (
        "mail",
        "who",
        ("text",),
        "example.com",
    )


def test_one_method_or_several() -> None:
    assert GuardedForm("contact", methods="put").methods == frozenset({"PUT"})


@pytest.mark.parametrize(
    ("methods", "named"), [("get", "GET"), (("POST", "HEAD", "OPTIONS"), "HEAD, OPTIONS"), ((), "none at all")]
)
def test_a_form_cannot_be_sent_by_a_method_that_reads(methods: str | tuple[str, ...], named: str) -> None:
    with pytest.raises(ValueError, match=f"'contact': methods send the form, .*; not {named}$"):
        GuardedForm("contact", methods=methods)


def test_what_quarantine_means_is_one_of_two_words() -> None:
    assert GuardedForm("contact").on_quarantine is None  # as in the settings
    assert GuardedForm("contact", on_quarantine="challenge").on_quarantine == "challenge"
    with pytest.raises(ValueError, match="on_quarantine is 'thank' or 'challenge'; not 'ask'"):
        GuardedForm("contact", on_quarantine="ask")  # type: ignore[arg-type]  # a slip of the fingers
