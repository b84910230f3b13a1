"""Bodies from the wire to the endpoint: refusals, files, and what is left when a request has ended."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, urlencode

import apsw
import pytest
from starlette.background import BackgroundTask
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message

from formwarden import Verdict, form_of
from formwarden.course import DEATH_GRACE_S
from formwarden.errors import StoreError
from formwarden.judge import ENDPOINT_LEASE_S
from formwarden.stores.ports import State
from tests.e2e.real_site import RealSite
from tests.sites import READING_S, Site
from tests.test_bodies import multipart
from tests.test_spool import descriptors
from tests.web.bare import Bare, http_scope

MULTIPART = "multipart/form-data; boundary=xyz"
TRIES = 200
PHOTO = bytes(range(256)) * 2_000  # twice what stays in memory


def piece(body: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def cut(body: bytes, size: int = 65_536) -> list[Message]:
    return [
        piece(body[start : start + size], more=start + size < len(body)) for start in range(0, len(body) or 1, size)
    ]


async def filled(site: Site, *photos: bytes) -> bytes:
    """What a visitor with photos would post now."""
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(READING_S)
    parts = [
        (f'Content-Disposition: form-data; name="{name}"'.encode(), value.encode())
        for name, value in visitor.fill(page).items()
    ]
    head = b'Content-Disposition: form-data; name="photo"; filename="bow.png"\r\nContent-Type: image/png'
    return multipart(*parts, *((head, photo) for photo in photos))


async def posted(site: Site, body: bytes, *messages: Message | BaseException) -> Bare:
    """Send it to the site's own app."""
    bare = Bare(site)
    bare.middleware = site.app  # type: ignore[assignment]  # an app as well as the middleware
    await bare.run(http_scope(headers={"content-type": MULTIPART}), messages or cut(body))
    return bare


def nameless() -> int:
    """How many files without a name this process has open."""
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum(link.name.endswith("(deleted)") for link in links)


# ------------------------------------------------------------------ refused
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "settings", "messages", "status", "why"),
    [
        ({"content-length": "5, 6"}, {}, [piece(b"a=1")], 400, "two lengths"),
        ({"content-encoding": "gzip"}, {}, [], 415, "a compressed body"),
        ({"content-type": "text/plain"}, {}, [], 415, "a content type that no form sends"),
        ({"content-type": "multipart/form-data"}, {}, [], 400, "not what its content type says"),
        ({}, {"body_limit": 9}, [piece(b"x" * 10)], 413, "larger than the limit"),
        ({}, {"fields_limit": 9}, [piece(b"x" * 10)], 413, "more fields or text than the limits allow"),
        ({}, {"body_seconds": 0.005}, [piece(b"a", more=True)], 408, "sent too slowly"),
        (
            {},
            {"spool_budget": 5},
            [piece(b"x" * 6, more=True)],
            503,
            "5 bytes are held for other bodies (FORMWARDEN_SPOOL_BUDGET)",
        ),
        (
            {},
            {"spool_above": 5, "spool_dir": "/nowhere"},
            [piece(b"x" * 6)],
            503,
            "No such file or directory (FORMWARDEN_SPOOL_DIR)",
        ),
    ],
)
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_what_cannot_be_taken_is_answered_counted_and_shows_another_way(  # noqa: PLR0917 - a table
    tmp_path: Path,
    headers: dict[str, str],
    settings: dict[str, object],
    messages: Sequence[Message],
    status: int,
    why: str,
    accept: str,
) -> None:
    site = Site(tmp_path, settings={"contact": "phone 052-000-0000", **settings})
    waiting, sent = list(messages), list[Message]()

    async def receive() -> Message:
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await Bare(site).middleware(http_scope(headers={**headers, "accept": accept}), receive, send)
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in sent).decode()
    assert (sent[0]["status"], answered["cache-control"]) == (status, "no-store")
    assert "052-000-0000" in body
    assert ("retry-after" in answered) == (status == 503)
    assert ("connection" in answered) == (status == 408)
    if accept == "application/json":
        assert (json.loads(body)["status"], answered["content-type"]) == (status, "application/problem+json")
    faults = {fault.what: fault.why for fault in (await site.warden.overview()).faults}
    assert faults.pop("request") == f"{status}: {why} (form contact)"
    assert faults == ({"spool": why} if status == 503 else {})
    assert (await site.inquiries(), site.warden.spools.allowance.held) == ((), 0)


@pytest.mark.anyio
async def test_a_connection_of_http_2_is_not_told_to_close(tmp_path: Path) -> None:
    site, sent = Site(tmp_path, settings={"body_seconds": 0.005}), list[Message]()

    async def receive() -> Message:
        await asyncio.Event().wait()
        return piece()

    async def send(message: Message) -> None:
        sent.append(message)

    await Bare(site).middleware({**http_scope(), "http_version": "2"}, receive, send)
    assert sent[0]["status"] == 408
    assert b"connection" not in dict(sent[0]["headers"])


