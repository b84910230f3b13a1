"""What the tests of the page share: tokens with fixed keys, and a form."""

import itertools

import pytest

from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.traps import Traps
from formwarden.tokens import Tokens
from tests.browser import browser
from tests.clock import MovableClock

__all__ = ["browser"]


@pytest.fixture
def tokens(clock: MovableClock) -> Tokens:
    numbers = itertools.count(1)
    return Tokens(["new key", "old key"], clock=clock, entropy=lambda size: next(numbers).to_bytes(size, "big"))


@pytest.fixture
def traps(tokens: Tokens) -> Traps:
    return Traps(tokens)


@pytest.fixture
def form() -> GuardedForm:
    return GuardedForm("contact", path="/contact")


@pytest.fixture(scope="session")
def assets() -> Assets:
    return Assets("/_formwarden/")
