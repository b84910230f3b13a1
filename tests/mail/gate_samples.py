"""Values and doubles of ports for tests of the gate, each with one line that matters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from pydantic import SecretStr

from formwarden.address.report import AddressReport, Flag, Reason, Status
from formwarden.address.syntax import check_syntax
from formwarden.entropy import Entropy
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.forms import FormLimits, GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.mail.gate_facts import GateFacts
from formwarden.mail.replies import Replies
from formwarden.mail.sender import SendResult, SendState
from formwarden.mail.settings import Mail
from formwarden.scoring import Action, Standing, Verdict
from formwarden.site import Site
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import (
    Inquiry,
    Key,
    Ledger,
    Outcome,
    OutcomeKind,
    ReplyRequest,
    ReplyRow,
    Reputation,
    Reservation,
    Staff,
    State,
    Store,
)
from formwarden.stores.settings import Stores
from formwarden.subjects import ClientSubjects
from formwarden.submission import Client, Fields
from tests.clock import MovableClock

NUMBERS = count()
SITE = Site(site_domain="example.org", site_name="Example", staff_address=("office@example.org", "boss@example.org"))
CONTACT = GuardedForm("contact", path="/contact", reply=AutoReply())
ORDER = GuardedForm("order", path="/order", reply=AutoReply(), limits=FormLimits(replies_per_hour=2))
SILENT = GuardedForm("silent", path="/silent")
FORMS = {form.name: form for form in (CONTACT, ORDER, SILENT)}
CLIENTS = ClientSubjects((b"a secret of the site",))
OPEN = Mail(
    smtp_url=SecretStr("smtp://127.0.0.1:2525"),
    address_per_day_form=10_000,
    address_per_day=10_000,
    address_per_week=10_000,
    client_per_hour_plain=10_000,
    client_per_hour=10_000,
    client_per_day=10_000,
    network_share=1.0,
    domain_per_hour=10_000,
    domain_per_day=10_000,
    site_per_minute=10_000,
    site_per_hour=10_000,
    site_per_day=10_000,
    large_provider_share=1.0,
    provider_share=1.0,
    plain_share=1.0,
    shown_share=1.0,
    unproven_per_hour=10_000,
    unproven_per_day=10_000,
)
"""Every budget out of the way; a test tightens the one it is about."""
DEFAULTS = Mail(smtp_url=SecretStr("smtp://127.0.0.1:2525"))


def tight(**changes: object) -> Mail:
    """All budgets open but these."""
    return OPEN.model_copy(update=changes)


def report(address: str = "ann@example.com", *flags: Flag, **changes: object) -> AddressReport:
    """A deliverable address unless said otherwise."""
    syntax = check_syntax(address)
    if syntax.status is Status.INVALID:
        return syntax
    good = replace(
        syntax,
        status=Status.DELIVERABLE,
        reason=Reason.MX_OK,
        flags=syntax.flags | frozenset(flags),
        mx=((10, "mx.mailhost.net"),),
        provider="mailhost.net",
    )
    return replace(good, **changes)  # type: ignore[arg-type]  # names and types are the caller's to get right


def unknown(address: str = "ann@example.com") -> AddressReport:
    """An address whose DNS did not answer."""
    return report(address, status=Status.UNKNOWN, reason=Reason.TIMEOUT, mx=(), provider=None)


def facts(**changes: object) -> GateFacts:
    """Facts against which nothing stands."""
    fine = GateFacts(
        reputation=Reputation(),
        report=report(),
        judged=Action.ACCEPT,
        standing=Standing.SHOWN,
        own_domains=frozenset({"example.org"}),
        owners=frozenset({"office@example.org"}),
    )
    return replace(fine, **changes)  # type: ignore[arg-type]  # names and types are the caller's to get right


def verdict(address: str | None = None, *, ip: str | None = "192.0.2.1", **changes: object) -> Verdict:
    """An accepted submission of somebody new: its own id and, unless given, its own address and domain."""
    number = next(NUMBERS)
    typed = address or f"ann@customer{number}.com"
    client = Client.parse(ip)
    fine = Verdict(
        id=b"submission %6d" % number,
        receipt=f"R-{number}",
        form="contact",
        action=Action.ACCEPT,
        judged=Action.ACCEPT,
        score=0.0,
        hits=(),
        standing=Standing.SHOWN,
        fields=Fields({"email": typed, "message": "hello"}),
        address=typed,
        report=report(typed, provider=f"mailhost{number}.net"),
        client=client.identity,
        network=client.network,
        received_at=1_790_000_000.0,
    )
    return replace(fine, **changes)  # type: ignore[arg-type]  # names and types are the caller's to get right


def inquiry_of(verdict: Verdict, **changes: object) -> Inquiry:
    """What the judge keeps of it."""
    hashes = CLIENTS.facts(
        client=verdict.client, network=verdict.network, now=verdict.received_at, hold_s=3 * 86_400.0
    )
    kept = Inquiry(
        id=verdict.id,
        receipt=verdict.receipt,
        form=verdict.form,
        state=State.DONE,
        received_at=verdict.received_at,
        score=verdict.score,
        hits={},
        evidence={},
        facts={
            "judged": str(verdict.judged),
            "standing": str(verdict.standing),
            "language": verdict.language,
            **hashes,
        },
        lineage=verdict.lineage,
        body=b"email=x",
        recipient=verdict.address,
        staff=Staff.NONE,
    )
    return replace(kept, **changes)  # type: ignore[arg-type]  # names and types are the caller's to get right


def numbered_entropy() -> Entropy:
    """Bytes that differ each time and are the same in each run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


