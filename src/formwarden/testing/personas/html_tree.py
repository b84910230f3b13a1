"""A page as a tree of elements, by the standard library's parser."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID_WORDS: Final = "area base br col embed hr img input link meta param source track wbr"  # HTML 13.1.2
VOID: Final = frozenset(_VOID_WORDS.split())
DEEPEST: Final = 200  # elements in each other; what is deeper counts as beside its parent


@dataclass(slots=True)
class Element:
    """One element and what is in it."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element | str"] = field(default_factory=list)

    def get(self, name: str) -> str:
        """Return an attribute; absent ones are empty."""
        return self.attributes.get(name, "")

    def has(self, name: str) -> bool:
        """Tell whether an attribute is there, with or without a value."""
        return name in self.attributes

    def walk(self) -> Iterator["Element"]:
        """Give this element and all below it, in the order of the page."""
        yield self
        for each in self.inside:
            if isinstance(each, Element):
                yield from each.walk()

    def text(self, without: frozenset[str] = frozenset()) -> str:
        """Return the text in it, less what is in elements of these tags."""
        parts = (
            each if isinstance(each, str) else "" if each.tag in without else each.text(without)
            for each in self.inside
        )
        return "".join(parts)


def parse(html: str) -> Element:
    """Return the page as one element; HTML that is wrong is read as far as it goes."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    return builder.root


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element(tag="", attributes={})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag=tag, attributes={name: value or "" for name, value in attrs})
        self._open[-1].inside.append(element)
        if tag not in VOID and len(self._open) < DEEPEST:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        for at in range(len(self._open) - 1, 0, -1):
            if self._open[at].tag == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        self._open[-1].inside.append(data)
