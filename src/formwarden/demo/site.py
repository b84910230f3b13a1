"""The site of a small workshop: four pages, and one form that formwarden guards."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from formwarden import AutoReply, GuardedForm, Warden, WardenMiddleware, verdict_of
from formwarden.console import Console
from formwarden.demo.headers import PageHeaders
from formwarden.demo.language import language_of
from formwarden.demo.letters import VARIABLE, Letters

HERE: Final = Path(__file__).parent
FIELDS: Final = ("name", "email", "message")


class Workshop:
    """Makes the site's pages."""

    def __init__(self) -> None:
        self._warden = Warden(GuardedForm("contact", path="/contact", thanks="/thanks", reply=AutoReply()))
        maildir = os.environ.get(VARIABLE)
        self._letters = Letters(Path(maildir)) if maildir else None
        self._templates = Jinja2Templates(HERE / "templates", context_processors=[self._words])

    def app(self) -> Starlette:
        """Return the site as an application."""
        routes = [
            Route("/", self.home),
            Route("/contact", self.show),
            Route("/contact", self.submit, methods=["POST"]),
            Route("/thanks", self.thanks),
            Route("/favicon.ico", self.icon),  # asked for by pages that are not ours: thanks, ask
            Route("/mailbox", self.mailbox),
            Route("/mailbox/{key}", self.letter),
            Mount("/static", StaticFiles(directory=HERE / "static"), name="static"),
            Mount("/warden", Console(self._warden)),
        ]
        return Starlette(
            routes=routes,
            middleware=[Middleware(PageHeaders), Middleware(WardenMiddleware, warden=self._warden)],
            exception_handlers={404: self.absent},
        )

    async def home(self, request: Request) -> Response:
        """Say who we are."""
        return self._page(request, "home.html")

    async def show(self, request: Request) -> Response:
        """Show the form."""
        return self._page(request, "contact.html", {"guard": self._warden.markup("contact"), **_form()})

    async def submit(self, request: Request) -> Response:
        """Answer an inquiry; only accepted ones come here."""
        verdict = verdict_of(request)
        typed = {name: verdict.fields.get(name, "") for name in FIELDS}
        missing = tuple(name for name, text in typed.items() if not text.strip())
        if missing:
            guard = self._warden.markup("contact", again=verdict)
            return self._page(request, "contact.html", {"guard": guard, **_form(typed, missing)}, status_code=422)
        await self._warden.notify(verdict)
        await self._warden.reply(verdict)
        return RedirectResponse(self._warden.thanks_url(verdict), status_code=303)

    async def thanks(self, request: Request) -> Response:
        """Thank those who come without a receipt; with one, formwarden shows the copy."""
        return self._page(request, "thanks.html")

    async def icon(self, _request: Request) -> Response:
        """Show where the icon is."""
        return RedirectResponse("/static/mark.svg")

    async def absent(self, request: Request, _error: Exception) -> Response:
        """Say that there is no such page."""
        return self._page(request, "absent.html", status_code=404)

    def mailbox(self, request: Request) -> Response:
        """List what the built-in mail server received."""
        if self._letters is None:
            raise HTTPException(404)
        return self._page(request, "mailbox.html", {"letters": self._letters.latest()})

    def letter(self, request: Request) -> Response:
        """Show one mail."""
        letter = self._letters.get(request.path_params["key"]) if self._letters else None
        if letter is None:
            raise HTTPException(404)
        return self._page(request, "letter.html", {"letter": letter})

    def _page(
        self, request: Request, template: str, context: Mapping[str, object] | None = None, *, status_code: int = 200
    ) -> Response:
        response = self._templates.TemplateResponse(request, template, dict(context or {}), status_code=status_code)
        response.headers["vary"] = "Accept-Language"
        return response

    def _words(self, request: Request) -> dict[str, object]:
        """Give every template its language: `t("English", "Japanese")` chooses."""
        language = language_of(request)
        return {
            "language": language,
            "t": lambda english, japanese: japanese if language == "ja" else english,
            "has_mailbox": self._letters is not None,
        }


def _form(typed: Mapping[str, str] | None = None, missing: tuple[str, ...] = ()) -> dict[str, object]:
    return {"typed": typed or dict.fromkeys(FIELDS, ""), "missing": missing}
