"""A real HTTP server in a thread of this process, and a client that says what no client library would."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from types import TracebackType
from typing import Literal, Self

import uvicorn
from starlette.types import ASGIApp

PATIENCE_S = 20.0

Parser = Literal["h11", "httptools"]


@contextmanager
def serving(app: ASGIApp, *, http: Parser = "httptools", root_path: str = "") -> Iterator[int]:
    """Serve an app with uvicorn and yield the port; connections wait until it has started."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, http=http, root_path=root_path, ws="none", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the server said."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Wire:
    """One connection, byte for byte; `with` it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def say(self, data: bytes) -> None:
        """Send these bytes."""
        self._socket.sendall(data)

    def no_more(self) -> None:
        """Say that nothing more will be sent; answers are still read."""
        self._socket.shutdown(socket.SHUT_WR)

    def reply(self, *, head: bool = False) -> Reply:
        """Read one response; an interim one (1xx) is one of its own. `head`: it has no body, whatever its length."""
        status = int(self._file.readline().split()[1])
        headers: dict[str, str] = {}
        while line := self._file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return Reply(status=status, headers=headers, body=b"" if head else self._body(headers))

    def until(self, end: bytes) -> bytes:
        """Read on until these bytes have come."""
        got = b""
        while not got.endswith(end):
            byte = self._file.read(1)
            assert byte, got
            got += byte
        return got

    def closed(self) -> bool:
        """Wait for the server's next byte, and say whether it hung up instead."""
        return self._file.read(1) == b""

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return self._file.read(int(headers.get("content-length", "0")))
        parts: list[bytes] = []
        while size := int(self._file.readline(), 16):
            parts.append(self._file.read(size))
            self._file.readline()
        self._file.readline()
        return b"".join(parts)


def http_request(
    target: str,
    body: bytes = b"",
    *,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    length: int | None = None,
    chunks: int = 0,
) -> bytes:
    """Write one request. `length`: what it claims instead of the truth; `chunks`: so many pieces, and no length."""
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in {"host": "localhost", **(headers or {})}.items()]
    if chunks:
        lines.append("transfer-encoding: chunked")
        step = max(1, -(-len(body) // chunks))
        pieces = [body[at : at + step] for at in range(0, len(body), step)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif length is not None or body:
        lines.append(f"content-length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
