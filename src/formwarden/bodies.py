"""Request bodies read into fields and files, decoded by the rules of Starlette: two readings would be a gap."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

from python_multipart.multipart import parse_options_header

from formwarden.multipart_parts import MAX_PART_HEADER_BYTES, MAX_PART_HEADERS, MultipartParts
from formwarden.parsed import (
    NO_LIMITS,
    BodyParser,
    FieldLimits,
    FilePart,
    Held,
    ParsedBody,
    Source,
    TooManyFieldsError,
    UnreadableBodyError,
    UnsupportedBodyError,
    other_reading,
)
from formwarden.submission import URLENCODED, Fields

__all__ = [
    "FIELD",
    "MAX_PART_HEADERS",
    "MAX_PART_HEADER_BYTES",
    "MULTIPART",
    "NO_LIMITS",
    "BodyParser",
    "FieldLimits",
    "FilePart",
    "Held",
    "ParsedBody",
    "Source",
    "TooManyFieldsError",
    "UnreadableBodyError",
    "UnsupportedBodyError",
    "Whole",
    "body_parser",
    "parse_body",
]

MULTIPART: Final = "multipart/form-data"
UTF8: Final = "utf-8"
PLUS: Final = bytes.maketrans(b"+", b" ")
FIELD: Final = re.compile(rb"[^&]+")


def body_parser(content_type: str, limits: FieldLimits = NO_LIMITS) -> BodyParser:
    """Choose the parser by the content type, which is matched in any case; its boundary may be quoted.

    Raises UnreadableBodyError or UnsupportedBodyError.
    """
    if content_type == URLENCODED:  # as browsers write it
        return _Urlencoded(limits)
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    media_type = kind.decode("latin-1").strip().lower()
    if media_type == URLENCODED:
        return _Urlencoded(limits)
    if media_type == MULTIPART:
        return MultipartParts(options, limits)
    raise UnsupportedBodyError(media_type or "no content type")


def parse_body(content_type: str, body: bytes, limits: FieldLimits = NO_LIMITS) -> ParsedBody:
    """Parse an urlencoded or multipart body that is in memory.

    Raises UnreadableBodyError, TooManyFieldsError or UnsupportedBodyError.
    """
    parser = body_parser(content_type, limits)
    parser.write(body)
    return parser.finish(Held(body))


class Whole:
    """Keeps what comes until it is whole, within the limit of text: for what cannot be read piece by piece."""

    def __init__(self, limits: FieldLimits) -> None:
        self._limits = limits
        self._first = b""
        self._more = bytearray()  # a list of chunks would cost forty bytes for each, and a chunk may be one byte

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooManyFieldsError."""
        if len(self._first) + len(self._more) + len(chunk) > self._limits.text_bytes:
            raise TooManyFieldsError("text")
        if self._first:
            self._more += chunk
        else:
            self._first = chunk

    @property
    def body(self) -> bytes:
        """All that came."""
        return self._first + self._more if self._more else self._first


class _Urlencoded(Whole):
    """Names and values decoded as latin-1 and then unquoted, as Starlette does."""

    def finish(self, _source: Source) -> ParsedBody:
        body = self.body.translate(PLUS)
        parts = [field.partition(b"=") for field in self._cut(body)]
        if body.isascii():
            return ParsedBody(fields=Fields([(_unquoted(name), _unquoted(value)) for name, _, value in parts]))
        pairs = [(unquote(name.decode("latin-1")), unquote(value.decode("latin-1"))) for name, _, value in parts]
        others = [(_by_bytes(name), _by_bytes(value)) for name, _, value in parts]
        return ParsedBody(fields=Fields(pairs), alternative=other_reading(pairs, others))

    def _cut(self, body: bytes) -> Sequence[bytes]:
        """Cut at every `&`; of nothing between two there is no field."""
        count = self._limits.count
        if body.count(b"&") < count:
            return [field for field in body.split(b"&") if field]
        fields = [found[0] for found in islice(FIELD.finditer(body), count + 1)]
        if len(fields) > count:
            raise TooManyFieldsError("fields")
        return fields


def _unquoted(data: bytes) -> str:
    """Do what `unquote` does with ASCII, at a fifth of its cost.

    An escape is written as Python's own, and its decoder reads all of them in one go.
    """
    if b"%" not in data:
        return data.decode("ascii")
    try:
        read = data.replace(b"\\", b"\\\\").replace(b"%", b"\\x").decode("unicode_escape").encode("latin-1")
    except UnicodeDecodeError:  # a percent sign that begins no escape stays as it is
        read = unquote_to_bytes(data)
    return read.decode(UTF8, "replace")


def _by_bytes(data: bytes) -> str:
    """Read as PHP and Go do, and Django where it is valid: bytes first, and then all of them as UTF-8."""
    return unquote_to_bytes(data).decode(UTF8, "replace")
