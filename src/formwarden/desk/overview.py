"""What the owner sees at a glance, as a value."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from formwarden.clock import Clock
from formwarden.desk.periodic import Warned, warned
from formwarden.errors import StoreError
from formwarden.faults import Fault, Faults
from formwarden.mail.limits import Limits
from formwarden.mail.replies import Replies
from formwarden.stores.journal import Journal, JournalState
from formwarden.stores.ports import Inquiry, Page, ReplyRow, State, Store

JOURNAL_SHOWN: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One inquiry with what became of its auto-reply."""

    inquiry: Inquiry
    reply: ReplyRow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A page of the last inquiries and everything that went wrong."""

    rows: tuple[Row, ...]
    after: str | None  # key of the next page
    journal: tuple[Inquiry, ...]  # kept in the journal while the store was down
    faults: tuple[Fault, ...]  # of this process, the latest first
    store: str | None  # what is wrong with the store and the remedy; None: well
    replies_off: bool  # the switch of G18
    now: float  # seconds since the epoch
    spooled: JournalState = field(default_factory=JournalState)  # how much waits in the journal to be replayed
    work: tuple[Warned, ...] = ()  # what is wrong with what runs by itself (G19)
    limits: Limits | None = None  # how replies are limited now; None: the store did not say


class Overviews:
    """Reads what an overview is made of."""

    def __init__(
        self,
        *,
        store: Store,
        journal: Journal,
        replies: Replies,
        limits: Callable[[], Awaitable[Limits]],
        paces: Mapping[str, float],
        clock: Clock,
        faults: Faults,
    ) -> None:
        self._store = store
        self._journal = journal
        self._replies = replies
        self._limits = limits
        self._paces = paces
        self._clock = clock
        self._faults = faults

    async def read(self, *, limit: int, after: str | None, states: frozenset[State]) -> Overview:
        """Read a page of inquiries with reasons and replies, and all that failed. Never raises for a store."""
        page, replies, off, work = Page(rows=(), after=None), dict[bytes, ReplyRow](), True, tuple[Warned, ...]()
        limits: Limits | None = None
        health = await self._store.health()
        try:
            work = warned(await self._store.tasks(), self._paces, self._clock.now())
            page = await self._store.inquiries.find(states, after=after, limit=limit)
            replies = dict(await self._store.ledger.replies([each.id for each in page.rows]))
            off = not await self._replies.status()
            limits = await self._limits()
        except StoreError as error:
            health = health or str(error)
        return Overview(
            rows=tuple(Row(inquiry=each, reply=replies.get(each.id)) for each in page.rows),
            after=page.after,
            journal=await self._journal.entries(JOURNAL_SHOWN),
            spooled=await self._journal.state(),
            faults=self._faults.all(),
            store=health,
            replies_off=off,
            now=self._clock.now(),
            work=work,
            limits=limits,
        )
