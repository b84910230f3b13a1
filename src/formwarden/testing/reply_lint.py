"""Looks through a reply as a warden does at its construction, for the test suite of a site."""

from formwarden.forms import GuardedForm
from formwarden.mail.autoreply import AutoReply
from formwarden.settings import Settings
from formwarden.warden import Warden


def reply_leaks(reply: AutoReply, *, settings: Settings | None = None) -> tuple[str, ...]:
    """Say what a reply would carry that is not the site's; none: it may leave.

    It is written in every language for a visitor who types links, header lines and 10 kB into every field.
    """
    return Warden(GuardedForm("reply"), settings=settings).lint.leaks(reply)
