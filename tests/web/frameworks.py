"""The same small site in Starlette, FastAPI and Django, each the way its users write it.

The form refuses a topic that it does not know: Starlette shows it again with 422, FastAPI answers 422 by itself,
Django shows it again with 200.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated

import django.http
from asgiref.sync import async_to_sync
from django import forms
from django.apps import apps
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.test.utils import override_settings
from django.urls import path
from fastapi import Depends, FastAPI, Form, UploadFile
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as StarletteFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from formwarden import GuardedForm, Verdict, WardenMiddleware, form_of, verdict_of
from tests.sites import Site, contact

TOPICS = "^(bows|strings)?$"
FIELDS = "".join(f'<input type="text" name="{name}" value="">' for name in ("name", "email", "topic"))
BOX = '<textarea name="message"></textarea>'
File = tuple[str, bytes]
Doing = Callable[[Verdict], Awaitable[tuple[int, str]]]


class Framework(Site):
    """A site whose handler is written in a framework; `does` is what it does with what it takes."""

    shows_again = True  # what it refuses comes back as the form with a fresh token

    def __init__(
        self,
        tmp_path: Path,
        form: GuardedForm | None = None,
        *,
        setting: Mapping[str, object] | None = None,
        strip: bool = False,
    ) -> None:
        super().__init__(tmp_path, form or contact(), contact("order", "/order"), settings=setting)
        self.does: Doing = self.takes
        self.files: list[File] = []
        self.strip = strip
        self.named: list[set[str]] = []  # the fields that came, by FastAPI's reading
        self.app = self.framework()

    def framework(self) -> Starlette:
        raise NotImplementedError

    def middleware(self) -> Middleware:
        return Middleware(WardenMiddleware, warden=self.warden, strip=self.strip)

    def page(self, form: str, again: Verdict | None = None) -> str:
        return f"<form method='post'>{self.warden.markup(form, again=again)}{FIELDS}{BOX}</form>"

    async def takes(self, verdict: Verdict) -> tuple[int, str]:
        """Do what the README says a handler does."""
        await self.warden.notify(verdict)
        await self.warden.reply(verdict)
        return 303, self.warden.thanks_url(verdict)

    async def handled(self, verdict: Verdict) -> tuple[int, str]:
        self.verdicts.append(verdict)
        return await self.does(verdict)


class StarletteSite(Framework):
    def framework(self) -> Starlette:
        routes = [Route(f"/{form}", self.show, methods=["GET"]) for form in ("contact", "order")]
        routes.append(Route("/contact", self.submit, methods=["POST"]))
        return Starlette(routes=routes, middleware=[self.middleware()])

    async def show(self, request: Request) -> Response:
        return HTMLResponse(self.page(request.url.path.rpartition("/")[2]))

    async def submit(self, request: Request) -> Response:
        verdict, form = verdict_of(request), form_of(request)
        if form.get("topic", "") not in {"", "bows", "strings"}:
            return HTMLResponse(self.page("contact", verdict), 422)
        async with request.form() as read:  # the framework's own reading, beside ours
            files = await read_files(read)
        assert files == await read_files(form)
        self.files += files
        return response(*await self.handled(verdict))


class FastApiSite(Framework):
    shows_again = False

    def framework(self) -> Starlette:
        app = FastAPI(middleware=[self.middleware()])
        verdict = Depends(verdict_of)

        @app.get("/{form}")
        async def show(form: str) -> HTMLResponse:
            return HTMLResponse(self.page(form))

        @app.post("/contact")
        async def submit(
            request: Request,
            verdict: Annotated[Verdict, verdict],
            topic: Annotated[str, Form(pattern=TOPICS)] = "",
            photo: UploadFile | None = None,
        ) -> Response:
            assert topic in verdict.fields.get("topic", "")
            self.named.append(set(await request.form()))
            if photo is not None:
                self.files.append((photo.filename or "", await photo.read()))
            return response(*await self.handled(verdict))

        return app


class Contact(forms.Form):  # type: ignore[misc]  # Django brings no types
    email = forms.CharField()
    message = forms.CharField()
    topic = forms.RegexField(TOPICS, required=False)


class DjangoSite(Framework):
    """A sync view, as most are: it runs in a thread."""

    def framework(self) -> Starlette:
        urls = ModuleType("urls")
        vars(urls)["urlpatterns"] = [path("contact", self.contact), path("order", self.order)]
        if not settings.configured:
            settings.configure()
        apps.populate(())  # forms translate their errors, which wants to know the (no) apps
        self.settings_of = override_settings(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"])
        self.settings_of.enable()
        guarded = WardenMiddleware(ASGIHandler(), warden=self.warden)
        return Starlette(routes=[Mount("/", app=guarded)])

    def order(self, _: django.http.HttpRequest) -> django.http.HttpResponse:
        return django.http.HttpResponse(self.page("order"))

    def contact(self, request: django.http.HttpRequest) -> django.http.HttpResponse:
        if request.method != "POST":
            return django.http.HttpResponse(self.page("contact"))
        verdict: Verdict = verdict_of(request)
        form = Contact(request.POST, request.FILES)
        if not form.is_valid():
            return django.http.HttpResponse(self.page("contact", verdict) + str(form.errors.as_text()))
        self.files += [(file.name, file.read()) for file in request.FILES.values()]
        status, location = async_to_sync(self.handled)(verdict)
        return django.http.HttpResponse(status=status, headers={"Location": location} if location else {})


async def read_files(form: FormData) -> list[File]:
    return [(each.filename or "", await each.read()) for each in form.values() if isinstance(each, StarletteFile)]


def response(status: int, location: str) -> Response:
    return RedirectResponse(location, status) if location else Response("", status)


FRAMEWORKS: tuple[type[Framework], ...] = (StarletteSite, FastApiSite, DjangoSite)


@contextmanager
def closing() -> Iterator[list[Framework]]:
    """Give Django its settings back at the end."""
    sites: list[Framework] = []
    try:
        yield sites
    finally:
        for site in reversed(sites):
            if isinstance(site, DjangoSite):
                site.settings_of.disable()
