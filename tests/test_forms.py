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
