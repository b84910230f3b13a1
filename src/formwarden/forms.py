"""Guarded forms: what a site says of each of its forms, once, at construction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, get_args

from formwarden.challenge import OnQuarantine
from formwarden.facts import Roles
from formwarden.mail.autoreply import AutoReply
from formwarden.scoring import Thresholds, Verdict
from formwarden.site import Mode
from formwarden.submission import OWN_FIELDS, Answer, Fields

# RFC 9110 section 9.2.1: whoever reads is never judged
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """Limits of one form; None: as in the settings."""

    body: int | None = None  # bytes
    replies_per_hour: int | None = None
    replies_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPage:
    """What a site's own ask page is given: it must post `hidden` and `markup` back to the same URL.

    Files that are kept need not be sent again; one that the visitor chooses on this page takes their place. What
    renders the page is no coroutine, and where it fails our own page is shown.
    """

    form: str
    reason: str  # one sentence in the visitor's language
    shown: Fields  # what may be displayed for reading; empty where nothing may (G32)
    hidden: Fields  # what was typed, to be posted again
    files: tuple[str, ...]  # names of the files that are kept; empty where nothing may be displayed (G32)
    markup: str  # marker, traps and a fresh token, as HTML
    language: str
    suggestion: str | None = None  # the address that was probably meant; None: nothing to suggest


Ask = Callable[[AskPage], Answer]
Accept = Callable[[Verdict], Awaitable[None]]


@dataclass(frozen=True, slots=True, init=False)
class GuardedForm:
    """One form. `path` may be several; `accept` is what release runs where the app cannot be asked again.

    Raises ValueError for a name, path, field or method that cannot work.
    """

    name: str
    path: tuple[str, ...]
    address: str
    person: str
    message: tuple[str, ...]
    thanks: str
    thanks_json: str | None
    reply: AutoReply | None
    methods: frozenset[str]
    mode: Mode | None
    cacheable: bool
    ask: Ask | None
    accept: Accept | None
    thresholds: Thresholds | None
    on_quarantine: OnQuarantine | None
    limits: FormLimits = field(default_factory=FormLimits)

    def __init__(
        self,
        name: str,
        path: str | tuple[str, ...] = (),
        *,
        address: str = "email",
        person: str = "name",
        message: str | tuple[str, ...] = ("message",),
        thanks: str = "/thanks",
        thanks_json: str | None = None,
        reply: AutoReply | None = None,
        methods: str | tuple[str, ...] = ("POST",),
        mode: Mode | None = None,
        cacheable: bool = False,
        ask: Ask | None = None,
        accept: Accept | None = None,
        thresholds: Thresholds | None = None,
        on_quarantine: OnQuarantine | None = None,
        limits: FormLimits | None = None,
    ) -> None:
        if not name or not name.isprintable():
            raise ValueError("GuardedForm: a name is needed, such as 'contact'")
        paths = (path,) if isinstance(path, str) else path
        for each in (*paths, thanks):
            if not each.startswith("/"):
                raise ValueError(f"GuardedForm {name!r}: path {each!r} must start with '/'")
        messages = (message,) if isinstance(message, str) else message
        for each in (address, person, *messages):
            if each in OWN_FIELDS:
                raise ValueError(f"GuardedForm {name!r}: the field name {each!r} is ours")
        sending = frozenset(each.upper() for each in ((methods,) if isinstance(methods, str) else methods))
        if not sending or sending & SAFE:
            wrong = ", ".join(sorted(sending & SAFE)) or "none at all"
            raise ValueError(f"GuardedForm {name!r}: methods send the form, as POST, PUT and PATCH do; not {wrong}")
        if on_quarantine not in {None, *get_args(OnQuarantine)}:
            known = " or ".join(map(repr, get_args(OnQuarantine)))
            raise ValueError(f"GuardedForm {name!r}: on_quarantine is {known}; not {on_quarantine!r}")
        values: dict[str, object] = {
            "name": name,
            "path": paths,
            "address": address,
            "person": person,
            "message": messages,
            "thanks": thanks,
            "thanks_json": thanks_json,
            "reply": reply,
            "methods": sending,
            "mode": mode,
            "cacheable": cacheable,
            "ask": ask,
            "accept": accept,
            "thresholds": thresholds,
            "on_quarantine": on_quarantine,
            "limits": limits or FormLimits(),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    def roles(self, site_domain: str | None) -> Roles:
        """Return what the fields mean, for signals."""
        return Roles(address=self.address, person=self.person, message=self.message, site_domain=site_domain)


def by_name(forms: tuple[GuardedForm, ...]) -> dict[str, GuardedForm]:
    """Return the forms of one warden by name. Raises ValueError where two have one name or one path."""
    named = {form.name: form for form in forms}
    paths = [path for form in forms for path in form.path]
    if len(named) != len(forms) or len(set(paths)) != len(paths):
        raise ValueError("Warden: two forms have one name or one path")
    return named
