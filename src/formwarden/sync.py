"""The blocking twin of a warden, for Flask, Django and scripts: the same coroutines on one background loop."""

from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from formwarden.errors import LateError
from formwarden.mail.permit import Permit
from formwarden.mail.replies import LEDGER_DOWN, ReplyResult
from formwarden.scoring import Verdict
from formwarden.serving import is_ours
from formwarden.stores.ports import Decision
from formwarden.submission import Answer, Submission
from formwarden.twin import DEADLINE_S, PROCESS_LOOP, BackgroundLoop

if TYPE_CHECKING:
    from formwarden.warden import Warden

WORK_DEADLINE_S: Final = 600.0  # one pass of everything, a relay that answers slowly included
FAULT: Final = "warden.sync"
LATE_REPLY: Final = ReplyResult(
    decision=Decision.SUPPRESS,
    code=LEDGER_DOWN,
    explanation="Not decided in time. If it was reserved after all it leaves once: send no other.",
)


class SyncWarden:
    """`warden.sync`: each method blocks until the warden's own has ended. Raises RunningLoopError inside a loop.

    No handler waits longer than `deadline_s`. What is late takes its failing direction: judging fails open, sending
    fails closed; it is counted.
    """

    def __init__(
        self, warden: "Warden", *, loop: BackgroundLoop = PROCESS_LOOP, deadline_s: float = DEADLINE_S
    ) -> None:
        self._warden = warden
        self._loop = loop
        self._deadline_s = deadline_s

    def judge(self, submission: Submission) -> Verdict:
        """Judge and keep one submission.

        What is not judged in time is passed on: accepted, and not `recorded`, so that `notify` mails it to the staff
        at once and no machine answers it. Its judging is not cut short: it goes on, and keeps the inquiry if it can.
        """
        try:
            return self._loop.run_through(self._warden.judge(submission), deadline_s=self._deadline_s)
        except LateError:
            return self._warden.unjudged(submission)

    def notify(self, verdict: Verdict) -> None:
        """Mail the inquiry to the staff; what is late goes on by itself."""
        try:
            self._loop.run_through(self._warden.notify(verdict), deadline_s=self._deadline_s)
        except LateError:
            self._late("the staff's mail takes its time")

    def reply(self, verdict: Verdict) -> ReplyResult:
        """Send the form's auto-reply if the gate lets it; late, it is given up: suppressed, LEDGER_DOWN."""
        try:
            return self._loop.run(self._warden.reply(verdict), deadline_s=self._deadline_s)
        except LateError:
            self._late("a reply was given up")
            return LATE_REPLY

    def preview(self, verdict: Verdict) -> ReplyResult:
        """Say what `reply` would do; late, that it would not."""
        try:
            return self._loop.run(self._warden.preview(verdict), deadline_s=self._deadline_s)
        except LateError:
            return LATE_REPLY

    @contextmanager
    def permit(self, verdict: Verdict) -> Iterator[Permit]:
        """`with` it to send one reply with a mailer of your own (G17); late, it is not granted."""
        permit = self._entered(verdict)
        try:
            yield permit
        except BaseException as error:
            self._leave(permit, error)
            raise
        self._leave(permit, None)

    def remember(self, address: str, *, known: bool = True) -> None:
        """Write that you know this person, or do not (G03). Raises AddressError, StoreError, LateError."""
        self._loop.run_through(self._warden.remember(address, known=known), deadline_s=self._deadline_s)

    def serve(self, environ: Mapping[str, object]) -> Answer | None:
        """Serve what our pages need: style sheet, script, tokens, the copy on the thanks page; None: not ours."""
        if not is_ours(self._warden, environ):
            return None
        try:
            return self._loop.run(self._warden.serve(environ), deadline_s=self._deadline_s)
        except LateError:
            self._late("a page of ours was given up")
            return None

    def work_once(self) -> int:
        """Run every periodic task once. Raises LateError after ten minutes; the pass goes on."""
        return self._loop.run_through(self._warden.work_once(), deadline_s=WORK_DEADLINE_S)

    def close(self) -> None:
        """Stop what runs by itself and close the store; a later call opens again. Raises LateError."""
        self._loop.run_through(self._warden.aclose(), deadline_s=self._deadline_s)

    def spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        """Start a coroutine on the background loop and do not wait for it."""
        self._loop.spawn(coroutine)

    def _entered(self, verdict: Verdict) -> Permit:
        permit = self._warden.permit(verdict)
        try:
            self._loop.run(permit.__aenter__(), deadline_s=self._deadline_s)
        except LateError:
            self._late("a permit was not given")
            return self._warden.permit(verdict)  # one nobody enters: the other may yet be granted
        return permit

    def _leave(self, permit: Permit, error: BaseException | None) -> None:
        if not permit.granted:
            return
        trace = None if error is None else error.__traceback__
        try:
            self._loop.run_through(
                permit.__aexit__(None if error is None else type(error), error, trace), deadline_s=self._deadline_s
            )
        except LateError:
            self._late("a permit was not settled in time: its slot stays spent")

    def _late(self, why: str) -> None:
        self._warden.faults.count(FAULT, why)
