"""Whatever a client sends: an answer, no bug of ours, and to the endpoint no other bytes than it sent."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD
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
