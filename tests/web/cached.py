"""A site behind a shared cache, as a CDN is one: it keeps what headers allow (RFC 9111), and serves that to all."""

import re
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from formwarden import GuardedForm
from formwarden.mail.autoreply import AutoReply
from tests.clock import MovableClock
from tests.sites import Page, Site, Visitor

DAY_S = 86_400
KEPT_S = 10 * DAY_S


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One answer in the cache."""

    messages: tuple[Message, ...]
    until: float


class SharedCache:
    """Stands in front of an app."""

    def __init__(self, app: ASGIApp, clock: MovableClock) -> None:
        self._app = app
        self._clock = clock
        self._kept: dict[str, Kept] = {}
        self.served = 0  # without asking the site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = f"{scope['path']}?{scope['query_string'].decode()}" if scope["type"] == "http" else ""
        if not path or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        kept = self._kept.get(path)
        if kept is not None and self._clock.now() < kept.until:
            self.served += 1
            for message in kept.messages:
                await send(message)
            return None
        messages: list[Message] = []

        async def keeping(message: Message) -> None:
            messages.append(message)
            await send(message)

        await self._app(scope, receive, keeping)
        seconds = _may_be_kept_s(messages[0])
        if seconds:
            self._kept[path] = Kept(messages=tuple(messages), until=self._clock.now() + seconds)
        return None


def _may_be_kept_s(start: Message) -> float:
    control = b",".join(value for name, value in start["headers"] if name.lower() == b"cache-control").decode()
    age = re.search(r"max-age=(\d+)", control)
    refused = start["status"] != 200 or re.search("no-store|private", control)
    return 0.0 if refused or age is None else float(age[1])


class CachedSite(Site):
    """A site whose own pages say that they may be kept for ten days."""

    def __init__(self, tmp_path: Path, form: GuardedForm | None = None, **settings: object) -> None:
        cacheable = GuardedForm("contact", path="/contact", cacheable=True, reply=AutoReply())
        super().__init__(tmp_path, form or cacheable, settings=settings)
        self.cache = SharedCache(self.app, self.clock)

    async def _show(self, request: Request) -> Response:
        response = await super()._show(request)
        response.headers["cache-control"] = f"public, max-age={KEPT_S}"
        return response

    def visitor(self, ip: str = "203.0.113.9", **values: object) -> Visitor:
        """Somebody who gets everything through the cache."""
        visitor = super().visitor(ip, **values)  # type: ignore[arg-type]  # the names are those of Site.visitor
        visitor.app = self.cache
        return visitor


async def with_scripts(visitor: Visitor, page: Page) -> Page:
    """Fetch a token as guard.js does at the first interaction: `cache: "no-store"`, the marker in the address."""
    fresh = re.search(r'data-fresh="([^"]+)"', page.response.text)
    assert fresh is not None
    answer = await visitor.request("GET", f"{fresh[1]}?m={page.marker}", headers={"cache-control": "no-store"})
    token = answer.text if answer.status_code == 200 else ""
    return Page(fields={**page.fields, "_fw_token": token}, response=page.response)
