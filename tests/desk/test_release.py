"""A kept inquiry is run once, however often the owner clicks (G21)."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from formwarden import GuardedForm, StoreError, Submission, Verdict
from formwarden.desk.release import RELEASABLE, RELEASE_LEASE_S
from formwarden.mail.autoreply import AutoReply
from formwarden.stores.ports import State
from tests.sites import ADDRESS, MESSAGE, STAFF, Site
from tests.web.test_rerun import held

BLIND = {"name": "Taro", "email": ADDRESS, "message": MESSAGE}


@pytest.mark.anyio
async def test_g21_ten_clicks_at_once_run_it_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)

    async def slow(_: Request, __: Verdict) -> Response:
        await asyncio.sleep(0)
        return RedirectResponse("/thanks", 303)

    site.endpoint = slow
    results = await asyncio.gather(*(site.warden.release(inquiry) for _ in range(10)))
    assert sorted(results) == [False] * 9 + [True]
    assert len(site.verdicts) == 1
    assert not await site.warden.release(inquiry)
    assert len(site.verdicts) == 1


@pytest.mark.anyio
async def test_g21_an_interrupted_release_returns_to_held_and_is_never_repeated_by_itself(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)
    running = asyncio.Event()

    async def endless(_: Request, __: Verdict) -> Response:
        running.set()
        await asyncio.Event().wait()
        return Response()

    site.endpoint = endless
    task = asyncio.create_task(site.warden.release(inquiry))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await site.inquiry()).state is State.RELEASING
    await site.later(RELEASE_LEASE_S - 1)
    assert (await site.inquiry()).state is State.RELEASING  # somebody may be at it

    await site.later(2)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, "release interrupted; may have run")
    site.endpoint = site.answers
    for _ in range(5):
        await site.later(3600)
    assert len(site.verdicts) == 1
    assert await site.warden.release(inquiry)  # the owner decides
    assert len(site.verdicts) == 2


@pytest.mark.anyio
async def test_g21_an_endpoint_that_raises_leaves_it_held_with_the_kind_and_not_the_words(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)

    async def fails(_: Request, verdict: Verdict) -> Response:
        raise LookupError(verdict.fields["email"])

    site.endpoint = fails
    assert not await site.warden.release(inquiry)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, "release failed: LookupError; may have run")
    assert [(fault.what, fault.why) for fault in site.warden.faults.all()] == [("release", "LookupError")]


@pytest.mark.anyio
async def test_a_failed_endpoint_is_released_like_any_other(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()

    async def fails(_: Request, __: Verdict) -> Response:
        raise RuntimeError("no such table")

    site.endpoint = fails
    await visitor.send(await visitor.open(), raises=False)
    site.endpoint = site.answers
    kept = await site.inquiry()
    assert kept.state is State.HELD
    assert await site.warden.release(kept.id)
    await site.later(1)
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])


@pytest.mark.anyio
async def test_a_rejected_and_an_asked_one_may_be_released(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), after_s=1.0)
    await visitor.send(await visitor.open(), {"email": "a@gmail.com\nBcc: b@gmail.com"})
    states = {inquiry.state: inquiry.id for inquiry in await site.inquiries()}
    assert set(states) == {State.ASKED, State.REJECTED}
    for inquiry in states.values():
        assert await site.warden.release(inquiry)
    assert len(site.verdicts) == 2


@pytest.mark.anyio
@pytest.mark.parametrize("state", sorted(set(State) - RELEASABLE))
async def test_what_is_not_kept_back_is_not_released(tmp_path: Path, state: State) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)
    await site.store.well.inquiries.move(inquiry, expect={State.HELD}, to=state, note="")
    assert not await site.warden.release(inquiry)
    assert not await site.warden.discard(inquiry)
    assert site.verdicts == []


@pytest.mark.anyio
async def test_what_is_not_there_or_has_no_body_any_more_is_not_released(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert not await site.warden.release(b"nothing")
    inquiry = await held(site)
    site.clock.move(31 * 86_400)
    await site.warden.work_once()
    assert (await site.inquiry()).body is None
    assert not await site.warden.release(inquiry)


@pytest.mark.anyio
async def test_a_released_inquiry_counts_against_nobody(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.warden.release(await held(site))
    visitor = site.visitor()
    await visitor.send(await visitor.open())  # the very same text
    assert site.verdicts[1].score == 0


@pytest.mark.anyio
async def test_counters_that_are_down_do_not_undo_a_release(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)
    site.store.fails("counters", StoreError("gone"))
    assert await site.warden.release(inquiry)
    assert site.warden.faults.of("counters") == 1


@pytest.mark.anyio
async def test_a_discarded_one_is_gone_for_good(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)
    assert await site.warden.discard(inquiry)
    assert not await site.warden.discard(inquiry)
    assert not await site.warden.release(inquiry)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.DISCARDED, "discarded by the owner")


@pytest.mark.anyio
async def test_a_dead_store_is_the_callers_to_hear_of(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)
    site.store.fails("inquiries", StoreError("disk full"))
    with pytest.raises(StoreError):
        await site.warden.release(inquiry)
    with pytest.raises(StoreError):
        await site.warden.discard(inquiry)


# ------------------------------------------------------------------ which handler
@pytest.mark.anyio
async def test_a_form_may_say_itself_what_a_release_runs(tmp_path: Path) -> None:
    accepted: list[Verdict] = []

    async def accept(verdict: Verdict) -> None:
        accepted.append(verdict)

    site = Site(tmp_path, GuardedForm("contact", path="/contact", accept=accept))
    assert await site.warden.release(await held(site))
    assert [verdict.released for verdict in accepted] == [True]
    assert site.verdicts == []


@pytest.mark.anyio
async def test_a_process_without_the_handler_leaves_it_to_one_that_has_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    verdict = await site.warden.judge(Submission("contact", BLIND, client="9.8.7.6"))
    assert not verdict.accepted
    assert not await site.warden.release(verdict.id)  # no app was ever put behind a middleware here
    kept = await site.inquiry()
    assert kept.state is State.HELD
    assert site.warden.faults.of("release") == 1


@pytest.mark.anyio
async def test_g21_where_nobody_watches_the_handler_release_sends_staff_mail_and_reply(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", reply=AutoReply()))
    verdict = await site.warden.judge(Submission("contact", BLIND, client="9.8.7.6"))
    assert not verdict.accepted
    assert await site.warden.release(verdict.id)
    await site.later(1)
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])
    assert (await site.inquiry()).state is State.RELEASED


@pytest.mark.anyio
async def test_an_inquiry_of_a_form_that_is_no_more_stays(tmp_path: Path) -> None:
    site = Site(tmp_path)
    inquiry = await site.store.well.inquiries.get(await held(site))
    assert inquiry is not None
    await site.store.well.inquiries.keep(replace(inquiry, id=b"of another form", form="old"), lease_s=0)
    assert not await site.warden.release(b"of another form")
