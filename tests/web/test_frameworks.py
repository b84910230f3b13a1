"""Retries, tabs, corrections and what the site refuses, alike in Starlette, FastAPI and Django (DESIGN, Retry)."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from formwarden import Action, Standing, StoreError, Verdict
from formwarden.judge import CORRECTIONS, RETRY_WINDOW_S
from formwarden.stores.ports import State
from tests.sites import ADDRESS, MESSAGE, STAFF, Page, Visitor, read_page
from tests.web.frameworks import FRAMEWORKS, FastApiSite, Framework, closing

Make = Callable[..., Framework]
OTHER = "Something else entirely, and quite unlike it."
# What a person finds while correcting: whole other texts would be other inquiries.
CORRECTED = tuple(f"{MESSAGE} I live in the {place}." for place in ("north", "south", "east"))


@pytest.fixture(params=FRAMEWORKS, ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with closing() as sites:

        def made(setting: dict[str, object] | None = None) -> Framework:
            site: Framework = request.param(tmp_path, setting=setting)
            sites.append(site)
            return site

        yield made


@pytest.fixture
def site(make: Make) -> Framework:
    return make()


class Slow:
    """What a handler does: it ends when the clock has come to `until`."""

    def __init__(self, site: Framework, seconds: float) -> None:
        self.site = site
        self.seconds = seconds
        self.runs = 0
        self.running = asyncio.Event()

    async def __call__(self, __: Verdict) -> tuple[int, str]:
        self.runs += 1
        until = self.site.clock.now() + self.seconds
        self.running.set()
        for _ in range(1_000_000):  # time is moved by the one who waits
            if self.site.clock.now() >= until:
                return 303, f"/run/{self.runs}"
            await asyncio.sleep(0)
        raise AssertionError("nobody waits")


async def clicks(site: Framework, visitor: Visitor, data: dict[str, str]) -> list[httpx2.Response]:
    """Click three times, twice while the first runs, for three seconds."""
    site.does = slow = Slow(site, 3.0)
    first = asyncio.create_task(visitor.post(data))
    await slow.running.wait()
    site.clock.until = site.clock.now() + slow.seconds
    others = await asyncio.gather(visitor.post(data), visitor.post(data))
    return [await first, *others]


async def fails(_: Verdict) -> tuple[int, str]:
    """What a handler does on a bad day."""
    return 500, ""


def asked(response: httpx2.Response) -> bool:
    return "One more click, please" in response.text


async def mails(site: Framework) -> list[str]:
    await site.later(10)
    return sorted(mail.recipient for mail in site.sender.mails)


# ------------------------------------------------------------------ the same again
@pytest.mark.anyio
async def test_the_same_body_twice_reaches_the_handler_once(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    first, second = await visitor.send(page), await visitor.send(page, after_s=RETRY_WINDOW_S - 1)
    assert (first.status_code, len(site.verdicts)) == (303, 1)
    assert (second.status_code, second.headers["location"]) == (303, first.headers["location"])
    assert await mails(site) == sorted([STAFF, ADDRESS])


@pytest.mark.anyio
async def test_of_three_clicks_at_once_one_runs_and_all_get_its_answer(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    all_three = await clicks(site, visitor, visitor.fill(page))
    assert [(click.status_code, click.headers["location"]) for click in all_three] == [(303, "/run/1")] * 3
    assert len(site.verdicts) == 1
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_a_click_waits_ten_seconds_and_then_sees_the_thanks_page(site: Framework) -> None:
    site.does = slow = Slow(site, 60.0)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page)
    first = asyncio.create_task(visitor.post(data))
    await slow.running.wait()
    began = site.clock.now()
    second = await visitor.post(data)
    assert site.clock.now() - began == pytest.approx(10.0, abs=0.11)
    assert second.headers["location"].startswith("/thanks?receipt=")
    site.clock.move(60)
    assert (await first).headers["location"] == "/run/1"
    assert slow.runs == 1


@pytest.mark.anyio
async def test_after_a_500_the_same_click_runs_again_and_is_done(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    site.does = fails
    assert (await visitor.send(page)).status_code == 500
    held = await site.inquiry()
    assert (held.state, held.note) == (State.HELD, "endpoint failed: 500")
    site.does = site.takes
    assert (await visitor.send(page, after_s=60.0)).status_code == 303
    assert (await site.inquiry()).state is State.DONE
    one, two = site.verdicts
    assert (one.id, one.standing, two.standing) == (two.id, Standing.SHOWN, Standing.SHOWN)
    assert await mails(site) == sorted([STAFF, ADDRESS])


@pytest.mark.anyio
async def test_of_three_clicks_after_a_500_one_runs_and_the_others_wait_for_it(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    site.does = fails
    await visitor.send(page)
    all_three = await clicks(site, visitor, visitor.fill(page))
    assert [click.headers["location"] for click in all_three] == ["/run/1"] * 3
    assert len(site.verdicts) == 2


@pytest.mark.anyio
async def test_the_same_click_after_ten_minutes_is_asked_and_then_runs(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page)
    late = await visitor.send(page, after_s=RETRY_WINDOW_S + 1)
    assert asked(late)
    assert len(site.verdicts) == 1
    assert (await visitor.send(read_page(late), after_s=2.0)).status_code == 303
    assert [verdict.standing for verdict in site.verdicts] == [Standing.SHOWN, Standing.DOUBTFUL]


@pytest.mark.anyio
async def test_a_click_again_while_the_store_is_down_loses_nothing_and_answers_nobody_twice(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page)
    for port in ("counters", "inquiries", "ledger"):
        site.store.fails(port, StoreError("disk full"))
    assert (await visitor.send(page, after_s=5.0)).status_code == 303
    first, second = site.verdicts  # nobody can tell that it ran: judging fails open
    assert (first.id, first.recorded, second.recorded) == (second.id, True, False)
    assert [each.id for each in await site.journal()] == [first.id]
    for port in ("counters", "inquiries", "ledger"):
        site.store.fails(port, None)
    assert (await visitor.send(page, after_s=5.0)).status_code == 303
    assert len(site.verdicts) == 2
    assert (await mails(site)).count(ADDRESS) == 1


@pytest.mark.anyio
async def test_a_click_again_is_known_though_the_counters_forgot_it(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page)
    site.store.fails("counters", StoreError("gone"))
    assert (await visitor.send(page, after_s=5.0)).status_code == 303
    assert len(site.verdicts) == 1


# ------------------------------------------------------------------ another text
@pytest.mark.anyio
async def test_two_tabs_are_two_submissions(site: Framework) -> None:
    visitor = site.visitor()
    one, two = await visitor.open(), await visitor.open()
    await visitor.send(one)
    await visitor.send(two, {"message": OTHER})
    assert [(verdict.score, verdict.standing) for verdict in site.verdicts] == [(0, Standing.SHOWN)] * 2
    assert site.verdicts[0].lineage != site.verdicts[1].lineage
    assert [inquiry.state for inquiry in await site.inquiries()] == [State.DONE] * 2


@pytest.mark.anyio
async def test_back_and_sent_again_with_another_text_is_a_correction_and_the_fourth_is_asked(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    for number in range(CORRECTIONS):
        assert (await visitor.send(page, {"message": CORRECTED[number]})).status_code == 303
    assert [verdict.action for verdict in site.verdicts] == [Action.ACCEPT] * 3
    assert asked(await visitor.send(page, {"message": OTHER}))
    assert len(site.verdicts) == 3


@pytest.mark.anyio
async def test_from_another_network_another_text_with_the_same_token_is_asked_at_once(site: Framework) -> None:
    page = await site.visitor("1.2.3.4").open()
    await site.visitor("1.2.3.4").send(page)
    assert asked(await site.visitor("9.8.7.6").send(page, {"message": OTHER}))


# ------------------------------------------------------------------ refused by the site
async def refused(site: Framework, visitor: Visitor, page: Page, message: str = MESSAGE) -> Page:
    """Send what the site does not take, and return the page to correct it on."""
    response = await visitor.send(page, {"topic": "flutes", "message": message}, after_s=1.0)
    assert response.status_code == (200 if type(site).__name__ == "DjangoSite" else 422)
    assert not asked(response)
    assert (await site.inquiries())[0].state is State.REFUSED
    return read_page(response) if site.shows_again else page


@pytest.mark.anyio
async def test_what_the_site_refused_is_corrected_without_a_word_of_ours(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    again = await refused(site, visitor, page)
    assert (again.token != page.token) is site.shows_again
    assert await mails(site) == []
    response = await visitor.send(again, {"topic": "bows"}, after_s=0.5)  # the same text, half a second later
    assert response.status_code == 303
    (verdict,) = site.verdicts
    assert verdict.score == 0
    assert verdict.standing is (Standing.SHOWN if site.shows_again else Standing.PLAIN)  # a token used before
    states = {inquiry.note.partition(":")[0]: inquiry.state for inquiry in await site.inquiries()}
    assert states == {"": State.DONE, "refused by the site": State.REFUSED}
    assert await mails(site) == sorted([STAFF, ADDRESS])


@pytest.mark.anyio
async def test_what_the_site_refused_is_taken_back_once_however_often_it_is_sent(site: Framework) -> None:
    visitor, other = site.visitor(), site.visitor("9.8.7.6")
    await visitor.send(await visitor.open())
    data = visitor.fill(await visitor.open(), {"topic": "flutes"})  # the same text, which counts by now
    site.clock.move(20)
    for _ in range(3):
        await visitor.post(data)
    assert site.store.health_of.calls.count("counters.forget") == 3
    await other.send(await other.open())
    (same,) = [hit for hit in site.verdicts[1].hits if hit.signal == "same_text"]
    assert same.evidence == "1 times before"  # the one that was done


@pytest.mark.anyio
async def test_what_the_site_refused_is_refused_again_and_shows_its_errors_again(site: Framework) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page, {"topic": "flutes"})
    first, second = await visitor.post(data), await visitor.post(data)
    assert first.status_code == second.status_code
    assert ("_fw_token" in second.text) is site.shows_again
    assert (await site.inquiry()).state is State.REFUSED


@pytest.mark.anyio
async def test_a_form_shown_again_at_a_release_stays_with_the_owner(site: Framework) -> None:
    bot = site.visitor(headers={})
    await bot.post({"name": "x", "email": ADDRESS, "message": MESSAGE, "topic": "flutes"})
    held = await site.inquiry()
    assert held.state is State.HELD
    assert not await site.warden.release(held.id)
    still = await site.inquiry()
    assert (still.state, still.note) == (State.HELD, "release failed: 422; may have run")


@pytest.mark.anyio
async def test_twenty_corrections_in_a_row_end_in_no_quarantine(site: Framework) -> None:
    """Where the form is shown again none is even asked; on one token every fourth is."""
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    for number in range(20 if site.shows_again else 14):
        typed = {"topic": "flutes", "message": f"{MESSAGE} {number} times."}
        response = await visitor.send(page, typed, after_s=20.0)
        if asked(response):
            assert not site.shows_again
            page = read_page(response)
            response = await visitor.send(page, typed, after_s=2.0)
        assert response.status_code in {200, 422}
        assert not asked(response)
        page = read_page(response) if site.shows_again else page
    assert (await visitor.send(page, {"topic": "bows"}, after_s=2.0)).status_code == 303
    assert (await site.inquiries(State.HELD)) == ()


@pytest.mark.anyio
async def test_g28_on_one_token_the_sixth_round_of_corrections_is_held_and_kept(
    tmp_path: Path,
) -> None:
    with closing():
        site = FastApiSite(tmp_path)
        visitor = site.visitor()
        page = await visitor.open()
        site.clock.move(20)
        for number in range(16):
            typed = {"topic": "flutes", "message": f"{MESSAGE} {number} times."}
            response = await visitor.send(page, typed, after_s=20.0)
            if asked(response):
                page = read_page(response)
                response = await visitor.send(page, typed, after_s=2.0)
        assert response.headers["location"].startswith("/thanks?")  # as if it had been accepted (G29)
        (held,) = await site.inquiries(State.HELD)
        assert held.hits["lineage_spent"] == 5
        assert b"15+times" in (held.body or b"")
