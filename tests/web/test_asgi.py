from collections.abc import AsyncIterator, Awaitable, Collection, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, FastAPI, Form
from fastapi.responses import RedirectResponse as FastRedirect
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from formwarden import GuardedForm, NoVerdictError, StoreError, Verdict, WardenMiddleware, form_of, verdict_of
from formwarden.mail.autoreply import AutoReply
from formwarden.stores.ports import State
from tests.page.elements import Elements
from tests.sites import ADDRESS, IP, MESSAGE, READING_S, STAFF, URL, Site, Visitor, contact, read_page
from tests.web.bare import Bare, http_scope


async def nothing() -> Message:
    return {"type": "http.request"}


async def into_the_void(_: Message) -> None:
    return


class Answer:
    """An awaitable that can be told from all others."""

    def __await__(self) -> Generator[None]:
        yield


class Marked:
    """An app that answers with one awaitable."""

    def __init__(self) -> None:
        self.given: list[tuple[Scope, Receive, Send]] = []
        self.answer = Answer()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        self.given.append((scope, receive, send))
        return self.answer


# ------------------------------------------------------------------ what is not ours
@pytest.mark.parametrize(
    "scope",
    [
        http_scope("GET", "/"),
        http_scope("POST", "/contactus"),
        http_scope("POST", "/contact/more"),
        http_scope("POST", "/Contact"),
        http_scope("GET", "/_form"),
        {"type": "websocket", "path": "/contact", "headers": []},
        {"type": "websocket.http.response", "path": "/contact"},
        {"type": "something.new"},
    ],
)
def test_what_is_not_guarded_goes_straight_to_the_app(tmp_path: Path, scope: Scope) -> None:
    app = Marked()
    middleware = WardenMiddleware(app, warden=Site(tmp_path).warden)
    assert middleware(scope, nothing, into_the_void) is app.answer  # the app's own awaitable, none of ours
    ((given, receive, send),) = app.given
    assert given is scope
    assert receive is nothing
    assert send is into_the_void


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_other_methods_of_a_guarded_path_are_not_judged(tmp_path: Path, method: str) -> None:
    app_saw: list[str] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        app_saw.append(scope["method"])
        await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", b"GET")]})
        await send({"type": "http.response.body"})

    site = Site(tmp_path)
    bare = Bare(site, app)
    await bare.run(http_scope(method), [])
    assert app_saw == [method]
    assert bare.sent[0] == {"type": "http.response.start", "status": 204, "headers": [(b"allow", b"GET")]}
    assert await site.inquiries() == ()


@pytest.mark.anyio
async def test_methods_of_a_form_may_be_others(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", methods=("put",)))
    bare = Bare(site)
    await bare.run(http_scope("PUT"), [{"type": "http.request", "body": b"message=x"}])
    await bare.run(http_scope("POST"), [{"type": "http.request", "body": b"message=x"}])
    assert len(await site.inquiries()) == 1


@pytest.mark.anyio
async def test_a_page_that_used_no_markup_keeps_its_headers(tmp_path: Path) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"max-age=60")]})
        await send({"type": "http.response.body"})

    bare = Bare(Site(tmp_path), app)
    await bare.run(http_scope("GET"), [])
    assert bare.headers == {"cache-control": "max-age=60"}


def test_servers_see_a_coroutine_function(tmp_path: Path) -> None:
    import asyncio
    import inspect

    middleware = WardenMiddleware(Marked(), warden=Site(tmp_path).warden)
    assert inspect.iscoroutinefunction(middleware.__call__) or asyncio.iscoroutinefunction(middleware.__call__)


# ------------------------------------------------------------------ paths
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "root_path", "guarded"),
    [
        ("/contact", "", True),
        ("/contact/", "", True),
        ("/shop/contact", "/shop", True),
        ("/contact", "/shop", True),  # servers that strip it
        ("/contact", "/con", True),  # no part of a name is a mount
        ("/contact", "/contact", False),  # a mount of that name, and nothing below it
        ("/contactcontact", "/contact", False),
        ("/shop/contact", "", False),
        ("//contact", "", False),
    ],
)
async def test_a_path_is_guarded_as_the_app_sees_it(tmp_path: Path, path: str, root_path: str, guarded: bool) -> None:  # noqa: FBT001 - a table
    site = Site(tmp_path)
    bare = Bare(site)
    await bare.run(http_scope(path=path, root_path=root_path), [{"type": "http.request", "body": b"message=x"}])
    assert bool(await site.inquiries()) is guarded


@pytest.mark.anyio
async def test_a_path_with_a_last_slash_guards_both_spellings(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=("/contact/", "/kontakt")))
    bare = Bare(site)
    for path in ("/contact", "/contact/", "/kontakt", "/kontakt/"):
        await bare.run(http_scope(path=path), [{"type": "http.request", "body": b"message=x"}])
    assert len(await site.inquiries()) == 4


