"""Raw ASGI: an app without a framework behind the middleware, and requests without a client library."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from formwarden import WardenMiddleware
from tests.sites import BROWSER, DOMAIN, READING_S, Site

FORM = "application/x-www-form-urlencoded"
IP = "1.2.3.4"


async def answers(_: Scope, __: Receive, send: Send) -> None:
    """An app that redirects."""
    await send({"type": "http.response.start", "status": 303, "headers": [(b"location", b"/done")]})
    await send({"type": "http.response.body"})


def http_scope(
    method: str = "POST",
    path: str = "/contact",
    *,
    headers: Mapping[str, str] | None = None,
    pairs: Iterable[tuple[bytes, bytes]] = (),
    **more: object,
) -> Scope:
    """A scope as servers write it; `pairs` are further headers as bytes."""
    usual = {"host": DOMAIN, "content-type": FORM, **BROWSER, **(headers or {})}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in usual.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [*raw, *pairs],
        "client": (IP, 5),
        "server": (DOMAIN, 443),
        **more,
    }


class Bare:
    """One app behind a middleware of its own; `sent` is what came out, `received` how often it was asked."""

    def __init__(self, site: Site, app: ASGIApp = answers) -> None:
        self.site = site
        self.middleware = WardenMiddleware(app, warden=site.warden)
        self.sent: list[Message] = []
        self.received = 0

    async def filled(self, **typed: str) -> bytes:
        """What a visitor would post now."""
        visitor = self.site.visitor(IP)
        page = await visitor.open()
        self.site.clock.move(READING_S)
        return urlencode(visitor.fill(page, typed)).encode()

    async def run(self, scope: Scope, messages: Sequence[Message | BaseException]) -> None:
        """Let the app receive these messages; after the last one the client is gone."""
        waiting = list(messages)

        async def receive() -> Message:
            self.received += 1
            if not waiting:
                return {"type": "http.disconnect"}
            message = waiting.pop(0)
            if isinstance(message, BaseException):
                raise message
            return message

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self.middleware(scope, receive, send)

    async def post(self, data: bytes, **scope: object) -> None:
        """Post a body in one piece."""
        await self.run({**http_scope(), **scope}, [{"type": "http.request", "body": data, "more_body": False}])

    @property
    def status(self) -> int:
        """The status that was sent."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """The headers that were sent."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        """The body that was sent."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])
