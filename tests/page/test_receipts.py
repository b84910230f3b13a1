"""Receipt numbers and the links that show a copy."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.entropy import system_entropy
from formwarden.page.receipts import ReceiptLinks, receipt_number
from formwarden.tokens import Tokens
from tests.clock import MovableClock

ID = bytes(range(16))


@pytest.fixture
def links(tokens: Tokens, clock: MovableClock) -> ReceiptLinks:
    return ReceiptLinks(tokens, clock, 30)


@given(st.binary(min_size=5, max_size=40))
def test_a_receipt_number_can_be_read_aloud(id_: bytes) -> None:
    assert re.fullmatch(r"FW-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", receipt_number(id_))


def test_a_receipt_number_is_the_beginning_of_the_id() -> None:
    assert receipt_number(bytes(16)) == "FW-0000-0000"
    assert receipt_number(b"\xff" * 16) == "FW-ZZZZ-ZZZZ"
    assert receipt_number(b"\x00\x00\x00\x00\x01" + bytes(11)) == "FW-0000-0001"
    assert receipt_number(ID) == receipt_number(ID[:5])


def test_an_id_that_is_too_short_has_no_number() -> None:
    with pytest.raises(ValueError, match="longer"):
        receipt_number(b"four")


@pytest.mark.parametrize(
    ("thanks", "expected"),
    [
        ("/thanks", "/thanks?receipt=§"),
        ("/thanks?lang=ja", "/thanks?lang=ja&receipt=§"),
        ("/thanks?a=1&a=%20#top", "/thanks?a=1&a=%20&receipt=§#top"),
        ("/", "/?receipt=§"),
    ],
)
def test_g29_the_address_of_the_thanks_page_keeps_what_it_has(
    links: ReceiptLinks, thanks: str, expected: str
) -> None:
    before, _, after = expected.partition("§")
    url = links.url(thanks, ID)
    assert url.startswith(before)
    assert url.endswith(after)
    assert links.read(url.partition("?")[2].partition("#")[0]) == ID


def test_g29_a_receipt_is_valid_for_thirty_minutes(links: ReceiptLinks, clock: MovableClock) -> None:
    query = links.url("/thanks", ID).partition("?")[2]
    clock.move(30 * 60)
    assert links.read(query) == ID
    clock.move(1)
    assert links.read(query) is None


@given(data=st.data())
def test_g29_a_receipt_with_any_one_character_changed_shows_nothing(data: st.DataObject) -> None:
    clock = MovableClock()
    links = ReceiptLinks(Tokens(["key"], clock=clock, entropy=system_entropy), clock, 30)
    query = links.url("/thanks", ID).partition("?")[2]
    place = data.draw(st.integers(0, len(query) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_.=&").filter(lambda letter: letter != query[place]))
    assert links.read(query[:place] + letter + query[place + 1 :]) is None


def test_two_receipts_in_one_address_show_nothing(links: ReceiptLinks) -> None:
    query = links.url("/thanks", ID).partition("?")[2]
    assert links.read(f"{query}&{query}") is None


@pytest.mark.parametrize("query", ["", "receipt", "receipt=", "x=1", "&&", "receipt=1.2.3.4"])
def test_other_queries_hold_no_receipt(links: ReceiptLinks, query: str) -> None:
    assert links.read(query) is None


def test_a_token_of_a_form_is_no_receipt(links: ReceiptLinks, tokens: Tokens) -> None:
    assert links.read(f"receipt={tokens.issue('contact')}") is None
    assert links.read(f"receipt={tokens.seal('receipt', b'short')}") is None
