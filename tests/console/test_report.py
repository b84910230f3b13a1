import json

import pytest

from formwarden.console.report import TYPED_CHARACTERS, TYPED_FIELDS, as_plain, typed_in
from formwarden.desk.overview import Overview, Row
from formwarden.desk.periodic import Trouble, Warned
from formwarden.faults import Fault
from formwarden.stores.journal import JournalState
from formwarden.stores.ports import ReplyRow, Staff, State
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD
from tests.console.cases import NOW, inquiry


def test_what_was_typed_comes_in_its_order_and_every_value_of_a_name() -> None:
    typed = typed_in(inquiry(typed=[("b", "1"), ("a", "2"), ("b", "3")]))
    assert typed is not None
    assert typed.fields == (("b", "1"), ("a", "2"), ("b", "3"))
    assert not typed.cut


def test_our_own_fields_and_the_traps_were_not_typed() -> None:
    sent = [(MARKER_FIELD, "m"), (TOKEN_FIELD, "t"), (EVIDENCE_FIELD, "e"), ("company_fax", ""), ("name", "Taro")]
    typed = typed_in(inquiry(typed=sent))
    assert typed is not None
    assert typed.fields == (("name", "Taro"),)


@pytest.mark.parametrize("traps", [None, "name", 7, [7, "other"]])
def test_facts_of_another_release_hide_nothing(traps: object) -> None:
    typed = typed_in(inquiry(facts={"traps": traps}))
    assert typed is not None
    assert [name for name, _ in typed.fields] == ["name", "message"]


def test_a_text_that_is_no_longer_kept_is_no_text() -> None:
    assert typed_in(inquiry(body=None)) is None


def test_long_and_many_fields_are_cut_and_it_is_said() -> None:
    long = typed_in(inquiry(typed=[("message", "x" * (TYPED_CHARACTERS + 1))]))
    many = typed_in(inquiry(typed=[(f"f{number}", "") for number in range(TYPED_FIELDS + 1)]))
    assert long is not None
    assert many is not None
    assert (len(long.fields[0][1]), long.cut) == (TYPED_CHARACTERS, True)
    assert (len(many.fields), many.cut) == (TYPED_FIELDS, True)


PART = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nTaro\r\n--x\r\n'
FILE = b'Content-Disposition: form-data; name="photo"; filename="crack.jpg"\r\n\r\n\xff\xd8\r\n--x--\r\n'


def test_files_are_named() -> None:
    typed = typed_in(inquiry(content_type="multipart/form-data; boundary=x", body=PART + FILE))
    assert typed is not None
    assert typed.fields == (("name", "Taro"),)
    assert typed.files == ("crack.jpg",)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"no part"),
        ("text/plain", b"name=Taro"),
        ("", b"name=Taro"),
        ("multipart/form-data; boundary=x; charset=punycode", PART.replace(b"Taro", b"a..") + FILE),
    ],
)
def test_a_body_that_is_not_what_it_says_is_shown_as_unreadable_or_as_it_is(content_type: str, body: bytes) -> None:
    typed = typed_in(inquiry(content_type=content_type, body=body))
    assert typed is not None
    assert not typed.readable or typed.fields


def overview(*rows: Row) -> Overview:
    fault = Fault(what="outbox", count=3, last_at=NOW - 5, why="refused")
    return Overview(
        rows=rows,
        after="next",
        journal=(inquiry(9, state=State.ACCEPTED),),
        faults=(fault,),
        store="no space left on the disk",
        replies_off=True,
        now=NOW,
        spooled=JournalState(size=9, inquiries=1),
        work=(Warned(trouble=Trouble.TASK_FAILS, task="outbox", since=NOW - 60, why="disk full"),),
    )


def test_the_json_twin_says_what_the_page_says() -> None:
    reply = ReplyRow(
        reply_id=b"r", submission_id=b"s", state="held", code="HELD_DNS", created_at=NOW, held_until=NOW + 9, last="x"
    )
    facts = {"traps": [], "standing": "shown", "click": "made"}
    rows = (
        Row(inquiry=inquiry(1, facts=facts, staff=Staff.DUE, staff_note="421 later"), reply=reply),
        Row(inquiry=inquiry(2)),
    )
    plain = as_plain(overview(*rows))
    assert json.loads(json.dumps(plain)) == plain
    assert plain["store"] == "no space left on the disk"
    assert plain["replies_off"] is True
    assert plain["limits"] is None
    assert plain["older"] == "next"
    assert plain["spooled"] == {"bytes": 9, "inquiries": 1, "outcomes": 0, "aside_bytes": 0, "aside_path": ""}
    assert plain["work"] == [{"code": "task_fails", "task": "outbox", "since": NOW - 60, "why": "disk full"}]
    assert plain["faults"] == [{"what": "outbox", "count": 3, "why": "refused", "last_at": NOW - 5}]
    assert isinstance(plain["inquiries"], list)
    assert isinstance(plain["journal"], list)
    first, second = plain["inquiries"]
    assert [entry["receipt"] for entry in plain["journal"]] == ["R-0009"]
    assert first == {
        "id": "00000000000000000000000000000001",
        "receipt": "R-0001",
        "form": "contact",
        "state": "held",
        "score": 6.5,
        "standing": "shown",
        "click": "made",
        "received_at": NOW - 60,
        "changed_at": 0.0,
        "hits": {"urls": 3.0, "too_young": 3.5, "gibberish": 0.0},
        "evidence": {"urls": "3 links", "too_young": "1.2 s", "gibberish": "0.1"},
        "note": "judged: quarantine",
        "reply": {"code": "HELD_DNS", "state": "held", "last": "x", "attempts": 0, "held_until": NOW + 9},
        "staff": "due",
        "staff_note": "421 later",
        "typed": [["name", "Taro"], ["message", "Hello"]],
        "files": [],
    }
    assert second["reply"] is None


def test_a_lone_surrogate_breaks_no_json() -> None:
    hostile = inquiry(
        content_type="multipart/form-data; boundary=x; charset=unicode_escape",
        body=b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--x--\r\n',
    )
    assert json.dumps(as_plain(overview(Row(inquiry=hostile)))).isascii()
