"""The other side of an app, message by message, as servers are: silent until the answer is out."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope

from formwarden import WardenMiddleware
from tests.sites import IP, READING_S, Site
from tests.web.bare import http_scope

PATIENCE_S = 10.0


def piece(body: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Server:
    """Gives the messages of a body, and then nothing until the answer is out; `silent` says that it came to that."""

    def __init__(self, *messages: Message | BaseException) -> None:
        self.messages = list(messages)
        self.asked = 0
        self.sent: list[Message] = []
        self.silent = asyncio.Event()
        self._over = asyncio.Event()

    async def receive(self) -> Message:
        self.asked += 1
        if not self.messages:
            self.silent.set()
            await self._over.wait()
            return {"type": "http.disconnect"}
        message = self.messages.pop(0)
        if isinstance(message, BaseException):
            raise message
        return message

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._over.set()

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app answer; one that hangs has failed."""
        async with asyncio.timeout(PATIENCE_S):
            await app(scope, self.receive, self.send)

    @property
    def starts(self) -> list[Message]:
        return [message for message in self.sent if message["type"] == "http.response.start"]

    @property
    def status(self) -> int:
        return int(self.starts[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.starts[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def filled(site: Site, **typed: str) -> bytes:
    """What a visitor would post now."""
    visitor = site.visitor(IP)
    page = await visitor.open()
    site.clock.move(READING_S)
    return urlencode(visitor.fill(page, typed)).encode()


def scope_of(
    method: str = "POST",
    path: str = "/contact",
    *,
    spec_version: str = "2.3",
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> Scope:
    """What uvicorn writes for the visitor of `filled`."""
    asgi = {"version": "3.0", "spec_version": spec_version}
    return {**http_scope(method, path, headers=headers), "asgi": asgi, "client": (IP, 5), **more}


def part(name: str, value: bytes, *, filename: str | None = None, more: bytes = b"") -> bytes:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    file = "" if filename is None else f'; filename="{filename}"'
    head = f'Content-Disposition: form-data; name="{quoted}"{file}'
    return head.encode("utf-8", "replace") + more + b"\r\n\r\n" + value


def multipart(parts: Sequence[bytes], *, around: tuple[bytes, bytes] = (b"", b"")) -> tuple[bytes, str]:
    body = b"".join(b"--b\r\n" + each + b"\r\n" for each in parts)
    return around[0] + body + b"--b--\r\n" + around[1], "multipart/form-data; boundary=b"


def guarded(site: Site, app: ASGIApp) -> ASGIApp:
    return WardenMiddleware(app, warden=site.warden)
