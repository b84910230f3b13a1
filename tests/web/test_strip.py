import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.types import Message

from formwarden.bodies import Held, UnreadableBodyError
from formwarden.json_bodies import read_body
from formwarden.spool import Spools
from formwarden.web.resent import PIECE_BYTES
from formwarden.web.strip import cuts, left, stripped
from tests.clock import MovableClock
from tests.soak import runs
from tests.web.bare import http_scope

OURS = frozenset({"_fw_form", "_fw_token", "_fw_seen", "agenda_angle"})
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = 'multipart/form-data; boundary="-xyz"'
JSON = "application/json"
NAMES = st.sampled_from(["_fw_form", "_fw_token", "agenda_angle", "name", "é", "", "_fw_tok"])


def strip(content_type: str, body: bytes, *, step: int = PIECE_BYTES) -> bytes:
    """Read a body, and take out what is ours."""
    source = Held(body)
    size, pieces = left(source, cuts(content_type, source, read_body(content_type, body).fields, OURS, step=step))
    rest = b"".join(piece() for piece in pieces)
    assert len(rest) == size
    return rest


def part(name: str, data: bytes, more: bytes = b"", filename: str | None = None) -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'Content-Disposition: form-data; name="{name}"{file}\r\n'.encode() + more + b"\r\n" + data


def multipart(*parts: bytes, before: bytes = b"", after: bytes = b"\r\n") -> bytes:
    lines = b"".join(b"---xyz\r\n" + each + b"\r\n" for each in parts)
    return before + lines + b"---xyz--" + after


# ------------------------------------------------------------------ urlencoded
@pytest.mark.parametrize(
    ("body", "rest"),
    [
        (b"name=Taro&message=x", b"name=Taro&message=x"),
        (b"_fw_token=t&name=Taro", b"name=Taro"),
        (b"name=Taro&_fw_token=t", b"name=Taro"),
        (b"name=Taro&_fw_token=t&_fw_form=m", b"name=Taro"),
        (b"_fw_form=m&name=%54aro+Y%2e&_fw_token=t&message=%ff%00&_fw_seen=", b"name=%54aro+Y%2e&message=%ff%00"),
        (b"_fw_form=m&_fw_token=t", b""),
        (b"_fw_token", b""),
        (b"_fw_token&a", b"a"),
        (b"a&_fw_token=", b"a"),
        (b"%5Ffw_token=t&a=1", b"a=1"),
        (b"=1&_fw_token=t&=&b", b"=1&=&b"),
        (b"&&a=1&&_fw_token=t&&", b"&&a=1&&&"),
        (b"a=1&_fw_token=a=b=c&b=2", b"a=1&b=2"),
        (b"_fw_token=1&_fw_token=2&a=_fw_token", b"a=_fw_token"),
        (b"agenda_angle=&a=1;_fw_token=2", b"a=1;_fw_token=2"),
        (b"", b""),
    ],
)
def test_pairs_of_an_urlencoded_body_are_kept_as_the_bytes_they_were(body: bytes, rest: bytes) -> None:
    assert strip(URLENCODED, body) == rest


@given(st.lists(st.tuples(NAMES, st.text(max_size=4), st.sampled_from(["&", "&&"])), max_size=8))
def test_whatever_pairs_are_sent_those_of_the_site_stay(pairs: Sequence[tuple[str, str, str]]) -> None:
    body = "".join(f"{quote_plus(name)}={quote_plus(value)}{end}" for name, value, end in pairs).encode()
    before = read_body(URLENCODED, body).fields
    assert read_body(URLENCODED, strip(URLENCODED, body)).fields == before.without(OURS)


@pytest.mark.soak
@settings(max_examples=runs(100, 20_000))
@given(st.text(alphabet="&=_%5;ab", max_size=12).map(lambda text: text.replace("b", "_fw_token").encode()))
def test_strange_urlencoded_bodies_lose_nothing_but_ours(body: bytes) -> None:
    before = read_body(URLENCODED, body).fields
    assert read_body(URLENCODED, strip(URLENCODED, body)).fields == before.without(OURS)


