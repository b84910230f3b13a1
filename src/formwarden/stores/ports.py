"""Three ports, cut by the promise that hangs on them, and the values that pass through them.

**Atomicity.** Each method is one atomic step, whatever it writes: all of it or nothing, for every task, thread and
process that shares the store, one after another. What a method has returned of ledger and inquiries survives the
process and, with SQLite, a power cut; counters may be lost as a whole at any time. `purge` is several such steps.

**Failure.** Every method but `health` may raise `StoreError`, and nothing else for a store that is ill. It means that
the step did not happen, or that it was not heard of in time and may have: asking again with the same ids does
nothing twice, but where a method says so. A caller that is cancelled knows no more. Which way each caller then fails
is said at its method: judging opens, sending closes, inquiries are spooled.

**Time.** Stores ask the clock inside the step, not the caller's. Clocks of one machine may differ, and be set: what
is stored is compared with now as it stands. A window is closed at both ends, a lease or a suppression is over at
its end. A stored time that lies further ahead than its kind ever does was left by a clock set back since: it is
clamped when it is met and by every purge (stores/ahead.py). A clock set forward ends leases and waits early, which no
step takes for more than a lost reply or an interrupted release: nothing is sent twice for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, Protocol

from formwarden.stores.breaking import DEFAULT, Breaking
from formwarden.stores.runs import Run, TaskState
from formwarden.stores.statistics import Statistics
from formwarden.stores.telling import Telling
from formwarden.submission import BodySource

Key = NewType("Key", bytes)
"""Keyed BLAKE2b-128 of one subject (address, client, network, domain, form); first byte: key id."""


# --------------------------------------------------------------------------- judging: may be lost, fails open
@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A subject to count. `keys` names it under every hash key its window touches, newest first (G20)."""

    keys: tuple[Key, ...]
    window_s: float
    coarse: bool = False  # a network, a domain, a form: new ones are counted longer while the counters fill up


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
        """Read what stood before and add this; a body seen before with its nonce adds nothing (a retry).

        A nonce and its bodies are forgotten two days after the first, a print a week after the last, a tally when no
        window touches it (windows.py). Slots ahead of now are not counted; ages are never negative. Called again
        without a nonce it counts again. StoreError: everything it tells is unknown, which scores nothing.
        """

    async def forget(self, observation: Observation, /) -> None:
        """Take tallies and prints of an observation back: the site itself refused it, or it was released.

        One of each, under the newest key that holds any, never below nought; the use of the nonce stays. Called again
        it takes one more. StoreError: they stay counted, and go with their windows.
        """


# ----------------------------------------------------------------------- sending: must not be lost, fails closed
@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """A budget one reply draws on: in no closed interval of `window_s` are more than `limit` granted.

    Exact by the store's clock. Slots ahead of now count; those beyond now + the longest window asked of their key are
    moved to that moment when the key is asked next. So a clock that was ahead and is set right exceeds no budget, and
    blocks a key no longer than that window beyond its own, counted from that question.
    """

    budget: str  # the code when it is spent: SITE_RATE, DOMAIN_RATE, DUP_24H, ...
    keys: tuple[Key, ...]  # written under the first, counted under all (G20)
    window_s: float
    limit: int
    taken: bool = True  # False: only asked; `marks` of another spend, or an outcome, writes here
    marks: Key | None = None  # written here too, when this budget is found spent or its last slot is taken
    shared: bool = False  # of everybody: spent, some replies may wait for it (`Queue`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Where a reply may wait while a shared budget is spent: the lowest score is looked at first (G02)."""

    limit: int  # replies that wait at once; beyond them it is suppressed
    until: float
    check_s: float  # from one look to the next
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose reply it is: kept with a granted one, for what its outcome will mean (G10, G12).

    `recipient` under every key, newest first; the others under the newest.
    """

    recipient: tuple[Key, ...]
    provider: Key
    site: Key
    label: str = ""  # google, microsoft, ...: shown to the owner; of other groups only the key is known
    domain: Key | None = None  # registrable; None where a provider's domain has many strangers
    client: Key | None = None  # what CLIENT_BOUNCED is asked by, under today's key
    network: tuple[Key, ...] = ()  # under the keys of all days kept for reading
    standing: str = ""


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
    subjects: tuple[
        Key, ...
    ] = ()  # asked again for suppression inside the transaction; the first is kept: whose it is
    hold_until: float | None = None  # for HOLD
    check_at: float | None = None  # for HOLD: when the worker looks again; None: never by itself
    lease_s: float | None = None  # for SEND: taken at once by the caller, who sends it himself (`permit`, G17)
    preview: bool = False  # say what would be granted and write nothing at all (G18)
    account: Account | None = None  # for SEND
    queue: Queue | None = None  # for SEND: wait where a shared budget is spent
    probe: bool = False  # for SEND: may be one of the probes of a half-open breaker (G09)
    exempt: bool = False  # for SEND: a half-open breaker does not concern it: prior contact (row 18)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The ledger's answer, the same again for a reply that already has a row that is not held."""

    decision: Decision
    code: str  # OK, or the code of what stood against it
    new: bool  # this call decided it, a held row's included; False: the row was there already, and not held
    until: float | None = None  # end of the hold, where it is held


