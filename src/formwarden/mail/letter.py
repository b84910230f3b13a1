"""One reply as text: the owner's words with our slots filled, and at most a name of the visitor's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING, Final

from formwarden.mail.names import plain_name
from formwarden.mail.wording import HONORIFIC, NOBODY, STOP

if TYPE_CHECKING:
    from formwarden.mail.autoreply import AutoReply

_KANA: Final = re.compile("[\u3041-\u30ff]")
_NO_NAME: Final = "\0"  # stands in no text: the blank before it goes with it
_GAP: Final = re.compile(rf"[ \u3000]*{_NO_NAME}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a reply says. `stripped`: a name was dropped that could have been more than one (REFLECT_STRIPPED)."""

    subject: str
    text: str
    language: str | None  # of the text; None: one text for all languages
    name: str | None = None  # as it stands in the text
    stripped: bool = False


def letter(
    auto: "AutoReply", language: str, slots: Mapping[str, str], *, person: str = "", stop: str | None = None
) -> Letter:
    """Fill in a reply. `person` is what was typed as a name; `stop` is the link to stop such mails."""
    spoken = auto.language_for(language)
    typed = person.strip() if auto.slots(language) else ""
    name = plain_name(typed)
    stripped = bool(typed) and name is None
    words = auto.minimal_for(language) if stripped else auto.text_for(language)
    japanese = is_japanese(words)
    text = _GAP.sub("", Template(words).substitute({**slots, "name": _named(name, japanese=japanese)}))
    if stop is not None:
        last = STOP.get("ja" if japanese else spoken or "", STOP[""])
        text = f"{text.rstrip()}\n\n{Template(last).substitute(stop=stop)}\n"
    return Letter(
        subject=Template(auto.subject_for(language)).substitute(slots),
        text=text,
        language=spoken,
        name=name,
        stripped=stripped,
    )


def is_japanese(text: str) -> bool:
    """Tell by its letters: one text for all languages does not say which it is in."""
    return _KANA.search(text) is not None


def _named(name: str | None, *, japanese: bool) -> str:
    if japanese:
        return NOBODY if name is None else name + HONORIFIC
    return _NO_NAME if name is None else name
