"""Runs the site's endpoint once more for a kept inquiry: the same body, the owner's word in place of the browser."""

import asyncio
from collections.abc import MutableMapping
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Scope

from formwarden.bodies import Held
from formwarden.desk.rebuild import own_names, parsed
from formwarden.forms import GuardedForm
from formwarden.page.context import PageRequest, known
from formwarden.scoring import Verdict
from formwarden.stores.ports import Inquiry
from formwarden.submission import Client
from formwarden.web.endpoint import START, hand_over
from formwarden.web.strip import cuts, left

NO_RESPONSE = 500
NOT_TAKEN = 422  # the form was shown again, with whatever status


class Rerun:
    """Replays kept bodies into the app. `state` is the lifespan's, as the app's own requests get it.

    `strip`: without our own fields, as the middleware replays what is sent.
    """

    def __init__(self, app: ASGIApp, form: GuardedForm, public_url: str | None, *, strip: bool = False) -> None:
        self._app = app
        self._form = form
        self._strip = strip
        self._public = urlsplit(public_url or "http://localhost")
        self.state: MutableMapping[str, object] = {}

    async def __call__(self, inquiry: Inquiry, verdict: Verdict) -> int:
        """Return the status the endpoint answers with."""
        body, read = inquiry.body or b"", parsed(inquiry)
        if self._strip:
            source = Held(body)
            _, pieces = left(source, cuts(inquiry.content_type, source, read.fields, own_names(inquiry)))
            body = b"".join(piece() for piece in pieces)
        scope = self._scope(inquiry, len(body))
        hand_over(scope, verdict, read)
        statuses: list[int] = []
        sent, ended = False, asyncio.Event()

        async def receive() -> Message:
            nonlocal sent
            if not sent:
                sent = True
                return {"type": "http.request", "body": body, "more_body": False}
            await ended.wait()  # nobody disconnects: a streamed reply listens here
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == START:
                statuses.append(message["status"])
            elif not message.get("more_body", False):
                ended.set()

        page = PageRequest(Client())
        with known(page):
            await self._app(scope, receive, send)
        if page.again == verdict.id:
            return NOT_TAKEN
        return statuses[0] if statuses else NO_RESPONSE

    def _scope(self, inquiry: Inquiry, length: int) -> Scope:
        host = self._public.netloc
        path = self._form.path[0]
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST" if "POST" in self._form.methods else min(self._form.methods),
            "scheme": self._public.scheme,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [
                (b"host", host.encode()),
                (b"content-type", inquiry.content_type.encode("latin-1", "replace")),
                (b"content-length", str(length).encode()),
                (b"accept", b"text/html"),
            ],
            "client": None,
            "server": (self._public.hostname or "localhost", self._public.port),
            "state": dict(self.state),
        }
