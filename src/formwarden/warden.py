"""The facade: what a site calls. It hands on and decides nothing."""

import asyncio
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from formwarden.clock import Clock, SystemClock
from formwarden.desk.overview import Overview
from formwarden.desk.rebuild import typed_fields
from formwarden.entropy import Entropy, system_entropy
from formwarden.errors import StoreError, UnknownFormError
from formwarden.forms import GuardedForm, by_name
from formwarden.judge import Judged
from formwarden.judging_parts import Ports
from formwarden.mail.growing import mark_real
from formwarden.mail.permit import Permit
from formwarden.mail.replies import ReplyResult
from formwarden.page.context import CURRENT, PageRequest, known
from formwarden.page.markup import Markup
from formwarden.parts import Parts
from formwarden.scoring import Composite, Signal, Verdict
from formwarden.serving import Asked, page_request, serve
from formwarden.settings import Settings, require
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.stores.ports import Inquiry, State, Store
from formwarden.submission import Answer, Client, Submission
from formwarden.sync import SyncWarden
from formwarden.twin import PROCESS_LOOP
from formwarden.upkeep import Upkeep
from formwarden.work import Told, Turn

if TYPE_CHECKING:
    from formwarden.address.resolver import Resolver
    from formwarden.mail.sender import Sender
    from formwarden.vouchers.port import Voucher


