"""The traps of docs/traps.md that only a real server sets: uvicorn with either of its parsers, on loopback."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from formwarden import Verdict, WardenMiddleware
from tests.page.elements import Elements
from tests.servers.http import Parser, Reply, Wire, http_request, serving
from tests.sites import BROWSER, MESSAGE, READING_S, Site
from tests.web.bare import FORM

PARSERS: tuple[Parser, ...] = ("h11", "httptools")
HOST = {"host": "localhost", "origin": "http://localhost", "content-type": FORM}
SPELLINGS = {
    "/contact": HTTPStatus.SEE_OTHER,
    "/contac%74": HTTPStatus.SEE_OTHER,
    "/contact?x=1": HTTPStatus.SEE_OTHER,
    "/contact%0A": HTTPStatus.SEE_OTHER,
    "/contact/": HTTPStatus.TEMPORARY_REDIRECT,
    "/contact%2F": HTTPStatus.TEMPORARY_REDIRECT,
    "//contact": HTTPStatus.NOT_FOUND,
    "/%2Fcontact": HTTPStatus.NOT_FOUND,
    "/CONTACT": HTTPStatus.NOT_FOUND,
    "/x/../contact": HTTPStatus.NOT_FOUND,
    "/contact%00": HTTPStatus.NOT_FOUND,
}
PARTS = tuple(f"{number} " for number in range(5))


class Host:
    """One server that serves the site of whichever test runs: starting one takes longer than the test."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()  # which answers the lifespan
        self.port = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def connect(self) -> Wire:
        return Wire(self.port)


@pytest.fixture(scope="module", params=PARSERS)
def parser(request: pytest.FixtureRequest) -> Parser:
    (parser,) = [each for each in PARSERS if each == request.param]
    return parser


@pytest.fixture(scope="module")
def server(parser: Parser) -> Iterator[Host]:
    host = Host()
    with serving(host, http=parser) as host.port:
        yield host


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, settings={"body_limit": 100_000})


@pytest.fixture
def host(server: Host, site: Site) -> Host:
    server.app = site.app
    return server


@pytest.fixture
def wire(host: Host) -> Iterator[Wire]:
    with host.connect() as wire:
        yield wire


def get(wire: Wire, target: str) -> Reply:
    wire.say(http_request(target, method="GET", headers={**BROWSER, **HOST}))
    return wire.reply()


def filled(wire: Wire, site: Site, path: str = "/contact") -> bytes:
    """What a visitor would post now, of a page that came over this connection."""
    elements = Elements(get(wire, path).body.decode())
    inputs = [each for each in elements.all("input") if each.get("type") != "checkbox"]
    fields = {str(each["name"]): each.get("value") or "" for each in (*inputs, *elements.all("textarea"))}
    typed = {"name": "Taro Yamada", "email": "taro.yamada@gmail.com", "message": MESSAGE}
    site.clock.move(READING_S)
    return urlencode(fields | typed).encode()


