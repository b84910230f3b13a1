import asyncio
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from formwarden.web.resent import PIECE_BYTES, resend, resend_pieces
from tests.web.bare import FORM, http_scope

GONE: Message = {"type": "http.disconnect"}


async def gone() -> Message:
    return GONE


async def received(receive: Receive) -> list[Message]:
    """The messages of the body, and the one behind it."""
    messages = [await receive()]
    while messages[-1].get("more_body") and len(messages) < 100:
        messages.append(await receive())
    return [*messages, await receive()]


def headers(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key.lower() == name]


@pytest.mark.anyio
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
async def test_the_new_body_comes_in_pieces_and_then_the_server_speaks(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    *messages, last = await received(resend(http_scope(), gone, content_type=None, body=body))
    assert b"".join(message["body"] for message in messages) == body
    assert [message["more_body"] for message in messages] == [*[True] * (len(messages) - 1), False]
    assert len(messages) == max(1, -(-size // PIECE_BYTES))
    assert last is GONE


@given(body=st.binary(max_size=50), cuts=st.lists(st.integers(0, 50), max_size=5))
def test_pieces_however_cut_are_the_body(body: bytes, cuts: list[int]) -> None:
    ends = sorted({min(end, len(body)) for end in cuts} | {len(body)})
    pieces = [body[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    scope = http_scope()
    receive = resend_pieces(
        scope, gone, content_type=None, size=len(body), pieces=[partial(bytes, piece) for piece in pieces]
    )
    *messages, last = asyncio.run(received(receive))
    assert b"".join(message["body"] for message in messages) == body
    assert last is GONE


@pytest.mark.anyio
async def test_the_scope_itself_says_the_new_length_and_no_other_framing() -> None:
    old = [(b"Content-Length", b"9999"), (b"Transfer-Encoding", b"chunked"), (b"Content-Digest", b"sha-256=:x:")]
    scope = http_scope(pairs=[*old, (b"X-Kept", b"1"), (b"x-kept", b"2")])
    resend(scope, gone, content_type=None, body=b"a=1")
    assert headers(scope, b"content-length") == [b"3"]
    assert headers(scope, b"transfer-encoding") == headers(scope, b"content-digest") == []
    assert headers(scope, b"x-kept") == [b"1", b"2"]
    assert headers(scope, b"content-type") == [FORM.encode()]


@pytest.mark.anyio
async def test_another_content_type_takes_the_place_of_the_old_one() -> None:
    scope = http_scope(headers={"content-type": "multipart/form-data; boundary=x"}, pairs=[(b"Content-Type", b"y")])
    receive = resend(scope, gone, content_type=FORM.encode(), body=b"a=1&a=2")
    assert headers(scope, b"content-type") == [FORM.encode()]
    form = await Request(scope, receive).form()
    assert form.multi_items() == [("a", "1"), ("a", "2")]


@pytest.mark.anyio
async def test_headers_of_any_kind_of_iterable_are_read_once() -> None:
    scope = http_scope()
    scope["headers"] = iter([(b"host", b"x"), (b"content-length", b"1")])
    resend(scope, gone, content_type=b"a/b", body=b"")
    assert scope["headers"] == [(b"host", b"x"), (b"content-type", b"a/b"), (b"content-length", b"0")]
