import sys
import threading
from collections.abc import Iterator

import pytest

from formwarden.facts import MarkerOutcome, TokenOutcome
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.context import PageRequest
from formwarden.page.effort import CHALLENGE_LEVEL, Effort, most
from formwarden.page.header import read_header
from formwarden.page.issuing import ISSUE_WINDOW_S, NETWORKS, IssueLimit, Issuer
from formwarden.page.pressure import Pressure
from formwarden.page.traps import Traps
from formwarden.stores.ports import Key
from formwarden.subjects import ClientSubjects
from formwarden.submission import Client
from formwarden.tokens import Token, Tokens
from tests.clock import MovableClock
from tests.page.elements import Elements

HOME, NEIGHBOUR, ELSEWHERE = Client.parse("1.2.3.4"), Client.parse("1.2.3.9"), Client.parse("9.8.7.6")


class Desk:
    def __init__(self, tokens: Tokens, traps: Traps, assets: Assets, clock: MovableClock, limit: int = 3) -> None:
        self.tokens, self.clock = tokens, clock
        self.pressure = Pressure(clock)
        self.subjects = ClientSubjects(tokens.derive_all("clients"))
        self.issuer = Issuer(
            tokens=tokens,
            traps=traps,
            assets=assets,
            networks_of=self.networks,
            limit=IssueLimit(clock, limit),
            pressure=self.pressure,
            clock=clock,
        )

    def networks(self, client: Client) -> tuple[Key, ...]:
        if client.network is None:
            return ()
        return self.subjects.keys("network", client.network, now=self.clock.now(), window_s=60.0)

    def token(self, form: GuardedForm, page: PageRequest | None, again: str | None = None) -> Token | None:
        text = str(self.fields(form, page, again).field("_fw_token")["value"])
        return self.tokens.read(text, form.name, stale_after_s=60)[1]

    def fields(self, form: GuardedForm, page: PageRequest | None, again: str | None = None) -> Elements:
        return Elements(f"<form>{self.issuer.markup(form, page, again=again)}</form>")


@pytest.fixture
def desk(tokens: Tokens, traps: Traps, assets: Assets, clock: MovableClock) -> Desk:
    return Desk(tokens, traps, assets, clock)


def test_a_page_has_marker_token_and_traps_of_this_week(desk: Desk, traps: Traps, form: GuardedForm) -> None:
    page = PageRequest(HOME)
    fields = desk.fields(form, page)
    marker = desk.tokens.read_marker(str(fields.field("_fw_form")["value"]), form.name)
    assert (marker.outcome, marker.epoch) == (MarkerOutcome.VALID, traps.epoch(desk.clock.now()))
    names = {each["name"] for each in fields.all("input")}
    assert {trap.name for trap in traps.of(form, epoch=marker.epoch)} < names
    assert page.issued


def test_the_token_carries_the_keyed_network_of_who_asked(desk: Desk, form: GuardedForm) -> None:
    home, neighbour = desk.token(form, PageRequest(HOME)), desk.token(form, PageRequest(NEIGHBOUR))
    assert home is not None
    assert neighbour is not None
    assert home.network == neighbour.network == desk.networks(HOME)[0]
    assert home.nonce != neighbour.nonce
    unknown = desk.token(form, PageRequest(Client()))
    assert unknown is not None
    assert unknown.network is None


def test_without_a_request_it_is_neither_bound_nor_limited(desk: Desk, form: GuardedForm) -> None:
    tokens = [desk.token(form, None) for _ in range(10)]
    assert {token.network if token else b"" for token in tokens} == {None}


def test_g28_a_network_that_drew_its_share_gets_the_marker_only(desk: Desk, form: GuardedForm) -> None:
    assert all(desk.token(form, PageRequest(client)) for client in (HOME, NEIGHBOUR, HOME))
    page = PageRequest(HOME)
    fields = desk.fields(form, page)
    assert fields.field("_fw_token")["value"] == ""
    assert fields.field("_fw_form")["value"]
    assert page.issued  # the next visitor has a share of his own: this page is not for him
    assert desk.token(form, PageRequest(ELSEWHERE))
    desk.clock.move(ISSUE_WINDOW_S)
    assert desk.token(form, PageRequest(HOME))


def test_g28_who_cannot_be_told_apart_is_not_limited(desk: Desk, form: GuardedForm) -> None:
    assert all(desk.token(form, PageRequest(Client())) for _ in range(10))


def test_a_cacheable_page_has_the_marker_only_and_may_be_stored(desk: Desk) -> None:
    form, page = GuardedForm("contact", cacheable=True), PageRequest(HOME)
    assert desk.token(form, page) is None
    assert not page.issued


def test_a_form_shown_again_continues_its_lineage_beyond_any_limit(desk: Desk, form: GuardedForm) -> None:
    first = desk.token(form, PageRequest(HOME))
    again = desk.tokens.issue(form.name, after=first)
    for cacheable in (False, True):
        shown = desk.token(GuardedForm("contact", cacheable=cacheable), page := PageRequest(HOME), again)
        assert first is not None
        assert shown is not None
        assert (shown.lineage, shown.first, shown.reissues) == (first.lineage, first.first, 1)
        assert page.issued


