"""What the staff is told of many inquiries at once: held ones in a digest, and figures week by week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from formwarden.stores.ports import Inquiry

STAFF_WINDOW_S: Final = 3_600.0  # so many of the staff's mails leave singly within it (G24)

WEEKS_BEFORE: Final = 4  # what a week is compared with


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOnes:
    """The held inquiries of one digest."""

    lowest: "Sequence[Inquiry]"  # without bodies, lowest score first
    by_form: Mapping[str, int] = field(default_factory=dict[str, int])  # how many in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailed:
    """To whom replies were granted, in domains that are nobody's freemail (G10)."""

    domains: int = 0  # different ones within the last seven days
    new: int = 0  # of them, those that had none in the four weeks before
    before: float = 0.0  # different ones a week, as a mean of these four weeks


class Telling(Protocol):
    """Beside the inquiries, in their place, under the same promises: told at least once."""

    async def came(self, seconds: float, /, *, most: int) -> int:
        """Count the inquiries of the last so many seconds, as far as `most`. StoreError: nothing is known."""

    async def tell_held(self, limit: int, /, *, points: tuple[float, float] | None) -> int:
        """Let the staff's mail be due of held inquiries from so many points to below so many (None: of all).

        Return of how many. Of those only that no mail and no digest told of. StoreError: say it again.
        """

    async def open_digest(self, limit: int, /) -> int:
        """Put held inquiries, told nowhere yet, into the digest that is being written; return how many.

        Fewer than `limit`: there are no more. They stay in it until it is closed, whoever opened it.
        """

    async def digest(self, limit: int, /) -> HeldOnes:
        """Read the digest that is being written, less what was released, discarded or mailed meanwhile."""

    async def close_digest(self, limit: int, /) -> int:
        """Note that what stands in it was told; return of how many. Fewer than `limit`: there are no more."""

    async def bulletin(self, name: str, /) -> float | None:
        """Return for when a repeated mail was sent last; None: it never was. StoreError: send nothing now."""

    async def begin_bulletin(self, name: str, /, *, after: float | None, lease_s: float) -> bool:
        """Take a repeated mail that was sent last for `after`: of racing callers one gets True, for as long as this.

        A lease that ends later was taken by a clock set back since. StoreError: send nothing.
        """

    async def end_bulletin(self, name: str, /, *, last: float | None) -> None:
        """Note for when it was sent and end the lease; None: it was not sent. StoreError: it comes again."""

    async def mailed(self) -> Mailed:
        """Count the domains that replies were granted to. StoreError: nothing is known."""

    async def refusal(self, seconds: float, /) -> str | None:
        """Return what a relay said when it last refused a reply, within so many seconds. StoreError: unknown."""
