"""Puts a warden together: every part gets through its constructor what it needs, and nothing else."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

from formwarden.address.resolver import Resolver
from formwarden.address.resolvers import LoadedResolver, resolver_for
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.answers import Answers
from formwarden.asked import Asked
from formwarden.blocklists import Blocklists
from formwarden.clock import Clock
from formwarden.course import Course
from formwarden.desk.bulletins import Bulletins
from formwarden.desk.digest import Digest
from formwarden.desk.holding import Holding
from formwarden.desk.overview import Overviews
from formwarden.desk.rebuild import Rebuilder, typed, typed_fields
from formwarden.desk.release import Releases, Runner
from formwarden.desk.summary import Summary
from formwarden.desk.waiting import Waiting
from formwarden.entropy import Entropy
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.judge import ENDPOINT_LEASE_S, Judge
from formwarden.mail.alarm import Alarms
from formwarden.mail.alarm_channels import channels_for
from formwarden.mail.compose import Composer
from formwarden.mail.copies import Copies
from formwarden.mail.dkim import DkimSigner, signer_of
from formwarden.mail.growing import Growing
from formwarden.mail.knowing import Knowing
from formwarden.mail.limits import read_limits
from formwarden.mail.lint import ReplyLint
from formwarden.mail.notices import NoRelay, Notices
from formwarden.mail.outbox import Outbox
from formwarden.mail.replies import Replies
from formwarden.mail.sender import Sender
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_mail import StaffMail
from formwarden.mail.staff_outbox import StaffOutbox
from formwarden.mail.stop_links import StopLinks
from formwarden.mail.worker import lease_s
from formwarden.outside import Outside
from formwarden.page.assets import Assets
from formwarden.page.issuing import IssueLimit, Issuer
from formwarden.page.pages import OurPages
from formwarden.page.pressure import Pressure
from formwarden.page.receipts import ReceiptLinks
from formwarden.page.traps import Traps
from formwarden.proxies import TrustedProxies
from formwarden.reading import Reader
from formwarden.scoring import Composite, Signal
from formwarden.settings import Settings
from formwarden.spool import Spools
from formwarden.stopping import CLICKS, Stopping
from formwarden.stores.journal import Journal
from formwarden.stores.journaled import JournaledLedger
from formwarden.stores.opening import SQLITE, open_store
from formwarden.stores.ports import Store
from formwarden.stores.replay import Replay
from formwarden.subjects import ClientSubjects
from formwarden.tokens import Tokens
from formwarden.vouchers.asking import Vouchers
from formwarden.vouchers.port import Voucher
from formwarden.work import Task, Work

PACES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "journal": 5.0,
        "outbox": 0.5,
        "held": 5.0,
        "staff": 1.0,
        "waiting": 5.0,
        "purge": 30.0,
        "growth": 600.0,  # a drip is a matter of days, and a day is judged once
        "alarms": 15.0,
        "digest": 60.0,
    }
)  # seconds between the runs of each task that there is
PURGE_ROWS: Final = 500  # a step that holds the writer for milliseconds, not seconds
PURGE_STEPS: Final = 100  # while there is more: 1,600 rows a second go, faster than a machine's processes add them
BATCH: Final = 20
HOLDER_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a user, or a test, may put in place of the real thing."""

    clock: Clock
    entropy: Entropy
    store: Store | None = None
    resolver: Resolver | None = None
    sender: Sender | None = None
    vouchers: tuple[Voucher, ...] = ()


