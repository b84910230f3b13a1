"""A small site behind the middleware, and visitors who fill in its form as a browser does.

Doubles stand for ports only: clock, relay, resolver, store. Everything between is the real thing.
"""

import asyncio
import hashlib
import itertools
import json
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from formwarden import AutoReply, GuardedForm, Settings, Verdict, Warden, WardenMiddleware, verdict_of
from formwarden.address.resolver import DnsAnswer, Rcode
from formwarden.mail.sender import SendResult, SendState
from formwarden.scoring import Signal
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import Inquiry, ReplyRow, State
from formwarden.stores.settings import Stores
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD
from formwarden.vouchers import Voucher
from tests.clock import MovableClock
from tests.ill_store import IllStore
from tests.page.elements import Elements

DOMAIN = "bow-makers.jp"
URL = f"https://{DOMAIN}"
STAFF = f"staff@{DOMAIN}"
IP = "203.0.113.9"
READING_S = 20.0  # how long a visitor takes to fill in the form
ADDRESS = "taro.yamada@gmail.com"
MESSAGE = "Hello, do you repair violin bows? Mine has lost some hair at the tip."
BROWSER: Mapping[str, str] = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.9",
    "origin": URL,
    "sec-ch-ua": '"Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail the relay was given."""

    envelope_from: str
    recipient: str
    message: EmailMessage

    @property
    def text(self) -> str:
        body = self.message.get_body()
        assert isinstance(body, EmailMessage)
        return str(body.get_content())


