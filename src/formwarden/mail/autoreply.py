"""The auto-reply of a form: its text is fixed here, and checked here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from types import MappingProxyType
from typing import Final

from formwarden.errors import TemplateError
from formwarden.mail.canaries import CANARIES, PLAIN, leaked
from formwarden.mail.letter import is_japanese, letter
from formwarden.mail.wording import GREETINGS, HONORIFIC, MINIMAL, SUBJECTS, TEXTS

SLOTS: Final = frozenset({"reference", "site", "received"})
NAME_SLOT: Final = "name"
REPLY_LIMIT: Final = 4_096  # octets of the whole mail: "a few kilobytes" (RFC 3834 section 2, R17)
HEADERS_RESERVE: Final = 1_000  # octets for the headers but the subject, and for what the slots add
SUBJECT_LIMIT: Final = 150  # characters
SAMPLE: Final[Mapping[str, str]] = {"reference": "FW-1", "site": "site", "received": "today"}
"""What stands in our slots while a text is checked without a site."""

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ENCODED_WORD: Final = "=?"  # some mail libraries turn one into a header line (CVE-2024-6923)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # RFC 5646, as it goes into Content-Language
_SLOT: Final = r"\$(?:name(?![_A-Za-z0-9])|\{name\})"
_NAMED: Final = re.compile(rf"(?<!\$)(?:\$\$)*{_SLOT}", re.IGNORECASE)
# With what stands beside it a name would be another word or a link; a dot that ends a sentence does not.
_GLUED: Final = re.compile(rf"[A-Za-z0-9_@./:\\#?&=%+~-]{_SLOT}|{_SLOT}(?:[A-Za-z0-9_@/\\#?&=%+~-]|[.:]\S)")
_SECOND_HONORIFIC: Final = re.compile(rf"{_SLOT}[ \u3000]*(?:様|さま|さん|殿)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReply:
    """What is sent to the submitter; its slots are `$reference`, `$site` and `$received`, and `$name` if asked for.

    `subject` and `text` are given by language (`en`, `ja`), or as one text for every language; None takes the
    built-in receipt. `name=True` lets `$name` stand in a text, never in a subject: the visitor's name, in Japanese
    with its 様, if nobody can take it for more than a name; else お客様, or nothing. Where a name was dropped because
    it could be more, `minimal` is sent: by default the built-in one in place of the built-in text, and your own text
    without the name. Nothing else a visitor typed has a slot. Raises TemplateError at construction: for an unknown
    slot, for control characters, for a text that would make the mail longer than 4 KB, and for whatever would let
    through what a visitor could type.
    """

    subject: str | Mapping[str, str] | None = None
    text: str | Mapping[str, str] | None = None
    minimal: str | Mapping[str, str] | None = None
    name: bool = False

    def __post_init__(self) -> None:
        for name in ("subject", "text", "minimal"):
            given = getattr(self, name)
            if isinstance(given, Mapping):  # a copy nobody can change behind the check
                object.__setattr__(self, name, MappingProxyType(dict(given)))
        for language in self.languages:
            subject = self.subject_for(language)
            _check_language(language)
            _check("subject", subject, SLOTS)
            _check_subject(subject)
            for what, text in (("text", self.text_for(language)), ("minimal", self.minimal_for(language))):
                _check(what, text, SLOTS | {NAME_SLOT} if self.name else SLOTS)
                _check_name(what, text)
                _check_size(subject, text)
            _check_canaries(self, language)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that has words of its own."""
        given = (_languages(each) for each in (self.subject, self.text, self.minimal))
        return tuple(sorted({*TEXTS}.union(*given)))

    def subject_for(self, language: str) -> str:
        """Return the subject's template in this language."""
        return _choose(self.subject, SUBJECTS, language)

    def text_for(self, language: str) -> str:
        """Return the text's template in this language."""
        return _choose(self.text, _greeted() if self.name else TEXTS, language)

    def minimal_for(self, language: str) -> str:
        """Return the template that is sent where a name was dropped (row 12)."""
        if isinstance(self.minimal, str) or language in (self.minimal or ()):
            return _choose(self.minimal, MINIMAL, language)
        own = isinstance(self.text, str) or self._own(language)
        return self.text_for(language) if own else _choose(self.minimal, MINIMAL, language)

    def slots(self, language: str) -> int:
        """Count how often a name would stand in the text."""
        return len(_NAMED.findall(self.text_for(language)))

    def language_for(self, language: str) -> str | None:
        """Return the language the text really has: `en` where this one is missing; None: one text for all."""
        if isinstance(self.text, str):
            return None
        return language if language in {*TEXTS, *_languages(self.text)} else "en"

    def _own(self, language: str) -> bool:
        return (language if language in {*TEXTS, *_languages(self.text)} else "en") in _languages(self.text)


