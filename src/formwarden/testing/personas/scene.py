"""What personas are given and what they hand back: one form, one visitor's client, and what each post looked like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from formwarden.testing.personas.drawing import Draw


class Response(Protocol):
    """An answer, as httpx, httpx2 and Starlette's `TestClient` give it."""

    @property
    def status_code(self) -> int:
        """Return the status."""

    @property
    def text(self) -> str:
        """Return the body, decoded."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers; names in any case."""

    @property
    def url(self) -> object:
        """Return the address it came from; `str` of it is absolute."""


class Client(Protocol):
    """One visitor's connection to the site: `httpx.Client`, `httpx2.Client` or Starlette's `TestClient`.

    It has a base URL, and follows redirects or not: personas follow them by themselves.
    """

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Get a page."""

    def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Post a form, or JSON, or bytes."""


class Seen(StrEnum):
    """How a post was answered, from outside. What is quarantined looks like what is accepted (G29)."""

    THANKED = "thanked"
    ASKED = "asked"  # the form came again, or a page that asks for another click
    REJECTED = "rejected"
    ERROR = "error"  # no answer that says anything: not found, too large, out of order


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One post, and what its answer looked like."""

    status: int  # of the last answer, redirects followed; 0: there was none
    seen: Seen
    address: str = ""  # that was typed
    receipt: str | None = None  # the number that the answer shows
    typed_kept: bool = False  # thanked, or what was typed stands on the page that asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where and when a persona acts.

    `wait` lets seconds pass: it moves the clock in tests and sleeps in reality. `connect` gives the client of another
    visitor, from another network where that can be had.
    """

    path: str  # of the page with the form
    draw: Draw
    wait: Callable[[float], None]
    connect: Callable[[], Client]
    many: int = 10  # posts of a bot whose nature is to post often; others post once


Act = Callable[[Client, Scene], Sequence[Sent]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """One kind of visitor: `act` visits the form once and returns every post, in order.

    A person who is asked answers, so each post that was asked is followed by its answer; only one closes the tab.
    What the client raises when the site cannot be reached comes through; `LookupError`: the page has no such form.
    """

    name: str  # words joined by "-"
    person: bool
    says: str  # one sentence
    act: Act