class Parts:
    """Everything a warden hands on to; each part is made once, from those it needs.

    Nothing is opened, connected or looked up here.
    """

    def __init__(  # noqa: PLR0917 - the facade's own table
        self,
        settings: Settings,
        forms: Mapping[str, GuardedForm],
        ports: Ports,
        signals: Sequence[Signal],
        composites: Sequence[Composite],
        fallback: Runner,
    ) -> None:
        self._settings = settings
        self._forms = forms
        self._ports = ports
        self._signals = signals
        self._composites = composites
        self._fallback = fallback
        self._clock = ports.clock
        self._entropy = ports.entropy
        self._site = settings.site
        self.faults = Faults(ports.clock)
        self.suffixes = Suffixes()
        self._loaded = False

    def complete(self) -> "Parts":
        """Make everything now, so that what cannot be made is said at construction and no two threads make it."""
        self.lint.check(self._forms)
        _ = (self.judge, self.spools, self.course, self.answers, self.notices, self.overviews, self.stopping)
        return self

    # ---------------------------------------------------------------- what is remembered
    @cached_property
    def store(self) -> Store:
        """Counters, ledger, inquiries."""
        return self._ports.store or open_store(
            self._settings.stores.store_url.get_secret_value(),
            clock=self._clock,
            entropy=self._entropy,
            settings=self._settings.stores,
            faults=self.faults,
        )

    @cached_property
    def journal(self) -> Journal:
        """Where inquiries go while the store is down."""
        path = journal_path(self._settings)
        return Journal(
            path,
            limit_bytes=self._settings.stores.journal_bytes,
            clock=self._clock,
            entropy=self._entropy,
            faults=self.faults,
        )

    @cached_property
    def ledger(self) -> JournaledLedger:
        """The ledger for those who send: what it cannot take of a reply's end is spooled."""
        return JournaledLedger(self.store.ledger, self.journal, self.faults)

    # ---------------------------------------------------------------- what the page carries
    @cached_property
    def tokens(self) -> Tokens:
        """Signs and reads."""
        keys = [key.get_secret_value() for key in self._site.secret_keys]
        return Tokens(keys, clock=self._clock, entropy=self._entropy)

    @cached_property
    def traps(self) -> Traps:
        """Names the traps of a page."""
        return Traps(self.tokens)

    @cached_property
    def assets(self) -> Assets:
        """Style sheet and script."""
        return Assets(self._settings.pages.asset_prefix)

    @cached_property
    def pressure(self) -> Pressure:
        """Sets how much work pages demand."""
        return Pressure(self._clock)

    @cached_property
    def issuer(self) -> Issuer:
        """Makes markup and fresh tokens."""
        return Issuer(
            tokens=self.tokens,
            traps=self.traps,
            assets=self.assets,
            networks_of=self.reader.networks_of,
            limit=IssueLimit(self._clock, self._settings.pages.tokens_per_10_min),
            pressure=self.pressure,
            clock=self._clock,
        )

    @cached_property
    def links(self) -> ReceiptLinks:
        """Makes and reads receipts."""
        return ReceiptLinks(self.tokens, self._clock, self._settings.pages.receipt_minutes)

    @cached_property
    def pages(self) -> OurPages:
        """Renders our own pages."""
        return OurPages(self.assets, site_name=self._site.site_name or self._site.site_domain)

    @cached_property
    def answers(self) -> Answers:
        """Our own pages."""
        return Answers(
            forms=self._forms,
            issuer=self.issuer,
            links=self.links,
            pages=self.pages,
            contact=self._site.contact,
            faults=self.faults,
        )

    # ---------------------------------------------------------------- judging
    async def load(self) -> None:
        """Load what is slow to load, off the event loop; nothing is left to do the second time."""
        if not self._loaded:
            loaders = (self.checker.load, *(() if self._ports.resolver else (self._dns.load,)))
            await asyncio.gather(*(load() for load in loaders))
            self._loaded = True

    @cached_property
    def clients(self) -> ClientSubjects:
        """Hashes of clients, under a key a day."""
        return ClientSubjects(self.tokens.derive_all("clients"))

    @cached_property
    def _dns(self) -> LoadedResolver:
        return resolver_for(self._settings.address, self.faults)

    @cached_property
    def checker(self) -> AddressChecker:
        """Checks addresses; the site's own domains are never asked."""
        own = (*self._settings.mail.own_domains, self._site.site_domain)
        return AddressChecker(
            self._ports.resolver or self._dns,
            settings=self._settings.address,
            suffixes=self.suffixes,
            clock=self._clock,
            own_domains=frozenset(name.lower() for name in own if name),
            faults=self.faults,
        )

    @cached_property
    def reader(self) -> Reader:
        """Reads what needs no look-up."""
        return Reader(
            tokens=self.tokens,
            traps=self.traps,
            site=self._site,
            limits=self._settings.signals,
            proxies=TrustedProxies.parse(self._settings.web.trusted_proxies, self._settings.web.proxy_header),
            suffixes=self.suffixes,
            clients=self.clients,
            vouchers=self.vouchers,
            clock=self._clock,
            entropy=self._entropy,
            faults=self.faults,
        )

    @cached_property
    def vouchers(self) -> Vouchers:
        """Asks those that speak for a visitor."""
        return Vouchers(self._ports.vouchers, key=self.tokens.derive("vouchers"), faults=self.faults)

    @cached_property
    def outside(self) -> Outside:
        """Asks all others."""
        address = self._settings.address
        zones = address.client_blocklists if address.dns == "on" else ()
        resolver = self._ports.resolver or self._dns
        lists = Blocklists(resolver, zones, clock=self._clock, faults=self.faults)
        return Outside(lists, self.vouchers, dns_s=address.dns_deadline_s, faults=self.faults)

    @cached_property
    def asked(self) -> Asked:
        """Reads back what was asked for again."""
        return Asked(
            inquiries=self.store.inquiries,
            entropy=self._entropy,
            body_limit=self._settings.web.body_limit,
            faults=self.faults,
        )

    @cached_property
    def judge(self) -> Judge:
        """Judges and keeps."""
        return Judge(
            ready=self.load,
            reader=self.reader,
            tokens=self.tokens,
            store=self.store,
            journal=self.journal,
            checker=self.checker,
            outside=self.outside,
            asked=self.asked,
            site=self._site,
            scoring=self._settings.scoring,
            judge_seconds=self._settings.web.judge_seconds,
            clients=self.clients,
            hold_s=max(self._settings.mail.hold_dns_s, self._settings.mail.hold_suspect_s),
            signals=self._signals,
            composites=self._composites,
            pressure=self.pressure,
            clock=self._clock,
            faults=self.faults,
        )

    @cached_property
    def spools(self) -> Spools:
        """Holds large bodies in files, and counts what is held in all."""
        web = self._settings.web
        return Spools(directory=web.spool_dir, budget=web.spool_budget, clock=self._clock)

    @cached_property
    def course(self) -> Course:
        """Records how an endpoint ended."""
        wait_s = self._settings.web.retry_wait_s
        return Course(
            store=self.store, journal=self.journal, clock=self._clock, faults=self.faults, retry_wait_s=wait_s
        )

    # ---------------------------------------------------------------- mailing
    @cached_property
    def sender(self) -> Sender:
        """The relay."""
        url = self._settings.mail.smtp_url
        return self._ports.sender or (NoRelay() if url is None else SmtpSender(url.get_secret_value()))

    @cached_property
    def signer(self) -> DkimSigner | None:
        """Signs every mail; None: the settings give no key."""
        return signer_of(self._settings.signing, self._site.site_domain)

    @cached_property
    def stop_links(self) -> StopLinks | None:
        """Makes the links by which mails are stopped; None: no public URL, no link (G30)."""
        url = self._site.public_url
        prefix = self._settings.pages.asset_prefix
        return None if url is None else StopLinks(self.tokens, self._clock, public_url=url, prefix=prefix)

    @cached_property
    def stopping(self) -> Stopping:
        """Serves those links."""
        return Stopping(
            self.stop_links,
            ledger=self.store.ledger,
            pages=self.pages,
            limit=IssueLimit(self._clock, CLICKS),
            prefix=self._settings.pages.asset_prefix,
            contact=self._site.contact,
            faults=self.faults,
        )

    @cached_property
    def composer(self) -> Composer:
        """Writes the replies."""
        return Composer(
            self._site,
            self._settings.mail,
            self.tokens,
            self._clock,
            self._entropy,
            signer=self.signer,
            stops=self.stop_links,
        )

    @cached_property
    def lint(self) -> ReplyLint:
        """Looks through the replies."""
        return ReplyLint(self.composer, self._site, self._settings.mail)

    @cached_property
    def staff_mail(self) -> StaffMail:
        """Composes the staff's mail."""
        return StaffMail(
            self._site, self._settings.mail, self._clock, self._entropy, self._settings.staffing, signer=self.signer
        )

    @cached_property
    def replies(self) -> Replies:
        """The gate."""
        return Replies(
            self.ledger,
            self.store.recipient_keys,
            self.clients,
            settings=self._settings.mail,
            site=self._site,
            forms=self._forms,
            clock=self._clock,
            faults=self.faults,
            own_sender=self._ports.sender is not None,
        )

    @cached_property
    def knowing(self) -> Knowing:
        """Writes down who is known."""
        return Knowing(self.store.measures, self.store.recipient_keys)

    @cached_property
    def notices(self) -> Notices:
        """Tells the staff."""
        return Notices(
            inquiries=self.store.inquiries,
            journal=self.journal,
            mail=self.staff_mail,
            sender=self.sender,
            deadline_s=self._settings.mail.send_deadline_s,
            clock=self._clock,
            faults=self.faults,
            staffing=self._settings.staffing,
        )

    @cached_property
    def outbox(self) -> Outbox:
        """Sends what is due."""
        return Outbox(
            ledger=self.ledger,
            inquiries=self.store.inquiries,
            replies=self.replies,
            composer=self.composer,
            fields_of=typed_fields,
            sender=self.sender,
            checker=self.checker,
            forms=self._forms,
            clock=self._clock,
            faults=self.faults,
            settings=self._settings.mail,
        )

    @cached_property
    def staff_outbox(self) -> StaffOutbox:
        """Sends the staff's mail."""
        return StaffOutbox(
            inquiries=self.store.inquiries,
            replies=self.replies,
            mail=self.staff_mail,
            staffing=self._settings.staffing,
            typed_of=typed,
            sender=self.sender,
            checker=self.checker,
            forms=self._forms,
            settings=self._settings.mail,
            clock=self._clock,
            faults=self.faults,
        )

    @cached_property
    def growing(self) -> Growing:
        """Lets the site's day grow and shrink."""
        store = self.store
        return Growing(store.measures, store.ledger, mail=self._settings.mail, clock=self._clock, faults=self.faults)

    @cached_property
    def alarms(self) -> Alarms:
        """Tells the owner by another way than the replies'."""
        channels = channels_for(
            self._settings.alarms,
            site=self._site,
            mail=self._settings.mail,
            clock=self._clock,
            entropy=self._entropy,
            faults=self.faults,
        )
        return Alarms(
            self.store,
            channels,
            site=self._site.site_domain or self._site.site_name or "",
            clock=self._clock,
            entropy=self._entropy,
            faults=self.faults,
        )

    @property
    def _staff_is_told(self) -> bool:
        """Say whether there is anybody to mail to, and a relay: else what nobody asked for would wait for ever."""
        relay = self._ports.sender is not None or self._settings.mail.smtp_url is not None
        return relay and bool(self.staff_mail.staff)

    @cached_property
    def holding(self) -> Holding:
        """Tells the staff of what is held."""
        settings = self._settings
        return Holding(
            self.store.telling,
            settings.staffing.on_hold,
            quarantine=settings.scoring.quarantine,
            staff=self._staff_is_told,
        )

    @cached_property
    def bulletins(self) -> Bulletins:
        """Sends digest and weekly summary."""
        staffing, store, public_url = self._settings.staffing, self.store, self._site.public_url
        hour, language = staffing.digest_hour, staffing.staff_language
        digest = Digest(
            inquiries=store.inquiries,
            telling=store.telling,
            statistics=store.statistics,
            forms=self._forms,
            hour=hour,
            language=language,
            public_url=public_url,
        )
        summary = Summary(store, hour=hour, language=language, public_url=public_url, clock=self._clock)
        bulletins = (digest, summary) if staffing.weekly_summary else (digest,)
        deadline_s = self._settings.mail.send_deadline_s
        return Bulletins(
            bulletins if self._staff_is_told else (),
            telling=store.telling,
            mail=self.staff_mail,
            copies=Copies(self.sender, deadline_s=deadline_s, faults=self.faults),
            lease_s=lease_s(deadline_s, 1 + len(self.staff_mail.staff)),
            clock=self._clock,
            faults=self.faults,
        )

    # ---------------------------------------------------------------- the owner, and what runs by itself
    @cached_property
    def releases(self) -> Releases:
        """Lets kept inquiries go."""
        return Releases(
            store=self.store,
            forms=self._forms,
            rebuilder=Rebuilder(self.checker),
            replies=self.replies,
            fallback=self._fallback,
            faults=self.faults,
        )

    @cached_property
    def overviews(self) -> Overviews:
        """Shows the owner what stands where."""
        return Overviews(
            store=self.store,
            journal=self.journal,
            replies=self.replies,
            limits=lambda: read_limits(self.store, self._settings.mail, self._clock),
            paces=self.work.paces,
            clock=self._clock,
            faults=self.faults,
        )

    @cached_property
    def work(self) -> Work:
        """Runs the periodic tasks."""
        replay = Replay(
            journal=self.journal,
            store=self.store,
            endpoint_lease_s=ENDPOINT_LEASE_S,
            clock=self._clock,
            faults=self.faults,
        )
        waiting = Waiting(store=self.store, releases=self.releases, clock=self._clock)
        return Work(
            (
                *_tasks(replay, self.outbox, waiting, self.store, holding=self.holding, staff=self.staff_outbox),
                *_cares(self.growing, self.alarms, self.bulletins),
            ),
            store=self.store,
            holder=self._entropy(HOLDER_BYTES).hex(),
            clock=self._clock,
            faults=self.faults,
        )


