"""What is written here is what is read back."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.bodies import parse_body
from formwarden.multipart import File, read_file, write_multipart

# no line ends or other controls, and no backslash that would stand before the closing quotation mark
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40).map(lambda name: name.rstrip("\\"))
FILENAMES = NAMES.map(lambda name: name.replace("\\", "/"))


def a_file(field: str = "photo", filename: str = "a.png", content: bytes = b"\x89PNG") -> File:
    return File(field=field, filename=filename, content_type="image/png", content=content)


@given(
    st.lists(st.tuples(NAMES, st.text(st.characters(exclude_categories=["Cs"]))), max_size=5),
    st.lists(st.tuples(NAMES, FILENAMES, st.binary(max_size=300)), max_size=3),
)
def test_names_values_and_files_come_back_as_they_were(
    pairs: list[tuple[str, str]], files: list[tuple[str, str, bytes]]
) -> None:
    content_type, body = write_multipart(pairs, [a_file(*each) for each in files])
    read = parse_body(content_type, body)
    assert list(read.fields.pairs) == pairs
    assert [(each.field, each.filename) for each in read.uploads] == [(name, filename) for name, filename, _ in files]
    assert list(read.contents) == [content for _, _, content in files]


def test_a_file_that_looks_like_a_boundary_ends_nothing() -> None:
    content_type, body = write_multipart([("a", "b")], [a_file(content=b"x")])
    boundary = content_type.partition("boundary=")[2].encode()
    nested = b"\r\n--" + boundary + b"--\r\n" + body
    content_type, body = write_multipart([("a", "b")], [a_file(content=nested)])
    assert parse_body(content_type, body).contents == (nested,)


@pytest.mark.parametrize(
    "name", ["x" * 5000, "あ" * 5000, '"' * 5000, "\\" * 5000], ids=["x", "wide", "quote", "back"]
)
def test_a_name_no_parser_would_read_is_cut_and_loses_nobody_the_rest(name: str) -> None:
    content_type, body = write_multipart(
        [(name, "kept")], [File(field=name, filename=name, content_type=name, content=b"k")]
    )
    read = parse_body(content_type, body)
    assert [value for _, value in read.fields.pairs] == ["kept"]
    assert read.contents == (b"k",)


@pytest.mark.parametrize("evil", ["a\r\nX-Evil: 1", 'a"; filename="b', "a\0b", "half \ud83d"])
def test_no_name_writes_a_header_or_a_parameter_of_its_own(evil: str) -> None:
    content_type, body = write_multipart([(evil, "v")], [a_file(evil, evil)])
    read = parse_body(content_type, body)
    assert (len(read.fields.pairs), len(read.uploads)) == (1, 1)
    assert b"\r\nX-Evil" not in body


def test_a_path_of_windows_is_a_name_like_any_other() -> None:
    content_type, body = write_multipart([], [a_file(filename="C:\\photos\\violin.png")])
    assert parse_body(content_type, body).uploads[0].filename == "C:_photos_violin.png"


@pytest.mark.parametrize("kind", ["", "\r\nX-Evil: 1", "\u3042"])
def test_a_content_type_stays_on_its_line(kind: str) -> None:
    content_type, body = write_multipart([], [File(field="f", filename="n", content_type=kind, content=b"c")])
    assert parse_body(content_type, body).contents == (b"c",)
    assert b"\r\nX-Evil" not in body


def test_a_file_is_read_whole_and_set_back() -> None:
    stream = BytesIO(b"whole")
    stream.read(3)  # by a handler that checked its first bytes
    assert read_file(("photo", None, None, stream)) == File(
        field="photo", filename="", content_type="", content=b"whole"
    )
    assert stream.read() == b"whole"