class RecordingSender:
    """The relay's port: takes every mail, unless told what to say instead."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.sent = threading.Event()  # at the first mail, in whatever thread
        self.says = SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued")

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        assert deadline_s > 0
        if self.says.state is SendState.TAKEN:
            message = message_from_bytes(data, policy=policy.default)
            assert isinstance(message, EmailMessage)
            self.mails.append(Mail(envelope_from=envelope_from, recipient=recipient, message=message))
            self.sent.set()
        return self.says

    def to(self, recipient: str) -> list[Mail]:
        """Every mail to this address."""
        return [mail for mail in self.mails if mail.recipient == recipient]


class ScriptedResolver:
    """The resolver's port: every domain has a mail host, unless `gone` or `silent` names it or it cannot exist."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.begun = asyncio.Event()  # set at the first question
        self.gone: set[str] = set()
        self.silent: set[str] = set()
        self.error: Exception | None = None
        self.forever = False
        self.late: asyncio.Event | None = None  # set when the answers come

    async def resolve(self, name: str, rdtype: str, /, *, timeout_s: float) -> DnsAnswer:
        assert timeout_s > 0
        if name.endswith(".invalid"):  # whoever answers this invents answers
            return DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True)
        self.asked[name] += 1
        self.begun.set()
        if self.error is not None:
            raise self.error
        if self.forever:
            await asyncio.Event().wait()
        if self.late is not None:
            await self.late.wait()
        if name in self.silent:
            return DnsAnswer(rcode=Rcode.TIMEOUT)
        if name in self.gone:
            return DnsAnswer(rcode=Rcode.NXDOMAIN, soa=True)
        if rdtype == "MX":
            return DnsAnswer(rcode=Rcode.OK, records=((10, f"mx.{name}"),), ttl_s=1.0)
        if rdtype == "A":
            return DnsAnswer(rcode=Rcode.OK, records=((0, "192.175.48.1"),), ttl_s=1.0)
        return DnsAnswer(rcode=Rcode.NODATA, soa=True)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A form as a browser got it."""

    fields: Mapping[str, str]
    response: httpx2.Response

    @property
    def token(self) -> str:
        return self.fields[TOKEN_FIELD]

    @property
    def marker(self) -> str:
        return self.fields[MARKER_FIELD]


def read_page(response: httpx2.Response) -> Page:
    """Read the fields a browser would post, as they stand; an unticked box is never sent."""
    elements = Elements(response.text)
    inputs = [each for each in elements.all("input") if each.get("type") not in {"checkbox", "submit"}]
    names = [*inputs, *elements.all("textarea")]
    return Page(fields={str(each["name"]): each.get("value") or "" for each in names}, response=response)


Handler = Callable[[Request, Verdict], Awaitable[Response]]


def contact(name: str = "contact", path: str | tuple[str, ...] = "/contact") -> GuardedForm:
    """The usual form."""
    return GuardedForm(name, path=path, reply=AutoReply())


class Site:
    """One site in this process; `endpoint` is what its form's route does."""

    def __init__(
        self,
        tmp_path: Path,
        form: GuardedForm | None = None,
        *others: GuardedForm,
        signals: Sequence[Signal] = (),
        settings: Mapping[str, object] | None = None,
        vouchers: Sequence[Voucher] = (),
        resolver: ScriptedResolver | None = None,
    ) -> None:
        numbers = itertools.count(1)
        self.clock = MovableClock()
        self.sender = RecordingSender()
        self.resolver = resolver or ScriptedResolver()
        self.journal_path = tmp_path / "journal"
        self.form = form or contact()
        plain: dict[str, object] = {
            "secret_keys": "k" * 40,
            "site_domain": DOMAIN,
            "staff_address": STAFF,
            "smtp_url": "smtp://127.0.0.1:1",
            "store_url": "memory://",
            "journal_path": str(self.journal_path),
            "work": "cron",
        }
        self.settings = Settings.only(**(plain | dict(settings or {})))
        entropy = _counted(numbers)
        self.store = IllStore(MemoryStore(clock=self.clock, entropy=entropy, settings=Stores()))
        self.warden = Warden(
            self.form,
            *others,
            settings=self.settings,
            signals=(*DEFAULT_SIGNALS, *signals),
            clock=self.clock,
            entropy=entropy,
            store=self.store,
            resolver=self.resolver,
            sender=self.sender,
            vouchers=tuple(vouchers),
        )
        self.verdicts: list[Verdict] = []
        self.requests: list[Request] = []
        self.endpoint: Handler = self.answers
        self.app = self._app()

    # ---------------------------------------------------------------- the site's own routes
    def _app(self) -> Starlette:
        forms = self.warden.forms.values()
        paths = {path: form for form in forms for path in form.path}
        routes = [Route(path, self._show, methods=["GET"]) for path in paths]
        routes += [Route(path, self._submit, methods=["POST"]) for path in paths]
        routes += [Route("/thanks", self._thanks), Route("/", self._home)]
        return Starlette(routes=routes, middleware=[Middleware(WardenMiddleware, warden=self.warden)])

    async def _show(self, request: Request) -> Response:
        form = next(each for each in self.warden.forms.values() if request.url.path.endswith(each.path))
        fields = "".join(f'<input type="text" name="{name}" value="">' for name in ("name", "email"))
        box = '<textarea name="message"></textarea>'
        return HTMLResponse(f"<form method='post'>{self.warden.markup(form.name)}{fields}{box}</form>")

    async def _submit(self, request: Request) -> Response:
        verdict = verdict_of(request)
        self.verdicts.append(verdict)
        self.requests.append(request)
        return await self.endpoint(request, verdict)

    async def _thanks(self, _: Request) -> Response:
        return PlainTextResponse("the site's own thanks")

    async def _home(self, _: Request) -> Response:
        return PlainTextResponse("home")

    async def answers(self, _: Request, verdict: Verdict) -> Response:
        """Do what the README says an endpoint does."""
        await self.warden.notify(verdict)
        await self.warden.reply(verdict)
        return RedirectResponse(self.warden.thanks_url(verdict), status_code=303)

    # ---------------------------------------------------------------- looking at it
    async def inquiries(self, *states: State) -> tuple[Inquiry, ...]:
        """What is kept, newest first."""
        return (await self.store.well.inquiries.find(states)).rows

    async def inquiry(self) -> Inquiry:
        """The only inquiry that is kept."""
        (one,) = await self.inquiries()
        return one

    async def row(self, inquiry: bytes) -> ReplyRow | None:
        """What the ledger says of an inquiry's reply."""
        return (await self.store.well.ledger.replies([inquiry])).get(inquiry)

    async def journal(self) -> tuple[Inquiry, ...]:
        """What the journal holds, newest first."""
        return (await self.warden.overview()).journal

    async def later(self, seconds: float) -> int:
        """Let time pass, and do once what a site does by itself."""
        self.clock.move(seconds)
        return await self.warden.work_once()

    def visitor(self, ip: str = IP, *, scripts: bool = True, headers: Mapping[str, str] | None = None) -> "Visitor":
        """Somebody with a browser."""
        return Visitor(self, ip, scripts=scripts, headers=BROWSER if headers is None else headers)


