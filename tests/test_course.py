"""One submission reaches the endpoint once, however often it is sent, and its end is written down (DESIGN, Retry)."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from formwarden import Action, Evidence, StoreError, Submission, Verdict
from formwarden.course import DEATH_GRACE_S, FIRST, Next
from formwarden.facts import Facts
from formwarden.judge import ENDPOINT_LEASE_S, Judged
from formwarden.scoring import signal
from formwarden.stores.ports import Observation, State
from tests.sites import MESSAGE, Site, Visitor, read_page


class Slow:
    """An endpoint that answers when the clock has come to `until`, and says which run it was."""

    def __init__(self, site: Site, seconds: float, *, status: int = 303) -> None:
        self.site = site
        self.seconds = seconds
        self.status = status
        self.runs = 0
        self.running = asyncio.Event()

    async def __call__(self, _: Request, __: Verdict) -> Response:
        self.runs += 1
        until = self.site.clock.now() + self.seconds
        self.running.set()
        while self.site.clock.now() < until:  # noqa: ASYNC110 - time is moved by the one who waits
            await asyncio.sleep(0)
        if self.status != 303:
            return PlainTextResponse("", self.status)
        return RedirectResponse(f"/run/{self.runs}", self.status)


async def twice(site: Site, endpoint: Slow, visitor: Visitor) -> tuple[httpx2.Response, httpx2.Response]:
    """Click twice: the second time while the first is on its way."""
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page)
    first = asyncio.create_task(visitor.post(data))
    await endpoint.running.wait()
    second = await visitor.post(data)
    site.clock.move(endpoint.seconds)
    return await first, second


async def fails(_: Request, __: Verdict) -> Response:
    """An endpoint with a bug."""
    raise RuntimeError("no such table")


# ------------------------------------------------------------------ the second click
@pytest.mark.anyio
@pytest.mark.parametrize("status", [307, 308])
async def test_a_body_that_was_sent_on_is_taken_by_nobody_and_runs_again(tmp_path: Path, status: int) -> None:
    """RFC 9110 section 15.4.8: the same body comes again, to another address; no browser asks anybody about it."""
    site = Site(tmp_path)

    async def sends_on(_: Request, __: Verdict) -> Response:
        return RedirectResponse("/contact", status)

    site.endpoint = sends_on
    visitor = site.visitor()
    data = visitor.fill(await visitor.open())
    site.clock.move(20)
    assert (await visitor.post(data)).status_code == status
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.HELD, f"endpoint failed: sent on ({status})")
    assert site.warden.faults.of("endpoint") == 0

    site.endpoint = site.answers
    assert (await visitor.post(data)).headers["location"].startswith("/thanks")
    assert (await site.inquiry()).state is State.DONE
    assert site.verdicts[-1].score == 0


@pytest.mark.anyio
async def test_the_same_body_twice_reaches_the_endpoint_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    first, second = await visitor.send(page), await visitor.send(page, after_s=1.0)
    assert len(site.verdicts) == 1
    assert (second.status_code, second.headers["location"]) == (303, first.headers["location"])
    assert len(await site.inquiries()) == 1


@pytest.mark.anyio
async def test_a_second_click_while_the_first_still_runs_waits_for_its_answer(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.endpoint = slow = Slow(site, 3.0)
    began = site.clock.now()
    first, second = await twice(site, slow, site.visitor())
    assert slow.runs == 1
    assert first.headers["location"] == second.headers["location"] == "/run/1"
    assert 3.0 <= site.clock.now() - began - 20 <= 7.0


@pytest.mark.anyio
async def test_it_waits_no_longer_than_the_setting_says_and_then_says_thanks(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"retry_wait_s": 5})
    site.endpoint = slow = Slow(site, 60.0)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page)
    first = asyncio.create_task(visitor.post(data))
    await slow.running.wait()
    began = site.clock.now()
    second = await visitor.post(data)
    assert site.clock.now() - began == pytest.approx(5.0, abs=0.11)
    assert second.status_code == 303
    assert second.headers["location"].startswith("/thanks?receipt=")
    site.clock.move(60)
    assert (await first).headers["location"] == "/run/1"
    assert slow.runs == 1


@pytest.mark.anyio
async def test_the_first_ones_status_comes_with_its_location(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def created(_: Request, __: Verdict) -> Response:
        return RedirectResponse("/tickets/7", 302)

    site.endpoint = created
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page)
    again = await visitor.send(page, after_s=1.0)
    assert (again.status_code, again.headers["location"]) == (302, "/tickets/7")


@pytest.mark.anyio
async def test_where_the_first_answer_had_no_location_the_second_click_sees_the_thanks_page(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def page_of_its_own(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("Thank you!")

    site.endpoint = page_of_its_own
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page)
    again = await visitor.send(page, after_s=1.0)
    assert again.status_code == 303
    shown = await visitor.request("GET", again.headers["location"])
    assert site.verdicts[0].receipt in shown.text


@pytest.mark.anyio
async def test_a_second_click_of_a_held_one_is_told_the_same_and_changes_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    bot = site.visitor(headers={})
    page = await site.visitor().open()
    trap = next(name for name in page.fields if "_" in name and not name.startswith("_fw"))
    data = {**bot.fill(page), trap: "filled"}
    site.clock.move(20)
    first, second = await bot.post(data), await bot.post(data)
    assert first.status_code == second.status_code == 303
    assert (await site.inquiry()).state is State.HELD
    assert site.verdicts == []


@pytest.mark.anyio
async def test_a_second_click_of_a_rejected_one_is_rejected(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    hostile = {"email": "taro@gmail.com\nBcc: x@gmail.com"}
    first, second = await visitor.send(page, hostile), await visitor.send(page, hostile, after_s=1.0)
    assert (first.status_code, second.status_code) == (403, 403)
    assert first.text == second.text


@pytest.mark.anyio
async def test_a_second_click_of_a_released_one_says_thanks(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page, after_s=1.0)
    await site.warden.release((await site.inquiry()).id)
    response = await visitor.send(page, after_s=1.0)
    assert response.headers["location"].startswith("/thanks?receipt=")
    assert len(site.verdicts) == 1


# ------------------------------------------------------------------ when it may run again
@pytest.mark.anyio
@pytest.mark.parametrize("status", [500, 503])
async def test_after_a_5xx_it_runs_again(tmp_path: Path, status: int) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()

    async def ill(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("", status)

    site.endpoint = ill
    await visitor.send(page)
    assert (await site.inquiry()).note == f"endpoint failed: {status}"
    site.endpoint = site.answers
    response = await visitor.send(page, after_s=5.0)
    assert response.status_code == 303
    assert len(site.verdicts) == 2
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.DONE, "")
    assert site.verdicts[0].id == site.verdicts[1].id


@pytest.mark.anyio
async def test_after_an_exception_it_runs_again(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.endpoint = fails
    await visitor.send(page, raises=False)
    site.endpoint = site.answers
    await visitor.send(page, after_s=5.0)
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_of_two_second_clicks_after_a_5xx_one_runs(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.endpoint = fails
    await visitor.send(page, raises=False)
    site.endpoint = slow = Slow(site, 0.0)
    data = visitor.fill(page)
    responses = await asyncio.gather(*(visitor.post(data) for _ in range(5)))
    assert slow.runs == 1
    assert {response.status_code for response in responses} == {303}


@pytest.mark.anyio
async def test_a_click_that_came_too_late_to_run_it_again_waits_for_the_one_that_does(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.endpoint = fails
    await visitor.send(page, raises=False)
    failed = await site.inquiry()
    site.endpoint = slow = Slow(site, 3.0)
    running = asyncio.create_task(visitor.post(visitor.fill(page)))
    await slow.running.wait()
    observation = Observation(nonce=None, networks=(), body=b"")
    late = Judged(verdict=site.verdicts[0], inquiry=failed, existing=failed, observation=observation)
    step = await site.warden.course.begin(late)
    assert (step.next, step.answer) == (Next.ANSWER, (303, "/run/1"))
    await running


async def dies(site: Site, visitor: Visitor, data: dict[str, str]) -> None:
    """Post, and let the process die in the endpoint: the store hears no more of it."""
    site.endpoint = slow = Slow(site, 1e9)
    running = asyncio.create_task(visitor.post(data))
    await slow.running.wait()
    site.store.fails("inquiries.move", StoreError("the process is gone"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    site.store.fails("inquiries.move", None)
    site.journal_path.unlink()  # a dead process wrote nothing there either
    site.endpoint = site.answers


@pytest.mark.anyio
async def test_after_a_death_it_runs_again_once_the_lease_is_over(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page)
    await dies(site, visitor, data)
    assert (await site.inquiry()).state is State.ACCEPTED
    assert (await visitor.post(data)).headers["location"].startswith("/thanks?")  # nobody knows that it is dead
    assert len(site.verdicts) == 1

    site.clock.move(ENDPOINT_LEASE_S + DEATH_GRACE_S)
    assert (await visitor.post(data)).status_code == 303
    assert len(site.verdicts) == 2
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_after_a_death_that_the_worker_saw_it_runs_again(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page)
    await dies(site, visitor, data)
    await site.later(ENDPOINT_LEASE_S + 1)
    held = await site.inquiry()
    assert held.state is State.HELD
    assert held.note == "endpoint failed: its process ended; may have run"
    await visitor.post(data)
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_a_body_the_site_refused_may_be_sent_again_as_it_is(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()

    async def refuses(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("the captcha was wrong", 422)

    site.endpoint = refuses
    await visitor.send(page)
    site.endpoint = site.answers
    await visitor.send(page, after_s=5.0)
    assert (await site.inquiry()).state is State.DONE
    assert len(site.verdicts) == 2


switch = {"on": False}


@signal(weight=6.0, group="content")
def turned_on(_submission: Submission, _facts: Facts) -> Evidence | None:
    """Fires when the test says so."""
    return Evidence(text="on") if switch["on"] else None


@pytest.mark.anyio
async def test_whatever_runs_again_runs_as_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path, signals=[turned_on])
    visitor = site.visitor()
    page = await visitor.open()
    site.endpoint = fails
    await visitor.send(page, raises=False)
    site.endpoint = site.answers
    monkeypatch.setitem(switch, "on", value=True)
    await visitor.send(page, after_s=1.0)
    verdict = site.verdicts[1]
    assert (verdict.accepted, verdict.judged) == (True, Action.QUARANTINE)
    assert (await site.warden.preview(verdict)).code == "BOT"


# ------------------------------------------------------------------ failing
@pytest.mark.anyio
async def test_a_store_that_falls_ill_while_a_second_click_waits_does_not_run_it_twice(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.endpoint = slow = Slow(site, 3.0)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    data = visitor.fill(page)
    first = asyncio.create_task(visitor.post(data))
    await slow.running.wait()
    site.store.fails("inquiries.get", StoreError("locked"))
    assert (await visitor.post(data)).headers["location"].startswith("/thanks?")
    site.clock.move(3)
    await first
    assert slow.runs == 1
    assert site.warden.faults.of("inquiries") == 1


@pytest.mark.anyio
async def test_a_second_click_reaches_the_endpoint_with_the_counters_down_no_more_than_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("counters", StoreError("gone"))
    site.endpoint = slow = Slow(site, 0.0)
    visitor = site.visitor()
    page = await visitor.open()
    for _ in range(3):
        await visitor.send(page, after_s=5.0)
    assert slow.runs == 1


@pytest.mark.anyio
async def test_an_end_that_cannot_be_written_down_is_counted_and_the_visitor_is_answered(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("inquiries.move", StoreError("disk full"))
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open())).status_code == 303
    assert site.warden.faults.of("inquiries") == 1
    assert (await site.inquiry()).state is State.ACCEPTED  # its lease runs out, and it is held


@pytest.mark.anyio
async def test_an_endpoint_slower_than_its_lease_is_done_after_all(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.endpoint = slow = Slow(site, ENDPOINT_LEASE_S + 60)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    running = asyncio.create_task(visitor.post(visitor.fill(page)))
    await slow.running.wait()
    await site.later(ENDPOINT_LEASE_S + 1)
    assert (await site.inquiry()).state is State.HELD
    site.clock.move(120)
    await running
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_a_correction_after_a_refusal_is_neither_a_duplicate_nor_too_fast(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()

    async def validates(_: Request, verdict: Verdict) -> Response:
        if "phone" not in verdict.fields["message"]:
            markup = site.warden.markup("contact", again=verdict)
            return Response(f"<form method='post'>{markup}</form>", 422, media_type="text/html")
        return await site.answers(_, verdict)

    site.endpoint = validates
    refused = await visitor.send(await visitor.open())
    page = read_page(refused)
    response = await visitor.send(page, {"message": f"{MESSAGE} My phone is broken."}, after_s=0.5)
    assert response.status_code == 303
    first, second = site.verdicts
    assert (second.score, second.standing) == (0, first.standing)
    assert first.lineage == second.lineage
    assert sorted(inquiry.state for inquiry in await site.inquiries()) == [State.DONE, State.REFUSED]


def test_every_action_has_a_first_step() -> None:
    assert set(FIRST) == set(Action)
    assert FIRST[Action.QUARANTINE] is Next.THANKS  # G29: as if it were accepted
