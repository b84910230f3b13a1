"""The auto-reply of a form: its text is fixed here, and checked here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from string import Template
from types import MappingProxyType
from typing import Final

from formwarden.errors import TemplateError

SLOTS: Final = frozenset({"reference", "site", "received"})
REPLY_LIMIT: Final = 4_096  # octets of the whole mail: "a few kilobytes" (RFC 3834 section 2, R17)
HEADERS_RESERVE: Final = 1_000  # octets for the headers but the subject, and for what the slots add
SUBJECT_LIMIT: Final = 150  # characters
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ENCODED_WORD: Final = "=?"  # some mail libraries turn one into a header line (CVE-2024-6923)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # RFC 5646, as it goes into Content-Language

SUBJECTS: Final[Mapping[str, str]] = {
    "en": "Auto: we received your inquiry [$reference] - $site",
    "ja": "【$site】お問い合わせを受け付けました（自動返信・受付番号 $reference）",
}
TEXTS: Final[Mapping[str, str]] = {
    "en": (
        "Your inquiry has reached $site.\n"
        "\n"
        "Reference: $reference\n"
        "Received:  $received\n"
        "\n"
        "We will answer it personally. This is an automatic message, so please do not reply to it.\n"
        "\n"
        "If you did not write to us, somebody typed your address into our form; you can ignore this mail.\n"
    ),
    "ja": (
        "$site へのお問い合わせを受け付けました。\n"
        "\n"
        "受付番号：$reference\n"
        "受付日時：$received\n"
        "\n"
        "担当者より改めてご連絡いたします。このメールは自動送信です。ご返信いただいてもお答えできません。\n"
        "\n"
        "お心当たりのない場合は、どなたかがあなたのアドレスを入力したものと思われます。このメールは破棄してください。\n"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReply:
    """What is sent to the submitter; the only slots are `$reference`, `$site` and `$received`.

    `subject` and `text` are given by language (`en`, `ja`), or as one text for every language; None takes the
    built-in receipt. Nothing a visitor typed has a slot. Raises TemplateError at construction: for an unknown
    slot, for control characters, and for a text that would make the mail longer than 4 KB.
    """

    subject: str | Mapping[str, str] | None = None
    text: str | Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name in ("subject", "text"):
            given = getattr(self, name)
            if isinstance(given, Mapping):  # a copy nobody can change behind the check
                object.__setattr__(self, name, MappingProxyType(dict(given)))
        for language in sorted({*TEXTS, *_languages(self.subject), *_languages(self.text)}):
            subject, text = self.subject_for(language), self.text_for(language)
            _check_language(language)
            _check("subject", subject)
            _check("text", text)
            _check_subject(subject)
            _check_size(subject, text)

    def subject_for(self, language: str) -> str:
        """Return the subject's template in this language."""
        return _choose(self.subject, SUBJECTS, language)

    def text_for(self, language: str) -> str:
        """Return the text's template in this language."""
        return _choose(self.text, TEXTS, language)

    def language_for(self, language: str) -> str | None:
        """Return the language the text really has: `en` where this one is missing; None: one text for all."""
        if isinstance(self.text, str):
            return None
        return language if language in {*TEXTS, *_languages(self.text)} else "en"


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


def _check(what: str, text: str) -> None:
    template = Template(text)
    if not template.is_valid():
        raise TemplateError(f"reply {what}: a lone `$`; write `$$` for a dollar sign")
    unknown = sorted(set(template.get_identifiers()) - SLOTS)
    if unknown:
        raise TemplateError(
            f"reply {what}: no slot ${unknown[0]}; a reply may carry "
            f"{', '.join(f'${slot}' for slot in sorted(SLOTS))}, never what a visitor typed"
        )
    if _CONTROLS.search(text):
        raise TemplateError(f"reply {what}: control characters")


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


def encoded_size(text: str) -> int:
    """Return about how many octets a text takes in a mail: as it is if ASCII, else in base64 with line ends."""
    octets = len(text.encode())
    if text.isascii():
        return octets + 2 * text.count("\n") + octets // 60 * 3  # soft line breaks of quoted-printable
    return (octets + 2) // 3 * 4 + octets // 45 * 12  # an encoded word of a subject costs twelve more
