"""Vouchers through the whole site: evidence, never a gate, and each response for one page."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from formwarden import Verdict
from formwarden.errors import StoreError
from formwarden.facts import Deadline, Vouched
from formwarden.faults import Faults
from formwarden.scoring import Standing
from formwarden.stores.ports import Observed
from formwarden.submission import TOKEN_FIELD, Fields
from formwarden.vouchers import Claim, VoucherError
from formwarden.vouchers.altcha import Altcha
from formwarden.vouchers.asking import RESPONSE_CHARS, Vouchers
from formwarden.vouchers.turnstile import FIELD, Turnstile
from tests.clock import MovableClock
from tests.sites import Page, Site, Visitor
from tests.vouchers.siteverify import Siteverify, served
from tests.vouchers.test_altcha import KEY, payload

pytestmark = pytest.mark.anyio


class Club:
    """A voucher of the site's own: the port is all it needs."""

    name = "club"
    field = "club_card"

    def __init__(self, word: Vouched | Exception = Vouched.SOLVED) -> None:
        self.word = word
        self.asked: list[Claim] = []

    def identity(self, response: str, /) -> bytes | None:
        if response == "unreadable":
            raise KeyError(response)
        return response.encode("utf-8", "surrogatepass")

    async def check(self, claim: Claim, /, *, timeout_s: float) -> Vouched:
        assert timeout_s > 0
        self.asked.append(claim)
        if isinstance(self.word, Exception):
            raise self.word
        return self.word


@pytest.fixture
def service() -> Iterator[Siteverify]:
    with served() as service:
        yield service


async def sent(
    site: Site,
    visitor: Visitor,
    card: str,
    *,
    page: Page | None = None,
    text: str = "Do you mend bows?",
    field: str = "club_card",
) -> Verdict:
    page = page or await visitor.open()
    await visitor.send(page, {field: card, "message": text} if card else {"message": text})
    return site.verdicts[-1]


def outside(verdict: Verdict) -> dict[str, float]:
    return {hit.signal: hit.points for hit in verdict.hits if hit.group == "outside"}


def names(verdict: Verdict) -> set[str]:
    return {hit.signal for hit in verdict.hits}


async def test_g34_a_solved_one_takes_only_the_points_of_missing_evidence_and_gives_plain(tmp_path: Path) -> None:
    site = Site(tmp_path, vouchers=(Club(),))
    reader = site.visitor(scripts=False)
    verdict = await sent(site, reader, "card")
    assert (verdict.score, verdict.standing) == (0.0, Standing.PLAIN)
    assert "script_missing" not in names(verdict)


@pytest.mark.parametrize("word", [Vouched.FAILED, Vouched.EXPIRED, Vouched.UNKNOWN, VoucherError("no word")])
async def test_what_is_not_solved_takes_nothing_away(tmp_path: Path, word: Vouched | Exception) -> None:
    site = Site(tmp_path, vouchers=(Club(word),))
    verdict = await sent(site, site.visitor(scripts=False), "card")
    assert "script_missing" in names(verdict)
    assert outside(verdict) == ({"voucher_failed": 2.5} if word is Vouched.FAILED else {})
    assert verdict.accepted


async def test_with_scripts_a_solved_one_changes_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, vouchers=(Club(),))
    assert (await sent(site, site.visitor(), "card")).standing is Standing.SHOWN


async def test_g34_a_solved_one_never_makes_up_for_a_missing_token(tmp_path: Path) -> None:
    site = Site(tmp_path, vouchers=(Club(),))
    visitor = site.visitor(scripts=False)
    page = await visitor.open()
    fields = {name: value for name, value in page.fields.items() if name != TOKEN_FIELD}
    verdict = await sent(site, visitor, "card", page=Page(fields=fields, response=page.response))
    assert (verdict.standing, verdict.score) == (Standing.DOUBTFUL, 1.0)


async def test_nothing_brought_is_a_trifle(tmp_path: Path) -> None:
    site = Site(tmp_path, vouchers=(Club(),))
    assert outside(await sent(site, site.visitor(), "")) == {"voucher_missing": 0.5}
    assert site.verdicts[-1].accepted


