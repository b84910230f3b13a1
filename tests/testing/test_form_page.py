"""Forms as programs read them, and what the script's protocol makes of a visit."""

import hashlib
import json

from formwarden.testing.personas.drawing import Draw
from formwarden.testing.personas.evidence import Hands, solved, written
from formwarden.testing.personas.form_page import Role, read_page
from formwarden.testing.personas.visit import written_into

HTML = """
<form action="/search"><input name="q"></form>
<form method="POST" action="/write?x=1&amp;y=2">
 <input type="hidden" name="csrf" value="a&quot;b" data-fresh="/f">
 <div aria-hidden="true"><label>Message <input name="message_2"></label></div>
 <label for="who">Ihr Name / お名前</label><input id="who" name="f1">
 <label>Mail address <input name="f2" autocomplete="email"></label>
 <textarea name="f3">
Dear </textarea>
 <select name="topic" required><option value="">choose<option value="r">repair</select>
 <input type="checkbox" name="terms" required> <input type="checkbox" name="news" checked value="1">
 <button name="go" value="1">Send</button>
"""


def test_a_form_is_read_by_labels_types_and_attributes_though_its_html_is_open() -> None:
    form = read_page(HTML, "https://shop.example/contact").form
    assert form is not None
    assert form.url == "https://shop.example/write?x=1&y=2"
    roles = {each.name: each.role for each in form.fields if each.role is not Role.NONE}
    assert roles == {"f1": Role.PERSON, "f2": Role.ADDRESS, "f3": Role.MESSAGE}
    expected = {"csrf": 'a"b', "message_2": "", "f1": "", "f2": "", "f3": "Dear ", "topic": "", "news": "1"}
    assert dict(form.untouched()) == expected


def test_a_person_fills_what_is_asked_and_required_and_never_what_is_hidden() -> None:
    form = read_page(HTML, "https://shop.example/contact").form
    assert form is not None
    values = written_into(form, Draw(1).visitor())
    assert set(values) == {"f1", "f2", "f3", "topic", "terms"}
    assert (values["topic"], values["terms"]) == ("r", "on")


def test_a_page_that_only_searches_has_no_form_to_write_into() -> None:
    assert read_page('<form action="/search"><input name="message"></form>', "https://shop.example/").form is None


def test_evidence_is_bound_to_the_end_of_the_token_and_holds_the_answer_to_its_work() -> None:
    token = "1.key.payload.0123456789abcdef"
    digest = hashlib.sha256(b"0123456789abcdef&37").hexdigest()
    seen = json.loads(written(Hands(keys=9), token, f"100.{digest}"))
    assert (seen["t"], seen["k"], seen["n"]) == ("0123456789abcdef", 9, 37)
    assert "n" not in json.loads(written(Hands(), token))
    assert solved(token, f"36.{digest}") is None
