"""A question about a name that cannot exist: a resolver that answers it invents answers (row 27)."""

import asyncio
from collections.abc import Callable
from typing import Final

from formwarden.address.hosts import answer_within
from formwarden.address.resolver import DnsAnswer, Rcode, Resolver
from formwarden.clock import Clock
from formwarden.entropy import Entropy
from formwarden.faults import Faults, bug
from formwarden.forks import Lock

TOP: Final = "invalid"  # nobody can ever register below it (RFC 6761 section 6.4)
NAME_BYTES: Final = 8  # unpredictable, so that no cache on the way has an answer to it
EVERY_S: Final = 3_600.0  # a resolver changes its ways when somebody changes its settings
WHILE_REWRITING_S: Final = 300.0  # replies are held until it says the truth again
UNANSWERED_S: Final = 60.0  # and where the event loop that asked is gone
PATIENCE_S: Final = 5.0
FAULT: Final = "dns rewrites"
ALARM: Final = (
    "the resolver answers for names that do not exist: domains without MX are *unknown*, their replies are held; "
    "set FORMWARDEN_DNS_SERVERS to a resolver that tells the truth"
)


class Canary:
    """Asks with the first look-up of a process, and then rarely; nobody waits for the answer.

    `changed` is called when the resolver begins to invent answers, and when it ends to. Each time it is heard doing
    so counts in `faults`.
    """

    def __init__(
        self, resolver: Resolver, clock: Clock, entropy: Entropy, faults: Faults, *, changed: Callable[[], None]
    ) -> None:
        self._resolver = resolver
        self._clock = clock
        self._entropy = entropy
        self._faults = faults
        self._changed = changed
        self._lock = Lock()
        self._due_at: float | None = None  # None: at once
        self._tasks: set[asyncio.Task[None]] = set()
        self.rewrites = False

    def look(self) -> None:
        """Ask in the background, where it is time."""
        now = self._clock.monotonic()
        with self._lock:
            if self._due_at is not None and now < self._due_at:
                return
            self._due_at = now + UNANSWERED_S
        task = asyncio.get_running_loop().create_task(self._ask())
        self._tasks.add(task)  # a loop holds its tasks weakly
        task.add_done_callback(self._tasks.discard)

    async def _ask(self) -> None:
        name = f"{self._entropy(NAME_BYTES).hex()}.{TOP}"
        end = self._clock.monotonic() + PATIENCE_S
        try:
            answer = await answer_within(self._resolver, self._clock, name, "A", end=end)
        except Exception as error:  # noqa: BLE001 - a resolver with a bug says nothing of names
            self._faults.count("dns", bug(error))
            return
        self._note(answer)

    def _note(self, answer: DnsAnswer) -> None:
        rewrites = answer.rcode is Rcode.OK and bool(answer.records)
        if not rewrites and answer.rcode is not Rcode.NXDOMAIN:
            return  # it did not say
        if rewrites:
            self._faults.count(FAULT, ALARM)
        with self._lock:
            self._due_at = self._clock.monotonic() + (WHILE_REWRITING_S if rewrites else EVERY_S)
            changed, self.rewrites = self.rewrites is not rewrites, rewrites
        if changed:
            self._changed()
