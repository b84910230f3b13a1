"""A site that hands its mail over by itself, and people who fill in its form."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from formwarden import AutoReply, GuardedForm, Settings, Submission, Verdict, Warden
from formwarden.entropy import system_entropy
from formwarden.mail.sender import Sender
from formwarden.stores.memory import MemoryStore
from formwarden.stores.ports import ReplyRow, Store
from formwarden.stores.settings import Stores
from formwarden.submission import EVIDENCE_FIELD, TOKEN_FIELD, URLENCODED
from tests.clock import MovableClock
from tests.page.elements import Elements
from tests.sites import BROWSER, DOMAIN, READING_S, STAFF, ScriptedResolver, evidence

WORDS = (
    "violin bow hair tip repair price summer school teacher cello lesson Tuesday evening shop parcel insurance "
    "frog silver mother grandfather concert quartet rosin winter humid crack varnish bridge soundpost string "
    "gut steel tuning loan rent child size quarter half full case strap rain train station parking open closed"
)
MANY = 1_000_000
WIDE: dict[str, object] = {  # no budget speaks
    "site_per_day": MANY,
    "site_per_minute": MANY,
    "site_per_hour": MANY,
    "unproven_per_hour": MANY,
    "unproven_per_day": MANY,
    "reply_ceiling_per_day": MANY,
    "provider_share": 1.0,
    "client_bounced_s": 0.0,
}


@dataclass(kw_only=True)
class OwnSite:
    """A warden without a relay, whose handler is the test; each person has an address and a client of his own."""

    warden: Warden
    clock: MovableClock
    store: Store
    resolver: ScriptedResolver
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def judged(self, address: str | None = None, *, scripts: bool = True) -> Verdict:
        """Judge what a person posts who took his time."""
        number = next(self.numbers)
        fields = {
            str(each["name"]): each["value"] or ""
            for each in Elements(f"<form>{self.warden.markup('contact')}</form>").all("input")
            if each["type"] != "checkbox"
        }
        self.clock.move(READING_S)
        message = " ".join(Random(number).sample(WORDS.split(), k=12))  # noqa: S311 - no two are alike
        typed = {"name": f"Person {number}", "email": address or f"ann@town-{number}.jp", "message": message}
        if scripts:
            typed[EVIDENCE_FIELD] = evidence(fields[TOKEN_FIELD])
        return await self.warden.judge(Submission.from_environ("contact", _environ(number), (fields | typed).items()))

    async def row(self, verdict: Verdict) -> ReplyRow | None:
        """What the ledger says of a reply."""
        return (await self.store.ledger.replies([verdict.id])).get(verdict.id)

    async def later(self, seconds: float) -> int:
        """Let time pass, and do once what a site does by itself."""
        self.clock.move(seconds)
        return await self.warden.work_once()


def own_site(
    sender: Sender | None, clock: MovableClock, *, store: Store | None = None, **settings: object
) -> OwnSite:
    """A site that sets no relay; its store is in memory, unless it is given."""
    plain: dict[str, object] = {
        "secret_keys": "k" * 40,
        "site_domain": DOMAIN,
        "staff_address": STAFF,
        "store_url": "memory://",
        "work": "cron",
    }
    store = store or MemoryStore(clock=clock, entropy=system_entropy, settings=Stores())
    resolver = ScriptedResolver()
    warden = Warden(
        GuardedForm("contact", reply=AutoReply()),
        settings=Settings.only(**(plain | WIDE | settings)),
        clock=clock,
        store=store,
        resolver=resolver,
        sender=sender,
    )
    return OwnSite(warden=warden, clock=clock, store=store, resolver=resolver)


def _environ(number: int) -> dict[str, object]:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in BROWSER.items()}
    return {
        "REQUEST_METHOD": "POST",
        "REMOTE_ADDR": f"{60 + number}.113.0.9",  # a network of his own
        "HTTP_HOST": DOMAIN,
        "CONTENT_TYPE": URLENCODED,
        "CONTENT_LENGTH": "300",
        **headers,
    }