@pytest.mark.anyio
@pytest.mark.parametrize("length", ["5, 5", "0", "-1", "x", ""])
async def test_a_length_is_never_a_yes_and_one_said_twice_is_one(tmp_path: Path, length: str) -> None:
    bare = Bare(Site(tmp_path))
    await bare.run(http_scope(headers={"content-length": length}), [piece(b"message=hello")])
    assert bare.status == 303


# ------------------------------------------------------------------ large bodies
@pytest.mark.anyio
async def test_a_large_body_is_kept_replayed_and_its_files_are_handed_over(tmp_path: Path) -> None:
    site, before = Site(tmp_path), descriptors()
    read: list[object] = []

    async def endpoint(request: Request, verdict: Verdict) -> Response:
        form = form_of(request)
        photo = form["photo"]
        assert isinstance(photo, UploadFile)
        read.extend([verdict.uploads[0].size, photo.size, photo.content_type, photo.filename])
        read.extend([await photo.read(5), await photo.read(), photo.file.writable()])
        await photo.seek(256)
        read.append(await photo.read(3))
        async with request.form() as sent:
            file = sent["photo"]
            assert isinstance(file, UploadFile)
            read.append(await file.read() == PHOTO)
        return PlainTextResponse("")

    site.endpoint = endpoint
    body = await filled(site, PHOTO)
    assert (await posted(site, body)).status == 200
    assert read == [len(PHOTO), len(PHOTO), "image/png", "bow.png", PHOTO[:5], PHOTO[5:], False, PHOTO[256:259], True]
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.body) == (State.DONE, body)
    site.requests.clear()
    assert (descriptors(), site.warden.spools.allowance.held) == (before, 0)


@pytest.mark.anyio
async def test_background_tasks_read_the_files_still(tmp_path: Path) -> None:
    site, read = Site(tmp_path), list[bytes]()

    async def endpoint(request: Request, _: Verdict) -> Response:
        photo = form_of(request)["photo"]
        assert isinstance(photo, UploadFile)

        async def later() -> None:
            read.append(await photo.read())

        return PlainTextResponse("", background=BackgroundTask(later))

    site.endpoint = endpoint
    await posted(site, await filled(site, PHOTO))
    assert read == [PHOTO]


@pytest.mark.anyio
async def test_a_file_that_the_endpoint_keeps_stays_readable(tmp_path: Path) -> None:
    site, kept = Site(tmp_path), list[UploadFile]()

    async def endpoint(request: Request, _: Verdict) -> Response:
        photo = form_of(request)["photo"]
        assert isinstance(photo, UploadFile)
        kept.append(photo)
        return PlainTextResponse("")

    site.endpoint = endpoint
    await posted(site, await filled(site, PHOTO))
    assert await kept[0].read() == PHOTO


@pytest.mark.anyio
@pytest.mark.parametrize("small", [True, False])
async def test_no_file_stays_open_however_a_request_ends(tmp_path: Path, small: bool) -> None:  # noqa: FBT001 - a table
    site = Site(tmp_path)
    body = await filled(site, PHOTO[: 100 if small else None])
    before = descriptors()

    async def fails(request: Request, _: Verdict) -> Response:
        form_of(request)
        raise ValueError("the site's own")

    async def hangs(request: Request, _: Verdict) -> Response:
        form_of(request)
        asyncio.get_running_loop().call_soon(tasks[0].cancel)
        await asyncio.Event().wait()
        return PlainTextResponse("")

    messages = cut(body)
    gone: Message = {"type": "http.disconnect"}
    tasks: list[asyncio.Task[Bare]] = []
    site.endpoint = fails
    with pytest.raises(ValueError, match="own"):
        await posted(site, body)
    await posted(site, body, *messages[:-1], gone)
    with pytest.raises(OSError, match="reset"):
        await posted(site, body, *messages[:-1], OSError("reset"))
    await posted(site, body, *messages[:-1], piece(b"nonsense"))
    site.endpoint = hangs
    again = await filled(site, PHOTO[: 100 if small else None])
    tasks.append(asyncio.create_task(posted(site, again)))
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    tasks.clear()
    site.requests.clear()
    assert (descriptors(), site.warden.spools.allowance.held) == (before, 0)


@pytest.mark.anyio
async def test_a_request_cancelled_while_it_is_written_down_is_kept_and_leaves_nothing_open(tmp_path: Path) -> None:
    """The writer's thread may come to it after the request has gone."""
    async with RealSite(tmp_path) as site:
        await posted(site, await filled(site, PHOTO))
        body, before = await filled(site, PHOTO), nameless()
        other = apsw.Connection(str(site.store_path))
        other.execute("BEGIN IMMEDIATE")  # nobody else writes now
        task = asyncio.create_task(posted(site, body))
        await asyncio.wait({task}, timeout=0.3)  # by then it waits for the writer
        assert nameless() == before + 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        other.execute("ROLLBACK")
        other.close()
        for _ in range(TRIES):
            await site.rows()
            if nameless() == before:
                break
        assert nameless() == before
        assert site.warden.spools.allowance.held == 0
        kept = await site.rows()
        assert [row.inquiry.body for row in kept if row.inquiry.state is State.ACCEPTED] == [body]


