import asyncio
import hashlib
import tracemalloc
from collections.abc import Sequence
from io import UnsupportedOperation

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from formwarden.bodies import (
    MAX_PART_HEADERS,
    NO_LIMITS,
    BodyParser,
    FieldLimits,
    Held,
    ParsedBody,
    TooManyFieldsError,
    UnreadableBodyError,
    UnsupportedBodyError,
    body_parser,
    parse_body,
)

URLENCODED = "application/x-www-form-urlencoded"
EXAMPLES = 80
File = tuple[str, str, bytes]
Read = tuple[list[tuple[str, str]], list[File]]


def ours(content_type: str, body: bytes) -> Read | None:
    """Our reading; None: refused."""
    try:
        parsed = parse_body(content_type, body)
    except (UnreadableBodyError, UnsupportedBodyError):
        return None
    files = [
        (upload.field, upload.filename, content)
        for upload, content in zip(parsed.uploads, parsed.contents, strict=True)
    ]
    return list(parsed.fields.pairs), files


def streamed(content_type: str, body: bytes, pieces: Sequence[int], limits: FieldLimits = NO_LIMITS) -> ParsedBody:
    """Our reading of a body that comes in pieces."""
    parser = body_parser(content_type, limits)
    for chunk in cut(body, pieces):
        parser.write(chunk)
    return parser.finish(Held(body))


def cut(body: bytes, pieces: Sequence[int]) -> list[bytes]:
    ends = sorted({min(end, len(body)) for end in pieces} | {len(body)})
    return [body[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def starlettes(content_type: str, body: bytes, pieces: Sequence[int] = ()) -> Read | None:
    """Starlette's own reading of the same bytes, cut at `pieces`; None: refused."""
    chunks = cut(body, pieces)

    async def receive() -> Message:
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def read() -> Read | None:
        headers = [(b"content-type", content_type.encode("latin-1"))]
        request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
        try:
            form = await request.form()
        except (MultiPartException, UnicodeError):
            return None
        fields: list[tuple[str, str]] = []
        files: list[File] = []
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.append((name, value.filename or "", await value.read()))
            else:
                fields.append((name, value))
        await form.close()
        return fields, files

    return asyncio.run(read())


def multipart(*parts: tuple[bytes, bytes], boundary: bytes = b"xyz") -> bytes:
    """Parts, each of its headers and its data."""
    written = b"".join(b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, head, data) for head, data in parts)
    return written + b"--%b--\r\n" % boundary


def field(name: bytes, data: bytes) -> tuple[bytes, bytes]:
    return b'Content-Disposition: form-data; name="%b"' % name, data


# ------------------------------------------------------------------ one reading only
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    body=st.lists(
        st.sampled_from([b"a", b"=", b"&", b";", b"%", b"%41", b"%e3%81", b"+", b"\xff", b"\x00", b" ", b"\n"])
    )
)
def test_an_urlencoded_body_reads_as_starlette_reads_it(body: list[bytes]) -> None:
    sent = b"".join(body)
    assert ours(URLENCODED, sent) == starlettes(URLENCODED, sent)


@settings(max_examples=EXAMPLES, deadline=None)
@given(body=st.binary(max_size=60))
def test_any_bytes_called_urlencoded_read_as_starlette_reads_them(body: bytes) -> None:
    read = ours(URLENCODED, body)
    assert read is None or read == starlettes(URLENCODED, body)


ESCAPES = (b"%", b"4", b"1", b"%41", b"%4", b"%zz", b"%%", b"\\", b"\\x41", b"%5C", b"%5cx41", b"\\u0041", b"+",
           b"%2B", b"a", b"%E3%81%82", b"%e3", b"%ff", b"N{BULLET}", b"=", b"&", b"\n", b"\xff")  # fmt: skip


@settings(max_examples=EXAMPLES * 3, deadline=None)
@given(body=st.lists(st.sampled_from(ESCAPES), max_size=12))
def test_escapes_of_every_kind_read_as_starlette_reads_them(body: list[bytes]) -> None:
    sent = b"a=" + b"".join(body)
    assert ours(URLENCODED, sent) == starlettes(URLENCODED, sent)


