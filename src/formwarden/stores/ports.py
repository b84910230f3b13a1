"""Three ports, cut by the promise that hangs on them, and the values that pass through them.

Every method may raise `StoreError`. Judging then goes on with *unknown*; sending stops; inquiries are
spooled. Nothing else is raised for a store that is ill. Each method is one atomic step.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, Protocol

from formwarden.submission import BodySource

Key = NewType("Key", bytes)
"""Keyed BLAKE2b-128 of one subject (address, client, network, domain, form); first byte: key id."""


# --------------------------------------------------------------------------- judging: may be lost, fails open
@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A subject to count. `keys` names it under every hash key its window touches, newest first (G20)."""

    keys: tuple[Key, ...]
    window_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """All that one submission leaves in the counters: one round trip."""

    nonce: bytes | None  # None: no readable token, nothing to spend
    networks: tuple[Key, ...]  # the client's network under today's key and the one before; empty: unknown
    body: bytes  # digest: tells an honest retry from a replay
    tallies: tuple[Tally, ...] = ()  # each raised by one under its newest key
    prints: tuple[bytes, ...] = ()  # fingerprints of the text, remembered for `PRINT_WINDOW_S`


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What stood there before this observation."""

    uses: int = 0  # earlier observations with this nonce
    bodies: int = 0  # different bodies among them
    same_body: bool = False
    body_age_s: float | None = None  # since this very body came with this nonce; None: it did not
    same_network: bool = True  # the nonce was never used from another network
    counts: Mapping[Key, int] = field(default_factory=dict[Key, int])  # by the newest key of each tally
    seen: Mapping[bytes, int] = field(default_factory=dict[bytes, int])  # by fingerprint


class Counters(Protocol):
    """What judging remembers. A lost counter lowers a score, nothing else."""

    async def observe(self, observation: Observation, /) -> Observed:
        """Read what stood before and add this; a body seen before with its nonce adds nothing (a retry)."""

    async def forget(self, observation: Observation, /) -> None:
        """Take tallies and prints of an observation back: the site itself refused it, or it was released."""


# ----------------------------------------------------------------------- sending: must not be lost, fails closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """A budget one reply draws on: in no interval of `window_s` are more than `limit` granted."""

    budget: str  # the code when it is spent: SITE_RATE, DOMAIN_RATE, DUP_24H, ...
    keys: tuple[Key, ...]  # written under the first, counted under all (G20)
    window_s: float
    limit: int


class Decision(StrEnum):
    """What the gate said of one reply."""

    SEND = "send"
    HOLD = "hold"
    SUPPRESS = "suppress"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRequest:
    """One reply as the gate decided it; the ledger writes its row, and reserves for SEND."""

    reply_id: bytes
    submission_id: bytes
    decision: Decision
    code: str
    spends: tuple[Spend, ...] = ()  # for SEND: all or nothing, the first spent one names the code
    subjects: tuple[Key, ...] = ()  # asked again for suppression inside the transaction
    hold_until: float | None = None  # for HOLD
    check_at: float | None = None  # for HOLD: when the worker looks again; None: never by itself
    lease_s: float | None = None  # for SEND: taken at once by the caller, who sends it himself (`permit`, G17)
    preview: bool = False  # say what would be granted and write nothing at all (G18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The ledger's answer, the same again for a reply that already has a row that is not held."""

    decision: Decision
    code: str  # OK, or the code of what stood against it
    new: bool  # this call decided it, a held row's included; False: the row was there already, and not held


@dataclass(frozen=True, slots=True, kw_only=True)
class Reputation:
    """What the gate's table reads about the subjects of one reply."""

    suppressed: Mapping[Key, str] = field(default_factory=dict[Key, str])  # subject -> cause
    breakers: Mapping[Key, str] = field(default_factory=dict[Key, str])
    replies_off: bool = False  # the switch of G18
    feedback_seen: bool = False  # G07
    known: bool = False  # G03


class OutcomeKind(StrEnum):
    """What became of a reply."""

    SENT = "sent"
    NOT_SENT = "not_sent"  # nothing can have left; due again at `until`, the slot is kept
    REFUNDED = "refunded"  # nothing has left and nothing will: the slot is given back
    LOST = "lost"  # nobody knows: stays spent
    DROPPED = "dropped"  # a held reply whose time is over; it had no slot
    HARD = "hard"
    DOMAIN = "domain"
    SOFT_LONG = "soft_long"
    SOFT_SHORT = "soft_short"
    OURS = "ours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One piece of evidence about one reply; the same `id` twice changes nothing."""

    id: bytes
    reply_id: bytes
    kind: OutcomeKind
    reason: str  # code and text of the relay, at most 500 characters
    until: float | None = None  # end of a suppression, or when it is due again
    subject: Key | None = None  # for HARD, DOMAIN and soft ones: what to suppress until then


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRow:
    """A row of the ledger, which is the outbox too (G15).

    `state`: due, held, taken, sent, lost, refused, dropped or suppressed.
    """

    reply_id: bytes
    submission_id: bytes
    state: str
    code: str
    created_at: float
    held_until: float | None = None
    attempts: int = 0
    last: str = ""  # the last outcome's reason


