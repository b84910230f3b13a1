"""Nobody waits for a resolver that fails again and again."""

from collections import OrderedDict
from typing import Final

from formwarden.clock import Clock
from formwarden.faults import Faults
from formwarden.forks import Lock

WINDOW_S: Final = 30.0
LEAST: Final = 20  # different domains before their failures mean anything
SHARE: Final = 0.5  # of them failed
OPEN_S: Final = 30.0
PROBES: Final = 3  # domains that may try it then: one dead domain must not hold it open
PROBE_S: Final = 60.0  # a probe that has not said anything by then is lost, with its event loop
REMEMBERED: Final = 256  # domains of the last window; the latest decide
FAULT: Final = "dns breaker"


class Breaker:
    """Closed while the resolver answers; open for seconds after the failures of many different domains.

    Each domain counts once, by its latest outcome: a dead one can be asked for as often as somebody likes.
    """

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._lock = Lock()
        self._outcomes: OrderedDict[str, tuple[float, bool]] = OrderedDict()  # when, and whether it failed
        self._open_until: float | None = None
        self._probing: dict[str, float] = {}  # since when
        self._failed: set[str] = set()

    @property
    def closed(self) -> bool:
        """Whether everybody may ask."""
        return self._open_until is None

    def allows(self, domain: str) -> bool:
        """Tell whether this domain may be asked now; once it was open, a few may try whether it may be closed."""
        now = self._clock.monotonic()
        with self._lock:
            if self._open_until is None:
                return True
            if now < self._open_until:
                return False
            self._probing = {each: since for each, since in self._probing.items() if since > now - PROBE_S}
            if len(self._probing.keys() | self._failed | {domain}) > PROBES:
                return False
            self._probing[domain] = now
            return True

    def note(self, domain: str, *, failed: bool) -> None:
        """Note how a look-up of this domain went."""
        with self._lock:
            opened = self._note(domain, failed=failed)
        if opened:
            self._faults.count(FAULT, f"the resolver fails: nothing is asked for {OPEN_S:.0f} s, replies are held")

    def _note(self, domain: str, *, failed: bool) -> bool:
        """Return whether it opened."""
        now = self._clock.monotonic()
        if self._open_until is not None:
            if domain in self._probing:
                self._note_probe(domain, now, failed=failed)
            return False
        self._outcomes[domain] = (now, failed)
        self._outcomes.move_to_end(domain)
        while len(self._outcomes) > REMEMBERED or next(iter(self._outcomes.values()))[0] <= now - WINDOW_S:
            self._outcomes.popitem(last=False)
        if not failed or len(self._outcomes) < LEAST:
            return False
        failures = sum(failed for _, failed in self._outcomes.values())
        if failures < SHARE * len(self._outcomes):
            return False
        self._begin_anew(open_until=now + OPEN_S)
        return True

    def _note_probe(self, domain: str, now: float, *, failed: bool) -> None:
        if not failed:
            self._begin_anew(open_until=None)
            return
        self._failed.add(domain)
        if len(self._failed) >= PROBES:
            self._begin_anew(open_until=now + OPEN_S)

    def _begin_anew(self, *, open_until: float | None) -> None:
        self._open_until = open_until
        self._outcomes.clear()
        self._probing.clear()
        self._failed.clear()
