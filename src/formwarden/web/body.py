"""Reads a request body within bounds, parsed while it comes, and hands it on, message by message."""

from collections import deque
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive

from formwarden.allowance import Share
from formwarden.bodies import BodyParser, Held, ParsedBody, Source
from formwarden.spool import Spool, Spools
from formwarden.web.pace import PaceLimits, Watch

REQUEST: Final = "http.request"
DISCONNECT: Final = "http.disconnect"
PIECE_BYTES: Final = 65_536  # of one message out of a file; larger ones cost pages of memory at every turn
AS_THEY_CAME: Final = 64  # messages; small ones beyond are put together, for each costs 400 bytes beside its own
SMALL_BYTES: Final = 4_096


class BodyTooLargeError(Exception):
    """More bytes than the form may send."""


class ClientGoneError(Exception):
    """The client went away while it was sending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """Bounds of one body."""

    size: int  # bytes
    in_memory: int  # bytes; a larger one goes into a file
    pace: PaceLimits


class Body:
    """One request body: `read` it, then receive it once more from here, and then the real thing.

    `parsed` is what was read, `content` the bytes where they are in memory, `spooled` where they are not.
    """

    parsed: ParsedBody

    def __init__(
        self,
        receive: Receive,
        parser: BodyParser,
        limits: BodyLimits,
        spools: Spools,
        network: bytes | None = None,
    ) -> None:
        self._receive = receive
        self._network = network  # of the client; bodies of one network leave room for others
        self._parser = parser
        self._limits = limits
        self._spools = spools
        self._share: Share | None = None  # None: nothing is held while we wait
        self._messages = _Messages()
        self._given = 0  # bytes of the file that were given again
        self.size = 0
        self.content = b""
        self.spooled: Spool | None = None

    @property
    def source(self) -> Source:
        """The body, wherever it lies."""
        return self.spooled or Held(self.content)

    async def read(self) -> None:
        """Read and parse to the end.

        Raises BodyTooLargeError, BodyLateError, ClientGoneError, NoRoomError, and what the parser raises; what
        `receive` raises passes. `close` is due in any case.
        """
        with Watch(self._limits.pace) as watch:
            more = True
            while more:
                watch.waits()
                message = await self._receive()
                if message["type"] == DISCONNECT:
                    raise ClientGoneError
                part: bytes = message.get("body", b"")
                more = bool(message.get("more_body", False))
                watch.came(len(part))
                if self._take(message, part, more=more):
                    await self._write(part)
        if self.spooled is None:
            self.content = self._messages.end()
        self.parsed = self._parser.finish(self.source)

    async def __call__(self) -> Message:
        """Give the next message of the body, then whatever the server has to say."""
        message = self._messages.pop()
        if message is not None:
            return message
        spool, start = self.spooled, self._given
        if spool is None or start >= self.size:
            return await self._receive()
        self._given = min(start + PIECE_BYTES, self.size)
        piece = await self._spools.step(lambda: spool.read_at(start, PIECE_BYTES))
        return {"type": REQUEST, "body": piece, "more_body": self._given < self.size}

    def close(self) -> None:
        """Give up what was held for it: the request has ended."""
        if self.spooled is not None:
            self.spooled.close()
        elif self._share is not None:
            self._share.release()

    def leave(self) -> None:
        """Leave the file to whoever is still writing it down: it goes when they have dropped it."""
        self.spooled = self._share = None

    def _take(self, message: Message, part: bytes, *, more: bool) -> bool:
        """Parse it, and keep it in memory; True: it is to go into the file."""
        size = len(part)
        self.size += size
        if self.size > self._limits.size:
            raise BodyTooLargeError
        self._parser.write(part)
        if more or self._share is not None:
            # what is here to the end is not refused: the server holds it anyway
            self._held().grow(size, within=more)
        if self.size > self._limits.in_memory:
            return True
        self._messages.add(message, part, more=more)
        return False

    async def _write(self, part: bytes) -> None:
        if self.spooled is not None:
            await self._spools.append(self.spooled, (part,))
            return
        if self._share is None:  # one message, and larger than what stays in memory
            self._held().grow(len(part), within=False)
        self.spooled = self._spools.open(self._held())
        await self._spools.append(self.spooled, (*self._messages.drop(), part))

    def _held(self) -> Share:
        if self._share is None:
            self._share = self._spools.allowance.share(self._network)
        return self._share


class _Messages:
    """Messages to be given again as they came; many small ones are put together."""

    __slots__ = ("_came", "_small")

    def __init__(self) -> None:
        self._came = deque[MutableMapping[str, object]]()
        self._small = bytearray()

    def add(self, message: Message, part: bytes, *, more: bool) -> None:
        if len(self._came) < AS_THEY_CAME or len(part) >= SMALL_BYTES:
            self._put_together(more=True)
            self._came.append(message)
            return
        self._small += part
        if not more or len(self._small) >= SMALL_BYTES:
            self._put_together(more=more)

    def end(self) -> bytes:
        """Return the whole body."""
        if len(self._came) == 1:
            return _part(self._came[0])
        return b"".join(map(_part, self._came))

    def drop(self) -> Sequence[bytes]:
        """Return the parts so far, and hold them no more."""
        self._put_together(more=True)
        parts = [_part(message) for message in self._came]
        self._came.clear()
        return parts

    def pop(self) -> Message | None:
        """Return the first, and hold it no more; None: there is none left."""
        return self._came.popleft() if self._came else None

    def _put_together(self, *, more: bool) -> None:
        if self._small or not more:
            self._came.append({"type": REQUEST, "body": bytes(self._small), "more_body": more})
            self._small = bytearray()


def _part(message: Message) -> bytes:
    part: bytes = message.get("body", b"")
    return part
