"""Gives pages their markup: marker and traps always, a token unless one network has drawn too many (G28)."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from formwarden.clock import Clock
from formwarden.forks import Lock
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets, token_answer
from formwarden.page.context import PageRequest
from formwarden.page.effort import Effort
from formwarden.page.header import render_header
from formwarden.page.markup import Markup, render
from formwarden.page.pressure import Pressure
from formwarden.page.ratelimit import Refusal
from formwarden.page.traps import Traps
from formwarden.scoring import Verdict
from formwarden.stores.ports import Key
from formwarden.submission import Answer, Client
from formwarden.tokens import Tokens

ISSUE_WINDOW_S: Final = 600.0
POLICY: Final = "tokens"  # the limit's name in headers
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

    def refusal(self, network: bytes) -> Refusal:
        """Say what refused this network, and when the oldest of its draws is forgotten."""
        now = self._clock.monotonic()
        with self._lock:
            drawn = self._drawn.get(network)
            oldest = drawn[0] if drawn else now - ISSUE_WINDOW_S
        wait_s = oldest + ISSUE_WINDOW_S - now
        return Refusal(policy=POLICY, quota=self._per_window, window_s=ISSUE_WINDOW_S, wait_s=wait_s)


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
        pressure: Pressure,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._traps = traps
        self._assets = assets
        self._networks_of = networks_of
        self._limit = limit
        self._pressure = pressure
        self._effort = Effort(tokens)
        self._clock = clock

    def shown(self, form: GuardedForm, page: PageRequest | None, again: Verdict | None) -> Markup:
        """Return what stands inside `<form>` of the site's own page. `again`: what the site itself did not take."""
        if page is not None and again is not None:
            page.again = again.id
        return self.markup(form, page, again=again.again if again else None)

    def markup(self, form: GuardedForm, page: PageRequest | None, *, again: str | None = None) -> Markup:
        """Return what stands inside `<form>`. `again`: the token that continues an earlier try."""
        epoch, token = self._drawn(form, page, again)
        return render(
            form,
            marker=self._tokens.mark(form.name, epoch),
            token=token,
            challenge=self._effort.challenge(form.name, token),
            at_once=again is not None,
            traps=self._traps.of(form, epoch=epoch),
            assets=self._assets,
            language=page.language if page else "en",
            root=page.root if page else "",
        )

    def header(self, form: GuardedForm, page: PageRequest | None, *, again: str | None = None) -> str:
        """Return the same as the value of one header, for clients whose body is their own."""
        epoch, token = self._drawn(form, page, again)
        traps = self._traps.of(form, epoch=epoch)
        challenge = self._effort.challenge(form.name, token)
        marker = self._tokens.mark(form.name, epoch)
        return render_header(marker=marker, token=token, traps=traps, challenge=challenge)

    def fresh(self, form: GuardedForm, client: Client) -> str | None:
        """Return a token for the script of a page that is old or came from a cache; None: too many."""
        return self._token(form, PageRequest(client))

    def answer(self, form: GuardedForm, client: Client) -> Answer:
        """Answer the script: a token, or which limit gave none."""
        token, network = self.fresh(form, client), client.network
        refusal = self._limit.refusal(network) if token is None and network is not None else None
        return token_answer(token, refusal, self._effort.challenge(form.name, token))

    def _drawn(self, form: GuardedForm, page: PageRequest | None, again: str | None) -> tuple[int, str | None]:
        """Return the week of the traps and a token, and remember that the page is for this one alone."""
        token = again or (None if form.cacheable else self._token(form, page))
        if page is not None:
            # one with a token belongs into no cache; one that got none for now would be shown to others, too
            page.issued = page.issued or token is not None or not form.cacheable
        return self._traps.epoch(self._clock.now()), token

    def _token(self, form: GuardedForm, page: PageRequest | None) -> str | None:
        if page is None:
            return self._tokens.issue(form.name, work=self._pressure.level(form.name, None))
        networks = self._networks_of(page.client)
        network = page.client.network
        if network is not None and not self._limit.take(network):
            return None
        level = self._pressure.level(form.name, network)
        return self._tokens.issue(form.name, network=networks[0] if networks else None, work=level)
