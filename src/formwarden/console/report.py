"""What the page says, as plain values: the page and its JSON twin are both made of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formwarden.desk.overview import Overview, Row
from formwarden.desk.periodic import Warned
from formwarden.faults import Fault
from formwarden.json_bodies import read_body
from formwarden.mail.limits import as_plain as limits_as_plain
from formwarden.stores.journal import JournalState
from formwarden.stores.ports import Inquiry, ReplyRow, State
from formwarden.submission import OWN_FIELDS

TYPED_CHARACTERS: Final = 5_000  # of one field; a page of fifty inquiries stays readable, and its size bounded
TYPED_FIELDS: Final = 40
RELEASABLE: Final = frozenset({State.HELD, State.ASKED, State.REJECTED})  # G21


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What a visitor typed, as long as it is kept. `cut`: there was more than is shown."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()
    cut: bool = False
    readable: bool = True


def typed_in(inquiry: Inquiry) -> Typed | None:
    """Read what was typed, our own fields and the traps left out; None: it is no longer kept."""
    if inquiry.body is None:
        return None
    try:
        body = read_body(inquiry.content_type, inquiry.body)
    except ValueError:  # not what its content type says, or an encoding that is none
        return Typed(readable=False)
    pairs = body.fields.without(OWN_FIELDS | _traps(inquiry.facts)).pairs
    return Typed(
        fields=tuple((name[:TYPED_CHARACTERS], value[:TYPED_CHARACTERS]) for name, value in pairs[:TYPED_FIELDS]),
        files=tuple(upload.filename for upload in body.uploads if upload.filename)[:TYPED_FIELDS],
        cut=len(pairs) > TYPED_FIELDS or any(len(value) > TYPED_CHARACTERS for _, value in pairs),
    )


def as_plain(overview: Overview) -> dict[str, object]:
    """Return the whole page as values ready for JSON."""
    return {
        "now": overview.now,
        "store": overview.store,
        "replies_off": overview.replies_off,
        "limits": None if overview.limits is None else limits_as_plain(overview.limits),
        "work": [_warned(each) for each in overview.work],
        "faults": [_fault(fault) for fault in overview.faults],
        "inquiries": [_row(row) for row in overview.rows],
        "journal": [_row(Row(inquiry=inquiry)) for inquiry in overview.journal],
        "spooled": _spooled(overview.spooled),
        "older": overview.after,
    }


def _row(row: Row) -> dict[str, object]:
    inquiry = row.inquiry
    typed = typed_in(inquiry)
    return {
        "id": inquiry.id.hex(),
        "receipt": inquiry.receipt,
        "form": inquiry.form,
        "state": str(inquiry.state),
        "score": inquiry.score,
        "standing": inquiry.facts.get("standing"),
        "click": inquiry.facts.get("click"),
        "received_at": inquiry.received_at,
        "changed_at": inquiry.changed_at,
        "hits": dict(inquiry.hits),
        "evidence": dict(inquiry.evidence),
        "note": inquiry.note,
        "reply": _reply(row.reply) if row.reply else None,
        "staff": str(inquiry.staff),
        "staff_note": inquiry.staff_note,
        "typed": [list(pair) for pair in typed.fields] if typed else None,
        "files": list(typed.files) if typed else [],
    }


def _reply(reply: ReplyRow) -> dict[str, object]:
    return {
        "code": reply.code,
        "state": reply.state,
        "last": reply.last,
        "attempts": reply.attempts,
        "held_until": reply.held_until,
    }


def _warned(each: Warned) -> dict[str, object]:
    return {"code": str(each.trouble), "task": each.task, "since": each.since, "why": each.why}


def _spooled(spooled: JournalState) -> dict[str, object]:
    return {
        "bytes": spooled.size,
        "inquiries": spooled.inquiries,
        "outcomes": spooled.outcomes,
        "aside_bytes": spooled.aside,
        "aside_path": spooled.aside_path,
    }


def _fault(fault: Fault) -> dict[str, object]:
    return {"what": fault.what, "count": fault.count, "why": fault.why, "last_at": fault.last_at}


def _traps(facts: Mapping[str, object]) -> frozenset[str]:
    """Read the names of the traps from an inquiry's facts, which may be of an older release."""
    names = facts.get("traps")
    return (
        frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list | tuple) else frozenset()
    )
