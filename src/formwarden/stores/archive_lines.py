"""Records of an archive as lines of JSON, each whole in itself: texts as they are, bytes as hex or base64."""

import base64
from collections.abc import Mapping
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
from formwarden.stores.archive_fields import Fields, LineError, dump, load
from formwarden.stores.archive_measures import account_members, measure_line, read_account, read_measure
from formwarden.stores.ports import Inquiry, Key, ReplyRow, Staff, State

FORMAT: Final = "formwarden export"
VERSION: Final = 2
ADDED_TO_REPLIES: Final[Mapping[str, object]] = {
    "score": None,
    "recipient": None,
    "wanted": False,
    "account": None,
    "probe_of": [],
}
"""What lines of version 1 do not say of a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line: what follows, and the keys of its hashes."""

    made_at: float
    counts: Mapping[str, int]
    keys: tuple[RecipientKey, ...]
    version: int = VERSION


def header_line(header: Header) -> str:
    """Write the first line."""
    return dump(
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
    read = load(line)
    if read.get("format") != FORMAT:
        raise LineError("it does not begin with the first line of a formwarden export")
    fields = Fields(read)
    version = fields.whole("version")
    if version not in range(1, VERSION + 1):
        raise LineError(f"it was written by a newer formwarden (version {version}): upgrade this one")
    counts = fields.mapping("counts")
    if version < VERSION:
        counts = {**dict.fromkeys(KINDS, 0), **counts}
    return Header(
        made_at=fields.number("made_at"),
        counts={kind: Fields(counts).whole(kind) for kind in KINDS},
        keys=tuple(RecipientKey(key=key, made_at=at) for key, at in fields.stamped("keys")),
        version=version,
    )


def line_of(record: Record) -> str:
    """Write one record."""
    match record:
        case KeptInquiry():
            return dump({"kind": "inquiry", **_inquiry(record.inquiry), "staff_at": record.staff_at})
        case KeptReply():
            row = record.row
            rest = {
                "check_at": record.check_at,
                "due_at": record.due_at,
                "lease_until": record.lease_until,
                "recipient": None if record.recipient is None else record.recipient.hex(),
                "wanted": record.wanted,
                "account": None if record.account is None else account_members(record.account),
                "probe_of": [key.hex() for key in record.probe_of],
            }
            ids = {"reply_id": row.reply_id.hex(), "submission_id": row.submission_id.hex()}
            spends = [[key.hex(), at] for key, at in record.spends]
            return dump({"kind": "reply", **asdict(row), **ids, **rest, "spends": spends})
        case KeptOutcome():
            ids = {"id": record.id.hex(), "reply_id": record.reply_id.hex()}
            return dump({"kind": "outcome", **ids, "outcome": record.kind, "reason": record.reason, "at": record.at})
        case KeptSuppression():
            subject = record.subject.hex()
            return dump({"kind": "suppression", "subject": subject, "cause": record.cause, "until": record.until})
        case KeptMark():
            return dump({"kind": "mark", "name": record.name, "at": record.at})
        case _:
            return measure_line(record)


def read_line(line: str, *, version: int = VERSION) -> Record:
    """Read one record of an export of this version. Raises LineError."""
    read = load(line)
    fields = Fields(read)
    match read.get("kind"):
        case "inquiry":
            return KeptInquiry(inquiry=_read_inquiry(fields), staff_at=fields.number("staff_at"))
        case "reply":
            return _read_reply(fields if version == VERSION else Fields({**ADDED_TO_REPLIES, **read}))
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
        case kind:
            return read_measure(kind, fields)


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


def _read_inquiry(fields: Fields) -> Inquiry:
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
        hits={name: Fields(fields.mapping("hits")).number(name) for name in fields.mapping("hits")},
        evidence={name: Fields(fields.mapping("evidence")).text(name) for name in fields.mapping("evidence")},
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


def _read_reply(fields: Fields) -> KeptReply:
    reply_id = fields.octets("reply_id")
    account = None if fields.absent("account") else read_account(fields.within("account"), reply_id)
    return KeptReply(
        row=ReplyRow(
            reply_id=reply_id,
            submission_id=fields.octets("submission_id"),
            state=fields.text("state"),
            code=fields.text("code"),
            created_at=fields.number("created_at"),
            held_until=fields.maybe_number("held_until"),
            attempts=fields.whole("attempts"),
            last=fields.text("last"),
            score=fields.maybe_number("score"),
        ),
        check_at=fields.maybe_number("check_at"),
        due_at=fields.maybe_number("due_at"),
        lease_until=fields.maybe_number("lease_until"),
        spends=tuple((Key(key), at) for key, at in fields.stamped("spends")),
        recipient=None if fields.absent("recipient") else Key(fields.octets("recipient")),
        wanted=fields.truth("wanted"),
        account=account,
        probe_of=fields.keys("probe_of"),
    )
