"""What a store can be asked about itself: figures for `formwarden stats`, each of them cheap at a million rows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from formwarden.stores.runs import TaskState

if TYPE_CHECKING:
    from formwarden.stores.ports import Key, ReplyRow

DAY_S: Final = 86_400.0
WEEK_S: Final = 604_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InquiryCount:
    """Inquiries of one form that stand in one state, by when they came."""

    form: str
    state: str
    day: int  # in the last 24 hours
    week: int  # in the last seven days, those of the day included


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCount:
    """Auto-replies with one state and code, by when they were asked for."""

    state: str
    code: str
    day: int
    week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What stands in a store at one moment."""

    now: float  # seconds since the epoch
    inquiries: tuple[InquiryCount, ...]  # by form and state
    replies: tuple[ReplyCount, ...]  # by state and code
    replies_off: bool  # the switch of G18
    staff_waiting: int  # inquiries whose mail to the staff has not left
    staff_oldest: float | None  # when the oldest of them came
    suppressions: Mapping[str, int]  # subjects that stand on the list, by cause; the switch is none of them
    tasks: Mapping[str, TaskState]
    breakers: int = 0  # that are not closed
    alarms: int = 0  # nobody was told of
    known: int = 0  # addresses that were remembered (G03)
    counted_up_to: int | None = None  # there are more than this many of a kind: the newest are counted
    schema: int | None = None  # None: this store has no numbered one
    files: Mapping[str, int] = field(default_factory=dict[str, int])  # name -> bytes
    free_bytes: int | None = None  # on their disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One cause that stands on the suppression list against a subject."""

    subject: "Key"
    cause: str
    until: float | None  # None: without end


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a store holds about some subjects at one moment."""

    listed: tuple[Listed, ...] = ()
    replies: "tuple[ReplyRow, ...]" = ()  # to them, refused ones too; newest first


class Statistics(Protocol):
    """A look at a store that changes nothing in it and keeps nobody waiting."""

    async def read(self) -> Figures:
        """Count. Raises StoreError with the remedy, also where there is no store: none is made."""

    async def about(self, subjects: "Collection[Key]", /, *, limit: int) -> About:
        """Read what stands against these subjects, and the last `limit` replies to them. Raises StoreError.

        Every reply of the retention is looked through: for a person who asks, not for a request.
        """
