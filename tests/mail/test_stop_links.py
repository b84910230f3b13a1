import re

import pytest

from formwarden.mail.stop_links import VALID_DAYS, StopLinks
from formwarden.mail.verp import Verp
from formwarden.stores.ports import Key
from formwarden.tokens import Tokens
from tests.clock import MovableClock

DAY_S = 86_400.0
ANN = Key(b"\x01" + b"a" * 16)


def tokens(clock: MovableClock, *keys: str) -> Tokens:
    return Tokens(keys or ("k" * 32,), clock=clock, entropy=bytes)


def links(clock: MovableClock, *keys: str, public_url: str = "https://www.site.example") -> StopLinks:
    return StopLinks(tokens(clock, *keys), clock, public_url=public_url, prefix="/_formwarden/")


def end_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_r23_a_link_names_a_recipient_and_holds_no_address(clock: MovableClock) -> None:
    url = links(clock).url(ANN)
    assert re.fullmatch(r"https://www\.site\.example/_formwarden/stop/[a-z2-7]{56}", url)
    assert links(clock).read(end_of(url)) == ANN


def test_a_link_is_good_for_sixty_days(clock: MovableClock) -> None:
    text = end_of(links(clock).url(ANN))
    clock.move(VALID_DAYS * DAY_S)
    assert links(clock).read(text) == ANN
    clock.move(DAY_S)
    assert links(clock).read(text) is None


def test_a_link_made_before_the_keys_were_changed_is_read(clock: MovableClock) -> None:
    text = end_of(links(clock, "o" * 32).url(ANN))
    assert links(clock, "n" * 32, "o" * 32).read(text) == ANN
    assert links(clock, "n" * 32).read(text) is None


def test_a_return_path_is_no_link_and_a_link_no_return_path(clock: MovableClock) -> None:
    path = Verp(tokens(clock)).make(ANN, clock.now())
    assert links(clock).read(path.removeprefix("bounce+")) is None
    assert Verp(tokens(clock)).read("bounce+" + end_of(links(clock).url(ANN)), clock.now()) is None


@pytest.mark.parametrize("text", ["", "x", "a" * 56, "a" * 81, "../", "\0"])
def test_what_is_no_link_of_ours_names_nobody(text: str, clock: MovableClock) -> None:
    assert links(clock).read(text) is None


@pytest.mark.parametrize(
    ("public_url", "base"),
    [
        ("https://site.example/", "https://site.example"),
        ("https://site.example/shop/?x=1#y", "https://site.example/shop"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_g30_a_link_begins_as_the_setting_says(public_url: str, base: str, clock: MovableClock) -> None:
    assert links(clock, public_url=public_url).url(ANN).startswith(f"{base}/_formwarden/stop/")
