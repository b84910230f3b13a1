"""Lines of an export: every record comes back as it was, and nothing else is taken for one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.stores.archive import (
    KINDS,
    KeptAlarm,
    KeptDay,
    KeptInquiry,
    KeptKnown,
    KeptMark,
    KeptNewcomer,
    KeptOutcome,
    KeptReply,
    KeptSuppression,
    RecipientKey,
    Record,
)
from formwarden.stores.archive_fields import LineError
from formwarden.stores.archive_lines import ADDED_TO_REPLIES, Header, header_line, line_of, read_header, read_line
from formwarden.stores.breakers import AccountRow, BreakerRow
from formwarden.stores.ports import Account, Alarm, Growth, Key, ReplyRow
from tests.stores.samples import inquiry

TEXT = st.text()
TIME = st.floats(allow_nan=False, allow_infinity=False)
MAYBE = st.none() | TIME
IDS = st.binary(max_size=20)
KEYS = IDS.map(Key)
MANY_KEYS = st.lists(KEYS, max_size=3).map(tuple)
NUMBER = st.integers(0, 99)
REPLY_ID = b"the id of a reply"
ACCOUNTS = st.builds(
    AccountRow,
    reply_id=st.just(REPLY_ID),
    account=st.builds(
        Account,
        recipient=st.just(()),
        provider=KEYS,
        site=KEYS,
        label=TEXT,
        domain=st.none() | KEYS,
        client=st.none() | KEYS,
        network=MANY_KEYS,
        standing=TEXT,
    ),
    at=TIME,
    entered_at=MAYBE,
    hard=TIME,
    complained_at=MAYBE,
)
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
            reply_id=st.just(REPLY_ID),
            submission_id=IDS,
            state=TEXT,
            code=TEXT,
            created_at=TIME,
            held_until=MAYBE,
            attempts=st.integers(0, 99),
            last=TEXT,
            score=MAYBE,
        ),
        due_at=MAYBE,
        spends=st.lists(st.tuples(IDS.map(Key), TIME)).map(tuple),
        recipient=st.none() | KEYS,
        wanted=st.booleans(),
        account=st.none() | ACCOUNTS,
        probe_of=MANY_KEYS,
    ),
    st.builds(
        BreakerRow,
        subject=KEYS,
        label=TEXT,
        cause=TEXT,
        level=NUMBER,
        probes=NUMBER,
        opened_at=TIME,
        until=MAYBE,
        closes_at=MAYBE,
        tidied=st.booleans(),
    ),
    st.builds(KeptNewcomer, recipient=KEYS, first_at=TIME, seen_at=TIME),
    st.builds(KeptKnown, subject=KEYS),
    st.builds(
        Growth,
        cap=NUMBER,
        day=NUMBER,
        drip_cap=st.none() | NUMBER,
        drip_at=MAYBE,
        real_at=MAYBE,
        real_week=NUMBER,
    ),
    st.builds(KeptAlarm, alarm=st.builds(Alarm, id=NUMBER, kind=TEXT, text=TEXT, at=TIME), told_at=MAYBE),
    st.builds(KeptDay, day=NUMBER, wanted=NUMBER, granted=NUMBER, newcomers=NUMBER, complaints=NUMBER),
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
        if (name not in {"facts", "hits", "evidence"} or wrong is True) and not (
            wrong is True and name in {"wanted", "tidied"}
        ):
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
        read_header(header_line(header).replace('"version":2', '"version":3'))
    with pytest.raises(LineError, match="first line of a formwarden export"):
        read_header('{"id": 1}')
    with pytest.raises(LineError):
        read_header(header_line(header).replace('"6b"', '"6"'))


def test_lines_of_the_first_version_are_read_and_say_nothing_of_what_came_since() -> None:
    row = ReplyRow(reply_id=REPLY_ID, submission_id=b"s", state="sent", code="OK", created_at=1.0)
    written = json.loads(line_of(KeptReply(row=row)))
    old = json.dumps({name: value for name, value in written.items() if name not in ADDED_TO_REPLIES})
    assert read_line(old, version=1) == KeptReply(row=row)
    with pytest.raises(LineError):
        read_line(old)
    header = json.loads(header_line(Header(made_at=1.0, counts={"reply": 1}, keys=())))
    counts = {"inquiry": 0, "reply": 1, "spend": 0, "outcome": 0, "suppression": 0, "mark": 0}
    read = read_header(json.dumps({**header, "version": 1, "counts": counts}))
    assert (read.version, read.counts) == (1, {**dict.fromkeys(KINDS, 0), "reply": 1})
