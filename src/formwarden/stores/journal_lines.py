"""Lines of the journal: what could not be recorded, each as one JSON line whose head can be read at a glance."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from formwarden.stores.breaking import DEFAULT, Breaking, Ratio
from formwarden.stores.ports import Inquiry, Key, Ours, Outcome, OutcomeKind, Staff, State

VERSION: Final = 1
END: Final = b'"end":1}'  # a line without it was torn
ROOM: Final = 4_096  # bytes that each kept inquiry reserves for how its endpoint and its staff's mail end
NOTE_LIMIT: Final = 120  # characters of a note: escaped, six bytes each, so that an end fits into its room
LOCATION_LIMIT: Final = 1_024  # bytes of an answer's Location; a longer one is left out, and thanks are said instead
GLANCE: Final = re.compile(
    rb'^\{"v":1,"entry":"[0-9a-f]+","kind":"(keep|move|staff|settle)"(?:,"inquiry":"((?:[0-9a-f]{2})*)","to":"([a-z]+)")?',
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """An inquiry that was judged while the store was down."""

    inquiry: Inquiry
    replaces: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How an endpoint ended, or that it runs again."""

    inquiry: bytes
    expect: frozenset[State]
    to: State
    note: str = ""
    answer: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMove:
    """Where the staff's mail of an inquiry stands."""

    inquiry: bytes
    to: Staff
    note: str = ""
    due_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """What became of a reply: keys, codes and a relay's words, no address."""

    outcome: Outcome


What = Keep | Move | StaffMove | Settle


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line that was read."""

    id: str
    at: float  # when it was written, in seconds since the epoch
    what: What


def line_of(what: What, *, entry: str, at: float) -> bytes:
    """Write one line. Blocks where a body lies in a file; raises OSError, TypeError, ValueError."""
    head: dict[str, object] = {"v": VERSION, "entry": entry}
    rest: dict[str, object]
    match what:
        case Keep():
            rest = _keep(what)
        case Move():
            rest = _move(what)
        case StaffMove():
            rest = {
                "kind": "staff",
                "inquiry": what.inquiry.hex(),
                "to": what.to,
                "note": what.note[:NOTE_LIMIT],
                "due_at": what.due_at,
            }
        case Settle():
            rest = {"kind": "settle", "outcome": _outcome(what.outcome)}
    return json.dumps({**head, **rest, "at": at, "end": 1}, separators=(",", ":")).encode("ascii") + b"\n"


def entry_of(line: bytes) -> Entry | None:
    """Read a line back; None: it was torn, is of another version, or is not ours."""
    glance = GLANCE.match(line)
    if glance is None or not line.endswith(END):
        return None
    try:
        return READERS[glance[1]](line)
    except (ValueError, TypeError, KeyError, IndexError):
        return None


def _keep(what: Keep) -> dict[str, object]:
    inquiry = what.inquiry
    body = inquiry.content()
    return {
        "kind": "keep",
        "inquiry": inquiry.id.hex(),
        "to": inquiry.state,
        "replaces": None if what.replaces is None else what.replaces.hex(),
        "receipt": inquiry.receipt,
        "form": inquiry.form,
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


def _move(what: Move) -> dict[str, object]:
    answer = what.answer
    if answer is not None and len(json.dumps(answer[1])) > LOCATION_LIMIT:
        answer = answer[0], ""
    return {
        "kind": "move",
        "inquiry": what.inquiry.hex(),
        "to": what.to,
        "expect": sorted(what.expect),
        "note": what.note[:NOTE_LIMIT],
        "answer": answer,
    }


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "id": outcome.id.hex(),
        "reply": outcome.reply_id.hex(),
        "kind": outcome.kind,
        "reason": outcome.reason,
        "until": outcome.until,
        "subject": None if outcome.subject is None else outcome.subject.hex(),
        "ours": outcome.ours,
        "counts": outcome.counts,
        "breaking": None if outcome.breaking == DEFAULT else asdict(outcome.breaking),
    }


def _read_keep(line: bytes) -> Entry:
    read = json.loads(line)
    answer, body, lineage, replaces = read["answer"], read["body"], read["lineage"], read["replaces"]
    inquiry = Inquiry(
        id=bytes.fromhex(read["inquiry"]),
        receipt=read["receipt"],
        form=read["form"],
        state=State(read["to"]),
        received_at=read["received_at"],
        score=read["score"],
        hits=read["hits"],
        evidence=read["evidence"],
        facts=read["facts"],
        lineage=None if lineage is None else bytes.fromhex(lineage),
        content_type=read["content_type"],
        body=None if body is None else base64.b64decode(body, validate=True),
        recipient=read["recipient"],
        staff=Staff(read["staff"]),
        staff_note=read["staff_note"],
        answer=None if answer is None else (answer[0], answer[1]),
        note=read["note"],
        changed_at=read["changed_at"],
    )
    what = Keep(inquiry=inquiry, replaces=None if replaces is None else bytes.fromhex(replaces))
    return Entry(id=read["entry"], at=float(read["at"]), what=what)


def _read_move(line: bytes) -> Entry:
    read = json.loads(line)
    answer = read["answer"]
    what = Move(
        inquiry=bytes.fromhex(read["inquiry"]),
        expect=frozenset(State(state) for state in read["expect"]),
        to=State(read["to"]),
        note=read["note"],
        answer=None if answer is None else (answer[0], answer[1]),
    )
    return Entry(id=read["entry"], at=float(read["at"]), what=what)


def _read_staff(line: bytes) -> Entry:
    read = json.loads(line)
    inquiry, to = bytes.fromhex(read["inquiry"]), Staff(read["to"])
    what = StaffMove(inquiry=inquiry, to=to, note=read["note"], due_at=float(read["due_at"]))
    return Entry(id=read["entry"], at=float(read["at"]), what=what)


def _read_settle(line: bytes) -> Entry:
    read = json.loads(line)
    written = read["outcome"]
    subject, figures = written["subject"], written.get("breaking")
    ratios = () if figures is None else tuple(Ratio(**each) for each in figures.pop("ratios"))
    outcome = Outcome(
        id=bytes.fromhex(written["id"]),
        reply_id=bytes.fromhex(written["reply"]),
        kind=OutcomeKind(written["kind"]),
        reason=written["reason"],
        until=written["until"],
        subject=None if subject is None else Key(bytes.fromhex(subject)),
        ours=Ours(written.get("ours", Ours.OTHER)),  # lines of older versions say nothing of these
        counts=bool(written.get("counts", True)),
        breaking=DEFAULT
        if figures is None
        else Breaking(ratios=ratios, open_s=tuple(figures.pop("open_s")), **figures),
    )
    return Entry(id=read["entry"], at=float(read["at"]), what=Settle(outcome=outcome))


READERS: Final[Mapping[bytes, Callable[[bytes], Entry]]] = {
    b"keep": _read_keep,
    b"move": _read_move,
    b"staff": _read_staff,
    b"settle": _read_settle,
}