def memory(clock: MovableClock) -> MemoryStore:
    """An empty store."""
    return MemoryStore(clock=clock, entropy=numbered_entropy(), settings=Stores())


def replies(
    store: Store,
    clock: MovableClock,
    settings: Mail = DEFAULTS,
    *,
    ledger: Ledger | None = None,
    faults: Faults | None = None,
) -> Replies:
    """The gate before this store."""
    return Replies(
        ledger or store.ledger,
        store.recipient_keys,
        CLIENTS,
        settings=settings,
        site=SITE,
        forms=FORMS,
        clock=clock,
        faults=faults or Faults(clock),
    )


async def prove_feedback(ledger: Ledger) -> None:
    """Let an outcome be seen (G07)."""
    await ledger.settle(Outcome(id=b"proof", reply_id=b"probe", kind=OutcomeKind.OURS, reason="550 5.7.1"))


async def row_of(store: Store, verdict: Verdict) -> ReplyRow:
    """Read the reply's row."""
    return (await store.ledger.replies((verdict.id,)))[verdict.id]


class DownLedger:
    """A ledger that does not answer."""

    async def reputation(self, _subjects: Collection[Key], /) -> Reputation:
        raise StoreError("the disk is gone")

    async def reserve(self, _request: ReplyRequest, /) -> Reservation:
        raise StoreError("the disk is gone")

    async def settle(self, _outcome: Outcome, /) -> None:
        raise StoreError("the disk is gone")

    async def due(self, _limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        raise StoreError(f"the disk is gone ({lease_s})")

    async def suppress(self, _subject: Key, /, *, cause: str, until: float | None) -> None:
        raise StoreError(f"the disk is gone ({cause}, {until})")

    async def lift(self, _subject: Key, /) -> bool:
        raise StoreError("the disk is gone")

    async def replies(self, _submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        raise StoreError("the disk is gone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One mail that a sender was given."""

    envelope_from: str
    recipient: str
    data: bytes


@dataclass(slots=True)
class RecordingSender:
    """A relay that says what it is told to say, by recipient, and takes everything else."""

    answers: dict[str, SendResult] = field(default_factory=dict[str, SendResult])
    mails: list[Sent] = field(default_factory=list[Sent])

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        assert deadline_s > 0
        self.mails.append(Sent(envelope_from=envelope_from, recipient=recipient, data=data))
        return self.answers.get(recipient, SendResult(state=SendState.TAKEN, code=250, text="2.0.0 queued"))

    def recipients(self) -> list[str]:
        """To whom, in order."""
        return [mail.recipient for mail in self.mails]


@dataclass(slots=True)
class Reports:
    """An address check that knows its answers."""

    known: dict[str, AddressReport] = field(default_factory=dict[str, AddressReport])
    asked: list[str] = field(default_factory=list[str])

    async def verify(self, raw: str, /) -> AddressReport:
        self.asked.append(raw)
        return self.known.get(raw) or report(raw)
