"""Traps 11 and 12 of docs/traps.md: which requests are ours, and where our own paths lie."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from formwarden import (
    AutoReply,
    GuardedForm,
    NoVerdictError,
    WardenMiddleware,
)
from formwarden.stores.ports import State
from tests.page.elements import Elements
from tests.sites import MESSAGE, READING_S, URL, Page, Site, read_page
from tests.web.bare import Bare, http_scope
from tests.web.replaying import Server, guarded, piece, scope_of


# ------------------------------------------------------------------ 11, 12: routing
@pytest.mark.anyio
async def test_trap_11_where_no_lifespan_arrives_the_first_request_opens(tmp_path: Path) -> None:
    """A mounted app never sees the lifespan."""
    site = Site(tmp_path)
    site.app = Starlette(routes=[Mount("/shop", site.app)])
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open("/shop/contact"), path="/shop/contact")).status_code == 303


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PROPFIND"])
async def test_trap_12_whoever_does_not_send_the_form_is_never_charged(tmp_path: Path, method: str) -> None:
    site = Site(tmp_path)
    server = Server(piece(b"message=x"))
    await server.run(site.app, scope_of(method))
    assert server.status in {200, 405}
    assert (await site.inquiries(), site.store.health_of.calls) == ((), [])


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["PUT", "PATCH", "post", "put"])
async def test_trap_12_other_methods_may_send_a_form_in_whatever_case_a_server_leaves_them(
    tmp_path: Path, method: str
) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", methods=("POST", "PUT", "PATCH")))
    bare = Bare(site)
    await bare.run(http_scope(method), [piece(b"message=x")])
    assert len(await site.inquiries()) == 1


@pytest.mark.parametrize("methods", [("GET",), ("POST", "head"), "options", ()])
def test_trap_12_a_form_cannot_be_sent_by_reading(methods: str | tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="'contact': methods send the form, as POST, PUT and PATCH do; not"):
        GuardedForm("contact", path="/contact", methods=methods)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "root_path", "guarded"),
    [
        ("/contact", "", True),
        ("/contact/", "", True),
        ("/contact\n", "", True),  # Starlette's pattern ends with `$`, which a line end passes
        ("/contact/\n", "", True),
        ("/contact\n\n", "", False),
        ("//contact", "", False),
        ("/contact//", "", False),
        ("/CONTACT", "", False),
        ("/contact%20", "", False),
        ("/./contact", "", False),
        ("/shop/contact", "/shop", True),
        ("/shop/contact\n", "/shop", True),
        ("/shop//contact", "/shop/", True),  # how uvicorn writes `--root-path /shop/`
        ("/contact", "/shop", True),  # a proxy took it off
        ("/shop/contact", "", False),
    ],
)
async def test_trap_12_what_the_site_routes_to_its_form_is_guarded(
    tmp_path: Path,
    path: str,
    root_path: str,
    guarded: bool,  # noqa: FBT001 - a table
) -> None:
    """Behind us stands Starlette: where it runs the endpoint, there was a verdict; a 404 needs none."""
    site = Site(tmp_path)
    server = Server(piece(b"message=x"))
    await server.run(
        site.app, scope_of(path=path, root_path=root_path)
    )  # an unguarded endpoint raises NoVerdictError
    assert bool(await site.inquiries()) is guarded
    assert (server.status in {404, 307}) is not guarded


@pytest.mark.anyio
async def test_trap_12_a_path_without_a_verdict_does_not_pass_for_one_with(tmp_path: Path) -> None:
    site = Site(tmp_path)
    app = Starlette(routes=[Route("/other", site._submit, methods=["POST"])])  # noqa: SLF001 - the site's own endpoint
    with pytest.raises(NoVerdictError):
        await Server(piece(b"message=x")).run(guarded(site, app), scope_of(path="/other"))


@pytest.mark.anyio
@pytest.mark.parametrize("status", [307, 308])
async def test_trap_12_a_body_that_is_sent_on_to_the_right_spelling_runs_there(tmp_path: Path, status: int) -> None:
    """`redirect_slashes`: the browser sends the same again, which is no second click of one that was taken."""
    site = Site(tmp_path)
    visitor = site.visitor()

    async def right(_: Request) -> Response:
        return RedirectResponse("/contact", status)

    if status == 308:
        site.app.router.routes.insert(0, Route("/contact/", right, methods=["POST"]))
    data = visitor.fill(await visitor.open())
    site.clock.move(READING_S)
    sent_on = await visitor.post(data, path="/contact/")
    assert (sent_on.status_code, sent_on.headers["location"].removeprefix(URL)) == (status, "/contact")
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, f"endpoint failed: sent on ({status})")  # seen, if nobody follows
    assert site.warden.faults.all() == ()

    taken = await visitor.post(data, path="/contact")
    assert taken.status_code == 303
    assert taken.headers["location"].startswith("/thanks?receipt=")
    assert (await site.inquiry()).state is State.DONE
    assert site.verdicts[0].score == 0
    await site.later(1)
    assert len(site.sender.mails) == 2


def own_links(page: Page | str) -> list[str]:
    """Every address of ours on a page."""
    elements = Elements(page if isinstance(page, str) else page.response.text)
    fresh = [each.get("data-fresh") for each in elements.all("input")]
    scripts = [each.get("src") for each in elements.all("script")]
    return [link for link in (*(each["href"] for each in elements.all("link")), *scripts, *fresh) if link]


def mounted(site: Site) -> ASGIApp:
    return Starlette(routes=[Mount("/shop", site.app)])


def twice_mounted(site: Site) -> ASGIApp:
    return Starlette(routes=[Mount("/shop", Starlette(routes=[Mount("/jp", site.app)]))])


def in_fastapi(site: Site) -> ASGIApp:
    outer = FastAPI()
    outer.mount("/shop", site.app)
    return outer


@pytest.mark.anyio
@pytest.mark.parametrize(("place", "root"), [(mounted, "/shop"), (twice_mounted, "/shop/jp"), (in_fastapi, "/shop")])
async def test_trap_12_below_a_mount_page_assets_token_ask_and_thanks_lie_below_it(
    tmp_path: Path, place: object, root: str
) -> None:
    site = Site(tmp_path)
    assert callable(place)
    site.app = place(site)
    await whole_way(site, root)


async def whole_way(site: Site, root: str, *, stripped: bool = False) -> None:
    """Go through everything a browser meets; `stripped`: a proxy before the site takes the root off."""
    visitor = site.visitor()

    def seen_by_site(link: str) -> str:
        assert link.startswith(f"{root}/"), link
        return link.removeprefix(root) if stripped else link

    contact = seen_by_site(f"{root}/contact")
    page = await visitor.open(contact)
    assert len(own_links(page)) == 3
    for link in own_links(page):
        answer = await visitor.request("GET", f"{seen_by_site(link)}?m={page.marker}")
        assert answer.status_code == 200, link

    asked = await visitor.send(page, after_s=1.0, path=contact)  # too quick
    assert "One more click" in asked.text
    assert "action" not in Elements(asked.text).all("form")[0]  # the same address
    assert len(own_links(asked.text)) == 4
    for link in own_links(asked.text):
        assert (await visitor.request("GET", f"{seen_by_site(link)}?m={page.marker}")).status_code == 200, link

    done = await visitor.send(read_page(asked), path=contact)
    assert done.status_code == 303
    thanks = await visitor.request("GET", seen_by_site(done.headers["location"]))
    assert site.verdicts[0].receipt in thanks.text
    (style,) = own_links(thanks.text)
    assert (await visitor.request("GET", seen_by_site(style))).status_code == 200

    held = await site.visitor("9.8.7.6").post({"message": MESSAGE}, path=contact)  # G29: told the same
    assert seen_by_site(held.headers["location"]).partition("=")[0].endswith("/thanks?receipt")


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore:The `root_path` parameter")  # deprecated, and in use
async def test_trap_12_where_a_proxy_takes_the_root_off_links_have_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    app = FastAPI(root_path="/behind", middleware=[Middleware(WardenMiddleware, warden=site.warden)])
    app.router.routes.extend(site.app.routes)
    site.app = app
    await whole_way(site, "/behind", stripped=True)


@pytest.mark.anyio
async def test_trap_12_an_error_page_below_a_mount_has_its_style(tmp_path: Path) -> None:
    site = Site(tmp_path)
    server = Server(piece())
    await server.run(mounted(site), scope_of(path="/shop/contact", headers={"content-type": "text/plain"}))
    assert server.status == 415
    assert [link.startswith("/shop/_formwarden/pages.") for link in own_links(server.body.decode())] == [True]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "root"), [("//evil.example/contact", "/evil.example"), ("/\\evil.example/contact", "/%5Cevil.example")]
)
async def test_trap_12_a_mount_that_the_visitor_names_leads_to_no_other_host(
    tmp_path: Path, path: str, root: str
) -> None:
    site = Site(tmp_path)
    app = Starlette(routes=[Mount("/{shop:path}", site.app)])
    root_path = path.removesuffix("/contact")
    for scope in (scope_of("GET", path), scope_of("GET", path, root_path=root_path)):
        server = Server(piece())
        await server.run(app if not scope["root_path"] else site.app, scope)
        links = own_links(server.body.decode()) if server.status == 200 else []
        assert all(link.startswith(f"{root}/_formwarden/") for link in links)
    assert len(links) == 3


@pytest.mark.anyio
@pytest.mark.parametrize(("stands", "root"), [("outside", ""), ("within", "/shop")])
async def test_trap_12_a_page_behind_a_mount_knows_where_the_middleware_stands(
    tmp_path: Path, stands: str, root: str
) -> None:
    """The middleware stands before the outer app and the page in a mounted one; or both in the mounted one."""
    site = Site(tmp_path)

    async def home(request: Request) -> Response:
        return HTMLResponse(f"<form>{site.warden.markup('contact', request=request)}</form>")

    ours = [Middleware(WardenMiddleware, warden=site.warden)]
    if stands == "outside":
        app = Starlette(routes=[Mount("/shop", routes=[Route("/", home)])], middleware=ours)
    else:
        app = Starlette(routes=[Mount("/shop", Starlette(routes=[Route("/", home)], middleware=ours))])
    server = Server(piece())
    await server.run(app, scope_of("GET", "/shop/"))
    assert {link.partition("/_formwarden/")[0] for link in own_links(server.body.decode())} == {root}


@pytest.mark.anyio
async def test_trap_12_two_forms_that_share_a_thanks_page_each_have_their_receipts(tmp_path: Path) -> None:
    order = GuardedForm("order", path="/order", reply=AutoReply())
    site = Site(tmp_path, None, order)
    visitor = site.visitor()
    for path in ("/contact", "/order"):
        sent = await visitor.send(await visitor.open(path), {"message": f"This is about {path}."}, path=path)
        assert site.verdicts[-1].receipt in (await visitor.request("GET", sent.headers["location"])).text
