"""Release runs the site's own endpoint once more, in the process that has it (G21)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from formwarden import Action, Standing, Verdict, WardenMiddleware, form_of, verdict_of
from formwarden.stores.ports import State
from tests.sites import ADDRESS, MESSAGE, STAFF, Site
from tests.web.bare import Bare


async def held(site: Site, **typed: str) -> bytes:
    """Let a person's message be held by mistake, and name it."""
    visitor = site.visitor(headers={"user-agent": "Mozilla/5.0"})
    message = {"name": "Taro Yamada", "email": ADDRESS, "message": MESSAGE, **typed}
    await visitor.post(message)
    (inquiry,) = await site.inquiries(State.HELD)
    return inquiry.id


@pytest.mark.anyio
async def test_g21_a_release_reaches_the_endpoint_with_an_accepted_and_released_verdict(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)
    assert await site.warden.release(inquiry)
    (verdict,) = site.verdicts
    assert (verdict.accepted, verdict.released, verdict.judged) == (True, True, Action.QUARANTINE)
    assert (verdict.id, verdict.address, verdict.standing) == (inquiry, ADDRESS, Standing.DOUBTFUL)
    assert dict(verdict.fields) == {"name": "Taro Yamada", "email": ADDRESS, "message": MESSAGE}
    assert (await site.inquiry()).state is State.RELEASED


@pytest.mark.anyio
async def test_g21_a_released_one_takes_the_way_of_an_accepted_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.warden.release(await held(site))
    await site.later(1)
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])


@pytest.mark.anyio
async def test_the_endpoint_reads_the_kept_body_as_it_read_the_sent_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    read: list[tuple[str, str, bytes]] = []

    async def reads(request: Request, _: Verdict) -> Response:
        form, ours = await request.form(), form_of(request)
        file = ours["photo"]
        assert not isinstance(file, str)
        read.append((str(form["message"]), request.url.path, await file.read()))
        await form.close()
        return PlainTextResponse("")

    site.endpoint = reads
    visitor = site.visitor(headers={})
    await visitor.post({"message": MESSAGE}, files={"photo": ("bow.png", b"\x89PNG", "image/png")})
    await site.warden.release((await site.inquiry()).id)
    assert read == [(MESSAGE, "/contact", b"\x89PNG")]


@pytest.mark.anyio
async def test_the_scope_is_one_of_the_public_url_and_holds_nobodys_headers(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"public_url": "https://www.bow-makers.jp:8443/base"})
    scopes: list[Scope] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    bare = Bare(site, app)
    await bare.post(b"message=hello")
    inquiry = (await site.inquiry()).id
    scopes.clear()
    assert await site.warden.release(inquiry)
    (scope,) = scopes
    headers = dict(scope["headers"])
    assert set(headers) == {b"host", b"content-type", b"content-length", b"accept"}
    assert (headers[b"host"], headers[b"content-length"]) == (b"www.bow-makers.jp:8443", b"13")
    assert (scope["scheme"], scope["client"], scope["method"]) == ("https", None, "POST")
    assert verdict_of(Request(scope)).released


@pytest.mark.anyio
async def test_the_endpoint_sees_the_lifespans_state(tmp_path: Path) -> None:
    site = Site(tmp_path)
    seen: list[str] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
        yield {"database": "mine"}

    async def submit(request: Request) -> Response:
        seen.append(request.state.database)
        return PlainTextResponse("")

    site.app = Starlette(
        routes=[Route("/contact", submit, methods=["POST"])],
        lifespan=lifespan,
        middleware=[Middleware(WardenMiddleware, warden=site.warden)],
    )
    with TestClient(site.app):
        inquiry = await held(site)
        assert await site.warden.release(inquiry)
    assert seen == ["mine"]


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 422, 500])
async def test_an_endpoint_that_refuses_leaves_it_held_and_marked(tmp_path: Path, status: int) -> None:
    site = Site(tmp_path)
    inquiry = await held(site)

    async def refuses(_: Request, __: Verdict) -> Response:
        return PlainTextResponse("", status)

    site.endpoint = refuses
    assert not await site.warden.release(inquiry)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, f"release failed: {status}; may have run")
    assert site.warden.faults.of("release") == 1


@pytest.mark.anyio
async def test_an_endpoint_that_never_answers_at_all_counts_as_failed(tmp_path: Path) -> None:
    async def silent(_: Scope, __: Receive, ___: Send) -> None:
        return

    site = Site(tmp_path)
    bare = Bare(site, silent)
    await bare.post(b"message=hello")
    (inquiry,) = await site.inquiries()
    assert not await site.warden.release(inquiry.id)
    assert (await site.inquiry()).note == "release failed: 500; may have run"


@pytest.mark.anyio
async def test_an_endpoint_that_listens_for_a_disconnect_hears_of_it_when_its_answer_is_out(tmp_path: Path) -> None:
    heard: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"message=hello"
        listening = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not listening.done()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        await asyncio.sleep(0)
        assert not listening.done()
        await send({"type": "http.response.body", "body": b"b"})
        heard.append(await listening)

    site = Site(tmp_path)
    bare = Bare(site, app)
    await bare.post(b"message=hello")
    assert await site.warden.release((await site.inquiry()).id)
    assert heard == [{"type": "http.disconnect"}]