class Warden:
    """Guards the given forms. Belongs to no event loop; opens by itself at the first request.

    `store`, `resolver`, `sender`, `clock` and `entropy` replace the real ones; `vouchers` are asked about visitors
    (docs/vouchers.md). Raises SettingsError with every fault of the settings, and ValueError where two forms have one
    name or one path.
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
        vouchers: "tuple[Voucher, ...]" = (),
    ) -> None:
        self.settings = settings or Settings()
        self.forms = MappingProxyType(by_name(forms))
        self._clock = clock or SystemClock()
        for_reply = any(form.reply is not None for form in forms)
        require(self.settings, for_reply=for_reply, signals=[each.name for each in signals])
        ports = Ports(
            clock=self._clock, entropy=entropy, store=store, resolver=resolver, sender=sender, vouchers=vouchers
        )
        self._parts = Parts(self.settings, self.forms, ports, signals, composites, self._told).complete()
        self.faults = self._parts.faults
        self.answers = self._parts.answers
        self.course = self._parts.course
        self.spools = self._parts.spools
        self.releases = self._parts.releases
        self.stopping = self._parts.stopping
        self.lint = self._parts.lint
        self.sync = SyncWarden(self)
        self._upkeep = Upkeep(
            self._parts.work, self._parts.store, PROCESS_LOOP, by_itself=self.settings.site.work == "auto"
        )
        self.mounted_at = ""  # where the middleware stood in its last request, as servers write it

    # ------------------------------------------------------------------ pages
    def markup(self, form: str, *, request: "Asked | None" = None, again: Verdict | None = None) -> Markup:
        """Return what stands inside `<form>`; `again`: the verdict of a submission the site itself did not take."""
        return self._parts.issuer.shown(self._form(form), self._page(request), again)

    def header(self, form: str, *, request: "Asked | None" = None) -> str:
        """Return the value of the `Formwarden` header for a client that sends JSON: the same, beside its body."""
        return self._parts.issuer.header(self._form(form), self._page(request))

    def asset(self, path: str, query: str, if_none_match: str | None, client: Client) -> Answer | None:
        """Serve a static file, or a fresh token for the page whose marker the query holds."""
        if path != self._parts.assets.token_path:
            return self._parts.assets.answer(path, if_none_match)
        marker = parse_qs(query).get("m", [""])[0]
        form = next((each for each in self.forms.values() if self._parts.reader.is_marked(marker, each)), None)
        return None if form is None else self._parts.issuer.answer(form, client)

    def thanks_url(self, verdict: Verdict, *, request: "Asked | None" = None) -> str:
        """Return where to send an accepted visitor: the form's thanks page with a signed receipt (G29)."""
        with known(self._page(request)):
            return self.answers.thanks_url(verdict)

    async def thanks_page(self, forms: Collection[str], query: str, language: str) -> Answer | None:
        """Render the thanks page for a valid receipt of one of these forms; None: the site's own route answers."""
        inquiry_id = self._parts.links.read(query)
        if inquiry_id is None:
            return None
        try:
            inquiry = await self._parts.store.inquiries.get(inquiry_id)
        except StoreError as error:
            self.faults.count("inquiries", str(error))
            return None
        if inquiry is None or inquiry.form not in forms:
            return None
        return self.answers.copy(self.forms[inquiry.form], inquiry.receipt, typed_fields(inquiry), language)

    async def serve(self, environ: Mapping[str, object]) -> Answer | None:
        """Serve what our pages need where no middleware does, by `environ` or Django's `META`; None: not ours."""
        return await serve(self, environ)

    # ---------------------------------------------------------------- judging
    def client_at(self, peer: str | None, headers: Mapping[str, str]) -> Client:
        """Return who is at the other end, behind declared proxies only; header names are in lower case."""
        return self._parts.reader.client_at(peer, headers)

    async def judge(self, submission: Submission) -> Verdict:
        """Judge and keep one submission from a handler of your own; accepted means done (G21)."""
        judged = await self._receive(self._form(submission.form), submission, watched=False)
        self.nudge()
        return judged.verdict

    async def receive(self, form: GuardedForm, submission: Submission) -> Judged:
        """Judge and keep one submission whose endpoint the middleware watches."""
        return await self._receive(form, submission, watched=True)

    def unjudged(self, submission: Submission) -> Verdict:
        """Return the verdict of one not judged in time: accepted, unrecorded, so no machine answers it."""
        return self._parts.judge.passed_on(self._form(submission.form), submission)

    def answer(self, verdict: Verdict, *, request: "Asked | None" = None) -> Answer:
        """Return a framework-free page for a verdict that is not accepted."""
        with known(self._page(request)):
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

    async def remember(self, address: str, *, known: bool = True) -> None:
        """Write that you know this person, or do not (G03). Raises AddressError, StoreError."""
        await self._parts.knowing.remember(address, known=known)

    async def switch_replies(self, on: bool) -> None:  # noqa: FBT001 - a switch has two positions
        """Stop or allow all replies in all processes at once (G18). Raises StoreError."""
        await self._parts.replies.switch(on=on)

    async def call_real(self) -> bool:
        """Say that this week's many new addresses are real people; False: no drip is suspected. Raises StoreError."""
        return await mark_real(self._parts.store.measures, self._clock) is not None

    # ---------------------------------------------------------------- the owner
    async def overview(
        self, *, limit: int = 50, after: str | None = None, states: frozenset[State] = frozenset()
    ) -> Overview:
        """Return the last inquiries with reasons and replies, and all that failed. Never raises for a store."""
        return await self._parts.overviews.read(limit=limit, after=after, states=states)

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
        await self._parts.load()
        await self._upkeep.begin()

    async def aclose(self) -> None:
        """Stop the periodic work, let others take it over, and close the store; a later call opens again."""
        await self._upkeep.end()

    async def work_once(self) -> int:
        """Run every periodic task once: `formwarden work --once`, from cron."""
        return sum(turn.done for turn in await self.work_pass())

    async def work_pass(self) -> tuple[Turn, ...]:
        """Run every periodic task once, whatever its pace, and say how each went."""
        await self._parts.load()
        return await self._parts.work.run_once()

    async def work_on(self, told: Told) -> "asyncio.Task[None] | None":
        """Run the periodic work in this loop until closed, also under `work = "cron"`: `formwarden work`."""
        await self._parts.load()
        return self._upkeep.start(told)

    def nudge(self) -> None:
        """Let the periodic work go on on the background loop, where no lifespan runs it (G19)."""
        self._upkeep.nudge()

    # ---------------------------------------------------------------- within
    async def _receive(self, form: GuardedForm, submission: Submission, *, watched: bool) -> Judged:
        judged = await self._parts.judge.judge(form, submission, watched=watched)
        if not judged.verdict.accepted:
            return judged
        return judged.with_reply_to(await self._parts.replies.staff_reply_to(judged.verdict))

    async def _told(self, _: Inquiry, verdict: Verdict) -> int:
        """Release for handlers that nobody watches: staff mail and the held reply (G21)."""
        await self.notify(verdict)
        await self.reply(verdict)
        return 200

    def _page(self, request: "Asked | None") -> PageRequest | None:
        """Name the one a page is for: known under the middleware on a guarded path, else from the request."""
        current = CURRENT.get()
        if current is not None or request is None:
            return current
        return page_request(self, request)

    def _form(self, name: str) -> GuardedForm:
        try:
            return self.forms[name]
        except KeyError as error:
            known = ", ".join(self.forms) or "none"
            raise UnknownFormError(f"no guarded form {name!r}; this warden has: {known}") from error
