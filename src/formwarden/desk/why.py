"""Why did this person get no mail? All that is known of an address, and what the gate would say of it now."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from formwarden.address.report import AddressReport, Status
from formwarden.desk.erasing import Person
from formwarden.entropy import Entropy
from formwarden.mail.replies import Replies, ReplyResult
from formwarden.mail.watched import Watched
from formwarden.scoring import Action, Standing, Verdict
from formwarden.stores.ports import Breaker, Inquiry, Key, ReplyRow, State, Store
from formwarden.stores.statistics import Listed
from formwarden.submission import Fields

ID_BYTES: Final = 16
REPLIES: Final = 20  # rows shown, the newest first
PAGE: Final = 100  # inquiries read at a time: each has its body
PAGES: Final = 20  # nobody who asks why waits for more of a flood
KEPT: Final = frozenset({State.HELD, State.ASKED, State.REJECTED, State.RELEASING})
"""Inquiries whose endpoint has not been reached, so that nobody has asked for a reply."""
STANDINGS: Final = (Standing.SHOWN, Standing.PLAIN, Standing.DOUBTFUL)
"""Whose shares a stranger may draw on."""


Preview = Callable[[Verdict], Awaitable[ReplyResult]]
"""What says of a verdict what the gate would do; reserves nothing (G18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One cause on the suppression list."""

    whole_domain: bool
    listed: Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutter:
    """A breaker that stands between, of the provider or of the site."""

    site: bool
    breaker: Breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Everything at once; times are seconds since the epoch."""

    report: AddressReport
    off: bool  # the switch of G18
    known: bool  # G03
    against: tuple[Against, ...]
    shutters: tuple[Shutter, ...]
    replies: tuple[ReplyRow, ...]  # newest first
    waiting: tuple[Inquiry, ...]  # inquiries of this address that nobody has let through
    looked_at_all: bool  # False: there are more of them than were looked at
    now: Mapping[Standing, ReplyResult]  # what the gate would say of a person who fills in the form now

    @property
    def stands(self) -> bool:
        """Whether something stands against a reply to a person of the best standing that a stranger can have."""
        return self.now[STANDINGS[0]].code != "OK"


class Whys:
    """Asks ledger, inquiries and gate; reserves and changes nothing."""

    def __init__(self, *, store: Store, replies: Replies, preview: Preview, form: str, entropy: Entropy) -> None:
        self._store = store
        self._replies = replies
        self._preview = preview
        self._form = form
        self._entropy = entropy

    async def of(self, report: AddressReport) -> Why:
        """Say all of one address, as DNS knows it. Raises StoreError."""
        watched = await self._replies.watched(report)
        reputation = await self._store.ledger.reputation(watched.all)
        about = await self._store.statistics.about(watched.recipient, limit=REPLIES)
        waiting, all_seen = await self._waiting(report)
        shut = {each.subject: each for each in await self._store.measures.breakers()}
        return Why(
            report=report,
            off=reputation.replies_off,
            known=reputation.known,
            against=tuple(_against(listed, watched) for listed in about.listed),
            shutters=tuple(_shutters(shut, watched)),
            replies=about.replies,
            waiting=waiting,
            looked_at_all=all_seen,
            now={standing: await self._preview(self._verdict(report, standing)) for standing in STANDINGS},
        )

    async def _waiting(self, report: AddressReport) -> tuple[tuple[Inquiry, ...], bool]:
        person, found, after = Person.of(report.address), list[Inquiry](), None
        if report.status is Status.INVALID:
            return (), True
        for _ in range(PAGES):
            page = await self._store.inquiries.find(KEPT, after=after, limit=PAGE)
            found.extend(each for each in page.rows if each.recipient is not None and person.is_it(each.recipient))
            after = page.after
            if after is None:
                return tuple(found), True
        return tuple(found), False

    def _verdict(self, report: AddressReport, standing: Standing) -> Verdict:
        """Imagine an accepted submission by nobody in particular: client and network have all their replies left."""
        return Verdict(
            id=self._entropy(ID_BYTES),
            receipt="",
            form=self._form,
            action=Action.ACCEPT,
            judged=Action.ACCEPT,
            score=0.0,
            hits=(),
            standing=standing,
            fields=Fields(),
            address=report.address,
            report=report,
        )


def _against(listed: Listed, watched: Watched) -> Against:
    return Against(whole_domain=listed.subject in watched.domain, listed=listed)


def _shutters(shut: Mapping[Key, Breaker], watched: Watched) -> list[Shutter]:
    sides: tuple[tuple[bool, Sequence[Key]], ...] = ((False, watched.provider), (True, watched.site))
    return [Shutter(site=site, breaker=shut[key]) for site, keys in sides for key in keys if key in shut]
