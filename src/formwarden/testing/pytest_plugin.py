"""Fixtures for the test suite of a site: `pytest_plugins = ["formwarden.testing.pytest_plugin"]` in its conftest.py.

`guarded(client, "contact")` opens the page of a form, fills it in as a person would, lets the time of writing pass,
and returns what to post. `formwarden_clock` is the clock to hand to the warden under test.
"""

from collections.abc import Callable, Mapping

import pytest

from formwarden.testing.movable_clock import Clock
from formwarden.testing.personas.drawing import ENGLISH, Draw
from formwarden.testing.personas.people import typed as typing
from formwarden.testing.personas.scene import Client
from formwarden.testing.personas.visit import Visit, written_into

Guarded = Callable[..., dict[str, str]]


@pytest.fixture
def formwarden_clock() -> Clock:
    """Give a clock that stands still: `Warden(..., clock=formwarden_clock)`; `formwarden_clock.move(60)` moves it."""
    return Clock()


@pytest.fixture
def guarded(formwarden_clock: Clock, request: pytest.FixtureRequest) -> Guarded:
    """Give a function that fills in a guarded form and returns the fields to post.

    `guarded(client, "contact", typed={"email": "taro@example.com"})`: the second is the path of the page, with or
    without its slash, and `typed` replaces what is drawn. The same test draws the same every time.
    """
    draw = Draw(request.node.nodeid, languages=(ENGLISH,))

    def fill(client: Client, page: str, *, typed: Mapping[str, str] | None = None) -> dict[str, str]:
        visitor = draw.visitor()
        shown = Visit(client, visitor).open(f"/{page.lstrip('/')}")
        hands, seconds = typing(draw, visitor, shown.form)
        formwarden_clock.move(seconds)
        values = written_into(shown.form, visitor) | dict(typed or {})
        return dict((*shown.filled(values), *shown.evidence(hands)))

    return fill
