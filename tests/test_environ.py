"""What a WSGI environment tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.environ import headers_of, host_of, method_of, mount_of, path_of, peer_of, query_of


def test_headers_lose_the_prefix_and_keep_what_the_server_joined() -> None:
    found = headers_of({"HTTP_X_FORWARDED_FOR": "1.2.3.4, 5.6.7.8", "HTTP_HOST": "a.example", "SERVER_NAME": "b"})
    assert found == {"x-forwarded-for": "1.2.3.4, 5.6.7.8", "host": "a.example"}


def test_the_two_content_headers_have_no_prefix_and_are_not_forged_by_one() -> None:
    environ = {"CONTENT_TYPE": "text/plain", "HTTP_CONTENT_TYPE": "application/json", "HTTP_CONTENT_LENGTH": "1"}
    assert headers_of(environ) == {"content-type": "text/plain"}
    assert headers_of({"CONTENT_TYPE": "", "CONTENT_LENGTH": ""}) == {}


def test_what_is_no_text_is_no_header() -> None:
    assert headers_of({"HTTP_X": b"bytes", "HTTP_Y": None, "wsgi.input": object()}) == {}


@pytest.mark.parametrize(
    ("environ", "host"),
    [
        ({"HTTP_HOST": "shop.example:8000", "SERVER_NAME": "x", "SERVER_PORT": "80"}, "shop.example:8000"),
        ({"SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}, "x"),
        ({"SERVER_NAME": "x", "SERVER_PORT": "443", "wsgi.url_scheme": "https"}, "x"),
        ({"SERVER_NAME": "x", "SERVER_PORT": "443", "wsgi.url_scheme": "http"}, "x:443"),
        ({"SERVER_NAME": "x"}, "x"),
        ({}, None),
    ],
)
def test_the_host_is_rebuilt_as_pep_3333_says(environ: dict[str, object], host: str | None) -> None:
    assert host_of(environ) == host


def test_a_unix_socket_has_no_peer() -> None:
    assert peer_of({"REMOTE_ADDR": ""}) is None
    assert peer_of({}) is None
    assert peer_of({"REMOTE_ADDR": "192.0.2.1"}) == "192.0.2.1"


@pytest.mark.parametrize("written", ["/お礼".encode().decode("latin-1"), "/お礼"], ids=["wsgi", "django under asgi"])
def test_a_path_is_read_from_both_kinds_of_server(written: str) -> None:
    assert path_of({"PATH_INFO": written}) == "/お礼"
    assert mount_of({"SCRIPT_NAME": written}) == "/お礼"


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.binary(), st.none(), st.integers())))
def test_nothing_in_it_makes_reading_fail(environ: dict[str, object]) -> None:
    keys = ("HTTP_HOST", "REMOTE_ADDR", "PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REQUEST_METHOD", "CONTENT_TYPE")
    whole = dict(zip(keys, environ.values(), strict=False)) | environ
    for read in (headers_of, host_of, peer_of, path_of, mount_of, query_of, method_of):
        read(whole)
