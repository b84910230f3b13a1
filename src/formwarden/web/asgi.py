"""The middleware: pure ASGI, and out of the way of every request it does not guard."""

from collections.abc import Awaitable
from typing import Final

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from formwarden.bodies import ParsedBody
from formwarden.errors import NoVerdictError
from formwarden.forms import GuardedForm
from formwarden.page.context import CURRENT, PageRequest
from formwarden.scoring import Verdict
from formwarden.submission import Submission, preferred_language
from formwarden.warden import Warden
from formwarden.web.endpoint import PARSED, START, VERDICT
from formwarden.web.guard import Guard
from formwarden.web.marking import returns_awaitable
from formwarden.web.requests import headers_of, path_of, peer_of
from formwarden.web.rerun import Rerun
from formwarden.web.responses import send_answer

READING: Final = frozenset({"GET", "HEAD"})


class WardenMiddleware:
    """Guards the forms of a warden in front of any ASGI app, and serves what their pages need.

    Put it inside CORS and outside of sessions and CSRF checks that read the body.
    """

    def __init__(self, app: ASGIApp, *, warden: Warden) -> None:
        self.app = app
        self._warden = warden
        self._guard = Guard(app, warden)
        self._prefix = warden.settings.pages.asset_prefix
        self._forms: dict[str, GuardedForm] = {}
        self._thanks: dict[str, GuardedForm] = {}
        self._reruns: list[Rerun] = []
        for form in warden.forms.values():
            for path in form.path:
                self._forms |= dict.fromkeys(_spellings(path), form)
            self._thanks |= dict.fromkeys(_spellings(form.thanks.partition("?")[0]), form)
            if form.path:
                rerun = Rerun(app, form, warden.settings.site.public_url)
                self._reruns.append(rerun)
                warden.releases.register(form.name, rerun)
        self._paths = frozenset(self._forms) | frozenset(self._thanks)

    @returns_awaitable
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass everything straight on but the guarded paths, our own assets, and the lifespan."""
        if scope["type"] == "http":
            path = path_of(scope)
            if path in self._paths or path.startswith(self._prefix):
                return self._ours(path, scope, receive, send)
        elif scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        return self.app(scope, receive, send)

    async def _ours(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        form, method = self._forms.get(path), scope["method"]
        if method in READING and await self._served(path, scope, send):
            return
        if form is None:
            await self.app(scope, receive, send)
            return
        headers = headers_of(scope)
        asked = Submission(form.name, (), peer=peer_of(scope), headers=headers)
        page = PageRequest(self._warden.client_of(asked), preferred_language(headers.get("accept-language", "")))
        context = CURRENT.set(page)
        try:
            if method in form.methods:
                await self._guard.handle(form, scope, receive, _unshared(page, send))
            else:
                await self.app(scope, receive, _unshared(page, send))
        finally:
            CURRENT.reset(context)
        if method in form.methods:
            self._warden.nudge()

    async def _served(self, path: str, scope: Scope, send: Send) -> bool:
        """Serve our assets, fresh tokens, and a thanks page with a valid receipt; False: it is the site's."""
        headers = headers_of(scope)
        submission = Submission("", (), peer=peer_of(scope), headers=headers)
        query = scope.get("query_string", b"").decode("latin-1")
        if path.startswith(self._prefix):
            answer = self._warden.asset(path, query, headers.get("if-none-match"), submission)
        elif path in self._thanks:
            answer = await self._warden.thanks_page(self._thanks[path], query, submission.language)
        else:
            answer = None
        if answer is None:
            return False
        await send_answer(answer, send, head=scope["method"] == "HEAD")
        return True

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open and close the warden with the server; opening never fails for a store, resolver or relay."""

        async def watch(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                for rerun in self._reruns:
                    rerun.state = scope.get("state", {})
                await self._warden.open()
            elif message["type"] == "lifespan.shutdown.complete":
                await self._warden.aclose()
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            await self._warden.aclose()


def verdict_of(request: HTTPConnection) -> Verdict:
    """Return the verdict of a guarded request; FastAPI takes it as a dependency. Raises NoVerdictError."""
    verdict = request.scope.get("state", {}).get(VERDICT)
    if not isinstance(verdict, Verdict):
        raise NoVerdictError(
            f"{request.url.path} has no verdict: is WardenMiddleware added, and the path one of a GuardedForm?"
        )
    return verdict


def form_of(request: HTTPConnection) -> FormData:
    """Return the form as the middleware parsed it, ours removed: cheaper than `await request.form()`."""
    from io import BytesIO

    verdict = verdict_of(request)
    body = request.scope["state"].get(PARSED)
    parts: list[tuple[str, str | UploadFile]] = list(verdict.fields.pairs)
    if isinstance(body, ParsedBody):
        for upload, content in zip(body.uploads, body.contents, strict=True):
            headers = Headers({"content-type": upload.content_type})
            file = UploadFile(BytesIO(content), size=upload.size, filename=upload.filename, headers=headers)
            parts.append((upload.field, file))
    return FormData(parts)


def _spellings(path: str) -> tuple[str, ...]:
    """A path with and without its last slash: a site may serve either."""
    return (path, path.rstrip("/") or "/") if path.endswith("/") else (path, f"{path}/")


def _unshared(page: PageRequest, send: Send) -> Send:
    """Keep a page that carries a token out of shared caches (G28)."""

    async def sending(message: Message) -> None:
        if message["type"] == START and page.issued:
            await send(_without_caching(message))
        else:
            await send(message)

    return sending


def _without_caching(message: Message) -> Message:
    kept = [pair for pair in message.get("headers", ()) if pair[0].lower() != b"cache-control"]
    return {**message, "headers": [*kept, (b"cache-control", b"private, no-store")]}
