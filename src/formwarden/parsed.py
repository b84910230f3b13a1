"""What is read from a request body: fields, files, and where their bytes lie."""

from dataclasses import dataclass
from io import BytesIO, UnsupportedOperation
from typing import BinaryIO, Final, NoReturn, Protocol

from formwarden.submission import Fields, Upload


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


NO_LIMITS: Final = FieldLimits(text_bytes=1 << 62, count=1 << 30)


class Source(Protocol):
    """A body, wherever it lies."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self) -> bytes:
        """Return all of it. Raises OSError."""

    def window(self, start: int, length: int) -> BinaryIO:
        """Return a part of it as a file that can be read and not written. Raises OSError."""


@dataclass(frozen=True, slots=True)
class Held:
    """A body in memory."""

    body: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.body)

    def read(self) -> bytes:
        """Return all of it."""
        return self.body

    def window(self, start: int, length: int) -> BinaryIO:
        """Return a part of it as a file that can be read and not written."""
        return _HeldWindow(self.body[start : start + length])


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """A file as it lies in its body."""

    field: str
    filename: str
    content_type: str
    source: Source
    start: int  # where its first byte lies
    size: int

    def open(self) -> BinaryIO:
        """Return a file of its own to read it by, as often as wanted. Raises OSError once the body is gone."""
        return self.source.window(self.start, self.size)

    def read(self) -> bytes:
        """Return its bytes. Raises OSError."""
        with self.open() as file:
            return file.read()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedBody:
    """Fields and files of one body; `files` are where the bytes of `uploads` lie, in the same order.

    `alternative` is what other frameworks read where Starlette reads something else; None: all read the same.
    """

    fields: Fields
    uploads: tuple[Upload, ...] = ()
    files: tuple[FilePart, ...] = ()
    alternative: Fields | None = None

    @property
    def contents(self) -> tuple[bytes, ...]:
        """The bytes of every file, all in memory at once. Raises OSError."""
        return tuple(file.read() for file in self.files)


class BodyParser(Protocol):
    """Reads a body while it comes."""

    def write(self, chunk: bytes, /) -> None:
        """Take the next bytes. Raises UnreadableBodyError or TooManyFieldsError."""

    def finish(self, source: Source, /) -> ParsedBody:
        """Return what was read; `source` is where the body lies. Raises the same."""


def other_reading(pairs: list[tuple[str, str]], others: list[tuple[str, str]]) -> Fields | None:
    """Return the others where they differ."""
    return None if pairs == others else Fields(others)


class _HeldWindow(BytesIO):
    """A part of a body in memory."""

    _rolled = False  # Starlette's UploadFile reads it without a thread, as it does a SpooledTemporaryFile

    def writable(self) -> bool:
        return False

    def write(self, _: object, /) -> NoReturn:
        raise UnsupportedOperation("what was sent cannot be changed")

    writelines = truncate = write  # type: ignore[assignment]  # none of them returns