class Shut(StrEnum):
    """How a breaker stands that is not closed."""

    OPEN = "open"
    PROBING = "probing"  # half-open: a few probes decide (G09)
    CONFIG = "config"  # the provider refuses how we send, until it is mended


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What a day allows by now (G06, G10). `day` counts from the epoch, in UTC: the last one that was judged."""

    cap: int
    day: int
    drip_cap: int | None = None  # while a drip is suspected, until the owner says that it is real
    drip_at: float | None = None
    real_at: float | None = None  # when he said so last,
    real_week: int = 0  # and how many addresses of a week he said it of


@dataclass(frozen=True, slots=True, kw_only=True)
class Reputation:
    """What the gate's table reads about the subjects of one reply."""

    suppressed: Mapping[Key, str] = field(default_factory=dict[Key, str])  # subject -> cause
    breakers: Mapping[Key, Shut] = field(default_factory=dict[Key, Shut])
    replies_off: bool = False  # the switch of G18
    feedback_seen: bool = False  # G07
    known: bool = False  # G03: one of the subjects was remembered
    growth: Growth | None = None  # None: nothing was judged yet


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
    COMPLAINT = "complaint"  # the person, or his provider for him, called it unwanted (G13)


class Ours(StrEnum):
    """What a provider has against us, where the refusal is not the address's fault."""

    OTHER = "other"
    REPUTATION = "reputation"  # opens the provider group at once
    CONFIG = "config"  # how we send: CONFIG_UNSAFE until mended


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One piece of evidence about one reply; the same `id` twice changes nothing."""

    id: bytes
    reply_id: bytes
    kind: OutcomeKind
    reason: str  # code and text of the relay, at most 500 characters
    until: float | None = None  # end of a suppression, or when it is due again
    subject: Key | None = None  # whom to suppress until then; for OURS: the provider that spoke, None: the reply's
    ours: Ours = Ours.OTHER  # for OURS
    counts: bool = True  # False: ends this reply and feeds no breaker: it may be forged (G12, G13)
    breaking: Breaking = DEFAULT  # the figures by which it opens, or closes, a breaker


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
    score: float | None = None  # held in a `Queue`: by this the next is chosen


class Ledger(Protocol):
    """What sending remembers: replies, budgets, suppressions. Durable, in one place."""

    async def reputation(self, subjects: Collection[Key], /) -> Reputation:
        """Read what stands against, or for, these subjects; a suppression is over at its end.

        It may have changed a moment later: `reserve` asks again. StoreError: no reply.
        """

    async def reserve(self, request: ReplyRequest, /) -> Reservation:
        """Write the reply's row and take a slot in every budget, all or nothing, in one transaction.

        Idempotent by `reply_id`: what was decided is answered again and takes no second slot; only a held row is
        decided anew, and holding it again for the same reason never makes it last longer. Of racing calls each sees
        the slots of those before it. A refusal takes no slot and erases the recipient. Slots outlive the longest
        window (30 days) by a day. StoreError: nothing is sent; where it was decided all the same, the row is due and
        a worker sends it: at most once, within its budgets.
        """

    async def settle(self, outcome: Outcome, /) -> None:
        """Record what became of a reply: row, budgets, suppression, and the recipient's erasure at its end.

        Idempotent by `Outcome.id`, as long as facts are kept; a reply ends once, and what comes after its end still
        suppresses. Only REFUNDED gives slots back. StoreError: say it again; never said, the lease of the row ends
        and it is LOST, which stays spent.
        """

    async def due(self, limit: int, /, *, lease_s: float) -> Sequence[ReplyRow]:
        """Take replies that are due, and held ones to look at again; each goes to one caller only.

        A due row comes as `taken` and is never given out again: what is not settled within `lease_s` is
        settled here as LOST, which stays spent. A held row comes as `held` and may come again, no sooner than after
        `lease_s`; at its `hold_until` it is dropped here. StoreError: send nothing. What was taken unheard is LOST.
        """

    async def suppress(self, subject: Key, /, *, cause: str, until: float | None) -> None:
        """Put a subject on the suppression list; `REPLIES_OFF` is the switch for all replies.

        Seen by every reservation that begins later. Within a cause the longer end wins; none is ever clamped, for a
        suppression that lasts too long sends nothing. StoreError: say so to whoever asked for it.
        """

    async def lift(self, subject: Key, /) -> bool:
        """Take a subject off the list, whatever the causes; say whether it was on it. StoreError: it stays."""

    async def replies(self, submissions: Collection[bytes], /) -> Mapping[bytes, ReplyRow]:
        """Read the reply rows of these submissions, by submission id. StoreError: nothing is known of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one day in UTC brought."""

    wanted: int = 0  # replies granted, or refused for a shared budget alone
    granted: int = 0
    known: int = 0  # outcomes that became known on it
    hard: float = 0.0
    complaints: int = 0
    alarms: int = 0  # that began on it, a provider's distrust among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomers:
    """Addresses by when a reply to them was first wanted (G10)."""

    first_at: float | None = None  # the first one ever
    week: int = 0  # within the last seven days
    before: tuple[int, ...] = ()  # in each of the four weeks before, newest first, as far as there were any


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One breaker that is not closed."""

    subject: Key
    cause: str
    label: str  # google, ...; "site"; "" where only the key is known
    shut: Shut
    opened_at: float
    until: float | None  # None: until mended
    probes: int = 0  # that are out, or came back well


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something the owner must hear, by a way other than the stream that failed."""

    id: int
    kind: str  # breaker, config, complaint, drip
    text: str  # no address, no text of a visitor
    at: float


class Measures(Protocol):
    """What limits grow and shrink by: beside the ledger, in its place, under the same promises."""

    async def measure(self, day: int, /) -> tuple[Day, Newcomers, Growth | None]:
        """Read what one day brought, who is new, and what was allowed last. StoreError: nothing grows."""

    async def grow(self, growth: Growth, /, *, after: Growth | None, alarm: str = "") -> bool:
        """Write what is allowed from now on if `after` is what stands; `alarm` is written in the same step.

        Of racing callers one gets True. StoreError: it stands as it stood, or was written unheard.
        """

    async def remember(self, subject: Key, /, *, on: bool = True) -> None:
        """Write that this address is one we know, or (`on=False`) is not (G03). StoreError: say so to the caller."""

    async def breakers(self) -> Sequence[Breaker]:
        """Read every breaker that is not closed, newest first. StoreError: nothing is known."""

    async def close(self, subject: Key, /) -> bool:
        """Close a breaker by hand, its window empty; say whether it was not closed. StoreError: it stands."""

    async def alarms(self, limit: int, /, *, lease_s: float) -> Sequence[Alarm]:
        """Take alarms nobody was told of, oldest first; each may come again after `lease_s`. StoreError: none."""

    async def told(self, ids: Collection[int], /) -> None:
        """Write that these were told. StoreError: they are told again."""

    async def untold(self) -> int:
        """Count the alarms nobody was told of, those that are being told included. StoreError: nothing is known."""


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

        `replaces` names an *asked* inquiry of the same form that this one answers: it becomes *discarded* in the same
        step. Of racing calls with one id one gets None. The body is read, and may raise OSError, before anything is
        written. StoreError: spool it to the journal, whose replay finds by its id what was kept unheard.
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
        """Change the state if it is one of `expect`, and begin a new lease: of many callers one gets True.

        StoreError: it stands where it stood, or has moved unheard: the lease of *accepted* and *releasing* ends and
        both are held, marked *may have run*. Nothing is repeated by itself.
        """

    async def claim(self, state: State, limit: int, /, *, older_than: float, lease_s: float) -> Sequence[Inquiry]:
        """Take inquiries in `state` that changed before `older_than` and whose lease is over; oldest first.

        Each goes to one caller until `lease_s` is over, and its state stands. A lease or a change far ahead is
        brought back. StoreError: none was taken, or they come again after `lease_s`.
        """

    async def claim_staff(self, limit: int, /, *, lease_s: float, per_hour: int | None = None) -> Sequence[Inquiry]:
        """Take inquiries whose staff mail is due and not leased, oldest first.

        Each goes to one caller until `lease_s` is over: at least once, never to two at a time. With `per_hour`
        no more different ones are given out within any hour, whoever asks; one that comes again does so before
        others, and counts from then. A lease, a wait or a count far ahead is brought back. StoreError: none was
        taken, or they come again after `lease_s`.
        """

    async def gather_staff(
        self, limit: int, /, *, lease_s: float, per_hour: int, every_s: float
    ) -> Sequence[Inquiry]:
        """Take what `claim_staff` may not give out in this hour, oldest first, without bodies: to go in one mail.

        Only what was due when the last whole `every_s` since the epoch ended. Otherwise as `claim_staff`.
        """

    async def staff(self, inquiry: bytes, /, *, to: Staff, note: str = "", due_at: float = 0.0) -> bool:
        """Set where the staff mail stands, and end its lease; False: no such inquiry. SENT never goes back.

        DUE with `due_at` is not given out again before that time. StoreError: the mail comes again when its lease is
        over; a mail that had left then leaves twice, none is left out.
        """

    async def get(self, inquiry: bytes, /) -> Inquiry | None:
        """Read one, its body as long as it is kept; None: no such inquiry, or its time is over."""

    async def find(self, states: Collection[State], /, *, after: str | None = None, limit: int = 50) -> Page:
        """Read a page, newest first; no states: all.

        A key names a place, not a number of rows: whoever goes on at it gets each row that stood there at the first
        page and stands there still exactly once, whatever came or went between. Newer ones are on the first page.
        """


class Store(Protocol):
    """What a URL opens: the three ports, and the duties that all share."""

    @property
    def counters(self) -> Counters:
        """The judging side."""

    @property
    def ledger(self) -> Ledger:
        """The sending side."""

    @property
    def measures(self) -> Measures:
        """What limits grow and shrink by, where the ledger is."""

    @property
    def inquiries(self) -> Inquiries:
        """The owner's side."""

    @property
    def telling(self) -> Telling:
        """What the staff is told of many inquiries at once, where the inquiries are."""

    @property
    def statistics(self) -> Statistics:
        """Figures of what stands here."""

    async def health(self) -> str | None:
        """Say what is wrong and the remedy; None: well, and writable. Never raises."""

    async def purge(self, limit: int, /) -> int:
        """Erase at most `limit` things: whose time is over, and what must go from a store that is nearly full (G23).

        Return how many; more than none: there may be more. Inquiries, replies and counters
        each get a share of it, whatever floods another.
        """

    async def lease(self, task: str, holder: str, /, *, seconds: float, run: Run | None = None) -> bool:
        """Take or renew the lease of a periodic task; False: another holder has it.

        `run`: the last run of it by this holder, written down in the same step. A lease that ends later than
        `seconds` from now is one whose clock was set back since: it blocks nobody.
        """

    async def release(self, holder: str, runs: Mapping[str, Run], /) -> None:
        """End every lease of this holder, so that others follow at once; `runs`: what it has not told, by task."""

    async def tasks(self) -> Mapping[str, TaskState]:
        """Return who does each periodic task, and how its last run went."""

    async def recipient_keys(self) -> Sequence[bytes]:
        """Return the keys of recipient hashes, newest first; made at the first opening (G20)."""

    async def aclose(self) -> None:
        """Close; may be opened again by the next call."""
