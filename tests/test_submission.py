"""One submission as a value."""

import hashlib
from ipaddress import ip_address

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from formwarden.submission import URLENCODED, Client, Fields, Submission, join_headers, preferred_language

PAIRS = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=8)


@given(PAIRS)
def test_fields_keep_every_pair_in_order(pairs: list[tuple[str, str]]) -> None:
    fields = Fields(pairs)
    assert fields.pairs == tuple(pairs)
    assert Fields(fields).pairs == tuple(pairs)
    assert [value for name in fields for value in fields.all(name)] == [
        value for name in dict.fromkeys(name for name, _ in pairs) for key, value in pairs if key == name
    ]


def test_the_last_value_answers_for_a_name() -> None:
    fields = Fields([("a", "1"), ("b", "2"), ("a", "3")])
    assert fields["a"] == "3"
    assert fields.all("a") == ("1", "3")
    assert dict(fields) == {"a": "3", "b": "2"}
    assert len(fields) == 2
    with pytest.raises(KeyError):
        fields["c"]


def test_fields_without_a_name_lose_all_its_values() -> None:
    assert Fields([("a", "1"), ("b", "2"), ("a", "3")]).without(("a",)) == Fields({"b": "2"})


def test_fields_print_names_and_never_what_was_typed() -> None:
    assert repr(Fields({"email": "somebody@example.com"})) == "Fields(email)"


def test_fields_compare_by_pairs_and_can_be_hashed() -> None:
    assert Fields({"a": "1"}) == Fields([("a", "1")])
    assert Fields([("a", "1"), ("b", "2")]) != Fields([("b", "2"), ("a", "1")])
    assert Fields({"a": "1"}) != {"a": "1"}
    assert len({Fields({"a": "1"}), Fields([("a", "1")])}) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_a_client_is_read_from_text(text: str, expected: str) -> None:
    assert Client.parse(text).ip == ip_address(expected)


@pytest.mark.parametrize("text", [None, "", "unix:", "testclient", "::", "192.0.2.7:80", "[::1]", "1.2.3"])
def test_what_is_no_address_is_an_unknown_client(text: str | None) -> None:
    client = Client.parse(text)
    assert (client.ip, client.identity, client.network) == (None, None, None)


def test_one_household_is_one_client_and_neighbours_share_a_network() -> None:
    one, two = Client.parse("2001:db8:1:2::1"), Client.parse("2001:db8:1:2:ffff::9")
    neighbour = Client.parse("2001:db8:1:3::1")
    assert one.identity == two.identity != neighbour.identity
    assert one.network == neighbour.network
    assert Client.parse("192.0.2.1").identity != Client.parse("192.0.2.2").identity
    assert Client.parse("192.0.2.1").network == Client.parse("192.0.2.2").network


def test_a_network_is_never_taken_for_a_client() -> None:
    zero = Client.parse("192.0.2.0")
    assert zero.identity != zero.network


def test_repeated_headers_are_joined_in_order_whatever_their_case() -> None:
    pairs = [("X-Forwarded-For", "1.2.3.4"), ("Host", "a"), ("x-forwarded-for", "5.6.7.8"), ("X-FORWARDED-FOR", "")]
    assert join_headers(pairs) == {"x-forwarded-for": "1.2.3.4, 5.6.7.8, ", "host": "a"}


def test_a_submission_is_made_from_plain_values() -> None:
    submission = Submission("contact", {"name": "あ"}, client="192.0.2.7", headers={"Host": "example.com"})
    assert submission.fields == Fields({"name": "あ"})
    assert submission.client == Client(ip_address("192.0.2.7"))
    assert submission.host == "example.com"
    assert submission.body == b"name=%E3%81%82"


def test_what_is_given_is_kept() -> None:
    client, fields = Client.parse("192.0.2.7"), Fields([("a", "1"), ("a", "2")])
    submission = Submission("contact", fields, client=client, host="a.example", body=b"raw", received_at=1.0)
    assert submission.fields is fields
    assert submission.client is client
    assert (submission.host, submission.body, submission.received_at) == ("a.example", b"raw", 1.0)


@pytest.mark.anyio
async def test_a_starlette_request_makes_a_submission() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n'
        b'--b\r\nContent-Disposition: form-data; name="plan"; filename="plan.txt"\r\n\r\ntext\r\n--b--\r\n'
    )

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"multipart/form-data; boundary=b"), (b"host", b"example.com")]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "client": ("192.0.2.7", 4711)}
    request = Request(scope, receive)
    submission = await Submission.from_request("contact", request)
    await request.close()
    assert submission.fields == Fields({"name": "Ada"})
    assert (submission.peer, submission.host, submission.client) == ("192.0.2.7", "example.com", None)


def test_a_wsgi_environment_makes_a_submission() -> None:
    environ = {
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_ACCEPT_LANGUAGE": "ja",
        "HTTP_HOST": "example.com",
        "CONTENT_TYPE": "text/plain",
        "wsgi.version": (1, 0),
        "PATH_INFO": "/contact",
    }
    submission = Submission.from_environ("contact", environ, [("name", "Ada")])
    assert submission.peer == "192.0.2.7"
    assert submission.headers == {"accept-language": "ja", "host": "example.com", "content-type": "text/plain"}
    assert (submission.language, submission.host) == ("ja", "example.com")
    assert Submission.from_environ("contact", {}, ()).peer is None


@given(PAIRS)
def test_any_text_makes_a_submission(pairs: list[tuple[str, str]]) -> None:
    assert Submission("contact", [*pairs, ("half", "\ud800")]).body


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,en;q=0.5", "ja"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("fr,de;q=0.9", "en"),
        ("fr,ja;q=0.1", "ja"),
        ("ja;q=0", "en"),
        ("en;q=0.2, ja;q=0.3", "ja"),
        ("ja;q=nan,en;q=x", "en"),
        ("JA", "ja"),
    ],
)
def test_the_language_is_the_one_the_browser_likes_best(header: str, expected: str) -> None:
    assert preferred_language(header) == expected
    assert Submission("contact", {}, headers={"Accept-Language": header}).language == expected


@given(st.text())
def test_no_header_makes_the_choice_raise(header: str) -> None:
    assert preferred_language(header) in {"ja", "en"}


@pytest.mark.anyio
async def test_a_request_is_read_with_its_files_and_its_body_as_sent() -> None:
    sent = httpx2.Request("POST", "http://t/", data={"a": "1"}, files={"f": ("f.txt", b"content", "text/plain")})
    body = sent.read()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.headers.items()],
        "client": ("203.0.113.9", 4711),
    }
    request = Request(scope, receive)
    submission = await Submission.from_request("contact", request)
    await request.close()
    assert submission.fields.pairs == (("a", "1"),)
    [upload] = submission.uploads
    assert (upload.filename, upload.size, upload.sha256) == ("f.txt", 7, hashlib.sha256(b"content").digest())
    assert submission.body == body
    assert submission.content_type == sent.headers["content-type"]
    assert submission.peer == "203.0.113.9"


@pytest.mark.anyio
async def test_a_request_whose_form_the_framework_has_read_is_kept_as_its_fields() -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"a=1&b=2", "more_body": False}

    headers = [(b"content-type", URLENCODED.encode())]
    request = Request(
        {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""}, receive
    )
    await request.form()
    submission = await Submission.from_request("contact", request)
    assert submission.fields.pairs == (("a", "1"), ("b", "2"))
    assert submission.body == b"a=1&b=2"
    assert submission.peer is None