def _tasks(
    replay: Replay, outbox: Outbox, waiting: Waiting, store: Store, *, holding: Holding, staff: StaffOutbox
) -> tuple[Task, ...]:
    """List what runs by itself."""
    return (
        Task(name="journal", every_s=PACES["journal"], step=replay.step, most=BATCH),  # first: replies wait for it
        Task(name="outbox", every_s=PACES["outbox"], step=lambda: outbox.step(1), most=BATCH),
        Task(name="held", every_s=PACES["held"], step=holding.step, most=BATCH),  # before the mail that it makes due
        Task(name="staff", every_s=PACES["staff"], step=lambda: staff.step(1), most=BATCH),
        Task(name="waiting", every_s=PACES["waiting"], step=waiting.step),
        Task(name="purge", every_s=PACES["purge"], step=lambda: store.purge(PURGE_ROWS), most=PURGE_STEPS),
    )


def _cares(growing: Growing, alarms: Alarms, bulletins: Bulletins) -> tuple[Task, ...]:
    """List what keeps the limits and their owner up to date; what growth finds is told in the same pass."""
    return (
        Task(name="growth", every_s=PACES["growth"], step=growing.step),
        Task(name="alarms", every_s=PACES["alarms"], step=alarms.step),
        Task(name="digest", every_s=PACES["digest"], step=bulletins.step),
    )


def journal_path(settings: Settings) -> Path:
    """Say where inquiries go while the store is down: beside it, unless a path is set."""
    if settings.stores.journal_path is not None:
        return Path(settings.stores.journal_path)
    url = settings.stores.store_url.get_secret_value()
    name = url.removeprefix(SQLITE) if url.startswith(SQLITE) else "formwarden"
    return Path(f"{name}.journal")
