"""The middleware: pure ASGI, and out of the way of every request it does not guard."""

from collections.abc import Awaitable
from typing import Final

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from formwarden.bodies import ParsedBody
from formwarden.errors import NoVerdictError
from formwarden.forms import GuardedForm
from formwarden.page.context import PageRequest, known, link_root
from formwarden.scoring import Verdict
from formwarden.submission import Answer, preferred_language
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

    Put it inside CORS and outside of sessions and CSRF checks that read the body. `strip`: endpoints get the body
    without our own fields, for models that take no others than their own.
    """

    def __init__(self, app: ASGIApp, *, warden: Warden, strip: bool = False) -> None:
        self.app = app
        self._warden = warden
        self._guard = Guard(app, warden, strip=strip)
        self._prefix = warden.settings.pages.asset_prefix
        self._forms: dict[str, GuardedForm] = {}
        self._thanks: dict[str, tuple[str, ...]] = {}  # the forms that end there, by name
        self._reruns: list[Rerun] = []
        for form in warden.forms.values():
            for path in form.path:
                self._forms |= dict.fromkeys(_spellings(path), form)
            for path in _spellings(form.thanks.partition("?")[0]):
                self._thanks[path] = (*self._thanks.get(path, ()), form.name)
            if form.path:
                rerun = Rerun(app, form, warden.settings.site.public_url, strip=strip)
                self._reruns.append(rerun)
                warden.releases.register(form.name, rerun)
        self._paths = frozenset(self._forms) | frozenset(self._thanks)

    @returns_awaitable
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass everything straight on but the guarded paths, our own assets, and the lifespan."""
        if scope["type"] == "http":
            path = scope["path"]
            if scope.get("root_path"):
                path = path_of(scope)
                self._warden.mounted_at = scope["root_path"]
            if path in self._paths or path.startswith(self._prefix):
                return self._ours(path, scope, receive, send)
        elif scope["type"] == "lifespan":
            return self._lifespan(scope, receive, send)
        return self.app(scope, receive, send)

    async def _ours(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        form = self._forms.get(path)
        method: str = scope["method"].upper()  # a server that leaves `post` as it came gives nobody a way round us
        headers = headers_of(scope)
        client = self._warden.client_at(peer_of(scope), headers)
        root = link_root(scope.get("root_path", ""))
        page = PageRequest(client, preferred_language(headers.get("accept-language", "")), root=root)
        if method in READING or self._warden.stopping.is_ours(path):
            with known(page):
                answer = await self._own_answer(path, scope, headers, page)
            if answer is not None:
                await send_answer(answer, send, head=method == "HEAD")
                return
        if form is None:
            await self.app(scope, receive, send)
            return
        with known(page):
            if method in form.methods:
                await self._guard.handle(form, client, headers, scope, receive, _unshared(page, send))
            else:
                await self.app(scope, receive, _unshared(page, send))
        if method in form.methods:
            self._warden.nudge()

    async def _own_answer(self, path: str, scope: Scope, headers: dict[str, str], page: PageRequest) -> Answer | None:
        """Give a page, an asset or a fresh token of ours, or thanks for a valid receipt; None: it is the site's."""
        if self._warden.stopping.is_ours(path):
            return await self._warden.stopping.answer(path, scope["method"].upper(), page.client, page.language)
        query = scope.get("query_string", b"").decode("latin-1")
        if path.startswith(self._prefix):
            return self._warden.asset(path, query, headers.get("if-none-match"), page.client)
        if path in self._thanks:
            return await self._warden.thanks_page(self._thanks[path], query, page.language)
        return None

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
    verdict = verdict_of(request)
    body = request.scope["state"].get(PARSED)
    parts: list[tuple[str, str | UploadFile]] = list(verdict.fields.pairs)
    if isinstance(body, ParsedBody):
        for upload, part in zip(body.uploads, body.files, strict=True):
            headers = Headers({"content-type": upload.content_type})
            file = UploadFile(part.open(), size=upload.size, filename=upload.filename, headers=headers)
            parts.append((upload.field, file))
    return FormData(parts)


def _spellings(path: str) -> tuple[str, ...]:
    """A path with and without its last slash, for a site may serve either; each with a line end, too.

    Starlette compiles a route to a pattern that ends with `$`, which a line feed at the end (`%0A`) passes.
    """
    plain = (path, path.rstrip("/") or "/") if path.endswith("/") else (path, f"{path}/")
    return (*plain, *(f"{each}\n" for each in plain))


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
