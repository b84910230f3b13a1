"""Guarded forms: what a site says of each of its forms, once, at construction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from formwarden.facts import Roles
from formwarden.mail.autoreply import AutoReply
from formwarden.scoring import Thresholds, Verdict
from formwarden.site import Mode
from formwarden.submission import OWN_FIELDS, Answer, Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """Limits of one form; None: as in the settings."""

    body: int | None = None  # bytes
    replies_per_hour: int | None = None
    replies_per_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPage:
    """What a site's own ask page is given: it must post `hidden` and `markup` back to the same URL."""

    form: str
    reason: str  # one sentence in the visitor's language
    shown: Fields  # what may be displayed for reading; empty where nothing may (G32)
    hidden: Fields  # what was typed, to be posted again
    files: tuple[str, ...]  # names of the files that are kept
    markup: str  # marker, traps and a fresh token, as HTML
    language: str


Ask = Callable[[AskPage], Answer]
Accept = Callable[[Verdict], Awaitable[None]]


@dataclass(frozen=True, slots=True, init=False)
class GuardedForm:
    """One form. `path` may be several; `accept` is what release runs where the app cannot be asked again.

    Raises ValueError for a name, path or field that cannot work.
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
        methods: tuple[str, ...] = ("POST",),
        mode: Mode | None = None,
        cacheable: bool = False,
        ask: Ask | None = None,
        accept: Accept | None = None,
        thresholds: Thresholds | None = None,
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
        values: dict[str, object] = {
            "name": name,
            "path": paths,
            "address": address,
            "person": person,
            "message": messages,
            "thanks": thanks,
            "thanks_json": thanks_json,
            "reply": reply,
            "methods": frozenset(method.upper() for method in methods),
            "mode": mode,
            "cacheable": cacheable,
            "ask": ask,
            "accept": accept,
            "thresholds": thresholds,
            "limits": limits or FormLimits(),
        }
        for attribute, value in values.items():
            object.__setattr__(self, attribute, value)

    def roles(self, site_domain: str | None) -> Roles:
        """Return what the fields mean, for signals."""
        return Roles(address=self.address, person=self.person, message=self.message, site_domain=site_domain)