class Ledger(Protocol):
    """What sending remembers: replies, budgets, suppressions. Durable, in one place."""

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        """Read what stands against, or for, these subjects."""

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        """Write the reply's row and take a slot in every budget, all or nothing, in one transaction."""

    async def settle(self, outcome: Outcome, /) -> None:
        """Record what became of a reply: row, budgets, suppression, and the recipient's erasure at its end."""

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        """Take replies that are due, and held ones to look at again; each goes to one caller only.

        A due row comes as `taken` and is never given out again: what is not settled within `lease_s` is
        settled here as LOST, which stays spent. A held row comes as `held` and may come again.
        """

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        """Put a subject on the suppression list; `REPLIES_OFF` is the switch for all replies."""

    async def lift(self, subject: Key, /) -> bool:
        """Take a subject off the list; say whether it was on it."""

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        """Read the reply rows of these submissions, by submission id."""


REPLIES_OFF = Key(b"\x00replies off")
"""The reserved subject whose suppression stops all replies in all processes (G18)."""


# ----------------------------------------------------------------------------- the owner: durable; down: spooled
class State(StrEnum):
    """Where an inquiry stands."""

    ACCEPTED = "accepted"  # kept, the endpoint has not answered yet
    DONE = "done"
    REFUSED = "refused"  # by the site's own validation (4xx)
    ASKED = "asked"  # another click was asked for
    HELD = "held"
    REJECTED = "rejected"
    RELEASING = "releasing"
    RELEASED = "released"
    DISCARDED = "discarded"


class Staff(StrEnum):
    """Where the staff's mail of an inquiry stands."""

    NONE = "none"
    DUE = "due"
    SENT = "sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """One kept inquiry. Times are seconds since the epoch."""

    id: bytes
    receipt: str  # the number people are told
    form: str
    state: State
    received_at: float
    score: float
    hits: Mapping[str, float]  # every signal that fired, watching ones too, with its points
    evidence: Mapping[str, str]  # signal -> what it saw; no text, no address
    facts: Mapping[str, object]  # JSON values: numbers and reasons; no text, no address
    lineage: bytes | None = None
    content_type: str = ""
    body: bytes | None = None  # the request body as sent, files included; gone when its time is over
    spooled: BodySource | None = None  # in its place while it is being kept; what is read back has `body` only
    recipient: str | None = None  # until the reply is sent or dropped
    staff: Staff = Staff.NONE
    staff_note: str = ""  # what the relay said last
    answer: tuple[int, str] | None = None  # status and Location of the first run, for retries
    note: str = ""  # why it stands where it stands
    changed_at: float = 0.0

    def content(self) -> bytes | None:
        """Return the body to be written down, wherever it lies. Blocks; raises OSError."""
        return self.body if self.spooled is None else self.spooled.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some inquiries, newest first."""

    rows: tuple[Inquiry, ...]
    after: str | None  # key of the next page; None: this was the last


class Inquiries(Protocol):
    """What the owner must not lose."""

    async def keep(self, inquiry: Inquiry, /, *, lease_s: float, replaces: bytes | None = None) -> Inquiry | None:
        """Store it, its state under a lease; None: it is new, else what this id already is (nothing changes).

        `replaces` names an *asked* inquiry of the same form that this one answers: it becomes *discarded*.
        """

    async def move(
        self,
        inquiry: bytes,
        /,
        *,
        expect: Collection[State],
        to: State,
        note: str,
        answer: tuple[int, str] | None = None,
        lease_s: float = 0.0,
    ) -> bool:
        """Change the state if it is one of `expect`: of many callers one gets True."""

    async def claim(self, state: State, limit: int, /, *, older_than: float, lease_s: float) -> Sequence[Inquiry]:
        """Take inquiries in `state` that changed before `older_than` and whose lease is over; oldest first."""

    async def claim_staff(self, limit: int, /, *, lease_s: float) -> Sequence[Inquiry]:
        """Take inquiries whose staff mail is due and not leased, oldest first."""

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "", due_at: float = 0.0) -> bool:
        """Set where the staff mail stands, and end its lease; False: no such inquiry. SENT never goes back.

        DUE with `due_at` is not given out again before that time.
        """

    async def get(self, inquiry: bytes, /) -> Inquiry | None:
        """Read one."""

    async def find(self, states: Collection[State], /, *, after: str | None = None, limit: int = 50) -> Page:
        """Read a page, newest first; no states: all."""


class Store(Protocol):
    """What a URL opens: the three ports, and the duties that all share."""

    @property
    def counters(self) -> Counters:
        """The judging side."""

    @property
    def ledger(self) -> Ledger:
        """The sending side."""

    @property
    def inquiries(self) -> Inquiries:
        """The owner's side."""

    async def health(self) -> str | None:
        """Say what is wrong and the remedy; None: well. Never raises."""

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things whose time is over; return how many."""

    async def lease(self, task: str, holder: str, /, *, seconds: float) -> bool:
        """Take or renew the lease of a periodic task; False: another holder has it."""

    async def recipient_keys(self) -> Sequence[bytes]:
        """Return the keys of recipient hashes, newest first; made at the first opening (G20)."""

    async def aclose(self) -> None:
        """Close; may be opened again by the next call."""
