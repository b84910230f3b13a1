"""What the owner sees at a glance, as a value."""

from dataclasses import dataclass

from formwarden.faults import Fault
from formwarden.stores.ports import Inquiry, ReplyRow


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
