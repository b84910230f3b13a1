"""Markup under real template engines: it stays itself, and what is typed beside it does not."""

import pytest
from django.conf import settings
from django.template import Context, Engine
from jinja2 import Environment
from markupsafe import escape

from formwarden import GuardedForm, Markup, Settings, Warden

TYPED = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def guard() -> Markup:
    only = Settings.only(secret_keys="k" * 40, store_url="memory://")
    return Warden(GuardedForm("contact", path="/contact"), settings=only).markup("contact")


def test_jinja2_with_autoescape_leaves_it_alone(guard: Markup) -> None:
    template = Environment(autoescape=True).from_string("{{ guard }}|{{ typed }}")
    shown = template.render(guard=guard, typed=TYPED)
    assert shown == f"{guard}|{escape(TYPED)}"


def test_django_leaves_it_alone(guard: Markup) -> None:
    if not settings.configured:
        settings.configure()
    shown = Engine().from_string("{{ guard }}|{{ typed }}").render(Context({"guard": guard, "typed": TYPED}))
    assert shown == f"{guard}|&lt;script&gt;alert(1)&lt;/script&gt;"
