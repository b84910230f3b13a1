"""Gives pages their markup: marker and traps always, a token unless one network has drawn too many (G28)."""

from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock
from typing import Final

from formwarden.clock import Clock
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.context import PageRequest
from formwarden.page.markup import Markup, render
from formwarden.page.traps import Traps
from formwarden.stores.ports import Key
from formwarden.submission import Client
from formwarden.tokens import Tokens

ISSUE_WINDOW_S: Final = 600.0
NETWORKS: Final = 4_096  # remembered in this process; the one not seen longest goes first


class IssueLimit:
    """How many tokens each network drew, in this process's memory: a page must not wait for a store."""

    def __init__(self, clock: Clock, per_window: int) -> None:
        self._clock = clock
        self._per_window = per_window
        self._lock = Lock()
        self._drawn: OrderedDict[bytes, deque[float]] = OrderedDict()

    def take(self, network: bytes) -> bool:
        """Count one more; False when this network has had its share."""
        now = self._clock.monotonic()
        with self._lock:  # frameworks render in threads
            drawn = self._drawn.setdefault(network, deque())
            self._drawn.move_to_end(network)
            while len(self._drawn) > NETWORKS:
                self._drawn.popitem(last=False)
            while drawn and drawn[0] <= now - ISSUE_WINDOW_S:
                drawn.popleft()
            if len(drawn) >= self._per_window:
                return False
            drawn.append(now)
            return True


class Issuer:
    """Makes the markup of a form, and fresh tokens for the script."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        traps: Traps,
        assets: Assets,
        networks_of: Callable[[Client], tuple[Key, ...]],
        limit: IssueLimit,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._traps = traps
        self._assets = assets
        self._networks_of = networks_of
        self._limit = limit
        self._clock = clock

    def markup(self, form: GuardedForm, page: PageRequest | None, *, again: str | None = None) -> Markup:
        """Return what stands inside `<form>`. `again`: the token that continues an earlier try."""
        epoch = self._traps.epoch(self._clock.now())
        token = again or (None if form.cacheable else self._token(form, page))
        if page is not None:
            # one with a token belongs into no cache; one that got none for now would be shown to others, too
            page.issued = page.issued or token is not None or not form.cacheable
        return render(
            form,
            marker=self._tokens.mark(form.name, epoch),
            token=token,
            traps=self._traps.of(form, epoch=epoch),
            assets=self._assets,
            language=page.language if page else "en",
        )

    def fresh(self, form: GuardedForm, client: Client) -> str | None:
        """Return a token for the script of a page that is old or came from a cache; None: too many."""
        return self._token(form, PageRequest(client))

    def _token(self, form: GuardedForm, page: PageRequest | None) -> str | None:
        if page is None:
            return self._tokens.issue(form.name)
        networks = self._networks_of(page.client)
        network = page.client.network
        if network is not None and not self._limit.take(network):
            return None
        return self._tokens.issue(form.name, network=networks[0] if networks else None)
