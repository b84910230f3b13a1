"""Multipart bodies, cut by python-multipart and decoded by the rules of Starlette."""

import hashlib
from collections.abc import Mapping
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from formwarden.parsed import (
    FieldLimits,
    FilePart,
    ParsedBody,
    Source,
    TooManyFieldsError,
    UnreadableBodyError,
    other_reading,
)
from formwarden.submission import Fields, Upload

MAX_PART_HEADERS: Final = 8  # python-multipart's own default
MAX_PART_HEADER_BYTES: Final = 4_224  # the same
UTF8: Final = "utf-8"


class _Part:
    """One part, as far as it has come."""

    __slots__ = ("content_type", "data", "digest", "disposition", "filename", "name", "size", "start")

    def __init__(self) -> None:
        self.disposition = b""
        self.content_type = ""
        self.name = b""
        self.filename: bytes | None = None
        self.data = bytearray()
        self.start = 0
        self.size = 0
        self.digest: hashlib._Hash


class MultipartParts:
    """Parts as python-multipart cuts them; a part with a file name is a file, which is never decoded."""

    def __init__(self, options: Mapping[bytes, bytes], limits: FieldLimits) -> None:
        boundary = options.get(b"boundary")
        if not boundary:
            raise UnreadableBodyError("multipart without a boundary")
        self._limits = limits
        self._charset = options.get(b"charset", b"utf-8").decode("latin-1")
        self._text_bytes = 0
        self._parts = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._files: list[_Part] = []
        self._part = _Part()
        self._header_name = b""
        self._header_value = b""
        self._chunk = b""
        self._before = 0  # bytes of earlier chunks
        self._ended = False
        callbacks = {
            "on_part_begin": self._begin,
            "on_part_data": self._on_data,
            "on_part_end": self._finish,
            "on_header_field": self._on_header_name,
            "on_header_value": self._on_header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_end": self._on_end,
        }
        try:
            self._parser = MultipartParser(
                boundary,
                callbacks,  # type: ignore[arg-type]  # a TypedDict of theirs
                max_header_count=MAX_PART_HEADERS,
                max_header_size=MAX_PART_HEADER_BYTES,
            )
        except FormParserError as error:
            raise UnreadableBodyError(str(error)) from error

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises UnreadableBodyError or TooManyFieldsError."""
        self._chunk = chunk
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise UnreadableBodyError(str(error)) from error
        self._before += len(chunk)

    def finish(self, source: Source) -> ParsedBody:
        """Return what was read. Raises UnreadableBodyError."""
        try:
            self._parser.finalize()
        except FormParserError as error:
            raise UnreadableBodyError(str(error)) from error
        if not self._ended:
            raise UnreadableBodyError("multipart without its last boundary")
        pairs = [(self._decode(name), self._decode(data)) for name, data in self._fields]
        others = [(name.decode(UTF8, "replace"), data.decode(UTF8, "replace")) for name, data in self._fields]
        uploads = tuple(
            Upload(
                field=self._decode(part.name),
                filename=self._decode(part.filename or b""),
                content_type=part.content_type,
                size=part.size,
                sha256=part.digest.digest(),
            )
            for part in self._files
        )
        files = tuple(
            FilePart(
                field=upload.field,
                filename=upload.filename,
                content_type=upload.content_type,
                source=source,
                start=part.start,
                size=part.size,
            )
            for upload, part in zip(uploads, self._files, strict=True)
        )
        return ParsedBody(
            fields=Fields(pairs), uploads=uploads, files=files, alternative=other_reading(pairs, others)
        )

    def _begin(self) -> None:
        if self._parts >= self._limits.count:
            raise TooManyFieldsError("fields")
        self._parts += 1
        self._part = _Part()

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        name = self._header_name.lower()
        if name == b"content-disposition":
            self._part.disposition = self._header_value
        elif name == b"content-type":
            self._part.content_type = self._header_value.decode("latin-1")
        self._header_name = self._header_value = b""

    def _headers_finished(self) -> None:
        part = self._part
        _, options = parse_options_header(part.disposition)
        if b"name" not in options:
            raise UnreadableBodyError("a part without a name")
        part.name = options[b"name"]
        part.filename = options.get(b"filename")
        if part.filename is None:
            self._count_text(len(part.name))
        else:
            part.digest = hashlib.sha256()

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        part, size = self._part, end - start
        if part.filename is None:
            self._count_text(size)
            part.data += data[start:end]
            return
        if not part.size:
            # what looked like a boundary at the end of the chunk before is told from the parser's own copy of it
            part.start = self._before + (start if data is self._chunk else -size)
        part.size += size
        part.digest.update(memoryview(data)[start:end])

    def _finish(self) -> None:
        part = self._part
        if part.filename is None:
            self._fields.append((part.name, bytes(part.data)))
        else:
            self._files.append(part)

    def _on_end(self) -> None:
        self._ended = True

    def _count_text(self, size: int) -> None:
        self._text_bytes += size
        if self._text_bytes > self._limits.text_bytes:
            raise TooManyFieldsError("text")

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode(self._charset)
        except (UnicodeDecodeError, LookupError):
            return data.decode("latin-1")
        except ValueError as error:  # codecs that refuse in a way of their own (`punycode`): Starlette fails there
            raise UnreadableBodyError("a charset that cannot be read") from error
