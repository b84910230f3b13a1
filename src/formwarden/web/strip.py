"""Our own fields cut out of a body before a strict endpoint reads it; every other byte stays as it was sent."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from json import JSONDecoder
from typing import Final

from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.types import Receive, Scope

from formwarden.bodies import FIELD, MAX_PART_HEADER_BYTES, MAX_PART_HEADERS, Held, Source
from formwarden.json_values import is_json
from formwarden.spool import Spools
from formwarden.submission import URLENCODED, Fields
from formwarden.web.resent import PIECE_BYTES, Piece, at_once, resend_pieces

END_OF_HEADERS: Final = b"\r\n\r\n"
_SPACE: Final = re.compile(r"[ \t\n\r]*")
Cut = tuple[int, int]  # from here to there, in bytes


async def stripped(
    scope: Scope,
    receive: Receive,
    *,
    content_type: str,
    source: Source,
    fields: Fields,
    names: Collection[str],
    spools: Spools,
) -> Receive | None:
    """Return what receives the body without these fields, the headers changed to fit; None: none is in it."""
    look = partial(cuts, content_type, source, fields, names)
    gone = look() if isinstance(source, Held) else await spools.aside(look)  # megabytes are looked through
    if not gone:
        return None
    size, pieces = left(source, gone)
    step = at_once if isinstance(source, Held) else spools.step
    return resend_pieces(scope, receive, content_type=None, size=size, pieces=pieces, step=step)


def cuts(
    content_type: str, source: Source, fields: Fields, names: Collection[str], *, step: int = PIECE_BYTES
) -> tuple[Cut, ...]:
    """Find what must go so that no field of these names is left; files stay, whatever they are called.

    `fields` is what was read from this body before: the names are those, and only the places are looked for here,
    by the same rules. An urlencoded or JSON body is read whole, files are passed over `step` by step.
    """
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    if is_json(content_type):
        return _json_cuts(source.read(), names)
    gone = [name in names for name, _ in fields.pairs]
    if not any(gone):
        return ()
    if kind.decode("latin-1").strip().lower() == URLENCODED:
        return _urlencoded_cuts(source.read(), gone)
    return _Parts(source, options[b"boundary"]).read(step).cuts(gone)


def left(source: Source, gone: Sequence[Cut]) -> tuple[int, Iterator[Piece]]:
    """Return the size of what stays, and how to read it piece by piece; `gone` in order, none touching another."""
    starts = (0, *(end for _, end in gone))
    ends = (*(start for start, _ in gone), source.size)
    kept = tuple(zip(starts, ends, strict=True))
    pieces = (
        partial(_read, source, at, min(PIECE_BYTES, end - at))
        for start, end in kept
        for at in range(start, end, PIECE_BYTES)
    )
    return sum(end - start for start, end in kept), pieces


def _read(source: Source, start: int, length: int) -> bytes:
    with source.window(start, length) as file:  # not kept open: who stops receiving would keep a file with it
        return file.read()


# ---------------------------------------------------------------------- urlencoded, JSON: items between separators
def _urlencoded_cuts(body: bytes, gone: Sequence[bool]) -> tuple[Cut, ...]:
    found = [pair.span() for pair, is_gone in zip(FIELD.finditer(body), gone, strict=True) if is_gone]
    return _between(body, found, b"&", len(body))


def _json_cuts(body: bytes, names: Collection[str]) -> tuple[Cut, ...]:
    """Find the members of an object at the top, with the scanner Python's own decoder is made of.

    As latin-1, a character is a byte: structure is ASCII, and in UTF-8 no byte of another letter is.
    """
    text = body.decode("latin-1")
    at = _skip(text, len("\ufeff".encode()) if body.startswith("\ufeff".encode()) else 0)
    members = list[Cut]()
    if text[at : at + 1] != "{":
        return ()
    decoder = JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
    while text[at] != "}":
        begin = at + 1
        at = _skip(text, begin)
        if text[at] == "}":
            break
        name, at = decoder.raw_decode(text, at)
        _, at = decoder.raw_decode(text, _skip(text, _skip(text, at) + 1))
        at = _skip(text, at)
        if name in names:
            members.append((begin, at))
    return _between(body, members, b",", at)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _between(body: bytes, items: Sequence[Cut], separator: bytes, end: int) -> tuple[Cut, ...]:
    """Take a separator out with each item: the one behind it, or at the end the one before."""
    found = list[Cut]()
    for begin, after in items:
        behind = after + (body[after : after + 1] == separator)
        if found and found[-1][1] == begin:
            found[-1] = (found[-1][0], behind)
        else:
            found.append((begin, behind))
    if found and found[-1][1] == end and body[found[-1][0] - 1 : found[-1][0]] == separator:
        found[-1] = (found[-1][0] - 1, end)
    return tuple(found)


# ---------------------------------------------------------------------- multipart
@dataclass(slots=True)
class _Part:
    start: int = -1  # of its first header
    told: int = 0  # how far its headers were told: a colon, or the end of a value
    data: int = 0  # bytes
    disposition: bytearray = field(default_factory=bytearray)
    is_file: bool = False


class _Parts:
    """Where the parts of a multipart body lie, told by the parser that read it."""

    def __init__(self, source: Source, boundary: bytes) -> None:
        self._source = source
        self._boundary = boundary
        self._at = 0
        self._name = bytearray()
        self._parts = list[_Part]()

    def read(self, step: int) -> "_Parts":
        parser = MultipartParser(
            self._boundary,
            {
                "on_part_begin": lambda: self._parts.append(_Part()),
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._header_end,
                "on_part_data": self._on_data,
            },
            max_header_count=MAX_PART_HEADERS,
            max_header_size=MAX_PART_HEADER_BYTES,
        )
        while self._at < self._source.size:
            parser.write(_read(self._source, self._at, step))
            self._at += step
        parser.finalize()
        return self

    def cuts(self, gone: Sequence[bool]) -> tuple[Cut, ...]:
        """Cut a part out from its first header to that of the next one; the last ones with the line before them."""
        parts = self._parts
        fields = iter(gone)
        out = [not part.is_file and next(fields) for part in parts]
        last = max((number for number, is_gone in enumerate(out) if not is_gone), default=None)
        if last is None:  # `--x--` alone is a body without parts
            start = parts[0].start - len(b"\r\n")
            return ((start, self._end(parts[-1]) + len(b"\r\n--") + len(self._boundary)),)
        found = list[Cut]()
        for number in (number for number in range(last) if out[number]):
            begin, end = parts[number].start, parts[number + 1].start
            if found and found[-1][1] == begin:
                found[-1] = (found[-1][0], end)
            else:
                found.append((begin, end))
        if last + 1 < len(parts):
            found.append((self._end(parts[last]), self._end(parts[-1])))
        return tuple(found)

    def _end(self, part: _Part) -> int:
        """Say where a part's data ends. What lies between the last header told and the data are at most blanks."""
        rest = _read(self._source, part.told, MAX_PART_HEADER_BYTES + len(END_OF_HEADERS))
        return part.told + rest.index(END_OF_HEADERS) + len(END_OF_HEADERS) + part.data

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        part = self._parts[-1]
        part.start = self._at + start if part.start < 0 else part.start
        part.told = self._at + end
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        part = self._parts[-1]
        part.told = self._at + end
        if self._name.lower() == b"content-disposition":
            part.disposition += data[start:end]

    def _header_end(self) -> None:
        part = self._parts[-1]
        if self._name.lower() == b"content-disposition":
            part.is_file = b"filename" in parse_options_header(bytes(part.disposition))[1]
            part.disposition.clear()
        self._name.clear()

    def _on_data(self, _: bytes, start: int, end: int) -> None:
        self._parts[-1].data += end - start  # not where: it may be told from what the parser had kept back