def _greeted() -> Mapping[str, str]:
    return {language: GREETINGS[language] + text for language, text in TEXTS.items()}


def _choose(given: str | Mapping[str, str] | None, built_in: Mapping[str, str], language: str) -> str:
    if isinstance(given, str):
        return given
    texts = {**built_in, **(given or {})}
    return texts.get(language, texts["en"])


def _languages(given: str | Mapping[str, str] | None) -> tuple[str, ...]:
    return tuple(given) if isinstance(given, Mapping) else ()


def _check_language(language: str) -> None:
    if not _LANGUAGE.fullmatch(language):
        raise TemplateError(f"reply: {language!r} is no language; write `en`, `ja`, `de` or `pt-BR`")


def _check(what: str, text: str, slots: frozenset[str]) -> None:
    template = Template(text)
    if not template.is_valid():
        raise TemplateError(f"reply {what}: a lone `$`; write `$$` for a dollar sign")
    unknown = sorted(set(template.get_identifiers()) - slots)
    if unknown:
        raise TemplateError(f"reply {what}: no slot ${unknown[0]}; {_remedy(what, unknown[0], slots)}")
    if _CONTROLS.search(text):
        raise TemplateError(f"reply {what}: control characters")


def _remedy(what: str, slot: str, slots: frozenset[str]) -> str:
    if slot == NAME_SLOT:
        return (
            "no header carries what a visitor typed"
            if what == "subject"
            else "it is off by default; AutoReply(name=True) switches it on, for plain names only"
        )
    known = ", ".join(f"${each}" for each in sorted(slots))
    return f"a reply may carry {known}, never what a visitor typed"


def _check_name(what: str, text: str) -> None:
    glued = _GLUED.search(text)
    if glued:
        raise TemplateError(f"reply {what}: `{glued.group()}` makes a link or a word of a name; blanks around $name")
    second = _SECOND_HONORIFIC.search(text)
    if second and is_japanese(text):
        raise TemplateError(f"reply {what}: `{second.group()}`: $name brings its{HONORIFIC} itself; leave yours out")


def _check_subject(subject: str) -> None:
    if not subject.strip() or "\n" in subject or "\t" in subject:
        raise TemplateError("reply subject: one line, not empty")
    if _ENCODED_WORD in subject:
        raise TemplateError("reply subject: write it in plain characters, `=?` is not allowed")
    if len(subject) > SUBJECT_LIMIT:
        raise TemplateError(f"reply subject: {len(subject)} characters, at most {SUBJECT_LIMIT}")


def _check_size(subject: str, text: str) -> None:
    allowed = REPLY_LIMIT - HEADERS_RESERVE
    octets = encoded_size(subject) + encoded_size(text)
    if octets > allowed:
        raise TemplateError(f"reply: subject and text are {octets} octets once encoded, at most {allowed}")


def _check_canaries(auto: AutoReply, language: str) -> None:
    """Fill in what a hostile visitor would, and look for it."""
    for what, canary in {**CANARIES, "a name": PLAIN}.items():
        said = letter(auto, language, SAMPLE, person=canary)
        for place in leaked({"subject": said.subject}, said.text, canary, slots=auto.slots(language)):
            raise TemplateError(f"reply {place} ({language}): {what} that a visitor typed would stand there")


def encoded_size(text: str) -> int:
    """Return about how many octets a text takes in a mail: as it is if ASCII, else in base64 with line ends."""
    octets = len(text.encode())
    if text.isascii():
        return octets + 2 * text.count("\n") + octets // 60 * 3  # soft line breaks of quoted-printable
    return (octets + 2) // 3 * 4 + octets // 45 * 12  # an encoded word of a subject costs twelve more
