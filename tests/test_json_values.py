import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formwarden.json_values import MAX_DEPTH, JsonTooMuchError, JsonUnreadableError, is_json, json_pairs
from tests.soak import runs

PLENTY = 1 << 18
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def pairs(body: bytes | str, *, text_bytes: int = PLENTY, count: int = 200) -> list[tuple[str, str]]:
    raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    return json_pairs(raw, text_bytes=text_bytes, count=count)


@pytest.mark.parametrize(
    ("content_type", "so"),
    [
        ("application/json", True),
        ("Application/JSON ; charset=utf-8", True),
        ("application/vnd.shop+json;v=2", True),
        ("application/problem+json", True),
        ("text/json", False),
        ("application/jsonx", False),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=+json", False),
        ("", False),
    ],
)
def test_json_is_told_by_its_content_type(content_type: str, so: bool) -> None:  # noqa: FBT001 - a table
    assert is_json(content_type) is so


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ('{"name": "Taro", "message": ""}', [("name", "Taro"), ("message", "")]),
        ('{"a": 1, "b": -1.50, "c": 1e2, "d": true, "e": false}',
         [("a", "1"), ("b", "-1.50"), ("c", "1e2"), ("d", "true"), ("e", "false")]),
        ('{"a": null, "b": {}, "c": []}', []),
        ('{"a": NaN, "b": -Infinity}', [("a", "NaN"), ("b", "-Infinity")]),
        ('{"contact": {"email": "a@b", "phone": {"no": 1}}}', [("contact.email", "a@b"), ("contact.phone.no", "1")]),
        ('{"topics": ["bows", ["strings"]], "rows": [{"n": 1}, {"n": 2}]}',
         [("topics", "bows"), ("topics", "strings"), ("rows.n", "1"), ("rows.n", "2")]),
        ('{"email": "a@b", "email": "c@d"}', [("email", "a@b"), ("email", "c@d")]),
        ('{"a.b": "1", "a": {"b": "2"}, "": "3"}', [("a.b", "1"), ("a.b", "2"), ("", "3")]),
        ('[{"email": "a@b"}, {"email": "c@d"}]', [("email", "a@b"), ("email", "c@d")]),
        ('"a text"', [("", "a text")]),
        ("null", []),
        ("[]", []),
        ('{"a": "\\u0000\\r\\n\\ud800"}', [("a", "\0\r\n\ud800")]),
        ('\ufeff{"a": "b"}', [("a", "b")]),
        (f'{{"a": {"9" * 10_000}}}', [("a", "9" * 10_000)]),
    ],
)  # fmt: skip
def test_every_value_has_a_name_and_is_read(body: str, read: list[tuple[str, str]]) -> None:
    assert pairs(body) == read


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a": "b"',
        b'{"a": "b"} more',
        b'{"a": "b",}',
        b"{'a': 'b'}",
        b'{"a": "\n"}',
        b'{"a": "\xff"}',
        '{"a": "é"}'.encode("latin-1"),
        '{"a": "b"}'.encode("utf-16"),
        '{"a": "b"}'.encode("utf-16-le"),
        '{"a": "b"}'.encode("utf-32-be"),
        '\ufeff\ufeff{"a": "b"}'.encode(),
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
    ],
)
def test_what_is_not_json_in_utf_8_is_unreadable(body: bytes) -> None:
    with pytest.raises(JsonUnreadableError):
        pairs(body)


def test_objects_within_each_other_may_go_as_deep_as_said() -> None:
    assert pairs('{"a":' * MAX_DEPTH + "1" + "}" * MAX_DEPTH) == [(".".join("a" * MAX_DEPTH), "1")]


@pytest.mark.parametrize(
    ("body", "text_bytes", "count"),
    [
        (b'{"a": "0123456789"}', 18, 200),
        (b"[1,2,3]", 100, 2),
        (b"[[],[],{}]", 100, 2),
        (b"[null,null,null]", 100, 2),
        (b'{"' + b"n" * 60 + b'": [1,1,1]}', 100, 200),
    ],
)
def test_text_and_number_of_values_are_bounded(body: bytes, text_bytes: int, count: int) -> None:
    with pytest.raises(JsonTooMuchError):
        pairs(body, text_bytes=text_bytes, count=count)


@pytest.mark.soak
@settings(max_examples=runs(100, 50_000))
@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0d8e1.-nul t', max_size=60).map(str.encode))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    try:
        read = pairs(body, text_bytes=50, count=5)
    except (JsonUnreadableError, JsonTooMuchError):
        return
    json.loads(body)  # and what is read here, the framework behind reads too
    assert all(isinstance(text, str) for pair in read for text in pair)


@given(JSON)
def test_whatever_can_be_written_as_json_is_read(value: object) -> None:
    texts = [text for _, text in pairs(json.dumps(value))]
    assert texts == list(leaves(value))


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8)))
def test_a_flat_object_of_strings_is_read_as_python_reads_it(value: dict[str, str]) -> None:
    for body in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        assert dict(pairs(body)) == json.loads(body) == value


def leaves(value: object) -> list[str]:
    """Every value in its order, as text."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in leaves(each)]
    if isinstance(value, list):
        return [text for each in value for text in leaves(each)]
    if value is None:
        return []
    return [value if isinstance(value, str) else json.dumps(value)]