def post(body: bytes, *, path: str = "/contact", length: int | None = None, chunks: int = 0, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http_request(path, body, headers={**BROWSER, **HOST, **named}, length=length, chunks=chunks)


def kept(site: Site) -> int:
    return len(asyncio.run(site.inquiries()))


def test_trap_01_a_streamed_reply_is_whole_while_the_connection_stays(wire: Wire, site: Site) -> None:
    """Uvicorn announces 2.3, where a streamed answer listens for a disconnect beside."""
    gone: list[bool] = []

    async def streams(request: Request, _: Verdict) -> Response:
        async def chunks() -> AsyncIterator[str]:
            for text in PARTS:
                yield text
                await asyncio.sleep(0)

        await request.form()
        gone.append(await request.is_disconnected())
        return StreamingResponse(chunks())

    site.endpoint = streams
    for _ in range(2):  # the second on the same connection
        wire.say(post(filled(wire, site)))
        assert wire.reply().body.decode() == "".join(PARTS)
    assert gone == [False, False]


def test_trap_03_who_hangs_up_while_sending_is_not_recorded(host: Host, site: Site) -> None:
    with host.connect() as wire:
        wire.say(post(b"message=x", length=500))
    with host.connect() as wire:
        wire.say(post(b"message=x", length=500))
        wire.no_more()
        assert wire.closed()
    with host.connect() as wire:
        assert get(wire, "/").status == HTTPStatus.OK
    assert (kept(site), site.requests) == (0, [])


def test_trap_05_a_chunked_body_without_a_length_is_read_like_any_other(wire: Wire, site: Site) -> None:
    for chunks in (1, 3, 50):
        wire.say(post(filled(wire, site), chunks=chunks))
        assert wire.reply().status == HTTPStatus.SEE_OTHER
    assert [verdict.fields["message"] for verdict in site.verdicts] == [MESSAGE] * 3


def test_trap_05_a_chunked_body_beyond_the_limit_is_refused(wire: Wire, site: Site) -> None:
    wire.say(post(b"message=" + b"x" * 150_000, chunks=10))
    assert wire.reply().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert kept(site) == 0


def test_trap_05_no_length_and_no_chunks_is_an_empty_body(wire: Wire, site: Site) -> None:
    wire.say(post(b""))
    assert wire.reply().status in {HTTPStatus.BAD_REQUEST, HTTPStatus.SEE_OTHER}
    assert site.verdicts == []


def test_trap_05_what_lies_beyond_the_claimed_length_is_no_part_of_the_form(wire: Wire, site: Site) -> None:
    body = filled(wire, site)
    wire.say(post(body + b"&message=more", length=len(body)))
    assert wire.reply().status in {HTTPStatus.SEE_OTHER, HTTPStatus.BAD_REQUEST}  # no next request begins like that
    assert {verdict.fields.all("message") for verdict in site.verdicts} <= {(MESSAGE,)}


def test_trap_05_too_much_is_refused_before_the_client_is_told_to_go_on(wire: Wire, site: Site) -> None:
    """`Expect: 100-continue`: the 413 comes first, and no 100."""
    wire.say(post(b"", length=200_000, expect="100-continue"))
    assert wire.reply().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert kept(site) == 0


def test_trap_05_who_sends_too_much_all_the_same_may_go_on_with_the_connection(wire: Wire, site: Site) -> None:
    wire.say(post(b"x" * 120_000))
    assert wire.reply().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    wire.say(post(filled(wire, site)))
    assert wire.reply().status == HTTPStatus.SEE_OTHER


def test_trap_05_a_client_that_waits_for_a_go_ahead_gets_it(wire: Wire, site: Site) -> None:
    body = filled(wire, site)
    wire.say(post(b"", length=len(body), expect="100-continue"))
    assert wire.reply().status == HTTPStatus.CONTINUE
    wire.say(body)
    assert wire.reply().status == HTTPStatus.SEE_OTHER
    assert site.verdicts[0].fields["message"] == MESSAGE


def test_trap_08_a_packed_body_is_not_unpacked(wire: Wire, site: Site) -> None:
    wire.say(post(gzip.compress(filled(wire, site)), content_encoding="gzip"))
    assert wire.reply().status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert kept(site) == 0


def test_trap_12_no_spelling_of_a_path_leads_round_us(host: Host, wire: Wire, tmp_path: Path) -> None:
    """Where the endpoint runs, the submission was judged: the endpoint of this site fails without a verdict."""
    site = Site(tmp_path, settings={"mode": "monitor"})  # the same text so often is no person's
    host.app, run, judged = site.app, 0, 0
    for target, status in SPELLINGS.items():
        wire.say(post(filled(wire, site), path=target))
        assert wire.reply().status == status, target
        run += status == HTTPStatus.SEE_OTHER
        judged += status < HTTPStatus.BAD_REQUEST
        assert (len(site.verdicts), kept(site)) == (run, judged), target


@pytest.mark.parametrize("root", ["/shop", "/a/b/"])
def test_trap_12_below_the_servers_root_path_links_and_thanks_lie_below_it(
    site: Site, parser: Parser, root: str
) -> None:
    """Uvicorn's `--root-path`: a proxy took the root off, and uvicorn puts it before the path again."""
    begins = root.rstrip("/")
    with serving(site.app, http=parser, root_path=root) as port, Wire(port) as wire:
        elements = Elements(get(wire, "/contact").body.decode())
        links = [elements.all("link")[0]["href"], elements.all("script")[0]["src"]]
        links += [each["data-fresh"] for each in elements.all("input") if "data-fresh" in each]
        marker = elements.field("_fw_form")["value"]
        for link in links:
            assert str(link).startswith(f"{begins}/_formwarden/")
            assert get(wire, f"{str(link).removeprefix(begins)}?m={marker}").status == HTTPStatus.OK
        wire.say(post(filled(wire, site)))
        location = wire.reply().headers["location"]
        assert location.startswith(f"{begins}/thanks?receipt=")
        assert site.verdicts[0].receipt in get(wire, location.removeprefix(begins)).body.decode()


def test_trap_12_other_methods_cost_nothing(wire: Wire, site: Site) -> None:
    for method, status in {"GET": 200, "HEAD": 200, "OPTIONS": 405, "DELETE": 405, "PUT": 405}.items():
        wire.say(http_request("/contact", method=method, headers=HOST))
        assert wire.reply(head=method == "HEAD").status == status
    assert (site.store.health_of.calls, kept(site)) == ([], 0)


def test_trap_14_requests_share_the_lifespans_state_and_no_verdict(site: Site, parser: Parser) -> None:
    """Uvicorn copies the dictionary for each request; what we put there belongs to one of them."""
    shared: dict[str, object] = {"database": ["mine"]}
    seen: list[dict[str, object]] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, object]]:
        yield shared

    async def home(request: Request) -> Response:
        seen.append(dict(request.scope.get("state", {})))
        return PlainTextResponse("")

    async def takes(request: Request, _: Verdict) -> Response:
        seen.append(dict(request.scope["state"]))
        return PlainTextResponse("")

    site.endpoint = takes
    routes = [Route("/home", home), *site.app.routes]
    layers = [Middleware(WardenMiddleware, warden=site.warden)]
    app = Starlette(routes=routes, middleware=layers, lifespan=lifespan)
    with serving(app, http=parser) as port, Wire(port) as wire:
        wire.say(post(filled(wire, site)))
        assert wire.reply().status == HTTPStatus.OK
        get(wire, "/home")
    guarded, other = seen
    assert ("formwarden" in guarded, "formwarden" in other) == (True, False)
    assert shared == {"database": ["mine"]}
    assert guarded["database"] is other["database"] is shared["database"]


def test_trap_15_a_reply_is_sent_while_it_is_made(wire: Wire, site: Site) -> None:
    """The visitor has the first part before the endpoint makes the second."""
    heard, loop = asyncio.Event(), list[asyncio.AbstractEventLoop]()

    async def streams(_: Request, __: Verdict) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            loop.append(asyncio.get_running_loop())
            yield b"first"
            async with asyncio.timeout(10):
                await heard.wait()
            yield b"second"

        return StreamingResponse(chunks())

    site.endpoint = streams
    wire.say(post(filled(wire, site)))
    head = wire.until(b"first\r\n")
    assert b"second" not in head
    loop[0].call_soon_threadsafe(heard.set)
    assert wire.until(b"second\r\n")
