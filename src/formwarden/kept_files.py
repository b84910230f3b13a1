"""Files that were kept while another click was asked for, put beside the fields that this click sends."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from formwarden.bodies import (
    MULTIPART,
    FilePart,
    Held,
    ParsedBody,
    TooManyFieldsError,
    UnreadableBodyError,
    UnsupportedBodyError,
    parse_body,
)
from formwarden.submission import Fields, Upload

BOUNDARY_BYTES: Final = 16  # drawn by chance: nothing that is sent can hold it
# What would end a quoted name (HTML standard, "multipart/form-data encoding algorithm"); of a backslash there are
# two readings.
_ESCAPES: Final = str.maketrans({'"': "%22", "\\": "%5C", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ResentBody:
    """A body in place of the one that came, and what it holds."""

    content_type: str
    body: bytes
    parsed: ParsedBody


def chosen(uploads: Iterable[Upload]) -> tuple[Upload, ...]:
    """Return the files somebody chose: an input that was left empty comes as a file without name and content."""
    return tuple(upload for upload in uploads if upload.filename or upload.size)


def kept_files(content_type: str, body: bytes) -> ParsedBody:
    """Read the files of a kept body; none where it has none or cannot be read.

    Names stay what they are in all that browsers send.
    """
    try:
        kept = parse_body(content_type, body)
    except (UnreadableBodyError, UnsupportedBodyError, TooManyFieldsError):
        return ParsedBody(fields=Fields())
    uploads = tuple(replace(each, field=_named(each.field), filename=_named(each.filename)) for each in kept.uploads)
    return ParsedBody(fields=Fields(), uploads=uploads, files=kept.files)


def with_files(sent: Fields, kept: ParsedBody, *, boundary: str, limit: int) -> ResentBody | None:
    """Put kept files beside the fields as they were sent now, ours included; None: too large together.

    Every byte of a file stays as it was.
    """
    pieces: list[bytes | memoryview] = []
    begin, size, starts = f"--{boundary}\r\n".encode("ascii"), 0, list[int]()
    for name, value in sent.pairs:
        text = f'Content-Disposition: form-data; name="{_named(name)}"\r\n\r\n{value}\r\n'
        pieces += (begin, text.encode("utf-8", "replace"))
    size = sum(map(len, pieces))
    for upload, file in zip(kept.uploads, kept.files, strict=True):
        head = begin + _head(upload)
        pieces += (head, memoryview(file.source.read())[file.start : file.start + file.size], b"\r\n")
        starts.append(size + len(head))
        size = starts[-1] + file.size + 2
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    if size + len(pieces[-1]) > limit:
        return None
    body = b"".join(pieces)
    source = Held(body)
    files = tuple(
        FilePart(
            field=upload.field,
            filename=upload.filename,
            content_type=upload.content_type,
            source=source,
            start=start,
            size=upload.size,
        )
        for upload, start in zip(kept.uploads, starts, strict=True)
    )
    return ResentBody(
        content_type=f"{MULTIPART}; boundary={boundary}",
        body=body,
        parsed=ParsedBody(fields=sent, uploads=kept.uploads, files=files),
    )


def _head(upload: Upload) -> bytes:
    kind = f"Content-Type: {upload.content_type}\r\n" if upload.content_type else ""
    names = f'name="{upload.field}"; filename="{upload.filename}"'
    return f"Content-Disposition: form-data; {names}\r\n".encode() + f"{kind}\r\n".encode("latin-1")


def _named(text: str) -> str:
    return text.translate(_ESCAPES)
