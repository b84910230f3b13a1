"""Reads HTML back, as a browser would."""

from html.parser import HTMLParser
from typing import Final

VOID: Final = frozenset({"input", "link", "meta", "br"})


class Elements(HTMLParser):
    """Every start tag with its attributes and what encloses it, and all words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words together."""
        return "".join(self.words)

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """Elements with the names of their attributes: what no typed text may change."""
        return [(tag, tuple(attributes), around) for tag, attributes, around in self.found]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.found if name == tag]

    def field(self, name: str) -> dict[str, str | None]:
        (field,) = [each for each in self.all("input") if each["name"] == name]
        return field
