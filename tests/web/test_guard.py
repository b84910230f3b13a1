"""One guarded request, from the wire to an answer."""

import asyncio
import json
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from formwarden import Answer, AskPage, FormLimits, GuardedForm, Verdict, WardenMiddleware
from formwarden.mail.autoreply import AutoReply
from formwarden.stores.ports import State
from tests.sites import ADDRESS, BROWSER, MESSAGE, Site, read_page
from tests.web.bare import FORM, Bare, http_scope

JSON = {**BROWSER, "accept": "application/json"}
BLIND = {"name": "x", "email": ADDRESS, "message": MESSAGE}


def request(body: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


# ------------------------------------------------------------------ what cannot be read
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"content-encoding": "gzip"}, b"message=x", 415),
        ({"content-encoding": "br, gzip"}, b"message=x", 415),
        ({"content-type": "text/plain"}, b"message=x", 415),
        ({"content-type": "application/json"}, b"{", 400),
        ({"content-type": ""}, b"message=x", 415),
        ({"content-type": "multipart/form-data"}, b"message=x", 400),
        ({"content-type": "multipart/form-data; boundary=x"}, b"--x\r\nnonsense", 400),
        ({"content-type": "multipart/form-data; boundary=x; charset=punycode"}, b"--x\r\nnonsense", 400),
        ({"content-length": "1001"}, b"message=x", 413),
        ({"content-length": "9" * 5000}, b"message=x", 413),
        ({}, b"message=" + b"x" * 1000, 413),
        ({}, b"&".join(b"a=1" for _ in range(21)), 413),
        ({}, b"message=" + b"x" * 500, 413),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_what_cannot_be_read_is_answered_and_not_recorded(
    tmp_path: Path, headers: dict[str, str], body: bytes, status: int, accept: str
) -> None:
    ran: list[Scope] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        ran.append(scope)

    site = Site(tmp_path, settings={"body_limit": 1000, "fields_limit": 500, "fields_count": 20})
    bare = Bare(site, app)
    await bare.run(http_scope(headers={**headers, "accept": accept}), [request(body)])
    assert bare.status == status
    kind = "application/problem+json" if accept == "application/json" else "text/html; charset=utf-8"
    assert bare.headers["content-type"] == kind
    if accept == "application/json":
        assert json.loads(bare.body)["status"] == status
    assert (ran, await site.inquiries()) == ([], ())
    assert site.warden.faults.of("request") == 1


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["identity", " Identity ", ""])
async def test_a_body_that_is_not_encoded_may_say_so(tmp_path: Path, encoding: str) -> None:
    bare = Bare(Site(tmp_path))
    await bare.run(http_scope(headers={"content-encoding": encoding}), [request(b"message=x")])
    assert bare.status == 303


@pytest.mark.anyio
async def test_a_body_beyond_the_limit_is_refused_while_it_is_read(tmp_path: Path) -> None:
    site = Site(tmp_path, GuardedForm("contact", path="/contact", limits=FormLimits(body=100)))
    bare = Bare(site)
    await bare.run(http_scope(), [request(b"x" * 60, more=True)] * 50)
    assert (bare.status, bare.received) == (413, 2)


@pytest.mark.anyio
async def test_a_declared_length_beyond_the_limit_is_refused_unread(tmp_path: Path) -> None:
    bare = Bare(Site(tmp_path, settings={"body_limit": 100}))
    await bare.run(http_scope(headers={"content-length": "101"}), [request(b"x" * 101)])
    assert (bare.status, bare.received) == (413, 0)


@pytest.mark.anyio
async def test_a_body_that_comes_too_slowly_is_refused(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"body_seconds": 0.01})
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        return request()

    async def send(message: Message) -> None:
        sent.append(message)

    await Bare(site).middleware(http_scope(), receive, send)
    assert sent[0]["status"] == 408


@pytest.mark.anyio
async def test_two_content_types_are_one_too_many(tmp_path: Path) -> None:
    """Which of them the site would read by is anybody's guess: two readings are a gap."""
    site = Site(tmp_path)
    bare = Bare(site)
    body = b'--b\r\nContent-Disposition: form-data; name="message"\r\n\r\nx\r\n--b--\r\n'
    first, second = "multipart/form-data; boundary=a", (b"Content-Type", b"multipart/form-data; boundary=b")
    await bare.run(http_scope(headers={"content-type": first}, pairs=[second]), [request(body)])
    assert bare.status == 400
    assert await site.inquiries() == ()


