"""Release: a kept inquiry takes the way an accepted one takes, once (G21)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from formwarden.desk.rebuild import Rebuilder
from formwarden.errors import StoreError
from formwarden.faults import Faults
from formwarden.forms import Accept, GuardedForm
from formwarden.mail.replies import Replies
from formwarden.retraction import read_observation
from formwarden.scoring import Verdict
from formwarden.stores.ports import Decision, Inquiry, State, Store

RELEASABLE: Final = frozenset({State.HELD, State.ASKED, State.REJECTED})
RELEASE_LEASE_S: Final = 120.0
HELD_REPLY: Final = "held"
MAY_HAVE_RUN: Final = "may have run"
ERROR_STATUS: Final = 400

Runner = Callable[[Inquiry, Verdict], Awaitable[int]]
"""Runs a form's endpoint again and returns its status."""


class Releases:
    """Runs held inquiries; ten clicks run one once, an interrupted one is never repeated by itself."""

    def __init__(
        self,
        *,
        store: Store,
        forms: Mapping[str, GuardedForm],
        rebuilder: Rebuilder,
        replies: Replies,
        fallback: Runner,
        faults: Faults,
    ) -> None:
        self._store = store
        self._forms = forms
        self._rebuilder = rebuilder
        self._replies = replies
        self._fallback = fallback
        self._faults = faults
        self._runners: dict[str, Runner] = {}

    def register(self, form: str, runner: Runner) -> None:
        """Tell how this process runs a form's endpoint."""
        self._runners[form] = runner

    async def release(self, inquiry_id: bytes, *, by_owner: bool = True) -> bool:
        """Release one; False when another was faster, it is not held, or its endpoint did not take it."""
        inquiry = await self._store.inquiries.get(inquiry_id)
        if inquiry is None or inquiry.body is None:
            return False
        runner = self._runner(inquiry.form)
        if runner is None:
            self._faults.count("release", "this process does not run the form's endpoint")
            return False
        won = await self._store.inquiries.move(
            inquiry_id, expect=RELEASABLE, to=State.RELEASING, note=inquiry.note, lease_s=RELEASE_LEASE_S
        )
        if not won:
            return False
        verdict = await self._rebuilder.verdict(inquiry, released=by_owner)
        return await self._run(inquiry, verdict, runner)

    async def release_reply(self, inquiry_id: bytes) -> bool:
        """Let an auto-reply go that waits for the owner; every other row of the gate's table still stands."""
        inquiry = await self._store.inquiries.get(inquiry_id)
        row = (await self._store.ledger.replies([inquiry_id])).get(inquiry_id)
        if inquiry is None or inquiry.recipient is None or row is None or row.state != HELD_REPLY:
            return False
        report = await self._rebuilder.checker.verify(inquiry.recipient)
        result = await self._replies.decide_again(row, inquiry, report, released=True)
        return result.decision is Decision.SEND

    async def discard(self, inquiry_id: bytes) -> bool:
        """Throw one away; its text is erased an hour later."""
        return await self._store.inquiries.move(
            inquiry_id, expect=RELEASABLE, to=State.DISCARDED, note="discarded by the owner"
        )

    async def _run(self, inquiry: Inquiry, verdict: Verdict, runner: Runner) -> bool:
        try:
            status = await runner(inquiry, verdict)
        except Exception as error:  # noqa: BLE001 - the site's own handler; whatever it raises, the inquiry stays
            self._faults.count("release", type(error).__name__)
            await self._back(inquiry, type(error).__name__)
            return False
        if status >= ERROR_STATUS:
            self._faults.count("release", str(status))
            await self._back(inquiry, str(status))
            return False
        await self._store.inquiries.move(inquiry.id, expect={State.RELEASING}, to=State.RELEASED, note="released")
        await self._forget(inquiry)
        return True

    async def _back(self, inquiry: Inquiry, why: str) -> None:
        await self._store.inquiries.move(
            inquiry.id, expect={State.RELEASING}, to=State.HELD, note=f"release failed: {why}; {MAY_HAVE_RUN}"
        )

    async def _forget(self, inquiry: Inquiry) -> None:
        """A released inquiry was a person's: it counts against nobody."""
        facts = inquiry.facts.get("observation")
        observation = read_observation(facts) if isinstance(facts, dict) else None
        if observation is None:
            return
        try:
            await self._store.counters.forget(observation)
        except StoreError as error:
            self._faults.count("counters", str(error))

    def _runner(self, name: str) -> Runner | None:
        """Choose the form's own `accept`, else the app behind the middleware, else mails; None: not here."""
        form = self._forms.get(name)
        if form is None:
            return None
        if form.accept is not None:
            return _accepting(form.accept)
        return self._runners.get(name) or (None if form.path else self._fallback)


def _accepting(accept: Accept) -> Runner:
    async def run(_: Inquiry, verdict: Verdict) -> int:
        await accept(verdict)
        return 200

    return run
