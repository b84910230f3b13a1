"""Traps 13 to 26 of docs/traps.md, where a request meets them: answers, scope, replies, state."""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from formwarden import (
    StoreError,
    Submission,
    Verdict,
    WardenMiddleware,
    verdict_of,
)
from formwarden.stores.ports import State
from tests.sites import BROWSER, DOMAIN, IP, MESSAGE, READING_S, Site, Visitor
from tests.web.bare import FORM
from tests.web.replaying import Server, filled, guarded, piece, scope_of

OTHER_SITE = "https://shop.example"


# ------------------------------------------------------------------ 13: our own answers
async def cross_site(visitor: Visitor, kind: str) -> tuple[int, Mapping[str, str]]:
    """Let a page of another site meet one of our answers."""
    headers = {"origin": OTHER_SITE, "sec-fetch-site": "cross-site", "accept": "application/json"}
    page = await visitor.open()
    match kind:
        case "unreadable":
            answer = await visitor.request(
                "POST", "/contact", content=b"x", headers=headers | {"content-type": "x/y"}
            )
        case "asked":
            answer = await visitor.post({"message": MESSAGE, "_fw_token": "x"}, headers=headers)
        case "rejected":
            answer = await visitor.send(page, {"email": "a@gmail.com\nBcc: b@gmail.com"}, headers=headers)
        case "token":
            prefix = visitor.site.settings.pages.asset_prefix
            answer = await visitor.request("GET", f"{prefix}token?m={page.marker}", headers=headers)
        case _:
            answer = await visitor.send(page, headers=headers)
    return answer.status_code, answer.headers


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "status"), [("unreadable", 415), ("asked", 409), ("rejected", 403), ("token", 429), ("accepted", 303)]
)
async def test_trap_13_inside_cors_our_answers_bear_its_headers(tmp_path: Path, kind: str, status: int) -> None:
    """An HTTPException of ours would be a 500 outside of Starlette's own handler, and have none."""
    site = Site(tmp_path, settings={"tokens_per_10_min": 1})
    cors = Middleware(CORSMiddleware, allow_origins=[OTHER_SITE], allow_methods=["POST"])
    site.app = Starlette(routes=site.app.routes, middleware=[cors, Middleware(WardenMiddleware, warden=site.warden)])
    got, headers = await cross_site(site.visitor(), kind)
    assert (got, headers["access-control-allow-origin"]) == (status, OTHER_SITE)


@pytest.mark.anyio
async def test_trap_13_a_preflight_is_the_sites(tmp_path: Path) -> None:
    site = Site(tmp_path)
    cors = Middleware(CORSMiddleware, allow_origins=[OTHER_SITE], allow_methods=["POST"])
    headers = {"origin": OTHER_SITE, "access-control-request-method": "POST"}
    for layers in (
        [cors, Middleware(WardenMiddleware, warden=site.warden)],
        [Middleware(WardenMiddleware, warden=site.warden), cors],
    ):
        app = Starlette(routes=site.app.routes, middleware=layers)
        server = Server(piece())
        await server.run(app, scope_of("OPTIONS", headers=headers))
        assert (server.status, server.body) == (200, b"OK")
        assert server.headers["access-control-allow-origin"] == OTHER_SITE
    assert site.store.health_of.calls == []


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["unreadable", "asked", "rejected", "token"])
async def test_trap_13_our_answers_are_not_stored(tmp_path: Path, kind: str) -> None:
    _, headers = await cross_site(Site(tmp_path, settings={"tokens_per_10_min": 1}).visitor(), kind)
    assert headers["cache-control"] == "no-store"