@pytest.mark.anyio
async def test_a_request_cancelled_while_it_is_looked_up_is_judged_and_kept(tmp_path: Path) -> None:
    """The visitor has sent all of it, so the owner gets it: held when the lease of its endpoint is over."""
    site = Site(tmp_path, settings={"judge_seconds": 0.2})
    body, before = await filled(site, PHOTO), nameless()
    site.resolver.forever = True
    others = asyncio.all_tasks()
    task = asyncio.create_task(posted(site, body))
    for _ in range(TRIES):
        if site.resolver.asked:
            break
        await asyncio.wait({task}, timeout=0.01)
    assert site.resolver.asked
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await site.inquiries() == ()
    await asyncio.wait(asyncio.all_tasks() - others, timeout=10)
    assert (await site.inquiry()).body == body
    assert (nameless(), site.warden.spools.allowance.held) == (before, 0)
    await site.later(ENDPOINT_LEASE_S + DEATH_GRACE_S)
    kept = await site.inquiry()
    assert kept.state is State.HELD
    assert kept.note.startswith("endpoint failed")


@pytest.mark.anyio
async def test_while_the_store_is_down_a_large_one_goes_into_the_journal(tmp_path: Path) -> None:
    site = Site(tmp_path)
    body = await filled(site, PHOTO)
    site.store.fails("inquiries", StoreError("down"))
    bare = await posted(site, body)
    assert bare.status == 303
    (kept,) = await site.journal()
    assert kept.body == body


# ------------------------------------------------------------------ two readings of one body
ADVERT = "".join(chr(0x1D400 + number) for number in range(26)) + " 𝐛𝐮𝐲 дешeвo сегoдня"  # styled and mixed letters
LINKS = " ".join(f"http://{name}.example" for name in "abcdef")


@pytest.mark.anyio
async def test_an_advert_hidden_in_the_other_reading_scores_the_same(tmp_path: Path) -> None:
    """What Starlette reads as mojibake other frameworks read as it was meant."""
    scores: list[float] = []
    for number, raw in enumerate((False, True)):
        directory = tmp_path / str(number)
        directory.mkdir()
        site = Site(directory)
        page = await site.visitor().open()
        site.clock.move(READING_S)
        fields = site.visitor().fill(page) | {"message": ""}
        value = ADVERT.encode() if raw else quote(ADVERT).encode()
        bare = Bare(site)
        await bare.run(http_scope(), [piece(urlencode(fields).encode() + b"&message=" + value)])
        scores.append((await site.inquiry()).score)
    assert scores[0] == scores[1]
    assert scores[0] > 0


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("charset", "data"),
    [("utf-16-le", LINKS.encode().ljust(200)), ("utf-7", LINKS.encode()), ("utf-8", LINKS.encode() + b"\xff")],
)
async def test_no_charset_and_no_stray_byte_hides_an_advert(tmp_path: Path, charset: str, data: bytes) -> None:
    hits: list[set[str]] = []
    for number, (kind, value) in enumerate((("utf-8", LINKS.encode()), (charset, data))):
        directory = tmp_path / str(number)
        directory.mkdir()
        site = Site(directory)
        bare = Bare(site)
        field = b'Content-Disposition: form-data; name="message"'
        headers = {"content-type": f"{MULTIPART}; charset={kind}"}
        await bare.run(http_scope(headers=headers), [piece(multipart((field, value)))])
        hits.append(set((await site.inquiry()).hits))
    assert "urls" in hits[0]
    assert hits[0] <= hits[1]


@pytest.mark.anyio
async def test_the_endpoint_is_told_what_starlette_reads(tmp_path: Path) -> None:
    site, typed = Site(tmp_path), list[str]()

    async def endpoint(request: Request, verdict: Verdict) -> Response:
        sent = (await request.form())["note"]
        assert isinstance(sent, str)
        typed.extend([verdict.fields["note"], sent])
        return PlainTextResponse("")

    site.endpoint = endpoint
    page = await site.visitor().open()
    site.clock.move(READING_S)
    body = urlencode(site.visitor().fill(page)).encode() + "&note=Grüße".encode()
    bare = Bare(site)
    bare.middleware = site.app  # type: ignore[assignment]  # an app as well as the middleware
    await bare.run(http_scope(), [piece(body)])
    assert typed == ["Grüße".encode().decode("latin-1")] * 2
