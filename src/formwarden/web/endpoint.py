"""Runs the site's endpoint with a verdict in its scope, and reports how it ended."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from formwarden.bodies import ParsedBody
from formwarden.course import Course
from formwarden.judge import Judged
from formwarden.page.context import CURRENT
from formwarden.scoring import Verdict

VERDICT: Final = "formwarden"
PARSED: Final = "formwarden_body"
START: Final = "http.response.start"


def hand_over(scope: Scope, verdict: Verdict, body: ParsedBody | None) -> None:
    """Put the verdict where `verdict_of` finds it; the state dict itself is the site's and is not replaced."""
    state = scope.setdefault("state", {})
    state[VERDICT] = verdict
    state[PARSED] = body


class Endpoint:
    """One run of the app behind the middleware."""

    def __init__(self, app: ASGIApp, course: Course, judged: Judged, send: Send) -> None:
        self._app = app
        self._course = course
        self._judged = judged
        self._send = send
        self._started = False
        self._page = CURRENT.get()  # here, for the app may send its answer from another task

    async def run(self, scope: Scope, receive: Receive) -> None:
        """Run it; whatever it raises is recorded and passes on (G21)."""
        try:
            await self._app(scope, receive, self._watch)
        except BaseException as error:
            if not self._started:
                await asyncio.shield(self._course.failed(self._judged, type(error).__name__))
            raise
        if not self._started:
            await self._course.failed(self._judged, "no response")

    async def _watch(self, message: Message) -> None:
        """Record the end before the visitor hears of it."""
        if message["type"] == START and not self._started:
            self._started = True
            message = {**message, "headers": list(message.get("headers", ()))}  # any iterable, says ASGI: read once
            status, location = message["status"], _location(message)
            await asyncio.shield(self._course.ended(self._judged, status, location, shown_again=self._shown_again()))
        await self._send(message)

    def _shown_again(self) -> bool:
        """Say whether the site showed the form again with this verdict: it did not take what was sent."""
        return self._page is not None and self._page.again == self._judged.verdict.id


def _location(message: Message) -> str:
    for name, value in message["headers"]:
        if name.lower() == b"location":
            return bytes(value).decode("latin-1")
    return ""
