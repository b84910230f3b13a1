"""The browser set: bots and people who come with a real Chromium."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import CDPSession, Locator

from formwarden.testing.browsers.chromium import Chromium
from formwarden.testing.browsers.hands import (
    ADDRESSES,
    BUTTONS,
    GLANCE_S,
    NAMES,
    READ_S,
    NoFormError,
    Typed,
    Visit,
)
from formwarden.testing.personas.scene import Client, Persona, Scene, Sent

ANNOUNCED_S: Final = 0.06  # a letter, as a screen reader speaks it
TEXTS: Final = "textarea"
ADDRESS_WORDS: Final = re.compile(r"mail|メール", re.IGNORECASE)
NAME_WORDS: Final = re.compile(r"name|名", re.IGNORECASE)
IS_NAME: Final = re.compile(r"^INPUT text (?!.*(?:mail|phone|website|url))", re.IGNORECASE)
IS_ADDRESS: Final = re.compile(r"^INPUT email", re.IGNORECASE)
IS_TEXT: Final = re.compile(r"^TEXTAREA", re.IGNORECASE)
IS_BUTTON: Final = re.compile(r"^(?:BUTTON|INPUT submit)", re.IGNORECASE)
Act = Callable[[Visit], Sequence[Sent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One of the set. `hidden`: automation flags off, an ordinary User-Agent; `seconds`: about what a visit takes."""

    name: str
    person: bool
    hidden: bool
    says: str
    seconds: float
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where browsers go. `forwarded`: this machine says, as a proxy does, which network each visitor comes from."""

    url: str
    moved: bool = False
    forwarded: bool = False
    pace: Callable[[], None] = lambda: None


def browser_personas(driven: Chromium, setting: Setting) -> tuple[Persona, ...]:
    """Return the set, to be used in the thread that started the browser; the client they are given stays unused."""
    return tuple(_persona(kind, driven, setting) for kind in KINDS)


def _persona(kind: Kind, driven: Chromium, setting: Setting) -> Persona:
    def act(_client: Client, scene: Scene) -> Sequence[Sent]:
        headers: Mapping[str, str] = {"x-forwarded-for": scene.draw.network()} if setting.forwarded else {}
        visitor = scene.draw.visitor()
        typed = Typed(name=visitor.name, address=visitor.address, text=visitor.message)
        with driven.window(hidden=kind.hidden, headers=headers) as window:
            page = window.new_page()
            if setting.moved:
                page.clock.install()
            visit = Visit(page=page, scene=scene, typed=typed, moved=setting.moved, pace=setting.pace)
            visit.open(setting.url)
            return kind.act(visit)

    return Persona(name=kind.name, person=kind.person, says=kind.says, act=act)


def plain_headless(visit: Visit) -> Sequence[Sent]:
    """Put the values in and press the button, as a driving program does that nobody has disguised."""
    for selector, text in _wanted(visit):
        visit.field(selector).fill(text)
    return visit.send(visit.field(BUTTONS).click)


def typing(visit: Visit) -> Sequence[Sent]:
    """Click into each field, type, and press the button."""
    visit.wait(READ_S)
    for selector, text in _wanted(visit):
        visit.field(selector).click()
        visit.type(text)
    visit.wait(GLANCE_S)
    return visit.send(visit.field(BUTTONS).click)


def autofilling(visit: Visit) -> Sequence[Sent]:
    """Let the browser itself fill in name and address, type the text, and press the button."""
    visit.wait(READ_S)
    visit.field(NAMES).click()
    _autofill(visit)
    visit.wait(GLANCE_S)
    visit.field(TEXTS).click()
    visit.type(visit.typed.text)
    visit.wait(GLANCE_S)
    return visit.send(visit.field(BUTTONS).click)


def keyboard_only(visit: Visit) -> Sequence[Sent]:
    """Go from field to field with the tab key, and press Enter on the button."""
    visit.wait(READ_S)
    for wanted, text in ((IS_NAME, visit.typed.name), (IS_ADDRESS, visit.typed.address), (IS_TEXT, visit.typed.text)):
        if not visit.tab_to(wanted):
            raise NoFormError("the tab key leads to no such field")
        visit.type(text)
    if not visit.tab_to(IS_BUTTON):
        raise NoFormError("the tab key leads to no button")
    visit.wait(GLANCE_S)
    return visit.send(lambda: visit.page.keyboard.press("Enter"))


def reading_aloud(visit: Visit) -> Sequence[Sent]:
    """Go through every field that the accessibility tree announces, hear its name, and write into it if meant."""
    form = visit.form()
    if form is None:
        raise NoFormError("the form has gone")
    visit.wait(len(visit.page.title()) * ANNOUNCED_S)
    for box in form.get_by_role("textbox").all():
        box.focus()  # as assistive technology does: no pointer, no key
        name = _announced(box)
        visit.wait(max(GLANCE_S, len(name) * ANNOUNCED_S))
        visit.type(_answer(visit, box, name))
    button = form.get_by_role("button").first
    button.focus()
    visit.wait(GLANCE_S)
    return visit.send(lambda: button.press("Enter"))


def _wanted(visit: Visit) -> tuple[tuple[str, str], ...]:
    typed = visit.typed
    return ((NAMES, typed.name), (ADDRESSES, typed.address), (TEXTS, typed.text))


def _announced(box: Locator) -> str:
    """Return the name that a screen reader says: the first line of the tree's own words."""
    return box.aria_snapshot().partition("\n")[0]


def _answer(visit: Visit, box: Locator, name: str) -> str:
    """Choose what a listener would write there; nothing, where nothing of his is asked for."""
    if box.evaluate("e => e.tagName") == "TEXTAREA":
        return visit.typed.text
    if box.get_attribute("type") == "email" or ADDRESS_WORDS.search(name):
        return visit.typed.address
    return visit.typed.name if NAME_WORDS.search(name) else ""


def _autofill(visit: Visit) -> None:
    """Let Chromium's own autofill fill the form from an address that we give it, as when one is chosen."""
    session: CDPSession = visit.page.context.new_cdp_session(visit.page)
    session.send("Autofill.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": NAMES})["nodeId"]
    field = session.send("DOM.describeNode", {"nodeId": node})["node"]["backendNodeId"]
    fields = [
        {"name": "NAME_FULL", "value": visit.typed.name},
        {"name": "EMAIL_ADDRESS", "value": visit.typed.address},
    ]
    session.send("Autofill.trigger", {"fieldId": field, "address": {"fields": fields}})
    session.detach()


KINDS: Final = (
    Kind(
        name="plain-headless",
        person=False,
        hidden=False,
        says="A headless Chromium as it comes fills in the form at once.",
        seconds=6,
        act=plain_headless,
    ),
    Kind(
        name="disguised-browser",
        person=False,
        hidden=True,
        says="A headless Chromium with its flags hidden types as a person does.",
        seconds=40,
        act=typing,
    ),
    Kind(name="browser-typist", person=True, hidden=True, says="Somebody types.", seconds=40, act=typing),
    Kind(
        name="browser-autofill",
        person=True,
        hidden=True,
        says="Chromium's own autofill fills in name and address; the text is typed.",
        seconds=30,
        act=autofilling,
    ),
    Kind(
        name="browser-keyboard",
        person=True,
        hidden=True,
        says="Somebody without a pointer goes from field to field with the tab key.",
        seconds=40,
        act=keyboard_only,
    ),
    Kind(
        name="browser-screen-reader",
        person=True,
        hidden=True,
        says="Somebody goes through the fields that a screen reader announces.",
        seconds=45,
        act=reading_aloud,
    ),
)
