"""Traps: fields that no person sees, under plausible names that change by key, form and week."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from formwarden.forms import GuardedForm
from formwarden.submission import OWN_FIELDS
from formwarden.tokens import Tokens

PAGES: Final = 64  # remembered: forms, weeks and keys that pages still come back from
WEEK_S: Final = 604_800.0  # a name that bots learned is worth nothing a week later

# Words that neither browsers nor password managers fill in (a test compares them with what those look for), in
# pairs that a form would hardly have: a site's own field of the same name would be taken for the trap.
TEXT_FIRST: Final = (
    "agenda", "booth", "catalog", "chapter", "event", "exhibit", "gallery", "lecture", "material", "meeting",
    "mosaic", "plaque", "project", "quote", "seminar", "series", "session", "sketch", "survey", "workshop",
)  # fmt: skip
TEXT_SECOND: Final = (
    "angle", "aspect", "horizon", "detail", "draft", "emphasis", "focus", "format", "pattern", "motive",
    "nuance", "purpose", "remark", "scope", "season", "summary", "theme", "topic", "variant", "volume",
)  # fmt: skip
BOX_FIRST: Final = (
    "annual", "autumn", "bound", "glossy", "folded", "illustrated", "biannual", "printed",
    "quarterly", "seasonal", "spring", "summer", "weekly", "winter",
)  # fmt: skip
BOX_SECOND: Final = (
    "almanac", "booklet", "briefing", "brochure", "bulletin", "calendar", "chronicle", "digest",
    "excerpt", "gazette", "leaflet", "preview", "roundup", "teaser",
)  # fmt: skip


class TrapKind(StrEnum):
    """What kind of field a trap is: bots that leave one alone fall for the other."""

    TEXT = "text"
    CHECKBOX = "checkbox"


NAMES: Final[Mapping[TrapKind, tuple[str, ...]]] = {
    TrapKind.TEXT: tuple(f"{first}_{second}" for first in TEXT_FIRST for second in TEXT_SECOND),
    TrapKind.CHECKBOX: tuple(f"{first}_{second}" for first in BOX_FIRST for second in BOX_SECOND),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """One trap of a page."""

    name: str
    kind: TrapKind


class Traps:
    """Names the traps of a page, and names them again when the page comes back."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._known: dict[tuple[object, ...], tuple[Trap, ...]] = {}

    def epoch(self, now: float) -> int:
        """Return the number of the week; the marker carries it."""
        return int(now // WEEK_S)

    def of(self, form: GuardedForm, *, epoch: int, key_id: str | None = None) -> tuple[Trap, ...]:
        """Return the traps of a form in a week, under the newest key unless one is named; KeyError if it is gone."""
        page = (form.name, form.address, form.person, form.message, epoch, key_id)
        traps = self._known.get(page)
        if traps is None:
            if len(self._known) >= PAGES:
                self._known.clear()
            traps = self._known[page] = self._named(form, epoch, key_id)
        return traps

    def _named(self, form: GuardedForm, epoch: int, key_id: str | None) -> tuple[Trap, ...]:
        key = self._tokens.derive("traps", key_id)
        used = {_plain(name) for name in (form.address, form.person, *form.message, *OWN_FIELDS)}
        return tuple(
            Trap(name=_first_free(_rotated(names, key, f"{kind}\0{epoch}\0{form.name}"), used), kind=kind)
            for kind, names in NAMES.items()
        )


def _rotated(names: Sequence[str], key: bytes, subject: str) -> Sequence[str]:
    """Return all names, from a place on that only the key knows."""
    digest = hashlib.blake2b(subject.encode(), key=key, digest_size=8).digest()
    start = int.from_bytes(digest, "big") % len(names)
    return (*names[start:], *names[:start])


def _first_free(names: Sequence[str], used: set[str]) -> str:
    """Take the first name that the form does not use, however it is spelled."""
    return next(name for name in names if _plain(name) not in used)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
