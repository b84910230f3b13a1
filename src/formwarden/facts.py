"""Everything judgement reads, as values; and the one way to ask for what must be looked up."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from formwarden.address.report import AddressReport
from formwarden.clock import Clock
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.signals.limits import SignalLimits
from formwarden.submission import Fields

T = TypeVar("T")


class TokenOutcome(StrEnum):
    """What the token says. *Stale* is not *tampered*; none rejects by itself (G27)."""

    FRESH = "fresh"
    STALE = "stale"
    ROTATED = "rotated"  # signed by a key that is no longer ours
    OTHER_FORM = "other_form"
    REPLAYED = "replayed"
    TAMPERED = "tampered"
    MISSING = "missing"


class MarkerOutcome(StrEnum):
    """Whether our markup was rendered into the page that was sent."""

    VALID = "valid"
    ROTATED = "rotated"
    OTHER_FORM = "other_form"
    TAMPERED = "tampered"
    MISSING = "missing"


class Origin(StrEnum):
    """Where the browser says the post came from (G01)."""

    OWN = "own"
    CROSS = "cross"
    ABSENT = "absent"  # neither Origin nor Sec-Fetch-Site: counts as own


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """The token of this submission. Ages are by our clock."""

    outcome: TokenOutcome = TokenOutcome.MISSING
    age_s: float | None = None  # since the form was first shown in this lineage
    issued_s: float | None = None  # since this token was issued
    nonce: bytes | None = None
    lineage: bytes | None = None
    reissues: int = 0
    uses: int | None = None  # None: the counters did not answer
    parent: bytes | None = None  # the asked inquiry that this one answers
    doubtful: bool = False  # issued on a page that asked because of doubt
    challenged: bool = False  # this showing of the form was challenged once
    same_network: bool | None = None  # fetched from the network that posts; None: cannot tell


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapFacts:
    """One trap of the page that was sent."""

    name: str
    present: bool
    filled: bool = False  # anything but absence and "": "0" and " " are text
    echoes: bool = False  # holds the very text of a real field: a password manager's work
    autofilled: bool = False  # the browser said so


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What the markup of the page tells."""

    marker: MarkerOutcome = MarkerOutcome.MISSING
    traps: tuple[TrapFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptFacts:
    """What our script counted on the page; `bound` when it belongs to this very token."""

    present: bool = False
    bound: bool = False
    keys: int = 0
    pastes: int = 0
    pointers: int = 0  # mouse, touch or pen
    focused: int = 0  # fields that had the focus
    inputs: int = 0  # input events, whatever caused them: voice and assistive tools too
    visible_s: float = 0.0
    autofilled: frozenset[str] = frozenset()
    automated: bool = False  # the browser says that a program drives it
    traps_visible: bool = False  # our style sheet did not arrive (G35)
    answer: int | None = None  # what the proof of work found

    @property
    def touched(self) -> bool:
        """True where anything happened that fills a field; each kind is as good as another."""
        return bool(self.keys or self.pastes or self.pointers or self.inputs or self.autofilled)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFacts:
    """The proof of work that the page demanded (G34)."""

    level: int = 0  # 0: none was demanded
    solved: bool = False
    clears: bool = False  # solved before anything was asked: it makes up for evidence that is missing


class Vouched(StrEnum):
    """What a voucher (Turnstile, ALTCHA) said of a visitor's response."""

    SOLVED = "solved"
    FAILED = "failed"
    EXPIRED = "expired"  # good once, and too old or spent: slow writers bring it, too
    REUSED = "reused"  # it vouched for another page of ours before
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherFacts:
    """One voucher's word."""

    name: str
    word: Vouched


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocklistFacts:
    """How many lists answered, and how many of them name the client."""

    asked: int
    listed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatFacts:
    """How often this stood in the counters before; None: the counters did not answer, or nothing to ask by."""

    client: int | None = None
    client_week: int | None = None  # for as long as texts are remembered
    network: int | None = None
    address: int | None = None
    domain: int | None = None
    form: int | None = None
    lineage: int | None = None
    same_text: int | None = None
    near_text: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """What the form's fields mean, and whose form it is."""

    address: str = "email"
    person: str = "name"
    message: tuple[str, ...] = ("message",)
    site_domain: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that signals may read beside the submission itself."""

    typed: Fields = field(default_factory=Fields)  # what the visitor typed: ours and traps removed
    roles: Roles = field(default_factory=Roles)
    token: TokenFacts = field(default_factory=TokenFacts)
    page: PageFacts = field(default_factory=PageFacts)
    script: ScriptFacts = field(default_factory=ScriptFacts)
    work: WorkFacts = field(default_factory=WorkFacts)
    origin: Origin = Origin.ABSENT
    client_known: bool = True
    repeats: RepeatFacts = field(default_factory=RepeatFacts)
    blocklists: BlocklistFacts | None = None  # None: not asked, or no list answered
    vouchers: tuple[VoucherFacts, ...] = ()  # empty: there are none, or they were not asked
    address: AddressReport | None = None  # None: no address field was sent, or nothing is known yet
    addresses: tuple[str, ...] = ()  # the different values of the address field, trimmed
    limits: SignalLimits = field(default_factory=SignalLimits)  # in force when this was judged

    @property
    def vouched(self) -> bool:
        """True where a voucher makes up for missing evidence: on a page of ours, before anything was asked (G34)."""
        token = self.token
        if token.outcome is not TokenOutcome.FRESH or token.parent is not None or token.doubtful:
            return False
        return any(each.word is Vouched.SOLVED for each in self.vouchers)

    def texts(self) -> Mapping[str, tuple[str, ...]]:
        """Every value by field name, cut to what is scored."""
        cut = self.limits.scored_characters
        return {name: tuple(value[:cut] for value in self.typed.all(name)) for name in self.typed}


class Deadline:
    """One total of seconds for several look-ups."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds

    def left_s(self) -> float:
        """Return what is left, never below zero."""
        return max(0.0, self._end - self._clock.monotonic())


async def gather(what: str, lookup: Awaitable[T], deadline: Deadline, faults: Faults) -> T | None:
    """Await one look-up; a failed or late one is *unknown* (None): counted, scoring nothing, blaming nobody."""
    try:
        async with asyncio.timeout(deadline.left_s()):
            return await lookup
    except (StoreError, TimeoutError) as error:
        faults.count(what, str(error) or type(error).__name__)
        return None
