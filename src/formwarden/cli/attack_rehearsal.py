"""How long a visit lasts, told before anybody waits: the persona visits a page of ours, and time is only counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from formwarden.testing.personas import Draw, Persona, Scene

UNKNOWN_S: Final = 60.0  # of a persona that needs another site than this one
FORM: Final = """<form method="post" action="/contact"><input name="name" autocomplete="name">
<input name="email" type="email"><textarea name="message"></textarea></form>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A page."""

    text: str
    status_code: int = 200
    url: str = "http://rehearsal.invalid/contact"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class Rehearsal:
    """A site that shows a form and thanks everybody, and a watch."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wait(self, seconds: float) -> None:
        """Count."""
        self.seconds += seconds

    def get(self, _url: str, *, headers: Mapping[str, str] | None = None) -> Shown:
        """Show the form."""
        del headers
        return Shown(text=FORM)

    def post(
        self,
        _url: str,
        *,
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Shown:
        """Thank."""
        del content, data, json, headers
        return Shown(text="Thank you.")


def seconds_of(persona: Persona, draw: Draw, many: int) -> float:
    """Return how long the persona waits in one visit."""
    site = Rehearsal()
    scene = Scene(path="/contact", draw=draw, wait=site.wait, connect=lambda: site, many=many)
    try:
        persona.act(site, scene)
    except (LookupError, ValueError):
        return max(site.seconds, UNKNOWN_S)
    return site.seconds
