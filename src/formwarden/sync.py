"""The blocking twin of a warden, for Flask, Django and scripts: the same coroutines on one background loop."""

from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from formwarden.mail.permit import Permit
from formwarden.mail.replies import ReplyResult
from formwarden.scoring import Verdict
from formwarden.submission import Submission
from formwarden.twin import BackgroundLoop

if TYPE_CHECKING:
    from formwarden.warden import Warden


class SyncWarden:
    """`warden.sync`: each method blocks until the warden's own has ended. Raises RunningLoopError inside a loop."""

    def __init__(self, warden: "Warden") -> None:
        self._warden = warden
        self._loop = BackgroundLoop()

    def judge(self, submission: Submission) -> Verdict:
        """Judge and keep one submission."""
        return self._loop.run(self._warden.judge(submission))

    def notify(self, verdict: Verdict) -> None:
        """Mail the inquiry to the staff."""
        self._loop.run(self._warden.notify(verdict))

    def reply(self, verdict: Verdict) -> ReplyResult:
        """Send the form's auto-reply if the gate lets it."""
        return self._loop.run(self._warden.reply(verdict))

    def preview(self, verdict: Verdict) -> ReplyResult:
        """Say what `reply` would do."""
        return self._loop.run(self._warden.preview(verdict))

    @contextmanager
    def permit(self, verdict: Verdict) -> Iterator[Permit]:
        """`with` it to send one reply with a mailer of your own (G17)."""
        permit = self._warden.permit(verdict)
        self._loop.run(permit.__aenter__())
        try:
            yield permit
        except BaseException as error:
            self._loop.run(permit.__aexit__(type(error), error, error.__traceback__))
            raise
        self._loop.run(permit.__aexit__(None, None, None))

    def work_once(self) -> int:
        """Run every periodic task once."""
        return self._loop.run(self._warden.work_once())

    def spawn(self, coroutine: Coroutine[object, object, object]) -> None:
        """Start a coroutine on the background loop and do not wait for it."""
        self._loop.spawn(coroutine)
