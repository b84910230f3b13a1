"""What gunicorn does for these tests beside serving; it reads this file."""

import sys

from formwarden import Submission, Warden


def when_ready(server: object) -> None:
    """Use the warden before any worker is forked, as an application does that warms up at its import."""
    for name in ("flask_contact", "django_contact"):
        warden = getattr(sys.modules.get(name), "warden", None)  # loaded by now with --preload only
        if isinstance(warden, Warden):
            fields = {"message": "Is anybody there? This is asked before the fork."}
            verdict = warden.sync.judge(Submission("contact", fields, client="192.0.2.77"))
            print(f"before the fork: recorded={verdict.recorded} server={type(server).__name__}", flush=True)  # noqa: T201
