"""Whatever a client sends: an answer, no bug of ours, and to the endpoint no other bytes than it sent."""

import asyncio
from collections import Counter
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from formwarden import GuardedForm
from formwarden.spool import Spools
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD, Client
from formwarden.web.intake import Intake, Refusal
from formwarden.web.requests import headers_of
from formwarden.web.settings import Web
from tests.clock import MovableClock
from tests.proof import Proof
from tests.sites import Site
from tests.soak import runs
from tests.web.bare import Bare, answers, http_scope

NAMES = st.sampled_from(
    [
        b"accept",
        b"accept-language",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"forwarded",
        b"host",
        b"origin",
        b"referer",
        b"sec-fetch-site",
        b"user-agent",
        b"x-forwarded-for",
    ]
)
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"multipart/form-data; boundary=b",
            b'Multipart/Form-Data; charset=utf-7; boundary="b"',
            b"application/x-www-form-urlencoded",
            b"application/json",
            b"null",
            b"http://[",
            b"[::1",
            b"cross-site",
            b"ja;q=9e999,en;q=nan",
        ]
    ),
)
FIELD_NAMES = st.one_of(
    st.sampled_from(["name", "email", "message", TOKEN_FIELD, MARKER_FIELD, EVIDENCE_FIELD]), st.text(max_size=20)
)
PART = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
BODIES = st.one_of(
    st.binary(max_size=400),
    st.lists(st.tuples(FIELD_NAMES, st.text(max_size=60)), max_size=8).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "surrogatepass")
    ),
    st.lists(st.tuples(FIELD_NAMES, st.binary(max_size=60)), max_size=6).map(
        lambda pairs: (
            b"".join(
                b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
                % (name.encode("utf-8", "replace"), value)
                for name, value in pairs
            )
            + b"--b--\r\n"
        )
    ),
)


@pytest.mark.soak
@settings(max_examples=runs(200, 10_000))
@given(headers=st.lists(st.tuples(NAMES, VALUES), max_size=6), body=BODIES, cut=st.integers(0, 400))
def test_no_request_makes_a_bug_of_ours_or_other_bytes(
    headers: list[tuple[bytes, bytes]], body: bytes, cut: int
) -> None:
    got: list[bytes] = []

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        got.append(await Request(scope, receive).body())
        await answers(scope, receive, send)

    async def run() -> tuple[int, tuple[str, ...]]:
        with TemporaryDirectory() as directory:
            bare = Bare(Site(Path(directory)), endpoint)
            scope = http_scope()
            named = {name for name, _ in headers}
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in named] + headers
            chunks = ((body[:cut], True), (body[cut:], False))
            messages = [{"type": "http.request", "body": part, "more_body": more} for part, more in chunks]
            await bare.run(scope, messages)
            faults = tuple(fault.what for fault in bare.site.warden.faults.all())
            return int(bare.sent[0]["status"]), faults

    status, faults = asyncio.run(run())
    assert status in {200, 303, 400, 403, 409, 413, 415}
    assert set(faults) <= {"request"}
    assert all(each == body for each in got)


# ------------------------------------------------------------------ the reader alone, beside Starlette
TOKENS = (
    b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b"-", b"--", b": ", b";", b'"', b"\\", b"%", b"%41", b"%zz",
    b"%e3%81%82", b"+", b"&", b"=", b"\xff", b"\xe3\x81\x82", b"\0", b"name=", b"filename=", b"filename*=utf-8''x",
    b"name*0=a", b"Content-Disposition: form-data; ", b"content-disposition: form-data; name=a",
    b"Content-Type: text/plain; charset=utf-16", b"Content-Transfer-Encoding: base64",
    b'--b\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n',
    b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n", b"--c--", b"_fw_token=", b"x" * 300,
)  # fmt: skip
TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-16",
    "multipart/form-data; boundary=b",
    'Multipart/Form-Data; charset=shift_jis; boundary="b"',
    "multipart/form-data; boundary=b; charset=utf-7",
    "multipart/form-data; boundary=b; charset=punycode",
    "multipart/form-data; boundary=b; boundary=c",
    "multipart/form-data; boundary=c",
    "multipart/form-data; boundary=\r\n",
    "multipart/form-data",
    "multipart/mixed; boundary=b",
    "application/json",
    "text/plain",
    "",
)
LIKELY = (0, 0, 0, 0, 2, 2, 2, 2, 2, 3, 4)  # those that are read at all
FIELDS_LIMIT = 2_000
BODY_LIMIT = 6_000


