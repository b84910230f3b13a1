"""Request bodies read into fields and files, decoded by the rules of Starlette: two readings would be a gap."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, QuerystringParser, parse_options_header

from formwarden.submission import URLENCODED, Fields, Upload

MULTIPART: Final = "multipart/form-data"
MAX_PART_HEADERS: Final = 8  # python-multipart's own default
MAX_PART_HEADER_BYTES: Final = 4_224  # the same


class UnreadableBodyError(ValueError):
    """The body is not what its content type says."""


class TooManyFieldsError(ValueError):
    """More fields, or more text, than the limits allow."""


class UnsupportedBodyError(ValueError):
    """A content type that no form of ours sends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLimits:
    """Bounds of one body: bytes of text and number of fields and files together."""

    text_bytes: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBody:
    """Fields and files of one body. `contents` holds the files' bytes, in the order of `uploads`."""

    fields: Fields
    uploads: tuple[Upload, ...] = ()
    contents: tuple[bytes, ...] = ()


NO_LIMITS: Final = FieldLimits(text_bytes=1 << 62, count=1 << 30)


def parse_body(content_type: str, body: bytes, limits: FieldLimits = NO_LIMITS) -> ParsedBody:
    """Parse an urlencoded or multipart body; the content type is matched in any case, its boundary may be quoted.

    Raises UnreadableBodyError, TooManyFieldsError or UnsupportedBodyError.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    media_type = kind.decode("latin-1").strip().lower()
    try:
        if media_type == URLENCODED:
            return _Urlencoded(limits).parse(body)
        if media_type == MULTIPART:
            return _Multipart(options, limits).parse(body)
    except FormParserError as error:
        raise UnreadableBodyError(str(error)) from error
    raise UnsupportedBodyError(media_type or "no content type")


class _Urlencoded:
    """Names and values as python-multipart cuts them, decoded as latin-1 and then unquoted, as Starlette does."""

    def __init__(self, limits: FieldLimits) -> None:
        self._limits = limits
        self._pairs: list[tuple[str, str]] = []
        self._name = bytearray()
        self._value = bytearray()

    def parse(self, body: bytes) -> ParsedBody:
        if len(body) > self._limits.text_bytes:
            raise TooManyFieldsError("text")
        parser = QuerystringParser(
            {
                "on_field_start": self._start,
                "on_field_name": self._on_name,
                "on_field_data": self._on_value,
                "on_field_end": self._end,
            }
        )
        parser.write(body)
        parser.finalize()
        return ParsedBody(fields=Fields(self._pairs))

    def _start(self) -> None:
        self._name.clear()
        self._value.clear()

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end(self) -> None:
        if len(self._pairs) >= self._limits.count:
            raise TooManyFieldsError("fields")
        name, value = (unquote_plus(bytes(part).decode("latin-1")) for part in (self._name, self._value))
        self._pairs.append((name, value))


@dataclass(slots=True)
class _Part:
    disposition: bytes = b""
    content_type: str = ""
    data: list[bytes] = field(default_factory=list[bytes])


class _Multipart:
    """Parts as python-multipart cuts them; a part with a file name is a file: hashed, not decoded."""

    def __init__(self, options: Mapping[bytes, bytes], limits: FieldLimits) -> None:
        boundary = options.get(b"boundary")
        if not boundary:
            raise UnreadableBodyError("multipart without a boundary")
        self._limits = limits
        self._boundary = boundary
        self._charset = options.get(b"charset", b"utf-8").decode("latin-1")
        self._text_bytes = 0
        self._pairs: list[tuple[str, str]] = []
        self._uploads: list[Upload] = []
        self._contents: list[bytes] = []
        self._part = _Part()
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._ended = False

    def parse(self, body: bytes) -> ParsedBody:
        parser = MultipartParser(
            self._boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._on_data,
                "on_part_end": self._finish,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._header_end,
                "on_end": self._on_end,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )
        parser.write(body)
        parser.finalize()
        if not self._ended:
            raise UnreadableBodyError("multipart without its last boundary")
        return ParsedBody(fields=Fields(self._pairs), uploads=tuple(self._uploads), contents=tuple(self._contents))

    def _begin(self) -> None:
        if len(self._pairs) + len(self._uploads) >= self._limits.count:
            raise TooManyFieldsError("fields")
        self._part = _Part()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        name = bytes(self._header_name).lower()
        if name == b"content-disposition":
            self._part.disposition = bytes(self._header_value)
        elif name == b"content-type":
            self._part.content_type = self._header_value.decode("latin-1")
        self._header_name.clear()
        self._header_value.clear()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._part.data.append(data[start:end])

    def _on_end(self) -> None:
        self._ended = True

    def _finish(self) -> None:
        _, options = parse_options_header(self._part.disposition)
        if b"name" not in options:
            raise UnreadableBodyError("a part without a name")
        name = self._decode(options[b"name"])
        data = b"".join(self._part.data)
        if b"filename" not in options:
            self._text_bytes += len(data) + len(name)
            if self._text_bytes > self._limits.text_bytes:
                raise TooManyFieldsError("text")
            self._pairs.append((name, self._decode(data)))
            return
        upload = Upload(
            field=name,
            filename=self._decode(options[b"filename"]),
            content_type=self._part.content_type,
            size=len(data),
            sha256=hashlib.sha256(data).digest(),
        )
        self._uploads.append(upload)
        self._contents.append(data)

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode(self._charset)
        except (UnicodeDecodeError, LookupError):
            return data.decode("latin-1")
        except ValueError as error:  # codecs that refuse in a way of their own (`punycode`): Starlette fails there
            raise UnreadableBodyError("a charset that cannot be read") from error