async def test_the_response_is_no_text_of_the_visitors(tmp_path: Path) -> None:
    club = Club()
    site = Site(tmp_path, vouchers=(club,))
    verdict = await sent(site, site.visitor(), "HkqWJxTzvbNmRd" * 9)
    assert verdict.score == 0
    assert "club_card" not in verdict.fields
    (claim,) = club.asked
    assert (claim.form, claim.host, str(claim.client)) == ("contact", "bow-makers.jp", "203.0.113.9")


async def test_one_response_vouches_for_one_page_and_for_its_corrections(tmp_path: Path) -> None:
    site = Site(tmp_path, vouchers=(Altcha(KEY),))
    card, visitor = payload(), site.visitor(scripts=False)
    page = await visitor.open()
    for text in ("Do you mend bows?", "Do you mend violin bows, too?"):
        assert outside(await sent(site, visitor, card, page=page, text=text, field="altcha")) == {}
    again = await sent(
        site, site.visitor("198.51.100.4", scripts=False), card, text="Wholly different", field="altcha"
    )
    assert outside(again) == {"voucher_failed": 2.5}
    assert "script_missing" in names(again)


async def test_while_the_counters_are_down_a_solution_is_unknown(tmp_path: Path) -> None:
    site = Site(tmp_path, vouchers=(Altcha(KEY),))
    site.store.fails("counters", StoreError("gone"))
    verdict = await sent(site, site.visitor(scripts=False), payload(), field="altcha")
    assert outside(verdict) == {}
    assert "script_missing" in names(verdict)


@pytest.mark.parametrize("error", [RuntimeError("bug"), VoucherError("status 503"), TimeoutError()])
async def test_a_voucher_that_fails_costs_nobody_anything_and_is_counted(tmp_path: Path, error: Exception) -> None:
    site = Site(tmp_path, vouchers=(Club(error),))
    verdict = await sent(site, site.visitor(), "card")
    assert (verdict.accepted, verdict.score, verdict.standing) == (True, 0.0, Standing.SHOWN)
    assert site.warden.faults.of("voucher club") == 1


async def test_turnstile_over_http_solved_failed_expired_reused_and_unreachable(
    tmp_path: Path, service: Siteverify
) -> None:
    site = Site(tmp_path, vouchers=(Turnstile("s", hostnames=("bow-makers.jp",), url=service.url, timeout_s=1.0),))
    service.solved("good")
    service.fails("late", "timeout-or-duplicate")
    service.fails("broken", "internal-error")
    found: dict[str, Mapping[str, float]] = {}
    for number, card in enumerate(("good", "good", "bad", "late", "broken")):
        visitor = site.visitor(f"198.51.{number}.4")
        found[f"{number} {card}"] = outside(
            await sent(site, visitor, card, text=f"{card} {number} " * 3, field=FIELD)
        )
    failed = {"voucher_failed": 2.5}
    assert found == {"0 good": {}, "1 good": failed, "2 bad": failed, "3 late": {}, "4 broken": {}}
    assert [each["response"] for each in service.asked] == [
        "good",
        "bad",
        "late",
        "broken",
    ]  # a copy is not asked about


async def test_g33_nobody_is_asked_once_the_rest_decides(tmp_path: Path) -> None:
    club = Club(Vouched.FAILED)
    site = Site(tmp_path, vouchers=(club,))
    visitor = site.visitor()
    await visitor.send(
        await visitor.open(), {"club_card": "card", "message": "http://a.example " * 9 + "<a href=x> 𝐅𝐫𝐞𝐞"}
    )
    assert site.verdicts == []
    assert club.asked == []


@pytest.mark.parametrize("response", ["unreadable", "x" * (RESPONSE_CHARS + 1), "\ud800"])
async def test_no_response_makes_asking_raise(response: str) -> None:
    clock = MovableClock()
    vouchers = Vouchers((Club(),), key=b"k" * 32, faults=Faults(clock))
    presented = vouchers.read(Fields({"club_card": response}), None)
    told = await vouchers.ask(presented, Observed(), Deadline(clock, 1.0), form="contact", host=None, client=None)
    assert told[0].word is (Vouched.FAILED if len(response) > RESPONSE_CHARS else Vouched.SOLVED)