PIECES = (
    b"--xyz", b"\r\n", b"--", b"-", b"\r", b"\n", b"x", b"\xff", b"Content-Disposition: form-data; ", b"name=a",
    b'name="b"', b"; filename=f.txt", b'; filename="C:\\\\dir\\\\f"', b"Content-Type: text/plain", b": ", b"hello",
    b"\r\n\r\n", b"; name*=utf-8''c", b"content-disposition: form-data", b"--xyz\r\n", b"--xyz--\r\n",
)  # fmt: skip


@settings(max_examples=EXAMPLES * 2, deadline=None)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=24), cuts=st.lists(st.integers(1, 200), max_size=3))
def test_a_multipart_body_of_any_pieces_reads_as_starlette_reads_it_or_is_refused(
    pieces: list[bytes], cuts: list[int]
) -> None:
    body = b"".join(pieces)
    read = ours("multipart/form-data; boundary=xyz", body)
    theirs = starlettes("multipart/form-data; boundary=xyz", body)
    assert read in (theirs, None)
    # python-multipart refuses some bodies only where they are cut; it never reads another thing
    assert starlettes("multipart/form-data; boundary=xyz", body, cuts) in (theirs, None)


NAMES = st.sampled_from([b"name", b"email", b"\xe3\x81\x82", b"\xff", b"", b"a b", b"+AGE-", b"\\ud800"])
PART = st.tuples(NAMES, st.sampled_from([None, b"", b"f.txt", b"\xe3\x83\xbc.pdf"]), st.binary(max_size=30))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    parts=st.lists(PART, max_size=5),
    charset=st.sampled_from(
        ["", "utf-8", "UTF8", "latin-1", "shift_jis", "utf-7", "utf-16", "unicode_escape", "rot13", "none-such",
         "undefined", "idna", '"utf-8"']
    ),
    cut=st.integers(0, 400),
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
def test_a_multipart_body_of_any_charset_reads_as_starlette_reads_it_or_is_refused(
    parts: list[tuple[bytes, bytes | None, bytes]], charset: str, cut: int
) -> None:
    written = []
    for name, filename, data in parts:
        file = b"" if filename is None else b'; filename="%b"' % filename
        written.append((b'Content-Disposition: form-data; name="%b"%b' % (name, file), data))
    body = multipart(*written)
    body = body[: len(body) - cut] if cut < len(body) // 4 else body
    content_type = f"multipart/form-data; boundary=xyz; charset={charset}"
    read = ours(content_type, body)
    assert read is None or read == starlettes(content_type, body)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=xyz",
        "Multipart/Form-Data; Boundary=xyz",
        'multipart/form-data; boundary="xyz"',
        "multipart/form-data;boundary=xyz; charset=utf-8",
        "multipart/form-data ; boundary=xyz",
    ],
)
def test_the_boundary_is_found_however_it_is_written(content_type: str) -> None:
    body = multipart(field(b"name", "Ärger".encode()))
    read = ours(content_type, body)
    if content_type.startswith("Multipart"):
        assert read in (None, ([("name", "Ärger")], []))  # Starlette's word on the parameter's case
    assert read == starlettes(content_type, body)


def test_a_boundary_with_odd_letters_may_be_quoted() -> None:
    body = multipart(field(b"name", b"Taro"), boundary=b"a:b c?'")
    assert ours('multipart/form-data; boundary="a:b c?\'"', body) == ([("name", "Taro")], [])


@pytest.mark.parametrize("content_type", ["APPLICATION/X-WWW-FORM-URLENCODED", f"{URLENCODED}; charset=utf-8"])
def test_an_urlencoded_type_is_known_in_any_case_and_with_a_charset(content_type: str) -> None:
    assert ours(content_type, b"name=%E3%81%82") == ([("name", "あ")], [])


def test_a_charset_says_how_parts_are_decoded() -> None:
    body = multipart(field(b"name", "太郎".encode("shift_jis")))
    assert ours("multipart/form-data; boundary=xyz; charset=Shift_JIS", body) == ([("name", "太郎")], [])


