"""How the staff hears of what is held: a mail each, where that was chosen, and otherwise a digest (G25)."""

from typing import Final, Literal

from formwarden.stores.statistics import DAY_S
from formwarden.stores.telling import Telling

QUIET: Final = 20  # inquiries in a day: fewer than these, and a marked mail now and then is no burden
MARKED_BELOW: Final = 8.0  # points: above them hardly anything was ever written by a person
BATCH: Final = 50
Mode = Literal["digest", "each", "mark"]


class Holding:
    """Lets the staff's mail be due of held inquiries."""

    def __init__(self, telling: Telling, chosen: Mode | None, *, quarantine: float, staff: bool) -> None:
        self._telling = telling
        self._chosen = chosen
        self._marked = (quarantine, MARKED_BELOW)
        self._staff = staff  # somebody is there to be told

    async def mode(self) -> Mode:
        """Return what was chosen, else what fits so few or so many inquiries. Raises StoreError."""
        if self._chosen is not None:
            return self._chosen
        return "mark" if await self._telling.came(DAY_S, most=QUIET) < QUIET else "digest"

    async def step(self) -> int:
        """Make due what is told at once; return of how many. Raises StoreError."""
        mode = await self.mode() if self._staff else "digest"
        if mode == "digest":
            return 0
        return await self._telling.tell_held(BATCH, points=self._marked if mode == "mark" else None)
