"""Lines of an export: every record comes back as it was, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from formwarden.stores.archive_lines import Header, LineError, header_line, line_of, read_header, read_line
from formwarden.stores.ports import Key, ReplyRow
from tests.stores.samples import inquiry

TEXT = st.text()
TIME = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none() | TIME
IDS = st.binary(max_size=20)
RECORDS: st.SearchStrategy[Record] = st.one_of(
    st.builds(KeptOutcome, id=IDS, reply_id=IDS, kind=TEXT, reason=TEXT, at=TIME),
    st.builds(KeptSuppression, subject=IDS.map(Key), cause=TEXT, until=MAYBE),
    st.builds(KeptMark, name=TEXT, at=TIME),
    st.builds(
        KeptInquiry,
        inquiry=st.builds(
            inquiry, TEXT, body=st.none() | IDS, note=TEXT, recipient=st.none() | TEXT, answer=st.just((303, "/x"))
        ),
        staff_at=TIME,
    ),
    st.builds(
        KeptReply,
        row=st.builds(
            ReplyRow,
            reply_id=IDS,
            submission_id=IDS,
            state=TEXT,
            code=TEXT,
            created_at=TIME,
            held_until=MAYBE,
            attempts=st.integers(0, 99),
            last=TEXT,
        ),
        due_at=MAYBE,
        spends=st.lists(st.tuples(IDS.map(Key), TIME)).map(tuple),
    ),
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    line = line_of(record)
    assert line.isascii()
    assert "\n" not in line
    assert read_line(line) == record


@given(RECORDS, st.data())
def test_a_line_with_a_member_missing_or_of_another_type_is_refused(record: Record, data: st.DataObject) -> None:
    members = json.loads(line_of(record))
    name = data.draw(st.sampled_from(sorted(members)))
    for wrong in ({"no": 1}, True):
        if name not in {"facts", "hits", "evidence"} or wrong is True:
            with pytest.raises(LineError):
                read_line(json.dumps({**members, name: wrong}))
    if name != "answer":
        with pytest.raises(LineError):
            read_line(json.dumps({each: members[each] for each in members if each != name}))


@pytest.mark.parametrize("line", ["", "{", "[]", "1", '{"kind": "lease"}', "[" * 100_000, '{"kind": "mark"}'])
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(LineError):
        read_line(line)


def test_a_header_comes_back_and_one_of_a_newer_formwarden_is_refused() -> None:
    header = Header(made_at=1.0, counts=dict.fromkeys(KINDS, 2), keys=(RecipientKey(key=b"k", made_at=0.5),))
    assert read_header(header_line(header)) == header
    with pytest.raises(LineError, match="newer formwarden"):
        read_header(header_line(header).replace('"version":1', '"version":2'))
    with pytest.raises(LineError, match="first line of a formwarden export"):
        read_header('{"id": 1}')
    with pytest.raises(LineError):
        read_header(header_line(header).replace('"6b"', '"6"'))