@pytest.mark.parametrize("charset", ["utf-8", "none-such"])
def test_what_the_charset_cannot_decode_is_read_as_latin_1(charset: str) -> None:
    content_type = f"multipart/form-data; boundary=xyz; charset={charset}"
    assert ours(content_type, multipart(field(b"name", b"J\xf6rg"))) == ([("name", "Jörg")], [])


@pytest.mark.parametrize("charset", ["undefined", "punycode", "u\0tf-8"])
def test_a_charset_that_no_framework_survives_is_refused(charset: str) -> None:
    with pytest.raises(UnreadableBodyError):
        parse_body(f"multipart/form-data; boundary=xyz; charset={charset}", multipart(field(b"name", b"a..b")))


# ------------------------------------------------------------------ what comes out
def parsed(*parts: tuple[bytes, bytes]) -> ParsedBody:
    return parse_body("multipart/form-data; boundary=xyz", multipart(*parts))


def test_fields_keep_their_order_and_repetitions() -> None:
    assert parse_body(URLENCODED, b"b=1&a=2&b=3").fields.pairs == (("b", "1"), ("a", "2"), ("b", "3"))
    assert parsed(field(b"b", b"1"), field(b"a", b"2"), field(b"b", b"3")).fields.all("b") == ("1", "3")


def test_a_file_is_counted_and_hashed_and_never_decoded() -> None:
    data = b"\x89PNG\r\n\x00\xff"
    head = b'Content-Disposition: form-data; name="photo"; filename="bow.png"\r\nContent-Type: image/png'
    body = parsed(field(b"name", b"Taro"), (head, data))
    (upload,) = body.uploads
    assert (upload.field, upload.filename, upload.content_type, upload.size) == ("photo", "bow.png", "image/png", 8)
    assert upload.sha256 == hashlib.sha256(data).digest()
    assert body.contents == (data,)
    assert body.fields.pairs == (("name", "Taro"),)


def test_a_file_field_left_empty_is_a_file_without_name_and_bytes() -> None:
    head = b'Content-Disposition: form-data; name="photo"; filename=""\r\nContent-Type: application/octet-stream'
    (upload,) = parsed((head, b"")).uploads
    assert (upload.filename, upload.size) == ("", 0)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json", "multipart/mixed; boundary=xyz", ";"])
def test_other_types_are_not_read(content_type: str) -> None:
    with pytest.raises(UnsupportedBodyError):
        parse_body(content_type, b"name=Taro")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", multipart(field(b"a", b"b"))),
        ("multipart/form-data; boundary=", multipart(field(b"a", b"b"))),
        ("multipart/form-data; boundary=other", multipart(field(b"a", b"b"))),
        ("multipart/form-data; boundary=xyz", multipart(field(b"a", b"b"))[:-6]),
        ("multipart/form-data; boundary=xyz", b""),
        ("multipart/form-data; boundary=xyz", multipart((b"Content-Disposition: form-data", b"b"))),
        ("multipart/form-data; boundary=xyz", multipart((b"X-Other: 1", b"b"))),
        ("multipart/form-data; boundary=" + "x" * 4000, b"x"),
    ],
)
def test_a_broken_body_is_refused_whole(content_type: str, body: bytes) -> None:
    with pytest.raises(UnreadableBodyError):
        parse_body(content_type, body)


def test_a_part_that_has_only_an_extended_file_name_is_a_field() -> None:
    """RFC 7578 section 4.2 forbids `filename*`, and python-multipart ignores it since 0.0.30."""
    head = b"Content-Disposition: form-data; name=\"a\"; filename*=utf-8''x.txt"
    body = multipart((head, b"text"))
    assert ours("multipart/form-data; boundary=xyz", body) == ([("a", "text")], [])
    assert starlettes("multipart/form-data; boundary=xyz", body) == ([("a", "text")], [])


# ------------------------------------------------------------------ while it comes
FILE = b'Content-Disposition: form-data; name="f"; filename="f.bin"'


