"""The owner's page as an ASGI application, to be mounted at `/warden`."""

import json
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from formwarden.console.access import CHALLENGE, is_own_post, may_enter
from formwarden.console.report import as_plain
from formwarden.console.view import TEMPLATES, Shown, View
from formwarden.desk.overview import Overview
from formwarden.errors import StoreError
from formwarden.stores.ports import State
from formwarden.submission import preferred_language

if TYPE_CHECKING:  # settings import this room's group, so it must not import them back
    from formwarden.settings import Settings

PAGE_ROWS: Final = 50
STYLE: Final = TEMPLATES.parent / "static" / "console.css"
CLOSED: Final = (
    "This page is closed: it has no password.\n"
    "Set FORMWARDEN_CONSOLE_PASSWORD and start the site again.\n\n"
    "このページは閉じています。FORMWARDEN_CONSOLE_PASSWORD を設定して、サイトを起動し直してください。\n"
)
FOREIGN: Final = (
    "Refused: this post did not come from the owner's page of this site.\n"
    "If a proxy stands before the site, let it pass the Host header on, or set FORMWARDEN_PUBLIC_URL.\n"
)
HEADERS: Final = {
    "cache-control": "private, no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",  # `no-referrer` would turn the Origin of our own posts into `null`
    "vary": "accept, accept-language, authorization",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


class Overseen(Protocol):
    """What the page needs of a warden."""

    @property
    def settings(self) -> "Settings":
        """What is in force."""

    async def overview(self, *, limit: int, after: str | None, states: frozenset[State]) -> Overview:
        """Read a page of inquiries, of all states if none is named, and what failed."""

    async def release(self, inquiry: bytes, /) -> bool:
        """Let a held inquiry through; False: it no longer stands where that is possible. Raises StoreError."""

    async def release_reply(self, inquiry: bytes, /) -> bool:
        """Send an auto-reply that waits for the owner; False: it may not leave now. Raises StoreError."""

    async def discard(self, inquiry: bytes, /) -> bool:
        """Throw a held inquiry away; False: it no longer stands where that is possible. Raises StoreError."""

    async def switch_replies(self, on: bool, /) -> None:  # noqa: FBT001 - the warden's own signature
        """Stop or allow all auto-replies, in all processes. Raises StoreError."""

    async def call_real(self) -> bool:
        """End the hold on a suspected drip; False: there is none. Raises StoreError."""


class Console:
    """Shows the last inquiries with their reasons, and lets their owner release or discard them."""

    def __init__(self, warden: Overseen) -> None:
        self._warden = warden
        self._view = View()
        self._router = Router(
            routes=[
                Route("/", self._show),
                Route("/console.css", self._style),
                Route("/inquiries/{inquiry}/{action}", self._act, methods=["POST"]),
                Route("/replies/real", self._real, methods=["POST"]),
                Route("/replies/{switch}", self._switch, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the owner, and nobody else."""
        app: ASGIApp = self._router
        if scope["type"] == "http":
            app = self._refusal(scope["method"], Headers(scope=scope)) or self._router
        await app(scope, receive, _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        password = self._warden.settings.console.console_password
        if password is None or not password.get_secret_value():
            return PlainTextResponse(CLOSED, status_code=403)
        if not may_enter(headers.get("authorization", ""), password.get_secret_value()):
            return PlainTextResponse(
                "The owner's page needs its password.\n",
                status_code=401,
                headers={"www-authenticate": CHALLENGE},
            )
        if method not in {"GET", "HEAD"} and not is_own_post(headers, self._warden.settings.site.public_url):
            return PlainTextResponse(FOREIGN, status_code=403)
        return None

    async def _show(self, request: Request) -> Response:
        state, after = _state(request), request.query_params.get("after")
        overview = await self._warden.overview(
            limit=PAGE_ROWS, after=after, states=frozenset() if state is None else frozenset({state})
        )
        if _wants_json(request):
            # ASCII: what was typed may hold lone surrogates, which no UTF-8 can carry.
            return Response(json.dumps(as_plain(overview)), media_type="application/json")
        shown = Shown(
            state=state,
            first=after is None,
            done=request.query_params.get("done"),
            query=_query(state, after),
        )
        page = self._view.render(overview, shown, preferred_language(request.headers.get("accept-language", "")))
        return Response(page.encode("utf-8", "replace"), media_type="text/html")

    async def _act(self, request: Request) -> Response:
        actions = {
            "release": self._warden.release,
            "discard": self._warden.discard,
            "reply": self._warden.release_reply,
        }
        action = actions.get(request.path_params["action"])
        inquiry = _id(request.path_params["inquiry"])
        if action is None or inquiry is None:
            return PlainTextResponse("No such page.\n", status_code=404)
        try:
            done = request.path_params["action"] if await action(inquiry) else "nothing"
        except StoreError:  # the page says what ails the store
            done = "failed"
        return _back("../../", request, done)

    async def _switch(self, request: Request) -> Response:
        switch = {"on": True, "off": False}.get(request.path_params["switch"])
        if switch is None:
            return PlainTextResponse("No such page.\n", status_code=404)
        try:
            await self._warden.switch_replies(switch)
        except StoreError:
            return _back("../", request, "failed")
        return _back("../", request, "replies")

    async def _real(self, request: Request) -> Response:
        try:
            done = "real" if await self._warden.call_real() else "calm"
        except StoreError:
            done = "failed"
        return _back("../", request, done)

    async def _style(self, _request: Request) -> Response:
        return FileResponse(STYLE, media_type="text/css")


def _state(request: Request) -> State | None:
    try:
        return State(request.query_params.get("state", ""))
    except ValueError:
        return None


def _query(state: State | None, after: str | None) -> str:
    values = {"state": None if state is None else str(state), "after": after}
    return urlencode({name: value for name, value in values.items() if value is not None})


def _back(root: str, request: Request, done: str) -> Response:
    """Return to the list as it was shown, so that a reload repeats nothing."""
    query = _query(_state(request), request.query_params.get("after"))
    return RedirectResponse(f"{root}?{urlencode({'done': done})}{'&' if query else ''}{query}", status_code=303)


def _id(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return "json" in request.query_params or ("application/json" in accept and "text/html" not in accept)


def _with_headers(send: Send) -> Send:
    async def sending(event: Message) -> None:
        if event["type"] == "http.response.start":
            own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            event = {**event, "headers": [*event.get("headers", ()), *own]}
        await send(event)

    return sending
