"""Reads a request body within bounds and hands it on, message by message."""

import asyncio
from collections import deque
from collections.abc import MutableMapping
from typing import Final

from starlette.types import Message, Receive

REQUEST: Final = "http.request"
DISCONNECT: Final = "http.disconnect"


class BodyTooLargeError(Exception):
    """More bytes than the form may send."""


class BodyLateError(Exception):
    """The body did not arrive in time."""


class ClientGoneError(Exception):
    """The client went away while it was sending."""


class Replay:
    """The messages of a body that was read, to be received once more, and then the real thing."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._messages: deque[MutableMapping[str, object]] = deque()
        self.body = b""

    async def read(self, *, limit: int, declared: int | None, seconds: float) -> None:
        """Read to the end. Raises BodyTooLargeError, BodyLateError, ClientGoneError; what `receive` raises passes."""
        if declared is not None and declared > limit:
            raise BodyTooLargeError
        late = False
        try:
            async with asyncio.timeout(seconds) as timeout:
                await self._read(limit)
        except TimeoutError:
            late = timeout.expired()  # a TimeoutError of the server's own is not ours to answer
            if not late:
                raise
        if late:
            raise BodyLateError

    async def _read(self, limit: int) -> None:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await self._receive()
            if message["type"] == DISCONNECT:
                raise ClientGoneError
            part: bytes = message.get("body", b"")
            more = bool(message.get("more_body", False))
            size += len(part)
            if size > limit:
                raise BodyTooLargeError
            parts.append(part)
            self._messages.append(message)
        self.body = b"".join(parts)

    async def __call__(self) -> Message:
        """Give the next message of the body, then whatever the server has to say."""
        if self._messages:
            return self._messages.popleft()
        return await self._receive()