def test_the_script_draws_from_the_same_share(desk: Desk, form: GuardedForm) -> None:
    drawn = [desk.issuer.fresh(form, HOME) for _ in range(4)]
    assert [token is not None for token in drawn] == [True, True, True, False]
    assert desk.tokens.read(drawn[0], form.name, stale_after_s=60)[0] is TokenOutcome.FRESH
    assert desk.token(form, PageRequest(HOME)) is None


def test_g28_a_refused_script_is_told_which_limit_and_until_when(desk: Desk, form: GuardedForm) -> None:
    for _ in range(3):
        assert desk.issuer.answer(form, HOME).status == 200
        desk.clock.move(10)
    answer = desk.issuer.answer(form, NEIGHBOUR)
    assert (answer.status, answer.body) == (429, b"")
    assert answer.headers["ratelimit"] == '"tokens";r=0;t=570'
    assert answer.headers["ratelimit-policy"] == '"tokens";q=3;w=600'
    desk.clock.move(int(answer.headers["retry-after"]) - 1)
    assert desk.issuer.answer(form, HOME).status == 429
    desk.clock.move(1)
    assert desk.issuer.answer(form, HOME).status == 200


def test_links_begin_with_the_mount_of_the_page(desk: Desk, form: GuardedForm) -> None:
    fields = desk.fields(form, PageRequest(HOME, root="/shop"))
    assert fields.field("_fw_token")["data-fresh"] == "/shop/_formwarden/token"
    assert str(fields.all("script")[0]["src"]).startswith("/shop/_formwarden/guard.")
    assert str(fields.all("link")[0]["href"]).startswith("/shop/_formwarden/guard.")


def test_the_markup_speaks_the_visitors_language(desk: Desk, form: GuardedForm) -> None:
    assert "何も入力しない" in desk.fields(form, PageRequest(HOME, "ja")).text


# ------------------------------------------------------------------ the limit
def test_the_window_slides(clock: MovableClock) -> None:
    limit = IssueLimit(clock, 2)
    assert limit.take(b"a")
    clock.move(400)
    assert limit.take(b"a")
    assert not limit.take(b"a")
    clock.move(200)
    assert limit.take(b"a")
    assert not limit.take(b"a")


def test_a_stepped_wall_clock_frees_nobody(clock: MovableClock) -> None:
    limit = IssueLimit(clock, 1)
    assert limit.take(b"a")
    clock.step(86_400)
    assert not limit.take(b"a")


def test_a_network_that_nothing_is_known_of_need_not_wait(clock: MovableClock) -> None:
    assert IssueLimit(clock, 1).refusal(b"a").wait_s == 0


def test_invented_networks_do_not_fill_the_memory(clock: MovableClock) -> None:
    limit = IssueLimit(clock, 1)
    assert limit.take(b"a")
    for number in range(NETWORKS):
        limit.take(number.to_bytes(4, "big"))
    assert limit.take(b"a")  # the one not seen longest was forgotten
    assert not limit.take((NETWORKS - 1).to_bytes(4, "big"))


@pytest.fixture
def eager_threads() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("eager_threads")
def test_threads_draw_no_more_than_the_share(clock: MovableClock) -> None:
    """Frameworks render in threads."""
    limit = IssueLimit(clock, 50)
    taken: list[bool] = []
    failed: list[Exception] = []
    together = threading.Barrier(4)

    def draws(first: int) -> None:
        try:
            taken.extend(limit.take(b"shared") for _ in range(200))
            together.wait()  # what follows makes room by forgetting
            for number in range(3 * NETWORKS):
                limit.take((first * number % (2 * NETWORKS)).to_bytes(4, "big"))
        except Exception as error:  # noqa: BLE001 - handed to the test
            failed.append(error)

    threads = [threading.Thread(target=draws, args=(first,)) for first in (1, 3, 5, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sum(taken) == 50


# ------------------------------------------------------------------ work
def test_g34_a_network_of_bots_is_given_work_with_its_token(desk: Desk, form: GuardedForm) -> None:
    assert "data-work" not in desk.fields(form, PageRequest(HOME)).field("_fw_token")
    for _ in range(5):
        desk.pressure.note(form.name, HOME.network, bot=True)
    token = desk.fields(form, PageRequest(NEIGHBOUR)).field("_fw_token")
    effort = Effort(desk.tokens)
    assert token["data-work"] == effort.challenge(form.name, str(token["value"]))
    assert "data-at-once" not in token
    assert "data-work" not in desk.fields(form, PageRequest(ELSEWHERE)).field("_fw_token")
    fetched = desk.issuer.answer(form, HOME)
    assert fetched.headers["formwarden-work"] == effort.challenge(form.name, fetched.body.decode())


def test_g34_a_header_carries_its_work_too(desk: Desk, form: GuardedForm) -> None:
    for _ in range(5):
        desk.pressure.note(form.name, ELSEWHERE.network, bot=True)
    assert ', w="' not in desk.issuer.header(form, PageRequest(HOME))
    header = read_header(desk.issuer.header(form, PageRequest(ELSEWHERE)))
    assert header["w"] == Effort(desk.tokens).challenge(form.name, header["_fw_token"])


def test_a_page_that_asks_again_has_its_work_done_at_once(desk: Desk, form: GuardedForm) -> None:
    again = desk.tokens.issue(form.name, work=CHALLENGE_LEVEL)
    token = desk.fields(form, PageRequest(HOME), again).field("_fw_token")
    assert str(token["data-work"]).startswith(f"{most(CHALLENGE_LEVEL)}.")
    assert "data-at-once" in token
