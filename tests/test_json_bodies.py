import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.bodies import FieldLimits, TooManyFieldsError, UnreadableBodyError, UnsupportedBodyError
from formwarden.json_bodies import form_parser, read_body

LIMITS = FieldLimits(text_bytes=50, count=5)


@pytest.mark.parametrize(
    ("content_type", "body", "pairs"),
    [
        ("application/json", b'{"a": 1}', (("a", "1"),)),
        ("application/json; charset=UTF-8", b'{"a": 1}', (("a", "1"),)),
        ('application/x+json; charset="utf8"', b'{"a": 1}', (("a", "1"),)),
        ("application/x-www-form-urlencoded", b"a=1", (("a", "1"),)),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--',
         (("a", "1"),)),
    ],
)  # fmt: skip
def test_a_body_of_each_kind_is_read(content_type: str, body: bytes, pairs: tuple[tuple[str, str], ...]) -> None:
    assert read_body(content_type, body).fields.pairs == pairs


@pytest.mark.parametrize("charset", ["shift_jis", "iso-8859-1", "utf-16", "", "nonsense"])
def test_json_in_another_charset_would_have_two_readings(charset: str) -> None:
    with pytest.raises(UnreadableBodyError):
        read_body(f"application/json; charset={charset}", b"{}")


def test_what_is_no_json_has_the_errors_of_other_bodies() -> None:
    with pytest.raises(UnreadableBodyError):
        read_body("application/json", b"a=1")
    with pytest.raises(TooManyFieldsError):
        read_body("application/json", b'{"a": [1,2,3,4,5]}', LIMITS)
    with pytest.raises(TooManyFieldsError):
        read_body("application/json", b'{"a": "%b"}' % (b"x" * 50), LIMITS)
    with pytest.raises(UnsupportedBodyError):
        read_body("text/json", b"{}")


def test_too_much_is_refused_while_it_comes() -> None:
    parser = form_parser("application/json", LIMITS)
    parser.write(b'{"a": "' + b"x" * 40)
    with pytest.raises(TooManyFieldsError):
        parser.write(b"x" * 10)


@given(kind=st.sampled_from(["application/json", "application/a+json; charset=", "application/json;charset=utf-8"]),
       body=st.binary(max_size=60))  # fmt: skip
def test_nothing_else_is_raised(kind: str, body: bytes) -> None:
    try:
        read_body(kind, body, LIMITS)
    except (UnreadableBodyError, TooManyFieldsError):
        return
