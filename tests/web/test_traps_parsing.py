"""Trap 10 of docs/traps.md: two parsers that read one body differently."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from formwarden import (
    Verdict,
    form_of,
    verdict_of,
)
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, OWN_FIELDS, TOKEN_FIELD
from tests.sites import Site
from tests.soak import runs
from tests.web.bare import FORM, Bare, http_scope
from tests.web.replaying import Server, filled, multipart, part, piece, scope_of

# ------------------------------------------------------------------ 10: one reading
CHARSETS = st.sampled_from(["", "; charset=utf-8", "; charset=latin-1", "; charset=utf-16", "; charset=shift_jis"])
NAMES = st.one_of(
    st.sampled_from(["name", "email", "message", TOKEN_FIELD, MARKER_FIELD, EVIDENCE_FIELD, "名前", ""]),
    st.text(max_size=6),
)
ESCAPES = st.lists(
    st.sampled_from(
        ["%", "%%", "%4", "%41", "%zz", "%e5%a4%aa", "%FF", "\\", "\\x41", "\\u0041", "\\N{DIGIT ONE}", "+", "é"]
    ),
    max_size=6,
).map("".join)
TEXTS = st.one_of(
    st.text(max_size=20), ESCAPES, st.sampled_from(["太郎", "a+b", "a;b=c", "\0", "\r\n", "\u202e", "%u0041"])
)
RAW = st.sampled_from(["&", "=", ";", "+", "%", "%zz", "%00", "é", "太", "&&", "a=b", "message=", "\r\n"])


def url_body(pairs: Iterable[tuple[str, str]], raw: str, *, escape: bool) -> bytes:
    write = quote_plus if escape else str
    text = "&".join(f"{write(name)}={write(value)}" for name, value in pairs) + raw
    return text.encode("utf-8", "surrogatepass")


URLENCODED_BODIES = st.tuples(
    st.builds(url_body, st.lists(st.tuples(NAMES, TEXTS), max_size=5), RAW, escape=st.booleans()),
    st.just(FORM),
    CHARSETS,
).map(lambda drawn: (drawn[0], drawn[1] + drawn[2]))
EXTRAS = st.sampled_from(
    [
        b"",
        b"\r\nContent-Type: text/plain; charset=latin-1",
        b"; filename*=utf-8''x.txt",
        b"; name*=utf-8''other",
        b"; name=second",
        b"\r\nX: " + b"y" * 90,
    ]
)
PART = st.builds(
    part,
    NAMES.filter(lambda name: "\r" not in name and "\n" not in name),
    st.one_of(st.binary(max_size=20), TEXTS.map(lambda text: text.encode("utf-8", "replace"))),
    filename=st.sampled_from([None, None, "a.txt", "", "é.txt", "a;b.txt"]),
    more=EXTRAS,
)
MULTIPART_BODIES = st.tuples(
    st.builds(
        multipart,
        st.lists(PART, max_size=5),
        around=st.sampled_from([(b"", b""), (b"\r\n", b""), (b"", b"after")]),
    ),
    CHARSETS,
).map(lambda drawn: (drawn[0][0], drawn[0][1] + drawn[1]))


class Compares:
    """An endpoint that reads the form as Starlette does, and holds it against what was judged."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        verdict = verdict_of(request)
        form, ours = await request.form(), form_of(request)
        theirs = form.multi_items()
        typed = [(name, text) for name, text in theirs if isinstance(text, str) and name not in OWN_FIELDS]
        assert typed == list(verdict.fields.pairs)
        files = [(name, file) for name, file in theirs if isinstance(file, UploadFile)]
        uploads = [(each.field, each.filename, each.content_type or None, each.size) for each in verdict.uploads]
        assert [(name, file.filename, file.content_type, file.size) for name, file in files] == uploads
        copies = [file for _, file in ours.multi_items() if isinstance(file, UploadFile)]
        assert [await file.read() for _, file in files] == [await file.read() for file in copies]
        await form.close()
        await ours.close()
        self.read += 1
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


@pytest.mark.soak
def test_trap_10_the_endpoint_reads_exactly_what_was_judged(tmp_path: Path) -> None:
    """Starlette's `form()` gives our fields and the judged ones, in order, every value, and the same files."""
    site, endpoint, statuses = Site(tmp_path, settings={"mode": "monitor"}), Compares(), Counter[int]()

    @settings(max_examples=runs(300, 20_000))
    @given(body=st.one_of(URLENCODED_BODIES, MULTIPART_BODIES))
    def reads_the_same(body: tuple[bytes, str]) -> None:
        bare = Bare(site, endpoint)
        runner.run(bare.run(http_scope(headers={"content-type": body[1]}), [piece(body[0])]))
        statuses[bare.status] += 1

    with asyncio.Runner() as runner:
        reads_the_same()
    assert set(statuses) <= {204, 400}
    assert statuses[204] == endpoint.read > statuses[400]
    assert {fault.what for fault in site.warden.faults.all()} <= {"request"}


@pytest.mark.anyio
async def test_trap_10_bytes_that_are_utf_8_for_others_are_scored_as_the_endpoint_reads_them(tmp_path: Path) -> None:
    """Starlette reads unescaped bytes as latin-1: so do we, whatever a parser of another kind would see."""
    site = Site(tmp_path)
    body = (await filled(site, message="@")).replace(b"%40", b"@").replace(b"message=@", "message=太郎".encode())
    read: list[str] = []

    async def reads(request: Request, _: Verdict) -> Response:
        read.append(str((await request.form())["message"]))
        return PlainTextResponse("")

    site.endpoint = reads
    await Server(piece(body)).run(site.app, scope_of())
    assert read == [site.verdicts[0].fields["message"]] == ["太郎".encode().decode("latin-1")]
