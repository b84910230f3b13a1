"""Clients that send JSON: their body stays theirs, and what the page carries comes in one header."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends, FastAPI, Form
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from formwarden import AutoReply, GuardedForm, Standing, Submission, Verdict, WardenMiddleware, verdict_of
from formwarden.console.report import typed_in
from formwarden.page.header import read_header
from formwarden.stores.ports import State
from tests.sites import ADDRESS, BROWSER, DOMAIN, MESSAGE, READING_S, URL, Site, Visitor, evidence, read_page, without
from tests.web.bare import Bare, http_scope

TYPED = {"name": "Taro Yamada", "email": ADDRESS, "message": MESSAGE}
BODY = json.dumps(TYPED, indent=1).encode()
JSON = "application/json"
# what `fetch` sends of itself
FETCH = {**BROWSER, "accept": "*/*", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "content-type": JSON}
SHAPE = '{"ok": true, "reference": "$reference"}'


class Inquiry(BaseModel):
    """What a strict endpoint takes, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    name: str
    email: str
    message: str


class Api(Site):
    """A site whose form is sent by a script, and whose pages ask for the header by one request."""

    def __init__(self, tmp_path: Path, *, settings: Mapping[str, object] | None = None) -> None:
        form = GuardedForm("contact", path="/contact", thanks_json=SHAPE, reply=AutoReply())
        super().__init__(tmp_path, form, settings=settings)
        self.endpoint = self._says_ok
        self.bodies: list[bytes] = []
        self.app = Starlette(
            routes=[*self.app.routes, Route("/api/session", self._session)], middleware=self.app.user_middleware
        )

    async def _session(self, request: Request) -> Response:
        return PlainTextResponse(self.warden.header("contact", request=request))

    async def _says_ok(self, request: Request, verdict: Verdict) -> Response:
        self.bodies.append(await request.body())
        return JSONResponse({"ok": True, "reference": verdict.receipt})

    async def header(self, visitor: Visitor) -> str:
        """What the page of a visitor was given."""
        return (await visitor.request("GET", "/api/session")).text

    async def send(
        self,
        header: str | None,
        body: bytes = BODY,
        *,
        visitor: Visitor | None = None,
        seen: bool = True,
        after_s: float = READING_S,
        more: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Post a body with the header; `seen`: with what our script counted, too."""
        self.clock.move(after_s)
        headers = FETCH | ({} if header is None else {"formwarden": with_evidence(header) if seen else header})
        sender = visitor or self.visitor(headers={})
        return await sender.request("POST", "/contact", content=body, headers=headers | dict(more or {}))


def with_evidence(header: str) -> str:
    seen = evidence(read_header(header)["_fw_token"])
    return f"{header}, e=:{base64.b64encode(seen.encode()).decode()}:"


@pytest.fixture
def api(tmp_path: Path) -> Api:
    return Api(tmp_path)


# ------------------------------------------------------------------ one header
@pytest.mark.anyio
async def test_a_person_behind_a_script_is_a_person_and_the_body_stays_theirs(api: Api) -> None:
    response = await api.send(await api.header(api.visitor()))
    assert (response.status_code, response.json()["ok"]) == (200, True)
    (verdict,) = api.verdicts
    assert (verdict.score, verdict.standing, verdict.address) == (0, Standing.SHOWN, ADDRESS)
    assert dict(verdict.fields) == TYPED == json.loads(BODY)
    assert api.bodies == [BODY]
    inquiry = await api.inquiry()
    assert (inquiry.state, inquiry.body, inquiry.content_type) == (State.DONE, BODY, JSON)


@pytest.mark.anyio
async def test_what_the_page_was_given_needs_nothing_added(api: Api) -> None:
    await api.send(await api.header(api.visitor()), seen=False)
    assert [(hit.signal, hit.points) for hit in api.verdicts[0].hits if hit.points] == [("script_missing", 0.5)]
    assert api.verdicts[0].standing is Standing.PLAIN


@pytest.mark.anyio
async def test_a_token_alone_is_enough_and_no_trap_is_missed_without_a_marker(api: Api) -> None:
    token = read_header(await api.header(api.visitor()))["_fw_token"]
    await api.send(f't="{token}"')
    assert api.verdicts[0].score == 0


@pytest.mark.anyio
async def test_traps_come_in_the_header_too(api: Api) -> None:
    header = await api.header(api.visitor())
    (trap,) = (name for name in read_header(header) if not name.startswith("_fw"))
    filled = header.replace(f'{trap}=""', f'{trap}="yes"')
    await api.send(filled)
    inquiry = await api.inquiry()
    assert inquiry.hits["trap_filled"] == 6
    assert inquiry.state is State.HELD


@pytest.mark.anyio
async def test_our_fields_in_the_body_are_taken_as_well(api: Api) -> None:
    """`Object.fromEntries(new FormData(form))` holds what our markup put into the form."""
    visitor = api.visitor(headers={})
    page = await visitor.open()
    data = visitor.fill(page)
    await api.send(None, json.dumps(data).encode())
    (verdict,) = api.verdicts
    assert (verdict.score, verdict.standing) == (0, Standing.SHOWN)
    assert dict(verdict.fields) == TYPED


@pytest.mark.anyio
async def test_a_form_that_has_no_fields_of_ours_may_use_the_header(api: Api) -> None:
    api.endpoint = api.answers
    header = with_evidence(await api.header(api.visitor()))
    api.clock.move(READING_S)
    response = await api.visitor().post(TYPED, headers={"formwarden": header})
    assert response.status_code == 303
    assert api.verdicts[0].score == 0


@pytest.mark.anyio
async def test_of_two_tokens_a_forms_field_wins_and_a_json_clients_header(api: Api) -> None:
    visitor = api.visitor()
    page = await visitor.open()
    api.clock.move(READING_S)
    await visitor.post(visitor.fill(page), headers={"formwarden": 't="1.x.y.z"'})
    assert api.verdicts[0].score == 0
    header = await api.header(visitor)
    await api.send(header, json.dumps(TYPED | {"message": "Another question.", "_fw_token": "1.x.y.z"}).encode())
    assert api.verdicts[1].score == 0


@pytest.mark.anyio
@pytest.mark.parametrize("header", [None, "", "nonsense;;", 't="' + "x" * 9000 + '"', "t=:/w==:"])
async def test_a_header_that_cannot_be_read_is_as_if_it_had_not_come(api: Api, header: str | None) -> None:
    response = await api.send(header, seen=False)
    assert response.status_code == 200
    inquiry = await api.inquiry()
    assert (inquiry.state, inquiry.hits["page_missing"]) == (State.HELD, 6)


@pytest.mark.anyio
async def test_the_page_with_the_header_belongs_into_no_cache(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def show(_: Request) -> Response:
        return PlainTextResponse(site.warden.header("contact"), headers={"cache-control": "public"})

    site.app = Starlette(routes=[Route("/contact", show)], middleware=site.app.user_middleware)
    response = await site.visitor().request("GET", "/contact")
    assert response.headers["cache-control"] == "private, no-store"
    assert read_header(response.text)["_fw_token"]


@pytest.mark.anyio
async def test_a_fresh_token_is_fetched_with_the_marker(api: Api) -> None:
    visitor = api.visitor()
    old = read_header(await api.header(visitor))
    api.clock.move(200_000)  # days: the token is stale, the marker is not
    fresh = await visitor.request("GET", f"/_formwarden/token?m={old['_fw_form']}")
    assert (fresh.status_code, fresh.headers["cache-control"]) == (200, "no-store")
    trap = "".join(f', {name}=""' for name in old if not name.startswith("_fw"))
    response = await api.send(f'm="{old["_fw_form"]}", t="{fresh.text}"{trap}')
    assert response.status_code == 200
    assert api.verdicts[0].score == 0


# ------------------------------------------------------------------ what is told
@pytest.mark.anyio
async def test_a_stale_token_is_asked_about_and_the_header_in_the_answer_settles_it(api: Api) -> None:
    header = await api.header(api.visitor())
    asked = await api.send(header, after_s=200_000)
    assert (asked.status_code, asked.headers["content-type"]) == (409, "application/problem+json")
    problem = asked.json()
    assert problem["status"] == 409
    assert problem["receipt"] == (await api.inquiry()).receipt
    assert problem["token"] == read_header(problem["header"])["_fw_token"]
    assert api.verdicts == []

    response = await api.send(problem["header"], seen=False, after_s=2)
    assert (response.status_code, response.json()["ok"]) == (200, True)
    first, second = sorted(await api.inquiries(), key=lambda each: each.received_at)
    assert (first.state, first.note) == (State.DISCARDED, f"answered by {second.receipt}")
    assert second.state is State.DONE


@pytest.mark.anyio
async def test_the_token_of_the_answer_alone_settles_it_too(api: Api) -> None:
    asked = await api.send(await api.header(api.visitor()), after_s=200_000)
    response = await api.send(f't="{asked.json()["token"]}"', seen=False, after_s=2)
    assert response.status_code == 200
    assert [each.state for each in await api.inquiries()] == [State.DONE, State.DISCARDED]


@pytest.mark.anyio
async def test_a_client_that_keeps_the_old_token_in_its_body_may_answer_by_header(api: Api) -> None:
    visitor = api.visitor(headers={})
    data = visitor.fill(await visitor.open())
    asked = await api.send(None, json.dumps(data).encode(), after_s=200_000)
    assert asked.status_code == 409
    response = await api.send(asked.json()["header"], json.dumps(data).encode(), seen=False, after_s=2)
    assert response.status_code == 200


@pytest.mark.anyio
async def test_g29_a_held_one_is_told_what_an_accepted_one_is_told_but_for_the_receipt(api: Api) -> None:
    good = await api.send(await api.header(api.visitor()))
    bad = await api.send(None, json.dumps(TYPED | {"message": "x"}).encode())
    states = {each.receipt: each.state for each in await api.inquiries()}
    receipts = [answer.json()["reference"] for answer in (good, bad)]
    assert [states[receipt] for receipt in receipts] == [State.DONE, State.HELD]
    assert [answer.json() | {"reference": ""} for answer in (good, bad)] == [{"ok": True, "reference": ""}] * 2
    assert good.status_code == bad.status_code
    assert good.headers["content-type"] == bad.headers["content-type"]


@pytest.mark.anyio
async def test_a_rejected_one_gets_a_receipt_and_another_way(tmp_path: Path) -> None:
    api = Api(tmp_path, settings={"contact": "phone 052-000-0000"})
    body = json.dumps(TYPED | {"email": f"{ADDRESS}\nBcc: a@gmail.com"}).encode()
    response = await api.send(await api.header(api.visitor()), body)
    assert (response.status_code, response.headers["content-type"]) == (403, "application/problem+json")
    problem = response.json()
    assert (problem["receipt"], problem["contact"]) == ((await api.inquiry()).receipt, "phone 052-000-0000")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, b"", 400),
        ({}, b"{", 400),
        ({}, b"\xff", 400),
        ({}, b"[" * 50_000, 400),
        ({"content-type": f"{JSON}; charset=shift_jis"}, b"{}", 400),
        ({}, b'{"a": "%b"}' % (b"x" * 60_000), 413),
        ({}, b"[" + b"1," * 300 + b"1]", 413),
        ({"content-encoding": "gzip"}, b"{}", 415),
        ({"content-type": "text/json", "accept": JSON}, b"{}", 415),
    ],
)
async def test_what_cannot_be_read_is_told_as_a_problem(
    tmp_path: Path, headers: dict[str, str], body: bytes, status: int
) -> None:
    api = Api(tmp_path, settings={"fields_limit": 60_000})
    response = await api.send(None, body, more=headers)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status
    assert await api.inquiries() == ()


@pytest.mark.anyio
async def test_who_sends_json_and_asks_for_a_page_gets_a_page(api: Api) -> None:
    response = await api.send(None, b"{", more={"accept": BROWSER["accept"]})
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"[1, 2]", b'[{"email": "a@gmail.com"}]'])
async def test_what_is_no_object_is_judged_like_the_rest_and_kept(api: Api, body: bytes) -> None:
    """The endpoint will not want it, but that is its to say; nobody gets past by sending it."""
    assert (await api.send(None, body)).status_code == 200
    inquiry = await api.inquiry()
    assert (inquiry.state, inquiry.body) == (State.HELD, body)


@pytest.mark.anyio
async def test_every_value_of_a_name_that_came_twice_is_judged(api: Api) -> None:
    """One framework takes the first, another the last."""
    body = f'{{"name": "Taro", "email": "x@gmail.com\\nBcc: y@gmail.com", "email": "{ADDRESS}", "message": "x"}}'
    response = await api.send(await api.header(api.visitor()), body.encode())
    assert response.status_code == 403


@pytest.mark.anyio
async def test_a_handler_without_the_middleware_reads_json_too(tmp_path: Path) -> None:
    site = Site(tmp_path)
    header = with_evidence(site.warden.header("contact"))
    site.clock.move(READING_S)

    async def submit(request: Request) -> Response:
        verdict = await site.warden.judge(await Submission.from_request("contact", request))
        return JSONResponse([verdict.score, verdict.address, dict(verdict.fields)])

    site.app = Starlette(routes=[Route("/free", submit, methods=["POST"])])
    visitor = site.visitor(headers=FETCH | {"formwarden": header})
    response = await visitor.request("POST", "/free", content=BODY)
    assert response.json() == [0, ADDRESS, TYPED]
    with pytest.raises(ValueError, match="not JSON"):
        await visitor.request("POST", "/free", content=b"{")


# ------------------------------------------------------------------ the owner's side
@pytest.mark.anyio
async def test_a_held_json_body_is_released_to_the_endpoint_as_it_was(api: Api) -> None:
    await api.send(None)
    inquiry = await api.inquiry()
    assert await api.warden.release(inquiry.id)
    assert api.bodies == [BODY]
    assert dict(api.verdicts[0].fields) == TYPED
    assert api.requests[0].headers["content-type"] == JSON


@pytest.mark.anyio
async def test_what_was_written_is_shown_to_the_owner_and_on_the_thanks_page(api: Api) -> None:
    await api.send(await api.header(api.visitor()), BODY[:-2] + b', "order": {"number": 7}}')
    typed = typed_in(await api.inquiry())
    assert typed is not None
    assert typed.fields == (*TYPED.items(), ("order.number", "7"))
    thanks = await api.visitor().request("GET", api.warden.thanks_url(api.verdicts[0]))
    assert MESSAGE in thanks.text


# ------------------------------------------------------------------ strict models
class Strict(Site):
    """FastAPI with models that forbid what they do not know; `strip` as the site sets it."""

    def __init__(self, tmp_path: Path, *, strip: bool) -> None:
        super().__init__(tmp_path, GuardedForm("contact", path=("/contact", "/api/contact")))
        self.taken: list[Inquiry] = []
        self.received: list[tuple[str, bytes]] = []
        self.app = app = FastAPI()
        app.add_middleware(WardenMiddleware, warden=self.warden, strip=strip)

        @app.get("/contact")
        async def show(request: Request) -> Response:
            return await self._show(request)

        @app.post("/contact")
        async def form(
            data: Annotated[Inquiry, Form()], request: Request, verdict: Annotated[Verdict, Depends(verdict_of)]
        ) -> Response:
            self.taken.append(data)
            self.received.append((request.headers["content-length"], b""))
            return RedirectResponse(self.warden.thanks_url(verdict), status_code=303)

        @app.post("/api/contact")
        async def api(data: Inquiry, request: Request) -> dict[str, bool]:
            self.taken.append(data)
            self.received.append((request.headers["content-length"], await request.body()))
            return {"ok": True}


@pytest.mark.anyio
@pytest.mark.parametrize(("strip", "status"), [(False, 422), (True, 303)])
async def test_a_strict_form_model_takes_what_is_stripped(
    tmp_path: Path,
    strip: bool,  # noqa: FBT001 - a table
    status: int,
) -> None:
    site = Strict(tmp_path, strip=strip)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open())
    assert response.status_code == status
    assert site.taken == ([Inquiry(**TYPED)] if strip else [])
    kept = (await site.inquiry()).body
    assert kept is not None
    assert b"_fw_token" in kept  # what was sent is what is kept


@pytest.mark.anyio
async def test_a_strict_model_takes_multipart_too(tmp_path: Path) -> None:
    site = Strict(tmp_path, strip=True)
    visitor = site.visitor()
    data = visitor.fill(await visitor.open())
    site.clock.move(READING_S)
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in data.items()
    )
    kind = "multipart/form-data; boundary=b"
    body = f"{parts}--b--\r\n".encode()
    response = await visitor.request("POST", "/contact", content=body, headers={"content-type": kind})
    assert response.status_code == 303
    assert site.taken == [Inquiry(**TYPED)]


@pytest.mark.anyio
async def test_a_body_that_is_spooled_is_stripped_too(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"spool_above": 1_000})
    photo = bytes(range(256)) * 1_000
    got: list[tuple[list[str], bytes, int]] = []

    async def reads(request: Request, _: Verdict) -> Response:
        async with request.form() as form:
            file = form["photo"]
            assert isinstance(file, UploadFile)
            got.append((list(form), await file.read(), int(request.headers["content-length"])))
        return PlainTextResponse("")

    site.endpoint = reads
    site.app = Starlette(
        routes=site.app.routes, middleware=[Middleware(WardenMiddleware, warden=site.warden, strip=True)]
    )
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), files={"photo": ("bow.png", photo, "image/png")})
    assert response.status_code == 200
    ((names, read, length),) = got
    assert (names, read) == ([*TYPED, "photo"], photo)
    kept = (await site.inquiry()).body
    assert kept is not None
    assert len(photo) < length < len(kept)


@pytest.mark.anyio
async def test_kept_files_of_an_asked_inquiry_reach_a_stripped_endpoint(tmp_path: Path) -> None:
    site = Site(tmp_path)
    got: list[list[str]] = []

    async def reads(request: Request, _: Verdict) -> Response:
        async with request.form() as form:
            got.append(
                [
                    f"{name}={value.filename if isinstance(value, UploadFile) else value}"
                    for name, value in form.multi_items()
                ]
            )
        return PlainTextResponse("")

    site.endpoint = reads
    site.app = Starlette(
        routes=site.app.routes, middleware=[Middleware(WardenMiddleware, warden=site.warden, strip=True)]
    )
    visitor = site.visitor()
    asked = await visitor.send(await visitor.open(), after_s=1, files={"photo": ("bow.png", b"1", "image/png")})
    assert (await visitor.send(read_page(asked))).status_code == 200
    assert got == [[*(f"{name}={value}" for name, value in TYPED.items()), "photo=bow.png"]]


@pytest.mark.anyio
@pytest.mark.parametrize("strip", [False, True])
async def test_a_strict_json_model_takes_a_body_that_is_theirs_and_with_strip_one_that_holds_ours(
    tmp_path: Path,
    strip: bool,  # noqa: FBT001 - a table
) -> None:
    site = Strict(tmp_path, strip=strip)
    visitor = site.visitor(headers=FETCH)
    data = visitor.fill(await visitor.open())
    site.clock.move(READING_S)
    header = f't="{data["_fw_token"]}"'
    theirs = await visitor.request("POST", "/api/contact", content=BODY, headers={"formwarden": header})
    assert (theirs.status_code, site.received) == (200, [(str(len(BODY)), BODY)])
    mixed = json.dumps(data | {"message": "Another one."}).encode()
    ours = await visitor.request("POST", "/api/contact", content=mixed)
    assert ours.status_code == (200 if strip else 422)
    if strip:
        length, body = site.received[1]
        assert (json.loads(body), length) == (TYPED | {"message": "Another one."}, str(len(body)))


@pytest.mark.anyio
async def test_a_release_is_stripped_as_the_first_run_would_have_been(tmp_path: Path) -> None:
    site = Strict(tmp_path, strip=True)
    visitor = site.visitor(headers=without(BROWSER, "user-agent", "accept-language"))
    page = await visitor.open()
    traps = [name for name in page.fields if not name.startswith("_fw") and name not in TYPED]
    await visitor.send(page, dict.fromkeys(traps, "filled"))
    inquiry = await site.inquiry()
    assert inquiry.state is State.HELD
    assert await site.warden.release(inquiry.id)
    assert site.taken == [Inquiry(**TYPED)]
    assert (await site.inquiry()).body == inquiry.body


@pytest.mark.anyio
@pytest.mark.parametrize("length", [None, b"9999"])
async def test_a_stripped_body_has_its_own_length_whatever_was_declared(tmp_path: Path, length: bytes | None) -> None:
    site = Site(tmp_path)
    seen: list[tuple[Scope, list[Message]]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope, [await receive(), await receive()]))
        await send({"type": "http.response.start", "status": 303, "headers": []})
        await send({"type": "http.response.body"})

    bare = Bare(site, app)
    data = await bare.filled()
    bare.middleware = WardenMiddleware(app, warden=site.warden, strip=True)
    framing = [(b"content-length", length)] if length else [(b"transfer-encoding", b"chunked")]
    pieces = [data[:9], data[9:40], data[40:]]
    scope = http_scope(headers={"host": DOMAIN, "origin": URL}, pairs=framing)
    await bare.run(
        scope, [{"type": "http.request", "body": piece, "more_body": piece != pieces[-1]} for piece in pieces]
    )
    ((given, (body, end)),) = seen
    assert given is scope
    assert b"_fw" not in body["body"]
    assert body["body"].startswith(b"name=Taro+Yamada&email=")
    names = [name for name, _ in scope["headers"]]
    assert (b"content-length", str(len(body["body"])).encode()) in scope["headers"]
    assert names.count(b"content-length") == 1
    assert b"transfer-encoding" not in names
    assert (body["more_body"], end) == (False, {"type": "http.disconnect"})


@pytest.mark.anyio
async def test_a_body_without_ours_is_replayed_untouched_even_with_strip(tmp_path: Path) -> None:
    site = Site(tmp_path)
    got: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.extend([await receive(), await receive()])
        assert (b"transfer-encoding", b"chunked") in scope["headers"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    bare = Bare(site, app)
    token = read_header(site.warden.header("contact"))["_fw_token"]
    site.clock.move(READING_S)
    bare.middleware = WardenMiddleware(app, warden=site.warden, strip=True)
    pieces: list[Message] = [
        {"type": "http.request", "body": BODY[:5], "more_body": True},
        {"type": "http.request", "body": BODY[5:], "more_body": False},
    ]
    headers = {"content-type": JSON, "formwarden": f't="{token}"'}
    await bare.run(http_scope(headers=headers, pairs=[(b"transfer-encoding", b"chunked")]), pieces)
    assert got == pieces
