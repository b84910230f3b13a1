"""Who gets a token into a page."""

from collections.abc import Callable

import pytest

from formwarden.facts import MarkerOutcome
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.context import PageRequest
from formwarden.page.issuing import ISSUE_WINDOW_S, NETWORKS, IssueLimit, Issuer
from formwarden.page.traps import Traps
from formwarden.stores.ports import Key
from formwarden.submission import MARKER_FIELD, TOKEN_FIELD, Client
from formwarden.tokens import Tokens
from tests.clock import MovableClock
from tests.page.elements import Elements

NEIGHBOURS = (Client.parse("192.0.2.7"), Client.parse("192.0.2.8"))
STRANGER = Client.parse("198.51.100.7")
SHARE = 3


def network_key(client: Client) -> tuple[Key, ...]:
    return (Key(b"\x01" + (client.network or b"").ljust(16, b"\0")),) if client.network else ()


@pytest.fixture
def issuer(tokens: Tokens, traps: Traps, assets: Assets, clock: MovableClock) -> Issuer:
    return Issuer(
        tokens=tokens,
        traps=traps,
        assets=assets,
        networks_of=network_key,
        limit=IssueLimit(clock, SHARE),
        clock=clock,
    )


@pytest.fixture
def token_in(issuer: Issuer, form: GuardedForm) -> Callable[[PageRequest | None], str]:
    def read(page: PageRequest | None) -> str:
        return Elements(issuer.markup(form, page)).field(TOKEN_FIELD)["value"] or ""

    return read


def test_a_page_carries_the_marker_of_this_week_and_the_traps_it_names(
    issuer: Issuer, tokens: Tokens, traps: Traps, form: GuardedForm, clock: MovableClock
) -> None:
    elements = Elements(issuer.markup(form, PageRequest(STRANGER, "ja")))
    marker = tokens.read_marker(elements.field(MARKER_FIELD)["value"], form.name)
    assert (marker.outcome, marker.epoch) == (MarkerOutcome.VALID, traps.epoch(clock.now()))
    assert all(elements.field(trap.name) for trap in traps.of(form, epoch=marker.epoch, key_id=marker.key_id))


def test_a_token_knows_the_network_it_was_drawn_from(
    tokens: Tokens, token_in: Callable[[PageRequest | None], str]
) -> None:
    result, token = tokens.read(token_in(PageRequest(STRANGER)), "contact", stale_after_s=60)
    assert tokens.facts(result, token, networks=network_key(STRANGER)).same_network is True
    assert tokens.facts(result, token, networks=network_key(NEIGHBOURS[0])).same_network is False


def test_g28_a_network_that_drew_its_share_gets_the_marker_only(
    token_in: Callable[[PageRequest | None], str], clock: MovableClock
) -> None:
    drawn = [token_in(PageRequest(NEIGHBOURS[number % 2])) for number in range(SHARE + 1)]
    assert [bool(token) for token in drawn] == [True] * SHARE + [False]
    assert token_in(PageRequest(STRANGER))
    clock.move(ISSUE_WINDOW_S)
    assert token_in(PageRequest(NEIGHBOURS[0]))


def test_g28_in_no_window_are_more_tokens_drawn_than_the_share(clock: MovableClock) -> None:
    limit = IssueLimit(clock, SHARE)
    granted = []
    for _ in range(60):
        if limit.take(b"network"):
            granted.append(clock.monotonic())
        clock.move(50)
    assert all(sum(at <= other < at + ISSUE_WINDOW_S for other in granted) <= SHARE for at in granted)
    assert len(granted) == 60 * 50 / ISSUE_WINDOW_S * SHARE


def test_g28_without_a_request_or_a_known_client_issuing_is_not_limited(
    tokens: Tokens, token_in: Callable[[PageRequest | None], str]
) -> None:
    for page in [None] * (SHARE + 1) + [PageRequest(Client())] * (SHARE + 1):
        _, token = tokens.read(token_in(page), "contact", stale_after_s=60)
        assert token is not None
        assert token.network is None


def test_invented_networks_take_bounded_memory_and_the_one_seen_last_stays(clock: MovableClock) -> None:
    limit = IssueLimit(clock, 1)
    assert limit.take(b"first")
    assert limit.take(b"kept")
    for number in range(NETWORKS - 1):
        assert not limit.take(b"kept")
        assert limit.take(number.to_bytes(4, "big"))
    assert limit.take(b"first")  # forgotten
    assert not limit.take(b"kept")


def test_g28_a_page_says_whether_a_token_was_put_into_it(issuer: Issuer, form: GuardedForm) -> None:
    page, cached = PageRequest(STRANGER), PageRequest(STRANGER)
    issuer.markup(form, page)
    issuer.markup(GuardedForm("cached", cacheable=True), cached)
    assert (page.issued, cached.issued) == (True, False)
    issuer.markup(GuardedForm("cached", cacheable=True), page)
    assert page.issued


def test_a_token_that_continues_an_earlier_try_is_taken_as_it_is(issuer: Issuer) -> None:
    cached = GuardedForm("cached", cacheable=True)
    assert Elements(issuer.markup(cached, None, again="1.a.b.c")).field(TOKEN_FIELD)["value"] == "1.a.b.c"


def test_the_script_gets_a_fresh_token_of_the_form_until_the_share_is_spent(
    issuer: Issuer, tokens: Tokens, form: GuardedForm
) -> None:
    drawn = [issuer.fresh(form, STRANGER) for _ in range(SHARE + 1)]
    assert all(tokens.read(token, "contact", stale_after_s=60)[1] for token in drawn[:SHARE])
    assert drawn[SHARE] is None
