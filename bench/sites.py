"""The sites that are compared: one small app, bare, behind an empty middleware, read only, and guarded."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from formwarden import AutoReply, GuardedForm, Settings, Warden, WardenMiddleware, verdict_of
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.clock import Clock
from formwarden.judge import Judged
from formwarden.mail.sender import SendResult, SendState
from formwarden.record import unjudged, unjudged_record
from formwarden.stores.ports import Observation, Store
from formwarden.submission import Submission

SITE: Final = "BENCH_SITE"
FOLDER: Final = "BENCH_FOLDER"
DOMAIN: Final = "bow-makers.jp"
FORM: Final = GuardedForm("contact", path="/contact", reply=AutoReply())
PAGE: Final = "/hello"
TOKENS: Final = 1_000_000  # that one network may draw: the visitors of a bench are many, their networks few
ROOT: Final = Path(__file__).parents[1]  # where `python -m bench` and uvicorn find this package


class Relay:
    """The relay's port: takes every mail at once."""

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        """Take it."""
        del envelope_from, recipient, data, deadline_s
        return SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued")


class Names:
    """The resolver's port: every domain has a mail host."""

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        """Answer at once."""
        del timeout_s
        if rdtype == "MX":
            return DnsAnswer(rcode=Rcode.OK, records=((10, f"mx.{name}"),), ttl_s=300.0)
        if rdtype == "A":
            return DnsAnswer(rcode=Rcode.OK, records=((0, "192.175.48.1"),), ttl_s=300.0)
        return DnsAnswer(rcode=Rcode.NODATA, soa=True)


class ReadingWarden(Warden):
    """Accepts whatever the middleware has read and parsed: no judging, and the store is never asked."""

    async def receive(self, form: GuardedForm, submission: Submission) -> Judged:
        """Accept it as it was read; it counts as kept by nobody, so nobody records how its endpoint ends."""
        verdict = unjudged(form.name, submission, bytes(16), 0.0)
        observation = Observation(nonce=None, networks=(), body=b"")
        inquiry = unjudged_record(verdict, submission)
        return Judged(verdict=verdict, inquiry=inquiry, existing=None, observation=observation)


@dataclass(slots=True)
class Site:
    """One app; `reached` counts the runs of its endpoint."""

    app: ASGIApp
    warden: Warden | None = None
    reached: int = 0

    async def aclose(self) -> None:
        """Close its store."""
        if self.warden is not None:
            await self.warden.aclose()


def no_op(app: ASGIApp) -> ASGIApp:
    """Wrap an app in a middleware of pure ASGI that does nothing."""

    async def pass_on(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return pass_on


def settings(folder: Path, work: str) -> Settings:
    """Return the settings of a guarded site: the defaults, all state in SQLite, the client named by a proxy."""
    return Settings.only(
        secret_keys="k" * 40,
        site_domain=DOMAIN,
        staff_address=f"staff@{DOMAIN}",
        smtp_url="smtp://127.0.0.1:1",
        store_url=f"sqlite:///{folder.absolute()}/store.sqlite3",
        trusted_proxies="127.0.0.1",
        work=work,
        tokens_per_10_min=TOKENS,
    )


def warden_of(folder: Path, *, work: str = "cron", clock: Clock | None = None, store: Store | None = None) -> Warden:
    """Return the warden of a guarded site; only relay and resolver are played."""
    return Warden(FORM, settings=settings(folder, work), sender=Relay(), resolver=Names(), clock=clock, store=store)


def site_of(kind: str, folder: Path, *, work: str = "cron") -> Site:
    """Make one of the sites: bare, no-op, reading, or formwarden."""
    if kind == "formwarden":
        warden = warden_of(folder, work=work)
        return _site(lambda request: _guarded(warden, request), warden)
    if kind == "reading":
        warden = ReadingWarden(FORM, settings=settings(folder, work), sender=Relay(), resolver=Names())
        return _site(_form, warden)
    site = _site(_form, None)
    if kind == "no-op":
        site.app = no_op(site.app)
    return site


def served() -> ASGIApp:
    """Make the site that the environment names: what uvicorn serves."""
    return site_of(os.environ[SITE], Path(os.environ[FOLDER]), work="auto").app


def _site(submit: Callable[[Request], Awaitable[Response]], warden: Warden | None) -> Site:
    async def contact(request: Request) -> Response:
        site.reached += 1
        return await submit(request)

    async def reached(_: Request) -> Response:
        return PlainTextResponse(str(site.reached))

    async def hello(_: Request) -> Response:
        return PlainTextResponse("hello")

    routes = [Route(PAGE, hello), Route("/contact", contact, methods=["POST"]), Route("/reached", reached)]
    middleware = [] if warden is None else [Middleware(WardenMiddleware, warden=warden)]
    site = Site(Starlette(routes=routes, middleware=middleware), warden)
    return site


async def _form(request: Request) -> Response:
    """Do what an unguarded site does: parse the form."""
    async with request.form():
        return RedirectResponse("/thanks", status_code=303)


async def _guarded(warden: Warden, request: Request) -> Response:
    """Do what the README says an endpoint does."""
    verdict = verdict_of(request)
    await warden.notify(verdict)
    await warden.reply(verdict)
    return RedirectResponse(warden.thanks_url(verdict), status_code=303)
