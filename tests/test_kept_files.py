"""Files that were kept come with the next click, byte for byte, as every reader of the new body reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden import Fields, Upload
from formwarden.bodies import ParsedBody, parse_body
from formwarden.kept_files import chosen, kept_files, with_files

TYPE = "multipart/form-data; boundary=xyz"
TEXT = st.text(max_size=12) | st.sampled_from(
    ["--xyz", '"', "\\", "\r\n", "a\r\n--new--\r\nb", "é", "青葉", "", "\0"]
)
NAME = st.text(st.characters(exclude_characters='\r\n"\\\0', codec="utf-8"), max_size=12)
DATA = st.binary(max_size=40) | st.sampled_from([b"\r\n--new", b"\r\n--new--\r\n", b"--xy", b"\r\n", b""])
NEW = "new-0123456789abcdef"


def part(name: str, data: bytes, filename: str | None = None, kind: str = "") -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    content_type = f"Content-Type: {kind}\r\n" if kind else ""
    head = f'Content-Disposition: form-data; name="{name}"{file}\r\n{content_type}\r\n'
    return b"--xyz\r\n" + head.encode() + data + b"\r\n"


def multipart(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--xyz--\r\n"


@given(
    st.lists(st.tuples(TEXT, TEXT), max_size=4),
    st.lists(
        st.tuples(NAME, NAME, DATA, st.sampled_from(["", "image/png", "text/plain; charset=utf-8"])), max_size=3
    ),
)
def test_the_new_body_is_read_as_the_fields_of_now_and_the_files_of_then(
    fields: list[tuple[str, str]], files: list[tuple[str, str, bytes, str]]
) -> None:
    parts = [part(name, data, filename, kind) for name, filename, data, kind in files]
    before = multipart(part("message", b"as it was"), *parts)
    kept = kept_files(TYPE, before)
    sent = Fields([(name.encode("utf-8", "replace").decode(), value) for name, value in fields])
    made = with_files(sent, kept, boundary=NEW, limit=1 << 20)
    assert made is not None
    read = parse_body(made.content_type, made.body)
    assert read.uploads == made.parsed.uploads == parse_body(TYPE, before).uploads
    assert read.contents == made.parsed.contents == tuple(data for _, _, data, _ in files)
    told = [(name.translate({34: "%22", 92: "%5C", 13: "%0D", 10: "%0A"}), value) for name, value in sent.pairs]
    assert list(read.fields.pairs) == told


@pytest.mark.parametrize("name", ['a"b.png', "a\\b.png", 'a\\".png', "\\"])
def test_a_name_that_would_end_its_quotes_is_written_as_browsers_write_it(name: str) -> None:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    kept = kept_files(TYPE, multipart(part("photo", b"x", quoted)))
    made = with_files(Fields(), kept, boundary=NEW, limit=1_000)
    assert made is not None
    (upload,) = made.parsed.uploads
    assert upload.filename == name.replace("\\", "%5C").replace('"', "%22")
    assert parse_body(made.content_type, made.body).uploads == (upload,)


@pytest.mark.parametrize("slack", [0, -1])
def test_the_limit_of_a_body_holds_for_both_together(slack: int) -> None:
    kept = kept_files(TYPE, multipart(part("photo", b"x" * 500, "a.png", "image/png")))
    whole = with_files(Fields({"message": "hello"}), kept, boundary=NEW, limit=10_000)
    assert whole is not None
    again = with_files(Fields({"message": "hello"}), kept, boundary=NEW, limit=len(whole.body) + slack)
    assert (again == whole) is (slack == 0)


@pytest.mark.parametrize("content_type", ["", "application/json", "application/x-www-form-urlencoded", TYPE])
def test_a_body_without_files_brings_none(content_type: str) -> None:
    assert kept_files(content_type, b"name=x") == ParsedBody(fields=Fields())


def test_an_input_that_was_left_empty_is_no_file() -> None:
    def upload(filename: str, size: int) -> Upload:
        return Upload(field="photo", filename=filename, content_type="", size=size, sha256=b"")

    nameless, empty, left = upload("", 3), upload("a.txt", 0), upload("", 0)
    assert chosen((nameless, empty, left)) == (nameless, empty)
