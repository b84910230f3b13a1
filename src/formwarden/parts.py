"""Puts a warden together: every part gets through its constructor what it needs, and nothing else."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.resolver import Resolver
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.answers import Answers
from formwarden.clients import TrustedProxies
from formwarden.clock import Clock
from formwarden.course import Course
from formwarden.desk.rebuild import Rebuilder, typed_fields
from formwarden.desk.release import Releases, Runner
from formwarden.desk.waiting import Waiting
from formwarden.entropy import Entropy
from formwarden.faults import Faults
from formwarden.forms import GuardedForm
from formwarden.judge import Judge
from formwarden.mail.compose import Composer
from formwarden.mail.notices import NoRelay, Notices
from formwarden.mail.outbox import Outbox
from formwarden.mail.replies import Replies
from formwarden.mail.sender import Sender
from formwarden.mail.smtp import SmtpSender
from formwarden.mail.staff_mail import StaffMail
from formwarden.page.assets import Assets
from formwarden.page.issuing import IssueLimit, Issuer
from formwarden.page.pages import OurPages
from formwarden.page.receipts import ReceiptLinks
from formwarden.page.traps import Traps
from formwarden.reading import Reader
from formwarden.scoring import Composite, Signal
from formwarden.settings import Settings
from formwarden.stores.journal import Journal
from formwarden.stores.opening import SQLITE, open_store
from formwarden.stores.ports import Store
from formwarden.subjects import ClientSubjects
from formwarden.tokens import Tokens
from formwarden.work import Task, Work

OUTBOX_EVERY_S: Final = 0.5
STAFF_EVERY_S: Final = 1.0
WAITING_EVERY_S: Final = 5.0
PURGE_EVERY_S: Final = 30.0
PURGE_ROWS: Final = 500  # a step that holds the writer for milliseconds, not seconds
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything a warden hands on to."""

    store: Store
    journal: Journal
    loaders: tuple[Callable[[], Awaitable[None]], ...]  # what is slow to load, off the loop
    assets: Assets
    issuer: Issuer
    links: ReceiptLinks
    reader: Reader
    judge: Judge
    course: Course
    answers: Answers
    replies: Replies
    notices: Notices
    releases: Releases
    work: Work
    faults: Faults


def assemble(
    settings: Settings,
    forms: Mapping[str, GuardedForm],
    ports: Ports,
    *,
    signals: Sequence[Signal],
    composites: Sequence[Composite],
    fallback: Runner,
) -> Parts:
    """Make every part. Nothing is opened, connected or looked up here."""
    clock, entropy, site = ports.clock, ports.entropy, settings.site
    faults = Faults(clock)
    tokens = Tokens([key.get_secret_value() for key in site.secret_keys], clock=clock, entropy=entropy)
    url = settings.stores.store_url.get_secret_value()
    store = ports.store or open_store(url, clock=clock, entropy=entropy, settings=settings.stores, faults=faults)
    journal = Journal(_journal_path(settings, url), limit_bytes=settings.stores.journal_bytes, faults=faults)
    clients, suffixes, traps = ClientSubjects(tokens.derive_all("clients")), Suffixes(), Traps(tokens)
    dns = DnsResolver(settings.address.dns_servers, faults=faults)
    checker = AddressChecker(
        ports.resolver or dns,
        settings=settings.address,
        suffixes=suffixes,
        clock=clock,
        own_domains=frozenset(name.lower() for name in (*settings.mail.own_domains, site.site_domain) if name),
    )
    sender = ports.sender or _relay(settings)
    reader = Reader(
        tokens=tokens,
        traps=traps,
        site=site,
        limits=settings.signals,
        proxies=TrustedProxies.parse(settings.web.trusted_proxies),
        suffixes=suffixes,
        clients=clients,
        clock=clock,
        entropy=entropy,
    )
    assets = Assets(settings.pages.asset_prefix)
    issuer = Issuer(
        tokens=tokens,
        traps=traps,
        assets=assets,
        networks_of=reader.networks_of,
        limit=IssueLimit(clock, settings.pages.tokens_per_10_min),
        clock=clock,
    )
    links = ReceiptLinks(tokens, clock, settings.pages.receipt_minutes)
    replies = Replies(
        store.ledger,
        store.recipient_keys,
        clients,
        settings=settings.mail,
        site=site,
        forms=forms,
        clock=clock,
        faults=faults,
    )
    staff_mail = StaffMail(site, settings.mail, clock, entropy)
    releases = Releases(
        store=store,
        forms=forms,
        rebuilder=Rebuilder(checker),
        replies=replies,
        fallback=fallback,
        faults=faults,
    )
    outbox = Outbox(
        ledger=store.ledger,
        inquiries=store.inquiries,
        replies=replies,
        composer=Composer(site, settings.mail, tokens, clock, entropy),
        staff_mail=staff_mail,
        sender=sender,
        checker=checker,
        forms=forms,
        fields_of=typed_fields,
        clock=clock,
        faults=faults,
        settings=settings.mail,
    )
    return Parts(
        store=store,
        journal=journal,
        loaders=(suffixes.load, *(() if ports.resolver else (dns.load,))),
        assets=assets,
        issuer=issuer,
        links=links,
        reader=reader,
        judge=Judge(
            reader=reader,
            tokens=tokens,
            store=store,
            journal=journal,
            checker=checker,
            site=site,
            scoring=settings.scoring,
            judge_seconds=settings.web.judge_seconds,
            clients=clients,
            hold_s=max(settings.mail.hold_dns_s, settings.mail.hold_suspect_s),
            signals=signals,
            composites=composites,
            clock=clock,
            faults=faults,
        ),
        course=Course(store=store, clock=clock, faults=faults, retry_wait_s=settings.web.retry_wait_s),
        answers=Answers(
            forms=forms,
            issuer=issuer,
            links=links,
            pages=OurPages(assets, site_name=site.site_name or site.site_domain),
            contact=site.contact,
        ),
        replies=replies,
        notices=Notices(
            inquiries=store.inquiries,
            mail=staff_mail,
            sender=sender,
            deadline_s=settings.mail.send_deadline_s,
            faults=faults,
        ),
        releases=releases,
        work=Work(
            _tasks(outbox, Waiting(store=store, releases=releases, clock=clock), store),
            store=store,
            holder=f"{os.getpid()}-{entropy(HOLDER_BYTES).hex()}",
            clock=clock,
            faults=faults,
        ),
        faults=faults,
    )


def _tasks(outbox: Outbox, waiting: Waiting, store: Store) -> tuple[Task, ...]:
    """List what runs by itself."""
    return (
        Task(name="outbox", every_s=OUTBOX_EVERY_S, step=lambda: outbox.step(BATCH)),
        Task(name="staff", every_s=STAFF_EVERY_S, step=lambda: outbox.step_staff(BATCH)),
        Task(name="waiting", every_s=WAITING_EVERY_S, step=waiting.step),
        Task(name="purge", every_s=PURGE_EVERY_S, step=lambda: store.purge(PURGE_ROWS)),
    )


def _relay(settings: Settings) -> Sender:
    url = settings.mail.smtp_url
    return NoRelay() if url is None else SmtpSender(url.get_secret_value())


def _journal_path(settings: Settings, url: str) -> Path:
    """Say where inquiries go while the store is down: beside it, unless a path is set."""
    if settings.stores.journal_path is not None:
        return Path(settings.stores.journal_path)
    name = url.removeprefix(SQLITE) if url.startswith(SQLITE) else "formwarden"
    return Path(f"{name}.journal")
