"""JSON as names and values: every value gets a name that a form can name, and every one is scored."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MAX_DEPTH: Final = 16  # objects and arrays within each other; forms have two or three


class JsonUnreadableError(ValueError):
    """Not JSON in UTF-8, or nested more deeply than any form is."""


class JsonTooMuchError(ValueError):
    """More values, or more text, than allowed."""


class Members(tuple[tuple[str, object], ...]):
    """The members of a JSON object as they came: a name may come twice, and frameworks differ in which they take."""

    __slots__ = ()


def is_json(content_type: str) -> bool:
    """Say whether this is `application/json`, or a type built on it (RFC 6839 section 3.1)."""
    kind = content_type.partition(";")[0].strip(" \t").lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def json_pairs(body: bytes, *, text_bytes: int, count: int) -> list[tuple[str, str]]:
    """Read a JSON body into pairs. Names within objects are joined by dots, the items of an array share its name.

    Strings stay as they are, other values are their JSON text, null is absent. Whatever stands at the top is read:
    an array of objects as those objects, a lone value under the empty name. Raises JsonUnreadableError or
    JsonTooMuchError.
    """
    if len(body) > text_bytes:
        raise JsonTooMuchError("text")
    return list(_Flattened(text_bytes=text_bytes, count=count).pairs(_load(body)))


def json_text(body: bytes) -> str:
    """Decode as Python's `json.loads` does, with which frameworks read; a byte order mark is no part of it.

    Raises UnicodeDecodeError: the other encodings that `json.loads` guesses are no JSON (RFC 8259 section 8.1).
    """
    return body.decode("utf-8-sig", "surrogatepass")


def _load(body: bytes) -> object:
    try:
        # numbers as they are written: no int() of thousands of digits, and `1e2` is no other text than it was
        loaded: object = json.loads(
            json_text(body), object_pairs_hook=Members, parse_int=str, parse_float=str, parse_constant=str
        )
    except RecursionError as error:
        raise JsonUnreadableError("nested too deeply") from error
    except ValueError as error:
        raise JsonUnreadableError("not JSON in UTF-8") from error
    return loaded


@dataclass(slots=True)
class _Flattened:
    """Names and values of a JSON value, within limits of their number, their text and their depth."""

    text_bytes: int
    count: int

    def pairs(self, value: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
        if isinstance(value, Members):
            yield from self._within(((_joined(name, key), each) for key, each in value), depth)
        elif isinstance(value, list):
            yield from self._within(((name, each) for each in value), depth)
        elif value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            self.text_bytes -= len(name) + len(text)
            if self.text_bytes < 0:  # one long name may stand before many short values
                raise JsonTooMuchError("text")
            yield name, text

    def _within(self, items: Iterable[tuple[str, object]], depth: int) -> Iterator[tuple[str, str]]:
        if depth >= MAX_DEPTH:
            raise JsonUnreadableError("nested too deeply")
        for name, value in items:
            self.count -= 1
            if self.count < 0:
                raise JsonTooMuchError("fields")
            yield from self.pairs(value, name, depth + 1)


def _joined(outer: str, name: str) -> str:
    return f"{outer}.{name}" if outer else name
