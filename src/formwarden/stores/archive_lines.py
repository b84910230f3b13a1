"""Records of an archive as lines of JSON, each whole in itself: texts as they are, bytes as hex or base64."""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from formwarden.stores.archive import (
    KINDS,
    KeptInquiry,
    KeptMark,
    KeptOutcome,
    KeptReply,
    KeptSuppression,
    RecipientKey,
    Record,
)
from formwarden.stores.ports import Inquiry, Key, ReplyRow, Staff, State

FORMAT: Final = "formwarden export"
VERSION: Final = 1


class LineError(ValueError):
    """A line that is none of an export; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: what follows, and the keys of its hashes."""

    made_at: float
    counts: Mapping[str, int]
    keys: tuple[RecipientKey, ...]


def header_line(header: Header) -> str:
    """Write the first line."""
    return _dump(
        {
            "format": FORMAT,
            "version": VERSION,
            "made_at": header.made_at,
            "counts": {kind: header.counts.get(kind, 0) for kind in KINDS},
            "keys": [[each.key.hex(), each.made_at] for each in header.keys],
        }
    )


def read_header(line: str) -> Header:
    """Read the first line. Raises LineError."""
    read = _load(line)
    if read.get("format") != FORMAT:
        raise LineError("it does not begin with the first line of a formwarden export")
    if read.get("version") != VERSION:
        raise LineError(f"it was written by a newer formwarden (version {read.get('version')}): upgrade this one")
    fields = _Fields(read)
    counts = fields.mapping("counts")
    return Header(
        made_at=fields.number("made_at"),
        counts={kind: _Fields(counts).whole(kind) for kind in KINDS},
        keys=tuple(RecipientKey(key=key, made_at=at) for key, at in fields.stamped("keys")),
    )


def line_of(record: Record) -> str:
    """Write one record."""
    match record:
        case KeptInquiry():
            return _dump({"kind": "inquiry", **_inquiry(record.inquiry), "staff_at": record.staff_at})
        case KeptReply():
            row = record.row
            rest = {"check_at": record.check_at, "due_at": record.due_at, "lease_until": record.lease_until}
            ids = {"reply_id": row.reply_id.hex(), "submission_id": row.submission_id.hex()}
            spends = [[key.hex(), at] for key, at in record.spends]
            return _dump({"kind": "reply", **asdict(row), **ids, **rest, "spends": spends})
        case KeptOutcome():
            ids = {"id": record.id.hex(), "reply_id": record.reply_id.hex()}
            return _dump({"kind": "outcome", **ids, "outcome": record.kind, "reason": record.reason, "at": record.at})
        case KeptSuppression():
            subject = record.subject.hex()
            return _dump({"kind": "suppression", "subject": subject, "cause": record.cause, "until": record.until})
        case KeptMark():
            return _dump({"kind": "mark", "name": record.name, "at": record.at})


def read_line(line: str) -> Record:
    """Read one record. Raises LineError."""
    read = _load(line)
    fields = _Fields(read)
    match read.get("kind"):
        case "inquiry":
            return KeptInquiry(inquiry=_read_inquiry(fields), staff_at=fields.number("staff_at"))
        case "reply":
            return _read_reply(fields)
        case "outcome":
            return KeptOutcome(
                id=fields.octets("id"),
                reply_id=fields.octets("reply_id"),
                kind=fields.text("outcome"),
                reason=fields.text("reason"),
                at=fields.number("at"),
            )
        case "suppression":
            until = fields.maybe_number("until")
            return KeptSuppression(subject=Key(fields.octets("subject")), cause=fields.text("cause"), until=until)
        case "mark":
            return KeptMark(name=fields.text("name"), at=fields.number("at"))
        case other:
            raise LineError(f"no record of ours is a {other!r}")


def _inquiry(inquiry: Inquiry) -> dict[str, object]:
    body = inquiry.content()
    return {
        "id": inquiry.id.hex(),
        "receipt": inquiry.receipt,
        "form": inquiry.form,
        "state": inquiry.state,
        "received_at": inquiry.received_at,
        "score": inquiry.score,
        "hits": dict(inquiry.hits),
        "evidence": dict(inquiry.evidence),
        "facts": dict(inquiry.facts),
        "lineage": None if inquiry.lineage is None else inquiry.lineage.hex(),
        "content_type": inquiry.content_type,
        "body": None if body is None else base64.b64encode(body).decode("ascii"),
        "recipient": inquiry.recipient,
        "staff": inquiry.staff,
        "staff_note": inquiry.staff_note,
        "answer": inquiry.answer,
        "note": inquiry.note,
        "changed_at": inquiry.changed_at,
    }


