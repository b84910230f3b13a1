"""Another body in place of the one that came: headers and messages of the request say the same."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from itertools import chain
from typing import Final

from starlette.types import Message, Receive, Scope

PIECE_BYTES: Final = 65_536  # of one message, as servers cut a body that comes over the wire
# These describe the bytes that came; the new ones have a length and no other framing (RFC 9112 section 6.3).
ABOUT_THE_OLD: Final = frozenset(
    {b"content-length", b"transfer-encoding", b"content-md5", b"digest", b"content-digest", b"repr-digest"}
)

Piece = Callable[[], bytes]
"""Reads the next bytes of a body, wherever they lie."""


def resend(scope: Scope, receive: Receive, *, content_type: bytes | None, body: bytes) -> Receive:
    """Change the request's headers for this body, and return what receives it; `content_type` None: as it was.

    The scope is changed and never copied: frameworks write into it. `receive` is asked after the body, so it must
    be past the one that came.
    """
    view = memoryview(body)
    pieces = (partial(bytes, view[start : start + PIECE_BYTES]) for start in range(0, len(body), PIECE_BYTES))
    return resend_pieces(scope, receive, content_type=content_type, size=len(body), pieces=pieces)


async def at_once(read: Piece) -> bytes:
    """Read what is in memory."""
    return read()


def resend_pieces(
    scope: Scope,
    receive: Receive,
    *,
    content_type: bytes | None,
    size: int,
    pieces: Iterable[Piece],
    step: Callable[[Piece], Awaitable[bytes]] = at_once,
) -> Receive:
    """Do the same for a body of `size` bytes that is read piece by piece as it is sent; `step` runs each reading."""
    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in ABOUT_THE_OLD]
    if content_type is not None:
        headers = [pair for pair in headers if pair[0].lower() != b"content-type"]
        headers.append((b"content-type", content_type))
    scope["headers"] = [*headers, (b"content-length", str(size).encode())]
    left = chain(pieces, (bytes,))  # a body of no bytes is one message, too
    remaining, ended = size, False

    async def resent() -> Message:
        nonlocal remaining, ended
        if ended:
            return await receive()
        piece = await step(next(left))
        remaining -= len(piece)
        ended = remaining <= 0
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return resent
