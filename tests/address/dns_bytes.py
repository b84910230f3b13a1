"""A second reader of DNS answers (RFC 1035 section 4), which shares no line with the one we use."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

A, CNAME, MX, AAAA = 1, 5, 15, 28
TYPES = {"A": A, "MX": MX, "AAAA": AAAA}
INTERNET = 1
MAX_JUMPS = 128
MAX_ALIASES = 16

Name = tuple[bytes, ...]


class BadBytesError(ValueError):
    """Bytes that are no message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    owner: Name
    rdtype: int
    start: int
    end: int


def name_of(asked: bytes) -> Name:
    """Return the name of a question."""
    return _name(asked, 12)[0]


def hosts(wire: bytes, asked: bytes) -> list[Name]:
    """Return the hosts of the MX records that answer this question, as labels: they may hold any octets."""
    if asked[-4:-2] != bytes([0, MX]):
        return []
    found = [_name(wire, record.start + 2)[0] for record in _answers(wire, asked, MX)]
    return [name for name in found if name]


def addresses(wire: bytes, asked: bytes) -> list[str]:
    """Return the addresses that answer this question."""
    rdtype = struct.unpack("!H", asked[-4:-2])[0]
    if rdtype not in {A, AAAA}:
        return []
    size = {A: 4, AAAA: 16}[rdtype]
    parts = [wire[record.start : record.end] for record in _answers(wire, asked, rdtype)]
    return [str(ip_address(part)) for part in parts if len(part) == size]


def _answers(wire: bytes, asked: bytes, rdtype: int) -> Sequence[Record]:
    """Follow the aliases from the name that was asked; nothing where the message answers another question."""
    if len(wire) < 12 or wire[:2] != asked[:2]:
        return ()
    flags, questions, answers = struct.unpack("!HHH", wire[2:8])
    if not flags & 0x8000 or flags & 0x7800 or flags & 0x000F or questions != 1:
        return ()
    name, at = _name(asked, 12)
    there, end = _name(wire, 12)
    if there != name or wire[end : end + 4] != asked[at : at + 4]:
        return ()
    records = list(_records(wire, end + 4, answers))
    for _ in range(MAX_ALIASES):
        found = [record for record in records if record.owner == name and record.rdtype == rdtype]
        alias = next((record for record in records if record.owner == name and record.rdtype == CNAME), None)
        if found or alias is None:
            return found
        name = _name(wire, alias.start)[0]
    return ()


def _records(wire: bytes, at: int, count: int) -> Iterator[Record]:
    for _ in range(count):
        owner, at = _name(wire, at)
        if len(wire) < at + 10:
            raise BadBytesError
        rdtype, rdclass, _, size = struct.unpack("!HHIH", wire[at : at + 10])
        at += 10 + size
        if len(wire) < at:
            raise BadBytesError
        if rdclass == INTERNET:
            yield Record(owner=owner, rdtype=rdtype, start=at - size, end=at)


def _name(wire: bytes, at: int) -> tuple[Name, int]:
    labels, after = list[bytes](), 0
    for _ in range(MAX_JUMPS):
        if at >= len(wire):
            raise BadBytesError
        size = wire[at]
        if size >= 0xC0:
            if at + 1 >= len(wire):
                raise BadBytesError
            after = after or at + 2
            at = (size & 0x3F) << 8 | wire[at + 1]
        elif size == 0:
            return tuple(labels), after or at + 1
        else:
            labels.append(wire[at + 1 : at + 1 + size].lower())
            at += 1 + size
    raise BadBytesError