@settings(max_examples=EXAMPLES * 2, deadline=None)
@given(
    parts=st.lists(
        st.tuples(
            st.booleans(), st.lists(st.sampled_from([b"\r\n", b"--", b"-", b"x", b"--xy", b"\r", b"\r\n--xyq"]))
        ),
        min_size=1,
        max_size=4,
    ),
    cuts=st.lists(st.integers(1, 400), max_size=12),
)
def test_a_body_in_pieces_is_read_like_a_whole_one_and_files_lie_where_they_are_said_to(
    parts: list[tuple[bool, list[bytes]]], cuts: list[int]
) -> None:
    written = [(FILE if is_file else field(b"a", b"")[0], b"".join(data)) for is_file, data in parts]
    body = multipart(*written)
    content_type = "multipart/form-data; boundary=xyz"
    whole, pieces = parse_body(content_type, body), streamed(content_type, body, cuts)
    assert (pieces.fields, pieces.uploads, pieces.contents) == (whole.fields, whole.uploads, whole.contents)
    assert whole.contents == tuple(data for (is_file, _), (_, data) in zip(parts, written, strict=True) if is_file)
    hashes = [hashlib.sha256(content).digest() for content in pieces.contents]
    assert [upload.sha256 for upload in pieces.uploads] == hashes


def test_a_file_that_begins_like_a_boundary_is_found_wherever_it_is_cut() -> None:
    data = b"\r\n--xy, and no boundary\r\n--xy\r\n-"
    body = multipart(field(b"a", b"b"), (FILE, data), (FILE, b"\r\n"))
    for first in range(1, len(body)):
        for second in (first + 1, first + 3, len(body)):
            read = streamed("multipart/form-data; boundary=xyz", body, (first, second))
            assert read.contents == (data, b"\r\n"), (first, second)


@given(body=st.lists(st.sampled_from([b"a", b"=", b"&", b"%4", b"1"])), cuts=st.lists(st.integers(1, 30)))
def test_an_urlencoded_body_may_be_cut_anywhere(body: list[bytes], cuts: list[int]) -> None:
    sent = b"".join(body)
    assert streamed(URLENCODED, sent, cuts) == parse_body(URLENCODED, sent)


def test_a_file_is_opened_as_often_as_wanted_and_cannot_be_written() -> None:
    (part,) = parsed(field(b"a", b"b"), (FILE, b"hello")).files
    with part.open() as one, part.open() as other:
        assert (one.read(2), other.read(), one.read()) == (b"he", b"hello", b"llo")
        assert one.seek(1) == 1
        assert (one.writable(), one.read(1)) == (False, b"e")
        for change in (one.write, one.truncate, one.writelines):
            with pytest.raises(UnsupportedOperation):
                change(b"x")  # type: ignore[arg-type]  # none of them takes anything
    assert part.read() == b"hello"


# ------------------------------------------------------------------ two readings
@pytest.mark.parametrize(
    ("content_type", "body", "starlette", "others"),
    [
        (URLENCODED, "a=дёшево".encode(), "дёшево".encode().decode("latin-1"), "дёшево"),
        (URLENCODED, b"a=\xd0%B4+b", "Ð\ufffd b", "д b"),
        (URLENCODED, b"\xff=b", None, None),
        ("multipart/form-data; boundary=xyz", multipart(field(b"a", "дёшево".encode() + b"\xff")),
         ("дёшево".encode() + b"\xff").decode("latin-1"), "дёшево\ufffd"),
        ("multipart/form-data; boundary=xyz; charset=utf-16-le", multipart(field(b"a", b"cheap!")), "档慥ⅰ",
         "cheap!"),
        ("multipart/form-data; boundary=xyz; charset=utf-7", multipart(field(b"a", b"+AGE-")), "a", "+AGE-"),
    ],
)  # fmt: skip
def test_what_others_would_read_is_read_too(
    content_type: str, body: bytes, starlette: str | None, others: str | None
) -> None:
    read = parse_body(content_type, body)
    assert read.alternative is not None
    assert starlettes(content_type, body) == (list(read.fields.pairs), [])
    if starlette is not None:
        assert (read.fields["a"], read.alternative.get("a")) == (starlette, others)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (URLENCODED, b"a=%D0%B4+b&%ff=%"),
        (URLENCODED, b""),
        ("multipart/form-data; boundary=xyz", multipart(field(b"a", "дёшево".encode()))),
        ("multipart/form-data; boundary=xyz; charset=latin-1", multipart(field(b"a", b"cheap"))),
    ],
)
def test_what_all_read_alike_has_one_reading(content_type: str, body: bytes) -> None:
    assert parse_body(content_type, body).alternative is None


