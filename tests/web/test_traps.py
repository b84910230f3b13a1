"""The traps of a middleware that reads bodies, as docs/traps.md numbers them: 1 to 9, and the table itself."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from formwarden import (
    Verdict,
    WardenMiddleware,
    verdict_of,
)
from tests.sites import ADDRESS, DOMAIN, MESSAGE, READING_S, Site
from tests.web.bare import Bare, http_scope
from tests.web.replaying import Server, filled, guarded, multipart, part, piece, scope_of

PARTS = tuple(f"{number} " for number in range(5))


def streams(_: Request, __: Verdict) -> Response:
    async def chunks() -> AsyncIterator[str]:
        for text in PARTS:
            yield text
            await asyncio.sleep(0)  # a listener on `receive` has its turn

    return StreamingResponse(chunks())


async def streaming(request: Request, verdict: Verdict) -> Response:
    return streams(request, verdict)


# ------------------------------------------------------------------ 1, 2: replay, then the server
@pytest.mark.anyio
@pytest.mark.parametrize("spec_version", ["2.0", "2.3", "2.4"])
async def test_trap_01_a_reply_in_five_chunks_is_not_cut(tmp_path: Path, spec_version: str) -> None:
    site = Site(tmp_path)
    site.endpoint = streaming
    data = await filled(site)
    server = Server(piece(data[:40], more=True), piece(data[40:]))
    await server.run(site.app, scope_of(spec_version=spec_version))
    assert server.body.decode() == "".join(PARTS)
    assert len([message for message in server.sent if message.get("body")]) == len(PARTS)  # as they came, one by one


@pytest.mark.anyio
async def test_trap_01_nothing_spins_while_an_answer_is_being_made(tmp_path: Path) -> None:
    """Under 2.3 a streamed answer listens for a disconnect all the time: it waits at the server, and nowhere else."""
    site = Site(tmp_path)
    site.endpoint = streaming
    server = Server(piece(await filled(site)))
    await server.run(site.app, scope_of(spec_version="2.3"))
    assert server.asked == 2  # the body; then once, without an answer until the end


@pytest.mark.anyio
@pytest.mark.parametrize("reads", [True, False])
async def test_trap_01_a_client_that_waits_is_not_taken_for_gone(tmp_path: Path, reads: bool) -> None:  # noqa: FBT001 - a table
    site = Site(tmp_path)
    gone: list[bool] = []

    async def asks(request: Request, _: Verdict) -> Response:
        if reads:
            await request.form()
        gone.extend([await request.is_disconnected() for _ in range(3)])
        return PlainTextResponse("")

    site.endpoint = asks
    server = Server(piece(await filled(site)))
    await server.run(site.app, scope_of())
    assert gone == [False] * 3


@pytest.mark.anyio
async def test_trap_01_a_client_that_goes_is_seen_to_go(tmp_path: Path) -> None:
    site = Site(tmp_path)
    gone: list[bool] = []

    async def asks(request: Request, _: Verdict) -> Response:
        await request.body()
        gone.append(await request.is_disconnected())
        return PlainTextResponse("")

    site.endpoint = asks
    await Server(piece(await filled(site)), {"type": "http.disconnect"}).run(site.app, scope_of())
    assert gone == [True]


@pytest.mark.anyio
@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
async def test_trap_01_a_middleware_of_starlettes_own_kind_works_behind_us(tmp_path: Path, spec_version: str) -> None:
    """BaseHTTPMiddleware wraps `receive` itself, and fails on a message that it does not expect."""
    site = Site(tmp_path)
    site.endpoint = streaming
    read: list[bytes] = []

    class Reads(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            read.append(await request.body())
            return await call_next(request)

    layers = [Middleware(WardenMiddleware, warden=site.warden), Middleware(Reads), Middleware(Reads)]
    app = Starlette(routes=site.app.routes, middleware=layers)
    data = await filled(site)
    server = Server(piece(data[:9], more=True), piece(data[9:]))
    await server.run(app, scope_of(spec_version=spec_version))
    assert server.body.decode() == "".join(PARTS)
    assert read == [data, data]


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, 20, 300_000, 1_000_000])
async def test_trap_02_the_endpoint_receives_what_was_sent_and_its_end(tmp_path: Path, size: int) -> None:
    """Small or spooled: the bytes are the same, and `more_body` is false once, at the last."""
    got: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        while not got or got[-1]["more_body"]:
            got.append(await receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    data, kind = multipart([part("message", b"hello"), part("file", b"x" * size, filename="a.bin")])
    pieces = [data[at : at + 65_536] for at in range(0, len(data), 65_536)]
    server = Server(*(piece(each, more=each is not pieces[-1]) for each in pieces))
    await server.run(
        guarded(Site(tmp_path, settings={"mode": "monitor"}), app), scope_of(headers={"content-type": kind})
    )
    assert b"".join(message.get("body", b"") for message in got) == data
    assert [message["type"] for message in got] == ["http.request"] * len(got)


@pytest.mark.anyio
async def test_trap_02_an_endpoint_need_not_read_the_body(tmp_path: Path) -> None:
    site = Site(tmp_path)
    server = Server(piece(await filled(site)))
    await server.run(site.app, scope_of())
    assert server.status == 303
    assert site.verdicts[0].fields["message"] == MESSAGE


# ------------------------------------------------------------------ 3, 4: reading fails
@pytest.mark.anyio
@pytest.mark.parametrize("read", [0, 1, 2])
async def test_trap_03_who_goes_while_sending_is_neither_answered_nor_charged(tmp_path: Path, read: int) -> None:
    site = Site(tmp_path)
    data = await filled(site)
    server = Server(*[piece(data[:9], more=True)] * read, {"type": "http.disconnect"})
    await server.run(site.app, scope_of())
    assert (server.sent, site.requests) == ([], [])
    assert await site.inquiries() == ()
    assert "counters.observe" not in site.store.health_of.calls

    again = Server(piece(data))  # the same page once more: its token is as good as new
    await again.run(site.app, scope_of())
    assert (again.status, site.verdicts[0].score, site.verdicts[0].standing) == (303, 0, "shown")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "error",
    [OSError("socket"), TimeoutError("keep-alive"), ClientDisconnect(), HTTPException(413), asyncio.CancelledError()],
    ids=lambda error: type(error).__name__,
)
async def test_trap_04_what_receive_raises_is_not_ours_to_answer(tmp_path: Path, error: BaseException) -> None:
    site = Site(tmp_path)
    bare = Bare(site)
    with pytest.raises(type(error)) as raised:
        await bare.run(http_scope(), [piece(b"message=", more=True), error])
    assert raised.value is error
    assert bare.sent == []
    assert await site.inquiries() == ()


@pytest.mark.anyio
async def test_trap_04_the_sites_own_limit_of_bodies_answers_for_itself(tmp_path: Path) -> None:
    site = Site(tmp_path)
    app = Starlette(
        routes=site.app.routes, middleware=[Middleware(WardenMiddleware, warden=site.warden)], max_body_size=100
    )
    server = Server(piece(b"message=" + b"x" * 60, more=True), piece(b"x" * 60))
    await server.run(app, scope_of())
    assert (server.status, server.body) == (413, b"Content Too Large")
    assert await site.inquiries() == ()


@pytest.mark.anyio
async def test_trap_04_a_request_that_is_cancelled_while_it_is_read_stays_cancelled(tmp_path: Path) -> None:
    site = Site(tmp_path)
    server = Server(piece(b"message=", more=True))
    task = asyncio.create_task(server.run(site.app, scope_of()))
    await server.silent.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (server.sent, await site.inquiries()) == ([], ())


# ------------------------------------------------------------------ 5 to 9: bounds and kinds
@pytest.mark.anyio
@pytest.mark.parametrize("length", [None, "0", "5", "99", "-5", "1e1", ""])
async def test_trap_05_bytes_count_and_not_what_is_claimed(tmp_path: Path, length: str | None) -> None:
    headers = {} if length is None else {"content-length": length}
    bare = Bare(Site(tmp_path, settings={"body_limit": 100}))
    await bare.run(http_scope(headers=headers), [piece(b"x" * 60, more=True)] * 9)
    assert (bare.status, bare.received) == (413, 2)


@pytest.mark.anyio
async def test_trap_05_a_claim_beyond_the_limit_is_refused_before_a_byte_is_read(tmp_path: Path) -> None:
    bare = Bare(Site(tmp_path, settings={"body_limit": 100}))
    await bare.run(http_scope(headers={"content-length": "101"}), [piece(b"x")])
    assert (bare.status, bare.received) == (413, 0)


@pytest.mark.anyio
@pytest.mark.parametrize("length", ["3", "9000", "none"])
async def test_trap_05_a_wrong_length_changes_nothing_of_what_is_read(tmp_path: Path, length: str) -> None:
    site = Site(tmp_path)
    server = Server(piece(await filled(site)))
    await server.run(site.app, scope_of(headers={"content-length": length}))
    assert (server.status, site.verdicts[0].fields["message"]) == (303, MESSAGE)


@pytest.mark.anyio
@pytest.mark.parametrize("sent", [b"", b"message="])
async def test_trap_06_a_body_that_stalls_is_refused(tmp_path: Path, sent: bytes) -> None:
    site = Site(tmp_path, settings={"body_first_s": 0.02})
    server = Server(piece(sent, more=True))
    await server.run(site.app, scope_of())
    assert (server.status, await site.inquiries()) == (408, ())


@pytest.mark.anyio
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_trap_06_a_process_holds_no_more_than_its_budget_and_says_when_to_come_again(
    tmp_path: Path, accept: str
) -> None:
    site = Site(tmp_path, settings={"spool_budget": 10_000})
    server = Server(*[piece(b"x" * 4_000, more=True)] * 9, piece())
    await server.run(site.app, scope_of(headers={"accept": accept}))
    assert (server.status, await site.inquiries()) == (503, ())
    assert int(server.headers["retry-after"]) > 0
    assert [name for name in server.headers if "ratelimit" in name] == []  # it is no limit of this client's


@pytest.mark.anyio
@pytest.mark.parametrize("first", ["good", "bad"])
async def test_trap_07_every_value_of_a_repeated_field_is_scored(tmp_path: Path, first: str) -> None:
    """The endpoint may take the first or the last: no order hides one."""
    good, bad = ("email", ADDRESS), ("email", f"{ADDRESS}\r\nBcc: all@{DOMAIN}")
    site = Site(tmp_path)
    page = await site.visitor().open()
    site.clock.move(READING_S)
    fields = [pair for pair in site.visitor().fill(page).items() if pair[0] != "email"]
    pairs = [*fields, *((good, bad) if first == "good" else (bad, good))]
    server = Server(piece(urlencode(pairs).encode()))
    await server.run(site.app, scope_of())
    assert (server.status, site.requests) == (403, [])
    assert "address_control_characters" in (await site.inquiry()).hits


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["message", "email", "name"])
async def test_trap_07_no_order_of_two_values_scores_less_than_the_other(tmp_path: Path, name: str) -> None:
    advert = "Buy now https://a.example https://b.example https://c.example https://d.example"
    values = {"message": (MESSAGE, advert), "email": (ADDRESS, "b@c.example"), "name": ("Taro", "www.a.example")}[
        name
    ]
    scores: list[tuple[float, tuple[str, ...]]] = []
    for number, order in enumerate((values, values[::-1])):
        directory = tmp_path / str(number)
        directory.mkdir()
        site = Site(directory, settings={"mode": "monitor"})
        page = await site.visitor().open()
        site.clock.move(READING_S)
        fields = [pair for pair in site.visitor().fill(page).items() if pair[0] != name]
        await Server(piece(urlencode([*fields, *((name, value) for value in order)]).encode())).run(
            site.app, scope_of()
        )
        (verdict,) = site.verdicts
        scores.append((verdict.score, tuple(sorted(hit.signal for hit in verdict.hits))))
    assert scores[0] == scores[1]
    assert scores[0][0] > 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [b"&".join(b"a%d=1" % number for number in range(201)), b"a" * 262_145, b"a=" + b"x" * 262_145, b"&=" * 201],
    ids=["tiny fields", "a huge name", "a huge value", "nameless fields"],
)
async def test_trap_07_fields_are_bounded_in_number_and_size(tmp_path: Path, body: bytes) -> None:
    site = Site(tmp_path)
    bare = Bare(site)
    await bare.run(http_scope(), [piece(body)])
    assert (bare.status, await site.inquiries()) == (413, ())


@pytest.mark.anyio
async def test_trap_07_a_file_may_come_before_the_token(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(READING_S)
    fields = [part(name, value.encode()) for name, value in visitor.fill(page).items()]
    data, kind = multipart([part("photo", b"\x89PNG", filename="bow.png"), *fields])
    server = Server(piece(data))
    await server.run(site.app, scope_of(headers={"content-type": kind}))
    assert (server.status, site.verdicts[0].score) == (303, 0)
    assert site.verdicts[0].uploads[0].filename == "bow.png"


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "zstd", "x", "identity, gzip"])
async def test_trap_08_an_encoded_body_is_refused_unread(tmp_path: Path, encoding: str) -> None:
    """Starlette inflates nothing: the endpoint would see garbage, and we another."""
    site = Site(tmp_path)
    bare = Bare(site)
    await bare.run(http_scope(headers={"content-encoding": encoding}), [piece(b"message=x")])
    assert (bare.status, bare.received, await site.inquiries()) == (415, 0, ())


@pytest.mark.anyio
@pytest.mark.parametrize(
    "kind",
    [
        "APPLICATION/X-WWW-Form-UrlEncoded",
        "application/x-www-form-urlencoded;charset=UTF-8",
        " application/x-www-form-urlencoded ; Charset=x",
        "multipart/form-data;boundary=b",
        "multipart/form-data; BOUNDARY=b",
        'Multipart/Form-Data; charset=utf-8; boundary="b"',
        'multipart/form-data ;  boundary = "b"',
    ],
)
async def test_trap_09_content_types_in_any_case_and_quoting_are_read_as_the_site_reads_them(
    tmp_path: Path, kind: str
) -> None:
    seen: list[tuple[dict[str, object], dict[str, str]]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        seen.append((dict(await request.form()), dict(verdict_of(request).fields)))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    data = multipart([part("message", b"hello")])[0] if "multipart" in kind.lower() else b"message=hello"
    server = Server(piece(data))
    site = Site(tmp_path, settings={"mode": "monitor"})
    await server.run(guarded(site, app), scope_of(headers={"content-type": kind}))
    assert seen == [({"message": "hello"}, {"message": "hello"})]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/octet-stream", "multipart/mixed; boundary=b"])
async def test_trap_09_what_the_endpoint_would_see_as_an_empty_form_is_refused(
    tmp_path: Path, kind: str | None
) -> None:
    site = Site(tmp_path)
    scope = http_scope(headers={"content-type": kind or ""})
    if kind is None:
        scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"content-type"]
    bare = Bare(site)
    await bare.run(scope, [piece(b"message=x")])
    assert (bare.status, await site.inquiries()) == (415, ())


# ------------------------------------------------------------------ the table
ROW = re.compile(r"^\| (\d+) \|.*\|(.*)\|$", re.MULTILINE)
NAMED = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)
OF_REQUESTS = frozenset({*range(1, 18), 20, 21, 22, 24})
TESTS = Path(__file__).parents[1]
TABLE = (TESTS.parent / "docs/traps.md").read_text(encoding="utf-8")


NAMES_BY_ROW = {int(number): NAMED.findall(names) for number, names in ROW.findall(TABLE)}


@cache
def defined() -> frozenset[str]:
    """Every test there is."""
    sources = [path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")]
    return frozenset(name for source in sources for name in DEFINED.findall(source))


def test_every_trap_that_concerns_requests_has_a_row() -> None:
    assert set(NAMES_BY_ROW) >= OF_REQUESTS


@pytest.mark.parametrize("number", sorted(NAMES_BY_ROW))
def test_the_table_of_traps_names_tests_that_exist(number: int) -> None:
    assert NAMES_BY_ROW[number] != []
    assert set(NAMES_BY_ROW[number]) <= defined()


def test_every_test_that_bears_a_number_stands_in_the_row_of_that_number() -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_traps*.py")]
    numbered = {name for source in sources for name in DEFINED.findall(source) if name.startswith("test_trap_")}
    assert len(numbered) > len(OF_REQUESTS)
    for name in numbered:
        assert name in NAMES_BY_ROW[int(name.split("_")[2])], name
