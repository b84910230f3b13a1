"""How much of what came lately was judged a bot's, per client network and per form: that sets the work (G34).

In each process's memory, as the limit of tokens is: a page must not wait for a store. After a restart it is calm.
"""

from collections import OrderedDict, deque
from typing import Final, TypeVar

from formwarden.clock import Clock
from formwarden.forks import Lock
from formwarden.page.effort import LEVELS

Name = TypeVar("Name", bytes, str)
WINDOW_S: Final = 600.0
NETWORKS: Final = 4_096  # remembered in this process; the one not seen longest goes first
FORMS: Final = 256  # a site has a few
KEPT: Final = 512  # verdicts of one form or network: the share of the last ones says enough
CALM_SHARE: Final = 1 / 3  # up to here nothing is demanded
# People that are counted in beforehand: three bots of three make a network's share .38 and its next page work, yet
# a form, which everybody meets, demands nothing before sixteen of sixteen were bots.
NETWORK_PEOPLE: Final = 5
FORM_PEOPLE: Final = 30


class _Recent:
    """The verdicts of one form or network within the window."""

    __slots__ = ("bots", "seen")

    def __init__(self) -> None:
        self.seen = deque[tuple[float, bool]]()
        self.bots = 0

    def note(self, now: float, *, bot: bool) -> None:
        self.seen.append((now, bot))
        self.bots += bot
        if len(self.seen) > KEPT:
            self._drop()

    def level(self, now: float, people: int) -> int:
        while self.seen and self.seen[0][0] <= now - WINDOW_S:
            self._drop()
        share = self.bots / (len(self.seen) + people)
        return 0 if share <= CALM_SHARE else 1 + int(LEVELS * (share - CALM_SHARE) / (1 - CALM_SHARE))

    def _drop(self) -> None:
        _, bot = self.seen.popleft()
        self.bots -= bot


class Pressure:
    """Counts verdicts, and names the level of work that the next page demands."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._networks = OrderedDict[bytes, _Recent]()
        self._forms = OrderedDict[str, _Recent]()

    def note(self, form: str, network: bytes | None, *, bot: bool) -> None:
        """Count one verdict; `bot`: its score was that of quarantine or more."""
        now = self._clock.monotonic()
        with self._lock:  # frameworks judge and render in threads
            _one(self._forms, form, FORMS).note(now, bot=bot)
            if network is not None:
                _one(self._networks, network, NETWORKS).note(now, bot=bot)

    def level(self, form: str, network: bytes | None) -> int:
        """Return the level for a page: the network's or the form's, whichever is higher; 0 in calm times."""
        now = self._clock.monotonic()
        with self._lock:
            of_form = self._forms.get(form)
            of_network = None if network is None else self._networks.get(network)
            return max(
                of_network.level(now, NETWORK_PEOPLE) if of_network else 0,
                of_form.level(now, FORM_PEOPLE) if of_form else 0,
            )


def _one(known: OrderedDict[Name, _Recent], name: Name, limit: int) -> _Recent:
    recent = known.setdefault(name, _Recent())
    known.move_to_end(name)
    if len(known) > limit:
        known.popitem(last=False)
    return recent