@pytest.mark.anyio
async def test_who_goes_away_while_sending_is_neither_answered_nor_recorded(tmp_path: Path) -> None:
    site = Site(tmp_path)
    bare = Bare(site)
    await bare.run(http_scope(), [request(b"message=", more=True), {"type": "http.disconnect"}])
    assert bare.sent == []
    assert await site.inquiries() == ()
    assert site.warden.faults.all() == ()


@pytest.mark.anyio
@pytest.mark.parametrize("error", [OSError("socket"), TimeoutError("the server's own"), RuntimeError("bug")])
async def test_what_the_server_raises_passes_through(tmp_path: Path, error: Exception) -> None:
    site = Site(tmp_path)
    with pytest.raises(type(error), match=str(error)):
        await Bare(site).run(http_scope(), [request(b"message=", more=True), error])
    assert await site.inquiries() == ()


@pytest.mark.anyio
async def test_the_error_page_speaks_the_visitors_language(tmp_path: Path) -> None:
    bare = Bare(Site(tmp_path))
    await bare.run(http_scope(headers={"content-type": "text/plain", "accept-language": "ja"}), [request()])
    assert "この形式は受け付けられません" in bare.body.decode()


# ------------------------------------------------------------------ the body, once more
@pytest.mark.anyio
async def test_the_app_gets_the_body_message_by_message_and_then_the_server(tmp_path: Path) -> None:
    got: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        got.extend([await receive() for _ in range(5)])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    bare = Bare(Site(tmp_path), app)
    data = await bare.filled()
    pieces = [request(data[:9], more=True), request(b"", more=True), request(data[9:])]
    await bare.run(http_scope(), pieces)
    assert got == [*pieces, {"type": "http.disconnect"}, {"type": "http.disconnect"}]


@pytest.mark.anyio
async def test_a_streamed_answer_that_listens_for_a_disconnect_is_not_cut(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def text() -> object:
        for number in range(5):
            yield f"{number} "
            await asyncio.sleep(0)

    async def streams(_: Request, __: Verdict) -> Response:
        return StreamingResponse(text())  # type: ignore[arg-type]  # an asynchronous generator

    site.endpoint = streams
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open())).text == "0 1 2 3 4 "


@pytest.mark.anyio
async def test_a_middleware_of_the_site_may_read_the_body_before_the_endpoint(tmp_path: Path) -> None:
    site = Site(tmp_path)
    read: list[bytes] = []

    class Reads(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
            read.append(await request.body())
            return await call_next(request)

    site.app = Starlette(
        routes=site.app.routes, middleware=[Middleware(WardenMiddleware, warden=site.warden), Middleware(Reads)]
    )
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open())).status_code == 303
    assert b"violin" in read[1]
    assert (await site.inquiry()).state is State.DONE


# ------------------------------------------------------------------ what others are told (G29)
@pytest.mark.anyio
async def test_g29_a_held_one_is_told_what_an_accepted_one_is_told_but_for_the_receipt(tmp_path: Path) -> None:
    site = Site(tmp_path)
    person, bot = site.visitor(), site.visitor("9.8.7.6")
    good = await person.send(await person.open())
    bad = await bot.post(person.fill(await person.open()) | {"_fw_token": "", "_fw_form": ""})
    assert {inquiry.state for inquiry in await site.inquiries()} == {State.DONE, State.HELD}

    assert (good.status_code, good.content) == (bad.status_code, bad.content) == (303, b"")
    assert [name for name, _ in good.headers.raw] == [name for name, _ in bad.headers.raw]
    locations = [good.headers["location"], bad.headers["location"]]
    assert [each.partition("receipt=")[0] for each in locations] == ["/thanks?"] * 2
    assert len({len(each) for each in locations}) == 1

    pages = [await person.request("GET", each) for each in locations]
    receipts = [site.verdicts[0].receipt, (await site.inquiries(State.HELD))[0].receipt]
    texts = [page.text.replace(receipt, "R") for page, receipt in zip(pages, receipts, strict=True)]
    assert texts[0] == texts[1]
    assert MESSAGE in texts[0]
    assert pages[0].headers == pages[1].headers