@pytest.mark.anyio
async def test_trap_13_a_refusal_for_its_rate_names_the_limit_and_the_wait(tmp_path: Path) -> None:
    """`RateLimit-Policy` and `RateLimit` are structured fields; Retry-After is in seconds, and true."""
    site = Site(tmp_path, settings={"tokens_per_10_min": 2})
    visitor = site.visitor()
    marker = (await visitor.open()).marker
    fresh = f"{site.settings.pages.asset_prefix}token?m={marker}"
    site.clock.move(100)
    allowed = await visitor.request("GET", fresh)
    assert (allowed.status_code, {"retry-after", "ratelimit", "ratelimit-policy"} & set(allowed.headers)) == (
        200,
        set(),
    )

    site.clock.move(0.5)
    refused = await visitor.request("GET", fresh)
    assert refused.status_code == 429
    assert refused.headers["ratelimit-policy"] == '"tokens";q=2;w=600'
    assert refused.headers["ratelimit"] == '"tokens";r=0;t=500'
    assert refused.headers["retry-after"] == "500"

    site.clock.move(499)
    assert (await visitor.request("GET", fresh)).headers["retry-after"] == "1"
    site.clock.move(0.5)
    assert (await visitor.request("GET", fresh)).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["unreadable", "asked", "rejected", "accepted"])
async def test_trap_13_where_no_limit_speaks_no_header_names_one(tmp_path: Path, kind: str) -> None:
    _, headers = await cross_site(Site(tmp_path).visitor(), kind)
    assert [name for name in headers if "ratelimit" in name or name == "retry-after"] == []


# ------------------------------------------------------------------ 14: scope, state, context
@pytest.mark.anyio
@pytest.mark.parametrize("own", [None, {"database": "mine"}])
async def test_trap_14_the_state_is_the_sites_and_may_be_absent(
    tmp_path: Path, own: dict[str, object] | None
) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        assert Request(scope, receive).state.formwarden is verdict_of(Request(scope))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    site = Site(tmp_path)
    scope = scope_of() if own is None else scope_of(state=own)
    await Server(piece(await filled(site))).run(guarded(site, app), scope)
    assert seen[0] is scope
    assert own is None or (scope["state"] is own and own["database"] == "mine")


@pytest.mark.anyio
async def test_trap_14_outer_layers_see_what_starlette_writes_into_the_scope(tmp_path: Path) -> None:
    site = Site(tmp_path)
    scopes = [scope_of(), scope_of("GET"), scope_of("GET", "/")]
    data = await filled(site)
    for scope in scopes:
        await Server(piece(data)).run(site.app, scope)
        assert (scope["path_params"], callable(scope["endpoint"])) == ({}, True)


@pytest.mark.anyio
async def test_trap_14_nobody_changes_a_verdict(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    (verdict,) = site.verdicts
    with pytest.raises((FrozenInstanceError, TypeError)):
        verdict.score = 0.0  # type: ignore[misc]  # that is the point
    with pytest.raises(TypeError):
        verdict.fields["message"] = ""  # type: ignore[index]  # the same


OUTER: ContextVar[str] = ContextVar("outer", default="nothing")


@pytest.mark.anyio
async def test_trap_14_context_of_outer_layers_reaches_endpoint_thread_and_background(tmp_path: Path) -> None:
    """What BaseHTTPMiddleware loses."""
    site = Site(tmp_path)
    seen: list[str] = []

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        token = OUTER.set("request 7")
        try:
            await site.app(scope, receive, send)
        finally:
            OUTER.reset(token)

    async def reads(_: Request, __: Verdict) -> Response:
        seen.append(OUTER.get())
        seen.append(await asyncio.to_thread(OUTER.get))
        return PlainTextResponse("", background=BackgroundTask(lambda: seen.append(OUTER.get())))

    site.endpoint = reads
    await Server(piece(await filled(site))).run(outer, scope_of())
    assert seen == ["request 7"] * 3


# ------------------------------------------------------------------ 15: replies
EARLY: Sequence[Message] = (
    {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]},
    {"type": "http.response.debug", "info": {"template": "x"}},
    {"type": "http.response.push", "path": "/a.css", "headers": []},
)
LATE: Sequence[Sequence[Message]] = (
    ({"type": "http.response.pathsend", "path": "/etc/hostname"},),
    ({"type": "http.response.zerocopysend", "file": 3, "count": 9, "more_body": False},),
    (
        {"type": "http.response.body", "body": b"a", "more_body": True},
        {"type": "http.response.body", "body": b"b", "more_body": False},
        {"type": "http.response.trailers", "headers": [(b"x", b"1")], "more_trailers": False},
    ),
)