class Visitor:
    """Fills in the form as a browser does."""

    def __init__(self, site: Site, ip: str, *, scripts: bool, headers: Mapping[str, str]) -> None:
        self.site = site
        self.ip = ip
        self.scripts = scripts
        self.headers = dict(headers)
        self.app: ASGIApp | None = None  # what stands between, if anything does

    async def request(
        self,
        method: str,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        raises: bool = True,
    ) -> httpx2.Response:
        """Send one request; `raises`: what the app raises comes through."""
        app = self.app or self.site.app
        transport = httpx2.ASGITransport(app=app, client=(self.ip, 4711), raise_app_exceptions=raises)
        async with httpx2.AsyncClient(transport=transport, base_url=URL, headers=self.headers) as client:
            return await client.request(
                method,
                url,
                data=None if data is None else dict(data),
                files=None if files is None else dict(files),
                content=content,
                headers=None if headers is None else dict(headers),
            )

    async def open(self, path: str = "/contact") -> Page:
        """Get the page with the form."""
        return read_page(await self.request("GET", path))

    def fill(self, page: Page, typed: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return what the browser would post; on a page that asks, what stands there already."""
        usual = {"name": "Taro Yamada", "email": ADDRESS, "message": MESSAGE}
        data = dict(page.fields) | {name: page.fields.get(name) or value for name, value in usual.items()}
        data |= typed or {}
        if self.scripts:
            data[EVIDENCE_FIELD] = evidence(data.get(TOKEN_FIELD, ""))
        return data

    async def send(
        self,
        page: Page,
        typed: Mapping[str, str] | None = None,
        *,
        after_s: float = READING_S,
        path: str = "/contact",
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        raises: bool = True,
    ) -> httpx2.Response:
        """Fill in the form for a while, and post it."""
        self.site.clock.move(after_s)
        return await self.post(self.fill(page, typed), path=path, files=files, headers=headers, raises=raises)

    async def post(
        self,
        data: Mapping[str, str],
        *,
        path: str = "/contact",
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        raises: bool = True,
    ) -> httpx2.Response:
        """Post these very fields."""
        return await self.request("POST", path, data=data, files=files, headers=headers, raises=raises)


def evidence(token: str, **changes: object) -> str:
    """What page/static/guard.js writes for a person who typed."""
    seen: dict[str, object] = {"v": 1, "t": token[-16:], "k": 90, "p": 0, "d": 3, "i": 88, "f": 3, "s": 18, "a": []}
    return json.dumps(seen | {"w": 0, "x": 0} | changes)


def _counted(numbers: Iterator[int]) -> Callable[[int], bytes]:
    """Bytes that nobody needs to guess: each draw another."""
    return lambda size: hashlib.blake2b(next(numbers).to_bytes(8, "big"), digest_size=size).digest()


def without(headers: Mapping[str, str], *names: str) -> dict[str, str]:
    """Headers less some."""
    return {name: value for name, value in headers.items() if name not in names}