# ------------------------------------------------------------------ multipart
A, B = part("a", b"1", b"X-Own: yes\r\n"), part("b", b"")
FILE = part("photo", b"\x00\r\n---xy\r\n--\xff", b"Content-Type: image/png\r\n", filename="é.png")
T, M, E = part("_fw_token", b"t"), part("_fw_form", b""), part("agenda_angle", b"x\r\n---xyq")


@pytest.mark.parametrize(
    ("parts", "rest"),
    [
        ((A, B), (A, B)),
        ((T, A, B), (A, B)),
        ((A, T, B), (A, B)),
        ((A, B, T), (A, B)),
        ((M, T, A, E, FILE, B, T, M), (A, FILE, B)),
        ((A, T, M, FILE), (A, FILE)),
        ((FILE, M), (FILE,)),
        ((B, E), (B,)),
        ((FILE, T, FILE, M, FILE), (FILE, FILE, FILE)),
    ],
)
@pytest.mark.parametrize("step", [1, 7, 64, PIECE_BYTES])
def test_parts_are_kept_as_the_bytes_they_were(parts: tuple[bytes, ...], rest: tuple[bytes, ...], step: int) -> None:
    for before, after in ((b"", b"\r\n"), (b"\r\n", b""), (b"", b"\r\nepilogue")):
        sent = multipart(*parts, before=before, after=after)
        assert strip(MULTIPART, sent, step=step) == multipart(*rest, before=before, after=after)


@pytest.mark.parametrize("parts", [(T,), (B.replace(b'"b"', b'"_fw_seen"'),), (M, T, E)])
def test_a_body_of_ours_alone_becomes_one_without_parts(parts: tuple[bytes, ...]) -> None:
    rest = strip(MULTIPART, multipart(*parts))
    assert rest == b"---xyz--\r\n"
    assert read_body(MULTIPART, rest).fields.pairs == ()


def test_a_file_stays_whatever_it_is_called() -> None:
    file = part("_fw_token", b"data", filename="")
    assert strip(MULTIPART, multipart(file, T)) == multipart(file)


@pytest.mark.parametrize(
    "head",
    [
        b'content-disposition:form-data; name="_fw_token"',
        b'X-A:\r\nContent-Disposition:   form-data; name="_fw_token"',
        b'Content-Disposition: form-data; name="x"; filename="y"\r\nContent-Disposition: form-data; name=_fw_token',
        b'Content-Disposition: form-data; name="_fw_token"\r\nX-A:',
        b'Content-Disposition: form-data; name="_fw_token"\r\nX-A:    ',
    ],
)
@pytest.mark.parametrize("step", [1, 5, PIECE_BYTES])
def test_headers_of_parts_may_be_written_otherwise(head: bytes, step: int) -> None:
    odd = head + b"\r\n\r\nt"
    empty = head.replace(b"_fw_token", b"a") + b"\r\n\r\n"
    assert strip(MULTIPART, multipart(odd, A, odd, odd), step=step) == multipart(A)
    assert strip(MULTIPART, multipart(A, odd, empty, odd), step=step) == multipart(A, empty)


@pytest.mark.parametrize("step", [1, 5, PIECE_BYTES])
def test_boundary_lines_may_end_in_blanks(step: int) -> None:
    sent = multipart(A, T, B).replace(b"\r\n---xyz\r\n", b"\r\n---xyz \t\r\n")
    assert read_body(MULTIPART, strip(MULTIPART, sent, step=step)).fields.pairs == (("a", "1"), ("b", ""))


PARTS = st.builds(
    part,
    NAMES.filter(bool),
    st.binary(max_size=12) | st.sampled_from([b"\r\n---xyq", b"\r\n--", b"\r", b"---xyz"]),
    st.sampled_from([b"", b"X-A:\r\n", b"Content-Type: text/plain\r\n"]),
    st.none() | st.just("f.txt"),
)