# ------------------------------------------------------------------ limits
LIMITS = FieldLimits(text_bytes=20, count=3)


@pytest.mark.parametrize(
    "body",
    [
        b"a=1&b=2&c=3&d=4",
        b"a=" + b"x" * 19,
    ],
)
def test_an_urlencoded_body_beyond_the_limits_is_refused(body: bytes) -> None:
    with pytest.raises(TooManyFieldsError):
        parse_body(URLENCODED, body, LIMITS)


@pytest.mark.parametrize(
    "parts",
    [
        [field(b"a", b"1")] * 4,
        [field(b"a", b"x" * 20)],
        [field(b"a", b"x" * 9), field(b"b", b"x" * 10)],
        [field(b"x" * 21, b"")],
        [(b'Content-Disposition: form-data; name="a"; filename="f"', b"")] * 4,
    ],
)
def test_a_multipart_body_beyond_the_limits_is_refused(parts: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(TooManyFieldsError):
        parse_body("multipart/form-data; boundary=xyz", multipart(*parts), LIMITS)


def test_empty_pairs_are_no_fields() -> None:
    assert parse_body(URLENCODED, b"&&a=1&&&b=2&", LIMITS).fields.pairs == (("a", "1"), ("b", "2"))


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (URLENCODED, b"a=" + b"x" * 50),
        ("multipart/form-data; boundary=xyz", multipart(field(b"a", b"x" * 50))),
        ("multipart/form-data; boundary=xyz", multipart(*[field(b"a", b"")] * 4)),
        ("multipart/form-data; boundary=xyz", multipart(field(b"x" * 60, b""))),
    ],
)
def test_the_limits_bite_while_the_body_comes(content_type: str, body: bytes) -> None:
    """None of these is ever finished: its end does not come."""
    unfinished = body.removesuffix(b"\r\n--xyz--\r\n")
    with pytest.raises(TooManyFieldsError):
        feed(body_parser(content_type, LIMITS), unfinished)


def feed(parser: BodyParser, body: bytes, size: int = 1) -> None:
    for start in range(0, len(body), size):
        parser.write(body[start : start + size])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_many_small_pieces_cost_little_more_than_their_bytes(size: int) -> None:
    content_type, body = "multipart/form-data; boundary=xyz", multipart(field(b"a", b"x" * 60_000))
    for kind, sent in ((content_type, body[:-10]), (URLENCODED, b"a=" + b"x" * 60_000)):
        parser = body_parser(kind)
        tracemalloc.start()
        feed(parser, sent, size)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 3 * len(sent)


def test_what_reaches_the_limits_exactly_is_read() -> None:
    assert len(parse_body(URLENCODED, b"a=1&b=2&c=" + b"x" * 10, LIMITS).fields.pairs) == 3
    body = multipart(
        field(b"a", b"x" * 19), *[(b'Content-Disposition: form-data; name="a"; filename="f"', b"x" * 99)] * 2
    )
    assert len(parse_body("multipart/form-data; boundary=xyz", body, LIMITS).uploads) == 2


def test_a_file_does_not_count_as_text() -> None:
    body = multipart((b'Content-Disposition: form-data; name="a"; filename="f"', b"x" * 10_000))
    assert parse_body("multipart/form-data; boundary=xyz", body, LIMITS).uploads[0].size == 10_000


def test_a_part_with_endless_headers_is_refused() -> None:
    heads = b"\r\n".join(b"X-%d: 1" % number for number in range(MAX_PART_HEADERS + 1))
    with pytest.raises(UnreadableBodyError):
        parsed((heads, b"x"))
    with pytest.raises(UnreadableBodyError):
        parsed((b"X-Long: " + b"x" * 5000, b"x"))


@settings(max_examples=EXAMPLES, deadline=None)
@given(content_type=st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=60), body=st.binary(max_size=60))
def test_nothing_but_our_own_errors_is_ever_raised(content_type: str, body: bytes) -> None:
    for kind in (content_type, f"multipart/form-data; boundary={content_type}", f"{URLENCODED}; {content_type}"):
        ours(kind, body)
