"""Every failure is counted where an operator sees it; silence is the only wrong answer."""

import logging
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from formwarden.clock import Clock
from formwarden.forks import Lock

LOGGER: Final = logging.getLogger("formwarden")
WHY_LIMIT: Final = 300  # characters of a cause that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How often something failed in this process, and the last cause."""

    what: str
    count: int
    last_at: float  # seconds since the epoch
    why: str


class Faults:
    """Counts failures of this process by name; names are ours, causes never hold an address or a text."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._faults: dict[str, Fault] = {}
        self._said: set[tuple[str, str]] = set()

    def count(self, what: str, why: str) -> None:
        """Note one failure and log it."""
        self._note(what, why)
        _log(what, why)

    def remark(self, what: str, why: str) -> None:
        """Note what goes wrong alike with every request: it is counted each time, and logged the first time.

        `why` is one of few texts of ours.
        """
        self._note(what, why)
        if (what, why) not in self._said:
            self._said.add((what, why))
            _log(what, why)

    def _note(self, what: str, why: str) -> None:
        with self._lock:
            before = self._faults.get(what)
            self._faults[what] = Fault(
                what=what,
                count=before.count + 1 if before else 1,
                last_at=self._clock.now(),
                why=why[:WHY_LIMIT],
            )

    def of(self, what: str) -> int:
        """Return how often this failed."""
        fault = self._faults.get(what)
        return fault.count if fault else 0

    def all(self) -> tuple[Fault, ...]:
        """Return every failure, the latest first."""
        with self._lock:
            return tuple(sorted(self._faults.values(), key=lambda fault: -fault.last_at))


def _log(what: str, why: str) -> None:
    LOGGER.warning("%s: %s", what, why[:WHY_LIMIT])


def bug(error: BaseException) -> str:
    """Name what was raised and where; its words are left out, for they may hold what somebody typed."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f" at {PurePath(code.co_filename).name}:{trace.tb_lineno} ({code.co_name})"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"