@pytest.mark.anyio
async def test_it_works_below_a_mount(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.app = Starlette(routes=[Mount("/shop", site.app)])
    visitor = site.visitor()
    page = await visitor.open("/shop/contact")
    assert (await visitor.send(page, path="/shop/contact")).status_code == 303
    assert site.verdicts[0].score == 0


# ------------------------------------------------------------------ pages and caches
@pytest.mark.anyio
async def test_g28_a_response_that_used_markup_is_private_and_not_stored(tmp_path: Path) -> None:
    page = await Site(tmp_path).visitor().open()
    assert page.response.headers["cache-control"] == "private, no-store"


@pytest.mark.anyio
async def test_g28_so_it_is_when_the_request_is_passed(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def show(request: Request) -> Response:
        return HTMLResponse(site.warden.markup("contact", request=request), headers={"cache-control": "public"})

    site.app = Starlette(
        routes=[Route("/contact", show)], middleware=[Middleware(WardenMiddleware, warden=site.warden)]
    )
    response = await site.visitor().request("GET", "/contact")
    assert response.headers.get_list("cache-control") == ["private, no-store"]


@pytest.mark.anyio
async def test_g28_the_apps_own_cache_control_does_not_stand_beside_it(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def app(_: Scope, __: Receive, send: Send) -> None:
        site.warden.markup("contact")
        headers = ((b"Cache-Control", b"public"), (b"x-a", b"1"))  # a tuple: ASGI asks for an iterable
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    bare = Bare(site, app)
    await bare.run(http_scope("GET"), [])
    assert bare.sent[0]["headers"] == [(b"x-a", b"1"), (b"cache-control", b"private, no-store")]


@pytest.mark.anyio
async def test_g28_a_cacheable_form_leaves_the_headers_to_the_site(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", cacheable=True))
    page = await site.visitor().open()
    assert "cache-control" not in page.response.headers
    assert page.token == ""


@pytest.mark.anyio
async def test_g28_a_form_shown_again_is_not_stored_even_where_pages_are_cacheable(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", cacheable=True))

    async def again(_: Request, verdict: Verdict) -> Response:
        return HTMLResponse(f"<form>{site.warden.markup('contact', again=verdict)}</form>", 422)

    site.endpoint = again
    visitor = site.visitor(scripts=False)
    response = await visitor.send(await visitor.open())
    assert response.headers["cache-control"] == "private, no-store"
    assert read_page(response).token


@pytest.mark.anyio
async def test_g28_the_61st_page_of_a_network_has_the_marker_only_and_is_not_stored_either(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for number in range(60):
        page = await site.visitor(f"1.2.3.{number}").open()
        assert page.token
    page = await site.visitor("1.2.3.200").open()
    assert (page.token, bool(page.marker)) == ("", True)
    assert page.response.headers["cache-control"] == "private, no-store"
    assert (await site.visitor("1.2.4.1").open()).token

    site.clock.move(600)
    assert (await site.visitor("1.2.3.200").open()).token


# ------------------------------------------------------------------ our own paths
@pytest.mark.anyio
async def test_assets_are_served_and_unknown_ones_are_the_sites(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    (script,) = Elements(page.response.text).all("script")
    answer = await visitor.request("GET", str(script["src"]))
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    head = await visitor.request("HEAD", str(script["src"]))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]
    cached = await visitor.request("GET", str(script["src"]), headers={"if-none-match": answer.headers["etag"]})
    assert cached.status_code == 304
    prefix = site.settings.pages.asset_prefix
    assert (await visitor.request("GET", f"{prefix}nothing.js")).status_code == 404
    assert (await visitor.request("POST", f"{prefix}guard.js")).status_code == 404


async def fresh(visitor: Visitor, marker: str) -> httpx2.Response:
    return await visitor.request("GET", f"{visitor.site.settings.pages.asset_prefix}token?m={marker}")


@pytest.mark.anyio
async def test_a_cached_page_gets_a_fresh_token_for_its_marker(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", cacheable=True, reply=AutoReply()))
    visitor = site.visitor()
    page = await visitor.open()
    answer = await fresh(visitor, page.marker)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    response = await visitor.send(page, {"_fw_token": answer.text})
    assert response.status_code == 303
    assert site.verdicts[0].standing == "shown"


@pytest.mark.anyio
async def test_without_a_marker_of_ours_there_is_no_token(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    for marker in ("", "x", (await visitor.open()).token):
        assert (await fresh(visitor, marker)).status_code == 404


@pytest.mark.anyio
async def test_g28_fresh_tokens_are_limited_with_the_pages(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"tokens_per_10_min": 2})
    visitor = site.visitor()
    marker = (await visitor.open()).marker
    assert (await fresh(visitor, marker)).status_code == 200
    assert (await fresh(visitor, marker)).status_code == 429


# ------------------------------------------------------------------ thanks
@pytest.mark.anyio
async def test_g29_the_thanks_page_is_shown_with_a_valid_receipt_only(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    location = (await visitor.send(await visitor.open())).headers["location"]
    thanks = await visitor.request("GET", location)
    assert site.verdicts[0].receipt in thanks.text
    assert MESSAGE in thanks.text
    assert thanks.headers["cache-control"] == "no-store"
    assert thanks.headers["x-robots-tag"] == "noindex"
    assert "<a " not in thanks.text
    assert (await visitor.request("HEAD", location)).status_code == 200

    for other in ("/thanks", "/thanks?receipt=", "/thanks?receipt=x", f"{location}x", f"{location}&{location[8:]}"):
        assert (await visitor.request("GET", other)).text == "the site's own thanks"
    site.clock.move(30 * 60 + 1)
    assert (await visitor.request("GET", location)).text == "the site's own thanks"


@pytest.mark.anyio
async def test_g29_a_receipt_of_one_form_opens_no_other_forms_page(tmp_path: Path) -> None:
    order = GuardedForm("order", path="/order", thanks="/ordered")
    site = Site(tmp_path, contact(), order)
    visitor = site.visitor()
    location = (await visitor.send(await visitor.open())).headers["location"]
    query = location.partition("?")[2]
    assert (await visitor.request("GET", f"/ordered?{query}")).status_code == 404  # the site has no such route


@pytest.mark.anyio
async def test_the_thanks_page_is_the_sites_while_the_store_is_down(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    location = (await visitor.send(await visitor.open())).headers["location"]
    site.store.fails("inquiries", StoreError("locked"))
    assert (await visitor.request("GET", location)).text == "the site's own thanks"
    assert site.warden.faults.of("inquiries") == 1


@pytest.mark.anyio
async def test_a_thanks_address_may_have_a_query_and_a_slash(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", thanks="/thanks/?from=form"))
    visitor = site.visitor()
    location = (await visitor.send(await visitor.open())).headers["location"]
    assert location.startswith("/thanks/?from=form&receipt=")
    assert site.verdicts[0].receipt in (await visitor.request("GET", location)).text


# ------------------------------------------------------------------ what the endpoint gets
@pytest.mark.anyio
async def test_verdict_form_and_starlettes_form_agree(tmp_path: Path) -> None:
    site = Site(tmp_path)
    read: list[tuple[list[tuple[str, str]], list[tuple[str, str]]]] = []

    async def compares(request: Request, verdict: Verdict) -> Response:
        ours, theirs = form_of(request), await request.form()
        added = set(theirs) - set(ours)  # marker, token, evidence, traps
        assert {theirs[name] for name in added if not name.startswith("_fw_")} == {""}
        read.append((await plain(ours), await plain(theirs, added)))
        typed = [(name, value) for name, value in read[-1][0] if name != "photo"]
        assert sorted(verdict.fields.pairs) == typed
        assert len(verdict.uploads) == len(read[-1][0]) - len(typed)
        return RedirectResponse("/thanks", 303)

    site.endpoint = compares
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"name": "太郎"})
    picture = {"photo": ("bow.png", b"\x89PNG\0", "image/png")}
    await visitor.send(await visitor.open(), {"message": "See the picture"}, files=picture)
    assert len(read) == 2
    assert all(ours == theirs for ours, theirs in read)
    assert dict(read[0][0])["name"] == "太郎"
    assert dict(read[1][0])["photo"] == "bow.png image/png 5 \x89PNG\0"


async def plain(form: FormData, without: Collection[str] = ()) -> list[tuple[str, str]]:
    """Write a form's fields and files as text."""
    pairs = []
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            text = (await value.read()).decode("latin-1")
            pairs.append((name, f"{value.filename} {value.content_type} {value.size} {text}"))
        elif name not in without:
            pairs.append((name, value))
    await form.close()
    return sorted(pairs)


def test_without_the_middleware_the_error_says_what_is_missing() -> None:
    async def submit(request: Request) -> Response:
        verdict_of(request)
        return PlainTextResponse("")

    client = TestClient(Starlette(routes=[Route("/contact", submit, methods=["POST"])]))
    with pytest.raises(NoVerdictError, match="/contact has no verdict: is WardenMiddleware added, and the path one"):
        client.post("/contact")


def test_form_of_without_the_middleware_says_the_same() -> None:
    with pytest.raises(NoVerdictError):
        form_of(HTTPConnection({"type": "http", "path": "/x", "headers": [], "state": {}, "server": ("x", 80)}))


def test_a_verdict_of_somebody_else_in_the_state_is_none() -> None:
    scope: Scope = {"type": "http", "path": "/x", "headers": [], "state": {"formwarden": "yes"}, "server": ("x", 80)}
    with pytest.raises(NoVerdictError):
        verdict_of(HTTPConnection(scope))


@pytest.mark.anyio
async def test_the_sites_own_state_is_kept(tmp_path: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["state"] is state
        assert Request(scope, receive).state.database == "mine"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    site = Site(tmp_path)
    bare = Bare(site, app)
    state: dict[str, object] = {"database": "mine"}
    await bare.post(await bare.filled(), state=state)
    assert (await site.inquiry()).state is State.DONE


class Inquiry(BaseModel):
    name: str
    email: str
    message: str


@pytest.mark.anyio
async def test_fastapi_takes_its_own_form_model_and_the_verdict_as_a_dependency(tmp_path: Path) -> None:
    site = Site(tmp_path)
    app = FastAPI(middleware=[Middleware(WardenMiddleware, warden=site.warden)])
    got: list[tuple[Inquiry, Verdict]] = []

    @app.get("/contact")
    def show() -> HTMLResponse:
        return HTMLResponse(f"<form>{site.warden.markup('contact')}</form>")

    @app.post("/contact")
    async def submit(
        inquiry: Annotated[Inquiry, Form()], verdict: Annotated[Verdict, Depends(verdict_of)]
    ) -> FastRedirect:
        got.append((inquiry, verdict))
        await site.warden.notify(verdict)
        await site.warden.reply(verdict)
        return FastRedirect(site.warden.thanks_url(verdict), status_code=303)

    transport = httpx2.ASGITransport(app=app, client=(IP, 4711))
    visitor = site.visitor()
    async with httpx2.AsyncClient(transport=transport, base_url=URL, headers=visitor.headers) as client:
        page = read_page(await client.get("/contact"))  # a plain function: it runs in a thread
        assert page.response.headers["cache-control"] == "private, no-store"
        site.clock.move(READING_S)
        response = await client.post("/contact", data=visitor.fill(page))
    assert response.status_code == 303
    ((inquiry, verdict),) = got
    assert (inquiry.email, verdict.address, verdict.standing) == (ADDRESS, ADDRESS, "shown")
    await site.later(1)
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])


# ------------------------------------------------------------------ opening and closing
def test_the_lifespan_opens_and_closes_the_warden_beside_the_sites_own(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"work": "auto"})
    seen: list[str] = []

    @asynccontextmanager
    async def own(_: Starlette) -> AsyncIterator[dict[str, str]]:
        seen.append("up")
        yield {"database": "mine"}
        seen.append("down")

    async def show(request: Request) -> Response:
        return PlainTextResponse(request.state.database)

    app = Starlette(
        routes=[Route("/contact", show)],
        lifespan=own,
        middleware=[Middleware(WardenMiddleware, warden=site.warden)],
    )
    with TestClient(app) as client:
        assert client.get("/contact").text == "mine"
        assert site.store.closed == 0
        assert "ledger.due" in site.store.health_of.calls  # the work runs by itself
    assert seen == ["up", "down"]
    assert site.store.closed >= 1
    asked = len(site.store.health_of.calls)
    site.clock.move(60)
    assert len(site.store.health_of.calls) == asked


def test_with_cron_nothing_runs_by_itself(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with TestClient(site.app) as client:
        client.get("/contact")
    assert site.store.health_of.calls == []


def test_a_store_that_is_down_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"work": "auto"})
    for port in ("store", "counters", "inquiries", "ledger"):
        site.store.fails(port, StoreError("no such disk"))
    with TestClient(site.app) as client:
        assert client.get("/contact").status_code == 200
    assert site.warden.faults.of("work outbox") >= 1


@pytest.mark.anyio
async def test_an_app_that_fails_to_start_says_so_itself_and_nothing_stays_open(tmp_path: Path) -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("no database")

    site = Site(tmp_path)
    middleware = WardenMiddleware(app, warden=site.warden)
    with pytest.raises(RuntimeError, match="no database"):
        await middleware({"type": "lifespan", "state": {}}, nothing, into_the_void)
    assert site.store.closed == 1


def test_without_a_lifespan_the_first_request_opens(tmp_path: Path) -> None:
    site = Site(tmp_path)
    client = TestClient(site.app, base_url=URL, client=(IP, 1))  # not entered: no lifespan, a loop a request
    for _ in range(2):
        page = read_page(client.get("/contact"))
        site.clock.move(READING_S)
        response = client.post("/contact", data=site.visitor().fill(page), follow_redirects=False)
        assert response.status_code == 303
