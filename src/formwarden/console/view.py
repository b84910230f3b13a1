"""The page itself: an overview turned into HTML, with nothing of it left unescaped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from formwarden.console.report import RELEASABLE, typed_in
from formwarden.console.words import WORDS, ago
from formwarden.desk.overview import Overview
from formwarden.mail.limits import name_of
from formwarden.stores.ports import State

TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of all inquiries the page shows. `query` is handed on by every link and button."""

    state: State | None = None
    first: bool = True  # the newest are on it
    done: str | None = None  # what the last click did
    query: str = ""


class View:
    """Renders the page in the reader's language."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, overview: Overview, shown: Shown, language: str) -> str:
        """Return the page as HTML."""
        words = WORDS[language]
        return self._environment.get_template("overview.html").render(
            overview=overview,
            shown=shown,
            language=language,
            words=words,
            states=tuple(State),
            releasable=RELEASABLE,
            typed_in=typed_in,
            name_of=name_of,
            ago=lambda at: ago(words, overview.now - at),
            moment=_moment,
            gloss=lambda kind, value: _gloss(words, kind, value),
        )


def _moment(at: float) -> str:
    """Say when something was, by the clock of this machine."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _gloss(words: Mapping[str, str], kind: str, value: str) -> str:
    """Say a state in the reader's language; one that has no word stands as it is."""
    return words.get(f"{kind}_{value}", value)
