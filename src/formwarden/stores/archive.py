"""Everything durable of a store as values: what is exported, imported, and erased for one person.

The port is for commands, which run beside the site or without it: its methods block. What one store writes out any
other takes in, so moving from one kind of store to another is an export and an import.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from formwarden.stores.breakers import AccountRow, BreakerRow
from formwarden.stores.ports import Alarm, Growth, Inquiry, Key, ReplyRow

KINDS: Final = (
    "inquiry",
    "reply",
    "spend",
    "account",
    "outcome",
    "suppression",
    "mark",
    "breaker",
    "newcomer",
    "known",
    "growth",
    "alarm",
    "day",
)
"""What is counted, in the order in which it is written."""
WITH_REPLY: Final = frozenset({"spend", "account"})  # no records of their own
OPEN_STATES: Final = frozenset({"held", "asked", "rejected"})  # without its body nobody can release it any more
ERASED_NOTE: Final = "erased at the person's request"
ENDED: Final[Mapping[str, str]] = {"due": "dropped", "held": "dropped"}  # a reply whose recipient is gone
OTHER_KEYS: Final = (
    "its recipient keys are not those of this store: merged, its suppressions would stand against nobody; import it "
    "into an empty store"
)
LINKS: Final = ("client", "network", "observation", "traps")  # of an inquiry's facts: hashes that could be followed


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientKey:
    """A key of recipient hashes (G20)."""

    key: bytes
    made_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptInquiry:
    """An inquiry with its body; leases stay behind, a wait of the staff's mail does not."""

    inquiry: Inquiry
    staff_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReply:
    """A row of the ledger with its slots in the budgets."""

    row: ReplyRow
    check_at: float | None = None
    due_at: float | None = None
    lease_until: float | None = None  # of a reply that was being sent: past it, it is lost, wherever it is by then
    spends: tuple[tuple[Key, float], ...] = ()
    recipient: Key | None = None  # whose it is, refused ones too
    wanted: bool = False  # it was counted in its day
    account: AccountRow | None = None
    probe_of: tuple[Key, ...] = ()  # half-open breakers


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptOutcome:
    """One piece of evidence."""

    id: bytes
    reply_id: bytes
    kind: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSuppression:
    """One cause that stands against a subject."""

    subject: Key
    cause: str
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMark:
    """What became true once."""

    name: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNewcomer:
    """Somebody a reply was wanted to."""

    recipient: Key
    first_at: float
    seen_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptKnown:
    """Somebody we know (G03)."""

    subject: Key


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlarm:
    """An alarm; leases stay behind."""

    alarm: Alarm
    told_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDay:
    """What was counted in a day as it happened."""

    day: int
    wanted: int = 0
    granted: int = 0
    newcomers: int = 0
    complaints: int = 0


Measure = BreakerRow | KeptNewcomer | KeptKnown | Growth | KeptAlarm | KeptDay
Record = KeptInquiry | KeptReply | KeptOutcome | KeptSuppression | KeptMark | Measure


class Snapshot(Protocol):
    """A store as it was at one moment, whoever writes meanwhile."""

    @property
    def keys(self) -> Sequence[RecipientKey]:
        """The keys of all recipient hashes, oldest first: their place is part of every hash."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each of `KINDS` there are."""

    def records(self) -> Iterator[Record]:
        """Read one after another, in the order of `KINDS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What is to be erased of one person."""

    inquiries: Collection[bytes]  # ids
    replies: Collection[bytes]  # ids of rows that are cut loose: numbers stay, and the slots they have taken
    subjects: Collection[Key]  # of the address, under every key: nobody remembers that they came, or are known
    forget: bool = False  # the suppression too, and the address's own slots


class Archive(Protocol):
    """A store as commands see it. Every method may raise StoreError."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Hold one moment of the store until the block is left."""

    def adopt(self, keys: Sequence[RecipientKey], /) -> None:
        """Take over the keys of what will be added; StoreError where they are not those of what is there."""

    def add(self, records: Sequence[Record], /) -> int:
        """Add what is not there yet, all or nothing, and leave what is; return how many were new."""

    def replies_of(self, subjects: Collection[Key], inquiries: Collection[bytes], /) -> Mapping[bytes, KeptReply]:
        """Return by id the replies that went to these subjects, or that answer these inquiries."""

    def erase(self, erasure: Erasure, /) -> Mapping[str, int]:
        """Erase, in steps for which nobody waits long; return how many of what."""

    def close(self) -> None:
        """Let go of the store."""


KIND_OF: Final[Mapping[type[Record], str]] = {
    KeptInquiry: "inquiry",
    KeptReply: "reply",
    KeptOutcome: "outcome",
    KeptSuppression: "suppression",
    KeptMark: "mark",
    BreakerRow: "breaker",
    KeptNewcomer: "newcomer",
    KeptKnown: "known",
    Growth: "growth",
    KeptAlarm: "alarm",
    KeptDay: "day",
}


def counts_of(record: Record) -> Mapping[str, int]:
    """Return what one record adds to the counts."""
    kind = KIND_OF[type(record)]
    if isinstance(record, KeptReply):
        return {kind: 1, "spend": len(record.spends), "account": int(record.account is not None)}
    return {kind: 1}


def joined_keys(standing: Sequence[RecipientKey], coming: Sequence[RecipientKey]) -> bool:
    """Say whether two lists of keys, oldest first, are one, as far as both reach."""
    return all(one.key == other.key for one, other in zip(standing, coming, strict=False))