def body_of(chance: Random, content_type: str) -> bytes:
    """A body as a client makes it, or as one that means harm does."""

    def noise(length: int) -> bytes:
        return b"".join(
            chance.choice(TOKENS) if chance.random() < 0.7 else chance.randbytes(3) for _ in range(length)
        )

    if content_type.startswith("application/x"):
        pairs = [(noise(chance.randrange(3)), noise(chance.randrange(6))) for _ in range(chance.randrange(6))]
        body = b"&".join(b"%b=%b" % pair for pair in pairs)
    else:
        parts = []
        for _ in range(chance.randrange(5)):
            kind = chance.choice(
                (b"", b'; filename="f.txt"', b"; filename=", b"; filename*=utf-8''x", b"; name=second")
            )
            name = chance.choice((b"name", b"\xe3\x81\x82", b"\xff", b"", b"a b", noise(2)))
            size = chance.choice((0, 1, 5, 20, 900))
            data = chance.randbytes(size) if chance.random() < 0.3 else noise(size)[: size * 2]
            parts.append(b'--b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n' % (name, kind, data))
        body = b"".join(parts) + b"--b--\r\n"
    return changed(chance, body)


def changed(chance: Random, body: bytes) -> bytes:
    """Cut, doubled, overwritten, and torn apart; one in three as it was."""
    for _ in range(chance.choice((0, 0, 1, 1, 2, 6))):
        start = chance.randrange(len(body) + 1)
        end = min(len(body), start + chance.choice((0, 1, 2, 8, 200)))
        put = chance.choice((b"", chance.choice(TOKENS), body[start:end] * 2, chance.randbytes(2)))
        body = body[:start] + put + body[end:]
    return body[: chance.randrange(len(body) + 1)] if chance.random() < 0.1 else body


def pieces_of(chance: Random, body: bytes) -> list[Message]:
    """The same bytes in messages of every size."""
    size = chance.choice((1, 2, 7, 60, 500, 100_000))
    starts = range(0, len(body), size) if len(body) // size < 400 else range(0, len(body), 60)
    chunks = [body[start : start + starts.step] for start in starts] or [b""]
    if chance.random() < 0.3:
        chunks.insert(chance.randrange(len(chunks) + 1), b"")
    last = len(chunks) - 1
    return [{"type": "http.request", "body": chunk, "more_body": at < last} for at, chunk in enumerate(chunks)]


async def read_by_starlette(
    scope: Scope, receive: Receive
) -> tuple[list[tuple[str, str]], list[tuple[str, str, bytes]]]:
    """What `await request.form()` gives the endpoint."""
    async with Request(scope, receive).form() as form:
        fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        files = [
            (name, value.filename or "", await value.read())
            for name, value in form.multi_items()
            if isinstance(value, UploadFile)
        ]
    return fields, files


async def one(number: int, spools: Spools) -> str:
    """Read one body, give it again, and compare; returns what became of it."""
    chance = Random(number)  # noqa: S311 - to be the same again, and not to be a secret
    content_type = TYPES[chance.choice(LIKELY)] if chance.random() < 0.8 else chance.choice(TYPES)
    body = body_of(chance, content_type)
    messages = pieces_of(chance, body)
    web = Web(
        body_limit=BODY_LIMIT,
        fields_limit=FIELDS_LIMIT,
        fields_count=chance.choice((3, 40)),
        spool_above=chance.choice((0, 50, 1_000, BODY_LIMIT)),
    )
    scope = http_scope(headers={"content-type": content_type})
    headers = headers_of(scope)
    waiting = [*messages, {"type": "http.disconnect"}]

    async def receive() -> Message:
        return waiting.pop(0)

    form = GuardedForm("contact", path="/contact")
    read = await Intake(web, spools).read(form, Client(), scope, headers, receive)
    if isinstance(read, Refusal):
        assert read.status in {400, 413, 415}
        return str(read.status)
    try:
        assert read.source.read() == body, number
        if content_type.endswith("json"):
            return "json"
        given = list[bytes]()

        async def again() -> Message:
            message = await read()
            given.append(message.get("body", b""))
            return message

        fields, files = await read_by_starlette(scope, again)
        parsed = read.parsed
        assert b"".join(given) == body, number
        assert list(parsed.fields.pairs) == fields, number
        named = [(upload.field, upload.filename) for upload in parsed.uploads]
        assert list(zip(named, parsed.contents, strict=True)) == [((a, b), c) for a, b, c in files], number
        assert [upload.sha256 for upload in parsed.uploads] == [sha256(c).digest() for _, _, c in files], number
        assert waiting == [{"type": "http.disconnect"}]
    finally:
        read.close()
    return "file" if read.spooled else "memory"


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
def test_no_body_makes_the_reader_raise_or_reads_otherwise_than_starlette(proof: Proof) -> None:
    async def run() -> Counter[str]:
        spools = Spools(directory=None, budget=1 << 20, clock=MovableClock())
        ends: Counter[str] = Counter()
        for number in range(runs(1_000, 100_000)):
            ends[await one(number, spools)] += 1
        assert spools.allowance.held == 0
        return ends

    ends = asyncio.run(run())
    assert min(ends["file"], ends["memory"], ends["400"], ends["413"]) > ends.total() // 50  # every way was gone
    proof("bodies of every kind: none raises, and none is read or replayed otherwise than it was sent", **ends)
