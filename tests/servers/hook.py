r"""A real HTTP server on loopback that takes alarms, byte for byte, and misbehaves when asked to.

async with HookServer() as hook:
    hook.answer = b"HTTP/1.1 500 no\r\n\r\n"    # None: reads, and never answers
    hook.url, hook.requests
"""

import asyncio
import contextlib
import json
import ssl
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One request as it came."""

    line: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        read = json.loads(self.body)
        assert isinstance(read, dict)
        return read


class HookServer:
    """The server, in the loop that enters it."""

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Posted] = []
        self.answer: bytes | None = OK
        self.endless = False  # goes on with the answer for ever, a byte at a time
        self.connections = 0
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        scheme, host = ("http", "127.0.0.1") if self._tls is None else ("https", "localhost")
        return f"{scheme}://{host}:{self.port}/hook?room=1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self._tls)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        await asyncio.gather(*self._sessions)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        assert me is not None
        self._sessions.add(me)
        self.connections += 1
        with contextlib.suppress(OSError, EOFError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers["content-length"]))
            self.requests.append(Posted(line=head[0], headers=headers, body=body))
            if self.answer is None:
                await reader.read()  # until the other side hangs up
            else:
                writer.write(self.answer)
                while self.endless and not reader.at_eof():
                    writer.write(b"X-More: 1\r\n")
                    await writer.drain()
                    await asyncio.sleep(0)
        writer.transport.abort()
