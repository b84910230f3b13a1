"""The form of a page, as a program reads it that sees no style sheet."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urljoin

from formwarden.testing.personas.html_tree import Element, parse

TICKED: Final = frozenset({"checkbox", "radio"})
NEVER_SENT: Final = frozenset({"submit", "button", "image", "reset", "file"})
NOT_TYPED: Final = frozenset({"hidden", "select", *TICKED, *NEVER_SENT})
CONTROLS: Final = frozenset({"input", "textarea", "select"})
RECEIPT: Final = "receipt"  # the class of our pages, and the member of our JSON


class Role(StrEnum):
    """What a field asks for."""

    ADDRESS = "address"
    PERSON = "person"
    MESSAGE = "message"
    NONE = "none"


# By name or label, in the order in which one would decide.
_WORDS: Final[Mapping[Role, re.Pattern[str]]] = {
    Role.ADDRESS: re.compile(r"e-?mail|mail address|メール", re.IGNORECASE),
    Role.MESSAGE: re.compile(r"message|comment|inquir|enquir|question|内容|本文|メッセージ|質問", re.IGNORECASE),
    Role.PERSON: re.compile(r"\bname\b|^(your|full|first|last)[_-]?name$|名前|氏名", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form, as it stands in the HTML."""

    name: str
    kind: str = "text"  # the type of an input, or textarea, or select
    value: str = ""
    label: str = ""
    autocomplete: str = ""
    required: bool = False
    ticked: bool = False
    off: bool = False  # an attribute says that nobody is to see it: aria-hidden, hidden, tabindex -1
    options: tuple[str, ...] = ()
    data: Mapping[str, str] = field(default_factory=dict[str, str])  # its `data-` attributes, by what follows

    @property
    def is_typed(self) -> bool:
        """Tell whether text is typed into it."""
        return self.kind not in NOT_TYPED

    @property
    def role(self) -> Role:
        """Tell what it asks for: by type, autocomplete, name or label."""
        if not self.is_typed or self.off:
            return Role.NONE
        if self.kind == "email" or self.autocomplete == "email":
            return Role.ADDRESS
        if self.autocomplete == "name":
            return Role.PERSON
        if self.kind == "textarea":
            return Role.MESSAGE
        said = (self.name, self.label)
        return next((role for role, word in _WORDS.items() if any(map(word.search, said))), Role.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a page: where it goes and what stands in it."""

    url: str  # absolute
    method: str
    fields: tuple[Field, ...]

    def first(self, role: Role) -> Field | None:
        """Return the first field that asks for this."""
        return next((each for each in self.fields if each.role is role), None)

    def field(self, name: str) -> Field | None:
        """Return the first field of a name."""
        return next((each for each in self.fields if each.name == name), None)

    def untouched(self) -> tuple[tuple[str, str], ...]:
        """Return what a browser sends if nobody touches anything."""
        return tuple(
            (each.name, each.value)
            for each in self.fields
            if each.name and each.kind not in NEVER_SENT and (each.kind not in TICKED or each.ticked)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that personas read of a page."""

    url: str
    forms: tuple[Form, ...] = ()
    receipt: str | None = None
    text: str = ""  # all that can be read, and what cannot

    @property
    def form(self) -> Form | None:
        """Return the form that a visitor would write into: it posts, and asks for a message, else for an address."""
        posting = [form for form in self.forms if form.method == "post"]
        wanted = ([form for form in posting if form.first(role)] for role in (Role.MESSAGE, Role.ADDRESS))
        return next((found[0] for found in wanted if found), None)

    def form_with(self, name: str) -> Form | None:
        """Return the form that posts a field of this name, hidden or not: the one that came again."""
        return next((form for form in self.forms if form.method == "post" and form.field(name)), None)


def read_page(html: str, url: str) -> Page:
    """Read a page that came from an address."""
    root = parse(html)
    receipts = (each.text().split() for each in root.walk() if RECEIPT in each.get("class").split())
    return Page(
        url=url,
        forms=tuple(_form(each, root, url) for each in root.walk() if each.tag == "form"),
        receipt=next((words[-1] for words in receipts if words), None),
        text=root.text(),
    )


def _form(form: Element, root: Element, url: str) -> Form:
    labels = dict(_labels(root))
    fields = tuple(
        _field(each, off=off, around=label, labels=labels)
        for each, off, label in _controls(form, off=False, label="")
    )
    return Form(
        url=urljoin(url, form.get("action") or url),
        method=form.get("method").lower() or "get",
        fields=tuple(each for each in fields if each.name),
    )


def _labels(root: Element) -> Iterator[tuple[str, str]]:
    """Give the text of every label by the id of what it labels."""
    return ((each.get("for"), _said(each)) for each in root.walk() if each.tag == "label" and each.has("for"))


def _controls(element: Element, *, off: bool, label: str) -> Iterator[tuple[Element, bool, str]]:
    """Give every control with whether it is hidden by attributes, and with the label around it."""
    off = off or element.get("aria-hidden") == "true" or element.has("hidden") or element.get("tabindex") == "-1"
    label = _said(element) if element.tag == "label" else label
    if element.tag in CONTROLS:
        yield element, off, label
        return
    for each in element.inside:
        if isinstance(each, Element):
            yield from _controls(each, off=off, label=label)


def _field(control: Element, *, off: bool, around: str, labels: Mapping[str, str]) -> Field:
    kind = control.tag if control.tag != "input" else control.get("type").lower() or "text"
    options = [each for each in control.walk() if each.tag == "option"]
    chosen = next((each for each in options if each.has("selected")), options[0] if options else None)
    value = control.get("value")
    if kind == "textarea":
        value = control.text().removeprefix("\n")  # HTML: the first line end after the tag is none of its text
    elif chosen is not None:
        value = _option(chosen)
    elif kind in TICKED and not control.has("value"):
        value = "on"
    return Field(
        name=control.get("name"),
        kind=kind,
        value=value,
        label=labels.get(control.get("id")) or around or control.get("aria-label") or control.get("placeholder"),
        autocomplete=control.get("autocomplete").lower(),
        required=control.has("required"),
        ticked=control.has("checked"),
        off=off,
        options=tuple(map(_option, options)),
        data={key.removeprefix("data-"): text for key, text in control.attributes.items() if key.startswith("data-")},
    )


def _option(option: Element) -> str:
    return option.get("value") if option.has("value") else option.text().strip()


def _said(label: Element) -> str:
    return " ".join(label.text(without=CONTROLS).split())
