import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Scope

from formwarden.web.requests import declared_length, headers_of, is_repeated, path_of, peer_of, wants_json


def scope(**values: object) -> Scope:
    return {"type": "http", "path": "/contact", "headers": [], **values}


def test_headers_are_by_lower_case_name_and_repeated_ones_are_joined() -> None:
    pairs = [(b"X-Forwarded-For", b"1.2.3.4"), (b"host", b"a"), (b"x-forwarded-for", b"5.6.7.8")]
    assert headers_of(scope(headers=pairs)) == {"x-forwarded-for": "1.2.3.4, 5.6.7.8", "host": "a"}


@given(pairs=st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8))))
def test_no_bytes_of_a_header_make_it_raise(pairs: list[tuple[bytes, bytes]]) -> None:
    headers_of(scope(headers=pairs))


@pytest.mark.parametrize(
    ("values", "peer"),
    [
        ({"client": ("1.2.3.4", 5)}, "1.2.3.4"),
        ({"client": ["::1", 5]}, "::1"),
        ({"client": None}, None),
        ({}, None),
        ({"client": ()}, None),
    ],
)
def test_a_unix_socket_has_no_peer(values: dict[str, object], peer: str | None) -> None:
    assert peer_of(scope(**values)) == peer


@pytest.mark.parametrize(
    ("path", "root_path", "seen"),
    [
        ("/contact", "", "/contact"),
        ("/shop/contact", "/shop", "/contact"),
        ("/shop/contact", "/shop/", "/shop/contact"),
        ("/shop", "/shop", ""),
        ("/shopping", "/shop", "/shopping"),
        ("/contact", "/shop", "/contact"),
    ],
)
def test_the_mount_is_taken_off_as_a_whole(path: str, root_path: str, seen: str) -> None:
    assert path_of(scope(path=path, root_path=root_path)) == seen


def test_a_scope_without_root_path_is_one_without_mount() -> None:
    assert path_of(scope()) == "/contact"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", 0),
        ("1024", 1024),
        ("0001", 1),
        ("", None),
        ("-1", None),
        ("1e3", None),
        ("1, 1", None),
        ("１", None),
        ("²", None),
        ("1_000", None),
        (" 5", None),
    ],
)
def test_only_a_number_is_a_length(text: str, length: int | None) -> None:
    assert declared_length({"content-length": text}) == length


def test_a_length_longer_than_python_reads_is_a_length_still() -> None:
    length = declared_length({"content-length": "9" * 5000})
    assert length is not None
    assert length > 10**18
    assert declared_length({"content-length": "0" * 5000 + "7"}) == 7
    assert declared_length({}) is None


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        ("application/json", True),
        ("application/problem+json, */*", True),
        ("Application/JSON", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json, text/html", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_asks_for_json_and_no_page_gets_json(accept: str, json: bool) -> None:  # noqa: FBT001 - a table
    assert wants_json({"accept": accept}) is json


def test_who_says_nothing_gets_a_page() -> None:
    assert not wants_json({})


def test_a_header_is_repeated_in_whatever_case() -> None:
    once = scope(headers=[(b"Content-Type", b"a"), (b"host", b"b")])
    twice = scope(headers=[(b"Content-Type", b"a"), (b"content-type", b"a")])
    assert not is_repeated(once, b"content-type")
    assert is_repeated(twice, b"content-type")
    assert not is_repeated(scope(), b"content-type")
