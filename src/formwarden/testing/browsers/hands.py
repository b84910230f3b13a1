"""One visit by a browser: what hands, eyes and a password manager do with a form."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from playwright.sync_api import Locator, Page, Response

from formwarden.testing.personas.scene import Scene, Seen, Sent

FORMS: Final = ("form:has(textarea)", "form:has(input[type=email])", "form[method=post i]")
NAMES: Final = "input[autocomplete=name], input[name=name], input[type=text]:not([tabindex='-1'])"
ADDRESSES: Final = "input[type=email]:not([tabindex='-1']), input[name*=mail i]:not([tabindex='-1'])"
BUTTONS: Final = "button:not([type=button]), input[type=submit]"
RECEIPT: Final = re.compile(r"FW-[0-9A-Z]{4}-[0-9A-Z]{4}")
RUNS: Final = re.compile(r".{1,24}", re.DOTALL)  # of keys; a moved clock goes on after each, not after each key
TABS: Final = 80  # more presses of the tab key than any page of a form has places
AGAIN: Final = 2  # clicks on pages that ask for another one
KEY_S: Final = 0.09  # the fastest of these people, between two keys: about 130 words a minute
SLOWER_S: Final = 0.12  # at most so much more, each key another time
READ_S: Final = 2.5  # a page is looked at before anything is done on it
GLANCE_S: Final = 1.0
SERVER_ERROR: Final = 500
REFUSED: Final = frozenset({400, 403, 404, 405, 410, 413, 415, 429})
FOCUSED: Final = (
    "() => { const e = document.activeElement; return [e.tagName, e.type || '', e.name || ''].join(' ') }"
)


class NoFormError(LookupError):
    """The page shows no form to write into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a visitor writes."""

    name: str
    address: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page in a window. `moved`: time is let pass by hand, in the page too; `pace`: waits for its turn to ask."""

    page: Page
    scene: Scene
    typed: Typed
    moved: bool
    pace: Callable[[], None]

    def open(self, url: str) -> None:
        """Go to the form and look at it. Raises NoFormError."""
        self.pace()
        self.page.goto(url)
        if self.form() is None:
            raise NoFormError(f"no form stands at {url}")

    def form(self) -> Locator | None:
        """Return the form that is meant to be filled in, if there is one."""
        for selector in FORMS:
            found = self.page.locator(selector)
            if found.count():
                return found.first
        return None

    def field(self, selector: str) -> Locator:
        """Return a field of the form."""
        form = self.form()
        if form is None:
            raise NoFormError("the form has gone")
        return form.locator(selector).first

    def wait(self, seconds: float) -> None:
        """Let time pass, for the page as for the server."""
        self.scene.wait(seconds)
        if self.moved:
            self.page.clock.fast_forward(round(seconds * 1_000))

    def type(self, text: str) -> None:
        """Press one key after another, each after another time."""
        for run in RUNS.findall(text):
            if self.moved:
                self.page.keyboard.type(run)
                self.wait(sum(_between(run, place, self.typed.address) for place in range(len(run))))
                continue
            for place, letter in enumerate(run):
                self.page.keyboard.type(letter)
                self.wait(_between(run, place, self.typed.address))

    def tab_to(self, wanted: re.Pattern[str]) -> bool:
        """Press the tab key until something of that kind has the focus; False: nothing has."""
        for _ in range(TABS):
            self.page.keyboard.press("Tab")
            if wanted.search(str(self.page.evaluate(FOCUSED))):
                return True
        return False

    def send(self, press: Callable[[], None]) -> list[Sent]:
        """Press what sends, and on every page that asks for another click, press its button."""
        found = [self._sent(press)]
        while found[-1].seen is Seen.ASKED and len(found) <= AGAIN:
            self.wait(READ_S)
            found.append(self._sent(self.field(BUTTONS).click))
        return found

    def _sent(self, press: Callable[[], None]) -> Sent:
        self.pace()
        with self.page.expect_navigation() as navigation:
            press()
        return self.read(navigation.value)

    def read(self, answer: Response | None) -> Sent:
        """Say what the page that answers looks like from outside."""
        status = 0 if answer is None else answer.status
        words = [self.page.locator("body").inner_text(), *self._values()]
        seen = _seen(status, form=self.form() is not None)
        receipt = RECEIPT.search(words[0])
        return Sent(
            status=status,
            seen=seen,
            address=self.typed.address,
            receipt=receipt.group() if receipt else None,
            typed_kept=seen is Seen.THANKED or _holds(words, self.typed.text),
        )

    def _values(self) -> Sequence[str]:
        return [
            each.input_value() for each in self.page.locator("textarea, input[type=hidden], input[type=text]").all()
        ]


def _seen(status: int, *, form: bool) -> Seen:
    if status >= SERVER_ERROR or not status:
        return Seen.ERROR
    if status in REFUSED:
        return Seen.REJECTED
    return Seen.ASKED if form else Seen.THANKED


def _holds(words: Sequence[str], text: str) -> bool:
    """Say whether a text stands somewhere, however its lines are broken."""
    wanted = "".join(text.split())
    return any(wanted in "".join(each.split()) for each in words)


def _between(run: str, place: int, whose: str) -> float:
    """Return the time between two keys: uneven as hands are, and every person another."""
    (byte,) = blake2b(f"{whose} {run} {place}".encode("utf-8", "replace"), digest_size=1).digest()
    return KEY_S + SLOWER_S * byte / 255
