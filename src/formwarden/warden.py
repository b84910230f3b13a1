"""The facade: what a site calls. It hands on and decides nothing."""

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from formwarden.clock import Clock, SystemClock
from formwarden.desk.overview import Overview, Row
from formwarden.desk.rebuild import typed_fields
from formwarden.entropy import Entropy, system_entropy
from formwarden.errors import StoreError, UnknownFormError
from formwarden.forms import GuardedForm
from formwarden.judge import Judged
from formwarden.mail.permit import Permit
from formwarden.mail.replies import ReplyResult
from formwarden.page.assets import token_answer
from formwarden.page.context import CURRENT, PageRequest
from formwarden.page.markup import Markup
from formwarden.parts import Parts, Ports
from formwarden.scoring import Composite, Signal, Verdict
from formwarden.settings import Settings, require
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.stores.ports import Inquiry, Page, ReplyRow, State, Store
from formwarden.submission import Answer, Client, Submission, preferred_language
from formwarden.sync import SyncWarden

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from formwarden.address.resolver import Resolver
    from formwarden.mail.sender import Sender

NUDGE_S: Final = 1.0  # how often, at most, requests start the periodic work where no lifespan runs it
JOURNAL_SHOWN: Final = 50


class Warden:
    """Guards the given forms. Belongs to no event loop; opens by itself at the first request.

    `store`, `resolver`, `sender`, `clock` and `entropy` replace the real ones. Raises SettingsError with
    every fault of the settings, and ValueError where two forms have one name or one path.
    """

    def __init__(
        self,
        *forms: GuardedForm,
        settings: Settings | None = None,
        signals: tuple[Signal, ...] = DEFAULT_SIGNALS,
        composites: tuple[Composite, ...] = DEFAULT_COMPOSITES,
        clock: Clock | None = None,
        entropy: Entropy = system_entropy,
        store: Store | None = None,
        resolver: "Resolver | None" = None,
        sender: "Sender | None" = None,
    ) -> None:
        self.settings = settings or Settings()
        self.forms = MappingProxyType(_by_name(forms))
        self._clock = clock or SystemClock()
        for_reply = any(form.reply is not None for form in forms)
        require(self.settings, for_reply=for_reply, signals=[each.name for each in signals])
        ports = Ports(clock=self._clock, entropy=entropy, store=store, resolver=resolver, sender=sender)
        self._parts = Parts(self.settings, self.forms, ports, signals, composites, self._told).complete()
        self.faults = self._parts.faults
        self.answers = self._parts.answers
        self.course = self._parts.course
        self.releases = self._parts.releases
        self.sync = SyncWarden(self)
        self._loaded = False
        self._working: asyncio.Task[None] | None = None
        self._nudged = 0.0

    # ------------------------------------------------------------------ pages
    def markup(self, form: str, *, request: "HTTPConnection | None" = None, again: Verdict | None = None) -> Markup:
        """Return what stands inside `<form>`; `again`: the verdict of a submission the site itself did not take."""
        page = CURRENT.get() or (None if request is None else self._page_of(request))
        return self._parts.issuer.markup(self._form(form), page, again=again.again if again else None)

    def asset(self, path: str, query: str, if_none_match: str | None, asked: Submission) -> Answer | None:
        """Serve a static file, or a fresh token for the page whose marker the query holds."""
        if path != self._parts.assets.token_path:
            return self._parts.assets.answer(path, if_none_match)
        marker = parse_qs(query).get("m", [""])[0]
        form = next((each for each in self.forms.values() if self._parts.reader.is_marked(marker, each)), None)
        return None if form is None else token_answer(self._parts.issuer.fresh(form, self.client_of(asked)))

    def thanks_url(self, verdict: Verdict) -> str:
        """Return where to send an accepted visitor: the form's thanks page with a signed receipt (G29)."""
        return self.answers.thanks_url(verdict)

    async def thanks_page(self, form: GuardedForm, query: str, language: str) -> Answer | None:
        """Render the thanks page for a valid receipt; None: the site's own route answers."""
        inquiry_id = self._parts.links.read(query)
        if inquiry_id is None:
            return None
        try:
            inquiry = await self._parts.store.inquiries.get(inquiry_id)
        except StoreError as error:
            self.faults.count("inquiries", str(error))
            return None
        if inquiry is None or inquiry.form != form.name:
            return None
        return self.answers.copy(form, inquiry.receipt, typed_fields(inquiry), language)

    # ---------------------------------------------------------------- judging
    def client_of(self, submission: Submission) -> Client:
        """Return who is at the other end, behind declared proxies only."""
        return self._parts.reader.client_of(submission)

    async def judge(self, submission: Submission) -> Verdict:
        """Judge and keep one submission from a handler of your own; accepted means done (G21)."""
        judged = await self._receive(self._form(submission.form), submission, watched=False)
        self.nudge()
        return judged.verdict

    async def receive(self, form: GuardedForm, submission: Submission) -> Judged:
        """Judge and keep one submission whose endpoint the middleware watches."""
        return await self._receive(form, submission, watched=True)

    def answer(self, verdict: Verdict) -> Answer:
        """Return a framework-free page for a verdict that is not accepted."""
        return self.answers.answer(verdict)

    # ---------------------------------------------------------------- mailing
    async def notify(self, verdict: Verdict) -> None:
        """Mail the inquiry to the staff: queued, sent until the relay takes it."""
        await self._parts.notices.notify(verdict)

    async def reply(self, verdict: Verdict) -> ReplyResult:
        """Send the form's auto-reply if the gate lets it: decided and reserved here, sent by the worker."""
        return await self._parts.replies.reply(verdict)

    async def preview(self, verdict: Verdict) -> ReplyResult:
        """Say what `reply` would do; reserves nothing (G18)."""
        return await self._parts.replies.preview(verdict)

    def permit(self, verdict: Verdict) -> Permit:
        """`async with` it to send one reply with a mailer of your own (G17)."""
        return self._parts.replies.permit(verdict)

    async def switch_replies(self, on: bool) -> None:  # noqa: FBT001 - a switch has two positions
        """Stop or allow all replies in all processes at once (G18). Raises StoreError."""
        await self._parts.replies.switch(on=on)

    # ---------------------------------------------------------------- the owner
    async def overview(
        self, *, limit: int = 50, after: str | None = None, states: frozenset[State] = frozenset()
    ) -> Overview:
        """Return the last inquiries with reasons and replies, and all that failed. Never raises for a store."""
        page, replies, off = Page(rows=(), after=None), dict[bytes, ReplyRow](), True
        health = await self._parts.store.health()
        try:
            page = await self._parts.store.inquiries.find(states, after=after, limit=limit)
            replies = dict(await self._parts.store.ledger.replies([each.id for each in page.rows]))
            off = not await self._parts.replies.status()
        except StoreError as error:
            health = health or str(error)
        return Overview(
            rows=tuple(Row(inquiry=each, reply=replies.get(each.id)) for each in page.rows),
            after=page.after,
            journal=await self._parts.journal.entries(JOURNAL_SHOWN),
            faults=self.faults.all(),
            store=health,
            replies_off=off,
            now=self._clock.now(),
        )

    async def release(self, inquiry_id: bytes) -> bool:
        """Let a kept inquiry go the way an accepted one goes, once (G21). Raises StoreError."""
        return await self.releases.release(inquiry_id)

    async def release_reply(self, inquiry_id: bytes) -> bool:
        """Let an auto-reply go that waits for the owner (HELD_SUSPECT). Raises StoreError."""
        return await self.releases.release_reply(inquiry_id)

    async def discard(self, inquiry_id: bytes) -> bool:
        """Throw a kept inquiry away. Raises StoreError."""
        return await self.releases.discard(inquiry_id)

    # ---------------------------------------------------------------- running
    async def open(self) -> None:
        """Load what is slow to load, and run the periodic work in this loop until closed."""
        await self._load()
        if self.settings.site.work == "auto" and self._working is None:
            self._working = asyncio.create_task(self._parts.work.run())

    async def aclose(self) -> None:
        """Stop the periodic work and close the store; a later call opens again."""
        working, self._working = self._working, None
        if working is not None:
            await self._parts.work.stop(working)
        await self._parts.store.aclose()

    async def work_once(self) -> int:
        """Run every periodic task once: `formwarden work --once`, from cron."""
        await self._load()
        return await self._parts.work.run_once()

    def nudge(self) -> None:
        """Let the background loop do what is due, where no lifespan runs it (G19)."""
        now = self._clock.monotonic()
        if self._working is None and self.settings.site.work == "auto" and now - self._nudged >= NUDGE_S:
            self._nudged = now
            self.sync.spawn(self._parts.work.run_due())

    # ---------------------------------------------------------------- within
    async def _receive(self, form: GuardedForm, submission: Submission, *, watched: bool) -> Judged:
        await self._load()
        judged = await self._parts.judge.judge(form, submission, watched=watched)
        if not judged.verdict.accepted:
            return judged
        return judged.with_reply_to(await self._parts.replies.staff_reply_to(judged.verdict))

    async def _load(self) -> None:
        if not self._loaded:
            await asyncio.gather(*(load() for load in self._parts.loaders))
            self._loaded = True

    async def _told(self, _: Inquiry, verdict: Verdict) -> int:
        """Release for handlers that nobody watches: staff mail and the held reply (G21)."""
        await self.notify(verdict)
        await self.reply(verdict)
        return 200

    def _page_of(self, request: "HTTPConnection") -> PageRequest:
        headers = dict(request.headers.items())
        peer = request.client.host if request.client else None
        asked = Submission("", (), peer=peer, headers=headers)
        return PageRequest(self.client_of(asked), preferred_language(headers.get("accept-language", "")))

    def _form(self, name: str) -> GuardedForm:
        try:
            return self.forms[name]
        except KeyError as error:
            known = ", ".join(self.forms) or "none"
            raise UnknownFormError(f"no guarded form {name!r}; this warden has: {known}") from error


def _by_name(forms: tuple[GuardedForm, ...]) -> dict[str, GuardedForm]:
    named = {form.name: form for form in forms}
    paths = [path for form in forms for path in form.path]
    if len(named) != len(forms) or len(set(paths)) != len(paths):
        raise ValueError("Warden: two forms have one name or one path")
    return named
