"""An inquiry is kept before its endpoint runs, and how that ended is written down (G21)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from formwarden import Verdict
from formwarden.stores.ports import State
from tests.sites import MESSAGE, Site
from tests.web.bare import Bare, http_scope


@pytest.mark.anyio
async def test_g21_the_endpoint_finds_its_own_inquiry_in_the_store(tmp_path: Path) -> None:
    site = Site(tmp_path)
    found: list[tuple[State, bytes | None]] = []

    async def reads(_: Request, verdict: Verdict) -> Response:
        inquiry = await site.store.well.inquiries.get(verdict.id)
        assert inquiry is not None
        found.append((inquiry.state, inquiry.body))
        return RedirectResponse("/thanks", 303)

    site.endpoint = reads
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    ((state, body),) = found
    assert state is State.ACCEPTED
    assert body is not None
    assert b"violin" in body


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 201, 303, 399])
async def test_g21_a_response_below_400_is_done(tmp_path: Path, status: int) -> None:
    site = Site(tmp_path)

    async def answers(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("", status)

    site.endpoint = answers
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open())).status_code == status
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note, inquiry.answer) == (State.DONE, "", (status, ""))


@pytest.mark.anyio
async def test_g21_it_is_done_when_the_response_starts(tmp_path: Path) -> None:
    site = Site(tmp_path)
    states: list[State] = []

    async def text() -> AsyncIterator[bytes]:
        states.append((await site.inquiry()).state)
        yield b"thanks"
        raise RuntimeError("the connection of our database broke")

    async def streams(_: Request, __: Verdict) -> Response:
        return StreamingResponse(text())

    site.endpoint = streams
    visitor = site.visitor()
    with pytest.raises(RuntimeError):
        await visitor.send(await visitor.open())
    assert states == [State.DONE]
    assert (await site.inquiry()).state is State.DONE  # somebody saw "thanks"


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 422, 499])
async def test_g21_a_4xx_is_refused_by_the_site_and_its_counts_are_taken_back(tmp_path: Path, status: int) -> None:
    site = Site(tmp_path)

    async def refuses(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("please correct", status)

    site.endpoint = refuses
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.REFUSED, f"refused by the site: {status}")
    assert site.store.health_of.calls.count("counters.forget") == 1

    site.endpoint = site.answers
    await visitor.send(await visitor.open())  # the same text, from another page
    assert site.verdicts[1].score == 0


@pytest.mark.anyio
@pytest.mark.parametrize("status", [500, 502, 599])
async def test_g21_a_5xx_is_held_as_failed(tmp_path: Path, status: int) -> None:
    site = Site(tmp_path)

    async def fails(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("", status)

    site.endpoint = fails
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open())).status_code == status
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.HELD, f"endpoint failed: {status}")
    assert inquiry.body is not None
    assert site.warden.faults.of("endpoint") == 1


@pytest.mark.anyio
async def test_g21_an_exception_is_held_as_failed_and_passes_on(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def fails(_: Request, __: Verdict) -> Response:
        raise LookupError(MESSAGE)

    site.endpoint = fails
    visitor = site.visitor()
    with pytest.raises(LookupError, match="violin"):
        await visitor.send(await visitor.open())
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.HELD, "endpoint failed: LookupError")


@pytest.mark.anyio
async def test_g21_an_app_that_ends_without_a_response_is_held_as_failed(tmp_path: Path) -> None:
    async def silent(_: Scope, __: Receive, ___: Send) -> None:
        return

    site = Site(tmp_path)
    bare = Bare(site, silent)
    await bare.post(await bare.filled())
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.HELD, "endpoint failed: no response")
    assert bare.sent == []


@pytest.mark.anyio
async def test_g21_a_cancelled_endpoint_is_held_as_failed_and_stays_cancelled(tmp_path: Path) -> None:
    site = Site(tmp_path)
    running = asyncio.Event()

    async def endless(_: Request, __: Verdict) -> Response:
        running.set()
        await asyncio.Event().wait()
        return Response()

    site.endpoint = endless
    visitor = site.visitor()
    page = await visitor.open()
    task = asyncio.create_task(visitor.send(page))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.note) == (State.HELD, "endpoint failed: CancelledError")


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["list", "tuple", "iterator"])
async def test_headers_may_be_any_iterable_of_pairs(tmp_path: Path, kind: str) -> None:
    """ASGI says no more than that."""
    pairs = [(b"Location", b"/done"), (b"x-mine", b"1")]

    async def sends(_: Scope, __: Receive, send: Send) -> None:
        given = {"list": pairs, "tuple": tuple(pairs), "iterator": iter(pairs)}[kind]
        await send({"type": "http.response.start", "status": 303, "headers": given})
        await send({"type": "http.response.body"})

    site = Site(tmp_path)
    bare = Bare(site, sends)
    await bare.post(await bare.filled())
    assert (await site.inquiry()).answer == (303, "/done")
    assert list(bare.sent[0]["headers"]) == pairs


@pytest.mark.anyio
async def test_a_response_without_headers_is_a_response(tmp_path: Path) -> None:
    async def sends(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    site = Site(tmp_path)
    bare = Bare(site, sends)
    await bare.post(await bare.filled())
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_the_end_is_written_down_before_the_visitor_hears_of_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    seen: list[State] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": data}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.append((await site.inquiry()).state)

    bare = Bare(site)
    data = await bare.filled()
    await bare.middleware(http_scope(), receive, send)
    assert seen == [State.DONE]
