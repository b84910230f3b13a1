"""What nobody came back for is moved on, never lost, and never run twice."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from formwarden import StoreError, Verdict
from formwarden.desk.waiting import UNANSWERED_S
from formwarden.judge import ENDPOINT_LEASE_S
from formwarden.stores.ports import State
from tests.sites import MESSAGE, Site

GONE = {"email": "taro@nagoya-bow.jp"}


async def asked_for_the_address(site: Site, **typed: str) -> None:
    site.resolver.gone.add("nagoya-bow.jp")
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {**GONE, **typed})
    assert (await site.inquiries(State.ASKED))[0].facts["address_only"] is True


@pytest.mark.anyio
async def test_nothing_is_moved_before_its_time(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await asked_for_the_address(site)
    await site.later(UNANSWERED_S)
    assert (await site.inquiry()).state is State.ASKED


@pytest.mark.anyio
async def test_g22_a_release_by_itself_that_fails_leaves_it_held_for_the_owner(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await asked_for_the_address(site)

    async def refuses(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("", 500)

    site.endpoint = refuses
    await site.later(UNANSWERED_S + 1)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, "release failed: 500; may have run")
    site.endpoint = site.answers
    await site.later(86_400)
    assert len(site.verdicts) == 1


@pytest.mark.anyio
async def test_g22_in_a_process_without_the_handler_it_is_held_for_the_owner(tmp_path: Path) -> None:
    site, other = Site(tmp_path), Site(tmp_path)
    await asked_for_the_address(other)
    await site.store.well.inquiries.keep(await other.inquiry(), lease_s=0)
    await site.later(UNANSWERED_S + 1)
    assert (await site.inquiry()).state is State.HELD


@pytest.mark.anyio
async def test_g21_an_endpoint_that_died_is_held_when_its_lease_is_over(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    running = asyncio.Event()

    async def endless(_: Request, __: Verdict) -> Response:
        running.set()
        await asyncio.Event().wait()
        return Response()

    site.endpoint = endless
    task = asyncio.create_task(visitor.send(page))
    await running.wait()
    site.store.fails("inquiries.move", StoreError("the process is gone"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    site.store.fails("inquiries.move", None)
    site.journal_path.unlink()  # a dead process wrote nothing there either

    await site.later(ENDPOINT_LEASE_S - 1)
    assert (await site.inquiry()).state is State.ACCEPTED
    await site.later(2)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, "endpoint failed: its process ended; may have run")
    site.endpoint = site.answers
    await site.later(86_400)
    assert len(site.verdicts) == 1  # never by itself


@pytest.mark.anyio
async def test_many_are_moved_on_one_after_the_other(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await asked_for_the_address(site)
    (first,) = await site.inquiries()
    for number in range(60):
        other = replace(first, id=b"%016d" % number, facts={**first.facts, "address_only": False})
        await site.store.well.inquiries.keep(other, lease_s=0)
    await site.later(UNANSWERED_S + 1)
    assert 0 < len(await site.inquiries(State.ASKED)) < 60
    await site.later(5)
    assert await site.inquiries(State.ASKED) == ()


@pytest.mark.anyio
async def test_of_two_processes_one_moves_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await asked_for_the_address(site, message=f"{MESSAGE} Two of them.")
    site.clock.move(UNANSWERED_S + 1)
    await asyncio.gather(*(site.warden.work_once() for _ in range(4)))
    assert (await site.inquiry()).state is State.RELEASED
    assert len(site.verdicts) == 1
