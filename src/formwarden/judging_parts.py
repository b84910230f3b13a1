"""Puts together what judges: stores, page, look-ups, judge and course; and what all parts are made from."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from formwarden.address.resolver import Resolver
from formwarden.address.resolvers import LoadedResolver, resolver_for
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.answers import Answers
from formwarden.asked import Asked
from formwarden.blocklists import Blocklists
from formwarden.clock import Clock
from formwarden.course import Course
from formwarden.desk.release import Runner
from formwarden.entropy import Entropy
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.judge import Judge
from formwarden.mail.sender import Sender
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
from formwarden.stores.journal import Journal
from formwarden.stores.journaled import JournaledLedger
from formwarden.stores.opening import SQLITE, open_store
from formwarden.stores.ports import Store
from formwarden.subjects import ClientSubjects
from formwarden.tokens import Tokens
from formwarden.vouchers.asking import Vouchers
from formwarden.vouchers.port import Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a user, or a test, may put in place of the real thing."""

    clock: Clock
    entropy: Entropy
    store: Store | None = None
    resolver: Resolver | None = None
    sender: Sender | None = None
    vouchers: tuple[Voucher, ...] = ()


class JudgingParts:
    """What is remembered, what the page carries, and judging; each part is made once, from those it needs.

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


def journal_path(settings: Settings) -> Path:
    """Say where inquiries go while the store is down: beside it, unless a path is set."""
    if settings.stores.journal_path is not None:
        return Path(settings.stores.journal_path)
    url = settings.stores.store_url.get_secret_value()
    name = url.removeprefix(SQLITE) if url.startswith(SQLITE) else "formwarden"
    return Path(f"{name}.journal")
