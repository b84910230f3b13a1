"""Repeats through the whole site and its counters, over minutes and days."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from formwarden import Verdict
from formwarden.errors import StoreError
from formwarden.stores.ports import Inquiry, State
from tests.sites import Site

pytestmark = pytest.mark.anyio
REPEATS = {
    *("same_text", "near_text", "client_velocity", "network_velocity"),
    *("address_velocity", "domain_velocity", "form_velocity"),
}
DAY_S = 86_400.0
LOW = {  # so that a few submissions are enough to see each
    "client_per_10_min": 1,
    "network_per_hour": 1,
    "address_per_day_seen": 1,
    "domain_per_hour_seen": 1,
    "form_per_hour_seen": 1,
}
OFFER = (
    "We build fast web shops for makers of instruments. Write to us at https://shop{0}.example today, {1}, and the "
    "first {0} months cost you nothing at all, whatever it is that you sell and to whom."
)
WORDS = (
    *("varnish", "peg", "bridge", "string", "case", "tuning", "rosin", "crack", "price"),
    *("visit", "Tuesday", "neck", "scroll", "cello", "viola", "repair", "rental", "fee"),
)


def question(number: int) -> str:
    """Write what no other visitor writes: other words in another order, not one sentence filled in."""
    draw = Random(number)  # noqa: S311 - the same texts in every run
    return " ".join(draw.choices(WORDS, k=draw.randint(12, 30))).capitalize() + "?"


async def posted(site: Site, number: int, *, ip: str, text: str, address: str) -> Inquiry:
    visitor = site.visitor(ip)
    await visitor.send(await visitor.open(), {"message": text, "email": address, "name": f"Visitor {number}"})
    return (await site.inquiries(*State))[0]


def repeats(inquiry: Inquiry) -> set[str]:
    return REPEATS & set(inquiry.hits)


async def test_an_office_of_thirty_behind_one_address_is_accepted_to_the_last(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for number in range(30):
        visitor = site.visitor("203.0.113.9")
        page = await visitor.open()
        address = f"person{number}@big-office.co.jp"
        typed = {"message": question(number), "email": address, "name": f"{WORDS[number % 18].title()} Sato"}
        response = await visitor.send(page, typed, after_s=19.0)
        assert response.status_code == 303
    assert len(site.verdicts) == 30
    assert all(verdict.accepted for verdict in site.verdicts)
    assert max(verdict.score for verdict in site.verdicts) <= 3.5
    assert Counter(hit.signal for verdict in site.verdicts for hit in verdict.hits)["domain_velocity"] == 0


async def test_exact_and_near_copies_are_known_for_days_whoever_sends_them(tmp_path: Path) -> None:
    site = Site(tmp_path)
    seen = []
    for number, (ip, text) in enumerate(
        [("1.2.3.4", OFFER), ("5.6.7.8", OFFER), ("9.9.9.9", OFFER), ("11.2.3.4", OFFER)]
    ):
        filled = text.format(number + 3, ("Ann", "Bob", "Eve", "Dan")[number])
        inquiry = await posted(site, number, ip=ip, text=filled, address=f"p{number}@firm{number}.co.jp")
        seen.append(repeats(inquiry))
        site.clock.move(1.5 * DAY_S)
    copy = await posted(site, 9, ip="12.1.1.1", text=OFFER.format(6, "Dan"), address="p9@firm9.co.jp")
    assert seen == [set(), {"near_text"}, {"near_text"}, {"near_text"}]
    assert {"same_text", "near_text"} <= repeats(copy)


async def test_each_velocity_is_seen_and_each_is_unknown_while_the_counters_are_down(tmp_path: Path) -> None:
    site = Site(tmp_path, settings=LOW)
    for number, ip in enumerate(("198.51.100.7", "203.0.113.9", "203.0.113.9")):  # else they would be colleagues
        last = await posted(site, number, ip=ip, text=question(3), address="one@small-firm.co.jp")
    assert repeats(last) == REPEATS
    site.store.fails("counters", StoreError("volatile file is gone"))
    down = await posted(site, 3, ip="203.0.113.9", text=question(3), address="one@small-firm.co.jp")
    assert repeats(down) == set()


async def test_a_person_who_sends_the_same_page_again_is_no_repeat(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    for _ in range(2):
        await visitor.send(page, {"message": question(1)})
    verdict: Verdict = site.verdicts[-1]
    assert not REPEATS & {hit.signal for hit in verdict.hits}