@pytest.mark.soak
@settings(max_examples=runs(100, 20_000))
@given(parts=st.lists(PARTS, min_size=1, max_size=6), step=st.sampled_from([1, 3, 20, PIECE_BYTES]))
def test_whatever_parts_are_sent_those_of_the_site_stay(parts: Sequence[bytes], step: int) -> None:
    sent = multipart(*parts)
    try:
        before = read_body(MULTIPART, sent)
    except UnreadableBodyError:  # data that ends the body early
        return
    after = read_body(MULTIPART, strip(MULTIPART, sent, step=step))
    assert after.fields == before.fields.without(OURS)
    assert (after.uploads, after.contents) == (before.uploads, before.contents)


@dataclass(frozen=True)
class InFile:
    """A body in a file, which notes how much was asked for at once."""

    path: Path
    asked: list[int] = field(default_factory=list[int])

    @property
    def size(self) -> int:
        return self.path.stat().st_size

    def read(self) -> bytes:
        self.asked.append(self.size)
        return self.path.read_bytes()

    def window(self, start: int, length: int) -> BinaryIO:
        asked, whole = self.asked, self.path.read_bytes()

        class Window(BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                asked.append(length if size is None or size < 0 else size)
                return super().read(size)

        return Window(whole[start : start + length])


@pytest.mark.anyio
async def test_a_large_body_in_a_file_is_never_in_memory_as_a_whole(tmp_path: Path, clock: MovableClock) -> None:
    photo = part("photo", bytes(range(256)) * 4_000, filename="bow.png")
    sent = multipart(M, T, A, photo, E)
    (tmp_path / "body").write_bytes(sent)
    source = InFile(tmp_path / "body")
    kind = MULTIPART.encode()
    scope = http_scope(headers={"content-type": MULTIPART, "content-length": str(len(sent))})

    async def gone() -> Message:
        return {"type": "http.disconnect"}

    receive = await stripped(
        scope,
        gone,
        content_type=MULTIPART,
        source=source,
        fields=read_body(MULTIPART, sent).fields,
        names=OURS,
        spools=Spools(directory=None, budget=1, clock=clock),
    )
    assert receive is not None
    got = b""
    while (message := await receive())["type"] == "http.request":
        got += message["body"]
    assert got == multipart(A, photo)
    assert max(source.asked) <= PIECE_BYTES
    assert (b"content-length", str(len(got)).encode()) in scope["headers"]
    assert (b"content-type", kind) in scope["headers"]


# ------------------------------------------------------------------ JSON
@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ('{"_fw_token": "t", "a": 1}', '{ "a": 1}'),
        ('{"a": 1, "_fw_token": "t"}', '{"a": 1}'),
        (
            '{ "a" : [1, {"_fw_token": 2}] , "_fw_token" : "t" , "b":1e5 }',
            '{ "a" : [1, {"_fw_token": 2}] , "b":1e5 }',
        ),
        ('{"_fw_token":"t","_fw_form":"m","a":"é","agenda_angle":"}"}', '{"a":"é"}'),
        ('{"_fw_token":"t","_fw_form":"m"}', "{}"),
        ('{"\\u005ffw_token":"t","a":"\\ud800,"}', '{"a":"\\ud800,"}'),
        ('{"a":1,"_fw_token":["x","y"],"a":2}', '{"a":1,"a":2}'),
        ('\ufeff {"_fw_token":"t","a":1} ', '\ufeff {"a":1} '),
        ('[{"_fw_token":"t"}]', '[{"_fw_token":"t"}]'),
        ('{"a":{"_fw_token":"t"}}', '{"a":{"_fw_token":"t"}}'),
        ('{"_fw_token":null,"a":1}', '{"a":1}'),
        ("null", "null"),
        (f'{{"_fw_token":{"9" * 5000},"a":{"8" * 5000}}}', f'{{"a":{"8" * 5000}}}'),
    ],
)
def test_members_of_a_json_body_are_kept_as_the_bytes_they_were(body: str, rest: str) -> None:
    assert strip(JSON, body.encode()) == rest.encode()


VALUES = st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5) | st.lists(st.text(max_size=2))


@given(
    value=st.dictionaries(NAMES, VALUES, max_size=6), indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans()
)
def test_whatever_object_is_sent_the_members_of_the_site_stay(
    value: dict[str, object],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - drawn
) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    assert json.loads(strip(JSON, body)) == {name: each for name, each in value.items() if name not in OURS}
