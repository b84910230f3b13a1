"""Multipart bodies, written: what a framework has read already is kept as if it had come so."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

NAME_BYTES: Final = 600  # of a name, a file name, a type: each may double, and python-multipart reads 4,224 a part
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file and its bytes."""

    field: str
    filename: str
    content_type: str
    content: bytes


class Readable(Protocol):
    """A file that was sent, as frameworks hand it over."""

    def read(self) -> bytes:
        """Return the rest."""

    def seek(self, offset: int, /) -> object:
        """Go to a place."""


SentFile = tuple[str, str | None, str | None, bytes | Readable]
"""Field, file name, content type, content."""


def read_file(sent: SentFile) -> File:
    """Read one from its beginning, and set it back to it: the handler reads it too."""
    name, filename, content_type, source = sent
    if isinstance(source, bytes):
        content = source
    else:
        source.seek(0)
        content = source.read()
        source.seek(0)
    return File(field=name, filename=filename or "", content_type=content_type or "", content=content)


def write_multipart(pairs: Sequence[tuple[str, str]], files: Sequence[File]) -> tuple[str, bytes]:
    """Return content type and body (RFC 7578), fields first. Names are cut where no parser would read them."""
    parts = [(_disposition(name), _encoded(value)) for name, value in pairs]
    parts += [(_disposition(file.field, file.filename) + _type_of(file), file.content) for file in files]
    boundary = _boundary([piece for part in parts for piece in part])
    lines = [piece for header, content in parts for piece in (b"--" + boundary, header, b"", content)]
    body = b"\r\n".join((*lines, b"--" + boundary + b"--", b""))
    return f"multipart/form-data; boundary={boundary.decode('ascii')}", body


def _disposition(name: str, filename: str | None = None) -> bytes:
    words = b"Content-Disposition: form-data; name=" + _quoted(name)
    if filename is None:
        return words
    return words + b"; filename=" + _quoted(filename.replace("\\", "_"))  # parsers take the rest of a Windows path


def _type_of(file: File) -> bytes:
    kind = _UNPRINTABLE.sub(" ", file.content_type).encode("latin-1", "replace")[:NAME_BYTES].strip()
    return b"\r\nContent-Type: " + (kind or b"application/octet-stream")


def _quoted(text: str) -> bytes:
    """Write a quoted string (RFC 2045 section 5.1) in UTF-8, as browsers do; line ends in names become blanks."""
    cut = _encoded(_UNPRINTABLE.sub(" ", text))[:NAME_BYTES].decode(errors="ignore")
    if cut.endswith("\\"):
        cut = cut.rstrip("\\") + "_"  # parsers take the closing mark behind one for part of the name
    return b'"' + cut.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # half a surrogate pair has no bytes


def _boundary(pieces: Sequence[bytes]) -> bytes:
    """Name a boundary that stands in none of the parts: a hash of all of them."""
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        digest.update(len(piece).to_bytes(8, "big"))
        digest.update(piece)
    return b"formwarden-" + digest.hexdigest().encode("ascii")