@pytest.mark.anyio
async def test_g29_a_json_client_is_told_the_forms_own_shape(tmp_path: Path) -> None:
    shape = '{"ok": true, "reference": "$reference"}'
    site = Site(tmp_path, GuardedForm("contact", path="/contact", thanks_json=shape, reply=AutoReply()))
    response = await site.visitor(headers=JSON).post(BLIND)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"ok": True, "reference": (await site.inquiry()).receipt}


@pytest.mark.anyio
async def test_a_rejected_one_gets_a_receipt_and_another_way(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"contact": "phone 052-000-0000"})
    visitor = site.visitor()
    page = await visitor.open()
    response = await visitor.send(page, {"email": "taro@gmail.com\nBcc: a@gmail.com"})
    assert response.status_code == 403
    assert (await site.inquiry()).receipt in response.text
    assert "052-000-0000" in response.text
    assert MESSAGE not in response.text


@pytest.mark.anyio
async def test_json_clients_get_problem_details(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor(headers=JSON)
    page = await visitor.open()
    asked = await visitor.send(page, after_s=1.0)
    assert (asked.status_code, asked.headers["content-type"]) == (409, "application/problem+json")
    problem = asked.json()
    assert problem["receipt"] == (await site.inquiry()).receipt

    response = await visitor.send(page, {"_fw_token": problem["token"]})
    assert response.status_code == 303
    assert len(await site.inquiries(State.DISCARDED)) == 1

    hostile = await visitor.send(await visitor.open(), {"email": "a@gmail.com\nBcc: b@gmail.com"})
    assert (hostile.status_code, hostile.json()["status"]) == (403, 403)


@pytest.mark.anyio
async def test_an_ask_page_of_the_sites_own_is_shown(tmp_path: Path) -> None:
    def ask(page: AskPage) -> Answer:
        hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in page.hidden.pairs)
        body = f"<form>{page.reason} {page.markup}{hidden}</form>".encode()
        return Answer(status=200, headers={"content-type": "text/html; charset=utf-8"}, body=body)

    site = Site(tmp_path, GuardedForm("contact", path="/contact", ask=ask))
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=1.0)
    assert response.text.startswith("<form>That was very quick")
    assert (await visitor.send(read_page(response))).status_code == 303


@pytest.mark.anyio
async def test_several_forms_are_kept_apart(tmp_path: Path) -> None:
    site = Site(
        tmp_path, GuardedForm("contact", path="/contact"), GuardedForm("order", path=("/order", "/bestellen"))
    )
    visitor = site.visitor()
    for path in ("/contact", "/order", "/bestellen"):
        await visitor.send(await visitor.open(path), {"message": f"This is about {path}, please."}, path=path)
    assert sorted(inquiry.form for inquiry in await site.inquiries()) == ["contact", "order", "order"]
    assert [verdict.score for verdict in site.verdicts] == [0, 0, 0]


@pytest.mark.anyio
async def test_what_the_client_sent_is_kept_as_it_was(tmp_path: Path) -> None:
    site = Site(tmp_path)
    bare = Bare(site)
    body = b"message=%ff%00&=&&a;b&message=again"
    await bare.run(http_scope(headers={"content-type": f"{FORM}; charset=x"}), [request(body)])
    inquiry = await site.inquiry()
    assert (inquiry.body, inquiry.content_type) == (body, f"{FORM}; charset=x")


@pytest.mark.anyio
async def test_an_app_that_is_no_form_gets_no_verdict_twice(tmp_path: Path) -> None:
    """Two wardens, one behind the other, each with forms of its own."""
    (tmp_path / "other").mkdir()
    inner, outer = Site(tmp_path), Site(tmp_path / "other", GuardedForm("order", path="/order"))
    bare = Bare(outer, inner.app)
    await bare.run(http_scope(), [request(b"message=x")])
    assert len(await inner.inquiries()) == 1
    assert await outer.inquiries() == ()
