"""Where a memory ledger keeps what."""

from dataclasses import dataclass, field

from formwarden.stores.archive import KeptOutcome
from formwarden.stores.deciding import Before
from formwarden.stores.memory.accounts import MemoryAccounts
from formwarden.stores.memory.budgets import MemoryBudgets
from formwarden.stores.memory.days import MemoryDays
from formwarden.stores.memory.suppressions import MemorySuppressions
from formwarden.stores.outcomes import LIVE
from formwarden.stores.ports import Growth, Key, ReplyRow


@dataclass(slots=True, kw_only=True)
class Reply:
    """A row, and what only the worker reads."""

    row: ReplyRow
    check_at: float | None = None
    due_at: float | None = None
    lease_until: float | None = None
    recipient: Key | None = None  # whose it is, refused ones too
    wanted: bool = False  # it was counted in its day

    @property
    def live(self) -> bool:
        """Say whether it may still be sent."""
        return self.row.state in LIVE

    def before(self) -> Before:
        """Return what a reservation reads of it."""
        row = self.row
        return Before(state=row.state, code=row.code, held_until=row.held_until, score=row.score, wanted=self.wanted)


@dataclass(slots=True, kw_only=True)
class Shelves:
    """Everything of a ledger and its measures; the ledger holds the lock."""

    replies: dict[bytes, Reply] = field(default_factory=dict[bytes, Reply])
    outcomes: dict[bytes, KeptOutcome] = field(default_factory=dict[bytes, KeptOutcome])
    budgets: MemoryBudgets = field(default_factory=MemoryBudgets)
    suppressions: MemorySuppressions = field(default_factory=MemorySuppressions)
    days: MemoryDays = field(default_factory=MemoryDays)
    accounts: MemoryAccounts = field(init=False)
    known: dict[Key, None] = field(default_factory=dict[Key, None])
    growth: Growth | None = None
    feedback_seen: bool = False  # G07

    def __post_init__(self) -> None:
        """Let accounts write slots and days."""
        self.accounts = MemoryAccounts(self.budgets, self.days)

    def held(self, *, queued: bool) -> list[Reply]:
        """Return what is held in the queue, or for another reason."""
        held = [reply for reply in self.replies.values() if reply.row.state == "held"]
        return [reply for reply in held if (reply.row.score is not None) is queued]