def _read_inquiry(fields: "_Fields") -> Inquiry:
    try:
        state, staff = State(fields.text("state")), Staff(fields.text("staff"))
    except ValueError as error:
        raise LineError(str(error)) from error
    return Inquiry(
        id=fields.octets("id"),
        receipt=fields.text("receipt"),
        form=fields.text("form"),
        state=state,
        received_at=fields.number("received_at"),
        score=fields.number("score"),
        hits={name: _Fields(fields.mapping("hits")).number(name) for name in fields.mapping("hits")},
        evidence={name: _Fields(fields.mapping("evidence")).text(name) for name in fields.mapping("evidence")},
        facts=fields.mapping("facts"),
        lineage=None if fields.absent("lineage") else fields.octets("lineage"),
        content_type=fields.text("content_type"),
        body=None if fields.absent("body") else fields.base64("body"),
        recipient=None if fields.absent("recipient") else fields.text("recipient"),
        staff=staff,
        staff_note=fields.text("staff_note"),
        answer=fields.answer("answer"),
        note=fields.text("note"),
        changed_at=fields.number("changed_at"),
    )


def _read_reply(fields: "_Fields") -> KeptReply:
    return KeptReply(
        row=ReplyRow(
            reply_id=fields.octets("reply_id"),
            submission_id=fields.octets("submission_id"),
            state=fields.text("state"),
            code=fields.text("code"),
            created_at=fields.number("created_at"),
            held_until=fields.maybe_number("held_until"),
            attempts=fields.whole("attempts"),
            last=fields.text("last"),
        ),
        check_at=fields.maybe_number("check_at"),
        due_at=fields.maybe_number("due_at"),
        lease_until=fields.maybe_number("lease_until"),
        spends=tuple((Key(key), at) for key, at in fields.stamped("spends")),
    )


def _dump(written: Mapping[str, object]) -> str:
    return json.dumps(written, separators=(",", ":"))


def _load(line: str) -> Mapping[str, object]:
    try:
        read: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("it is no JSON, or torn") from error
    if not isinstance(read, dict):
        raise LineError("it is no JSON object")
    return read


class _Fields:
    """The members of one line, each of the type it must have."""

    def __init__(self, read: Mapping[str, object]) -> None:
        self._read = read

    def absent(self, name: str) -> bool:
        """Say whether it is null."""
        return name in self._read and self._read[name] is None

    def text(self, name: str) -> str:
        """Read a text."""
        value = self._read.get(name)
        if not isinstance(value, str):
            raise LineError(f"{name} is no text")
        return value

    def number(self, name: str) -> float:
        """Read a number."""
        value = self._read.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise LineError(f"{name} is no number")
        return float(value)

    def maybe_number(self, name: str) -> float | None:
        """Read a number, or null."""
        return None if self.absent(name) else self.number(name)

    def whole(self, name: str) -> int:
        """Read a whole number."""
        value = self.number(name)
        if value < 0 or not value.is_integer():
            raise LineError(f"{name} is no whole number")
        return int(value)

    def octets(self, name: str) -> bytes:
        """Read bytes that are written in hex."""
        return _octets(name, self._read.get(name))

    def base64(self, name: str) -> bytes:
        """Read bytes that are written in base64."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except ValueError as error:
            raise LineError(f"{name} is no base64") from error

    def mapping(self, name: str) -> Mapping[str, object]:
        """Read an object."""
        value = self._read.get(name)
        if not isinstance(value, dict):
            raise LineError(f"{name} is no object")
        return value

    def stamped(self, name: str) -> Sequence[tuple[bytes, float]]:
        """Read pairs of bytes and a time."""
        value = self._read.get(name)
        if not isinstance(value, list):
            raise LineError(f"{name} is no list")
        return [self._pair(name, each) for each in value]

    def answer(self, name: str) -> tuple[int, str] | None:
        """Read a status and a location, or null."""
        match self._read.get(name):
            case None:
                return None
            case [int(status), str(location)]:
                return status, location
            case _:
                raise LineError(f"{name} is no status and location")

    def _pair(self, name: str, value: object) -> tuple[bytes, float]:
        if not isinstance(value, list) or len(value) != len(("key", "at")):
            raise LineError(f"{name} is no list of pairs")
        return _octets(name, value[0]), _Fields({name: value[1]}).number(name)


def _octets(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise LineError(f"{name} is no text of bytes")
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise LineError(f"{name} is no hex") from error