@pytest.mark.anyio
@pytest.mark.parametrize("late", LATE)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_trap_15_every_message_passes_as_it_is_and_at_once(
    tmp_path: Path, late: Sequence[Message], method: str
) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"trailer", b"x")], "trailers": True}
    messages = (*EARLY, start, *late)
    site = Site(tmp_path)
    data = await filled(site)
    server = Server(piece(data))

    async def app(_: Scope, __: Receive, send: Send) -> None:
        for number, message in enumerate(messages, 1):
            await send(message)
            assert len(server.sent) == number  # nothing is kept back

    await server.run(guarded(site, app), scope_of(method, extensions={"http.response.pathsend": {}}))
    assert server.sent == list(messages)
    assert all(ours is theirs for ours, theirs in zip(server.sent, messages, strict=True) if theirs is not start)
    assert len(server.starts) == 1
    if method == "POST":
        assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_trap_15_hints_before_an_answer_are_not_the_answer(tmp_path: Path) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(EARLY[0])
        raise RuntimeError("no database")

    site = Site(tmp_path)
    with pytest.raises(RuntimeError, match="no database"):
        await Server(piece(await filled(site))).run(guarded(site, app), scope_of())
    assert (await site.inquiry()).note == "endpoint failed: RuntimeError"


# ------------------------------------------------------------------ 16: no event loop of its own
@pytest.mark.anyio
async def test_trap_16_the_way_without_asgi_judges_as_the_middleware_does(tmp_path: Path) -> None:
    """WSGI frameworks parse the body themselves: nothing is read a second time."""
    verdicts: list[Verdict] = []
    for number, way in enumerate(("asgi", "environ")):
        directory = tmp_path / str(number)
        directory.mkdir()
        site = Site(directory)
        visitor = site.visitor()
        pairs = visitor.fill(await visitor.open())
        site.clock.move(READING_S)
        if way == "asgi":
            await visitor.post(pairs)
            verdicts += site.verdicts
            continue
        environ: dict[str, object] = {
            f"HTTP_{name.upper().replace('-', '_')}": text for name, text in BROWSER.items()
        }
        environ |= {"REMOTE_ADDR": IP, "CONTENT_TYPE": FORM, "HTTP_HOST": DOMAIN, "wsgi.input": None}
        submission = Submission.from_environ("contact", environ, pairs.items())
        verdicts.append(await asyncio.to_thread(site.warden.sync.judge, submission))
    assert verdicts[0].as_dict() | {"id": "", "receipt": ""} == verdicts[1].as_dict() | {"id": "", "receipt": ""}
    assert (verdicts[0].accepted, verdicts[0].score, verdicts[0].standing) == (True, 0, "shown")


# ------------------------------------------------------------------ 17 to 26: state, where a request meets it
@pytest.mark.anyio
@pytest.mark.parametrize("port", ["counters", "inquiries", "ledger", "store"])
async def test_trap_17_no_store_keeps_an_inquiry_from_the_endpoint(tmp_path: Path, port: str) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.store.fails(port, StoreError("no such disk"))
    assert (await visitor.send(page)).status_code == 303
    assert len(site.verdicts) == 1


@pytest.mark.anyio
async def test_trap_20_a_flood_of_networks_forgets_no_limit_that_counts(tmp_path: Path) -> None:
    """The memory of drawn tokens is bounded; a network that draws is not the one that is forgotten."""
    site = Site(tmp_path, settings={"tokens_per_10_min": 3})
    bot = site.visitor("1.2.3.4")
    tokens = []
    for number in range(6):
        tokens.append((await bot.open()).token)
        for other in range(30):
            await site.visitor(f"9.{number}.{other}.1").open()
    assert [bool(token) for token in tokens] == [True, True, True, False, False, False]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "address", ["", "unix:", "not an address", "1.2.3.4:80", "%", "::ffff:1.2.3.4%eth0", "[::1]"]
)
async def test_trap_22_an_address_that_is_none_breaks_nothing(tmp_path: Path, address: str) -> None:
    site = Site(tmp_path)
    data = await filled(site)
    server = Server(piece(data))
    await server.run(site.app, {**scope_of(), "client": (address, 0)})
    assert server.status == 303
