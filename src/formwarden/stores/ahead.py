"""How far ahead of now a stored time may lie; what lies further was left there by a clock set back since.

Such a time is brought back when it is met, and by every purge, so that a corrected clock keeps nobody waiting for
the years it was wrong. The same in every store; what the ports say of each time is in `ports.py`.
"""

from typing import Final

AHEAD_S: Final = 3_600.0  # no lease and no wait for another try is longer, and clocks of one machine differ by less
TALLIES_AHEAD_S: Final = 691_200.0  # eight days: no tally's window is longer, for client keys are kept as long (G20)


def too_far(moment: float, now: float) -> bool:
    """Say whether a lease, a wait or a moment that was noted as now lies further ahead than any does."""
    return moment > now + AHEAD_S


def brought_back(moment: float | None, now: float) -> float | None:
    """Return the end of a lease or of a wait, at most as far ahead as any may lie."""
    return None if moment is None else min(moment, now + AHEAD_S)
