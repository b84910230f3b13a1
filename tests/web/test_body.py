import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from formwarden.allowance import NoRoomError
from formwarden.bodies import TooManyFieldsError, body_parser, parse_body
from formwarden.spool import Spools
from formwarden.web.body import AS_THEY_CAME, PIECE_BYTES, Body, BodyLimits, BodyTooLargeError, ClientGoneError
from formwarden.web.pace import BodyLateError, PaceLimits
from formwarden.web.settings import Web
from tests.clock import MovableClock
from tests.test_bodies import FILE, URLENCODED, field, multipart
from tests.test_spool import descriptors

MULTIPART = "multipart/form-data; boundary=xyz"
LIMITS = BodyLimits(size=1_000, in_memory=500, pace=PaceLimits.of(Web()))
GONE = {"type": "http.disconnect"}


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def messages(body: bytes, at: Sequence[int] = ()) -> list[Message]:
    ends = sorted({min(end, len(body)) for end in at if end} | {len(body)})
    return [piece(body[a:b], more=b < len(body)) for a, b in zip([0, *ends[:-1]], ends, strict=True)]


class Server:
    """Gives these messages, then a disconnect, and counts how often it was asked."""

    def __init__(self, *messages: Message | BaseException) -> None:
        self.messages = list(messages)
        self.asked = 0

    async def __call__(self) -> Message:
        self.asked += 1
        message = self.messages.pop(0) if self.messages else GONE
        if isinstance(message, BaseException):
            raise message
        return message


async def never() -> Message:
    await asyncio.Event().wait()
    return GONE


class Reading:
    """Bodies read with one budget."""

    def __init__(
        self, *, size: int = 1_000, in_memory: int = 500, budget: int = 100_000, directory: str | None = None
    ) -> None:
        self.spools = Spools(directory=directory, budget=budget, clock=MovableClock())
        self.limits = replace(LIMITS, size=size, in_memory=in_memory)

    def body(self, server: Server, content_type: str = URLENCODED) -> Body:
        return Body(server, body_parser(content_type), self.limits, self.spools)

    async def read(self, server: Server, content_type: str = URLENCODED) -> Body:
        body = self.body(server, content_type)
        await body.read()
        return body

    @property
    def held(self) -> int:
        return self.spools.allowance.held


async def again(body: Body) -> list[Message]:
    """Everything that the endpoint receives, the disconnect included."""
    received = [await body()]
    while received[-1]["type"] == "http.request":
        received.append(await body())
    return received


def joined(received: Sequence[Message]) -> bytes:
    """The body as an endpoint reads it; `more_body` is false once, at the last message."""
    *pieces, last = received
    assert last == GONE
    assert [message.get("more_body", False) for message in pieces] == [True] * (len(pieces) - 1) + [False]
    return b"".join(message.get("body", b"") for message in pieces)


# ------------------------------------------------------------------ in memory
@given(body=st.binary(max_size=50), at=st.lists(st.integers(0, 49), max_size=5))
def test_the_whole_body_is_read_and_given_again_as_it_came(body: bytes, at: list[int]) -> None:
    async def check() -> None:
        sent = messages(body, at)
        read = await Reading().read(Server(*sent))
        assert (read.content, read.source.read(), read.size) == (body, body, len(body))
        assert read.parsed == parse_body(URLENCODED, body)
        assert await again(read) == [*sent, GONE]

    asyncio.run(check())


@pytest.mark.anyio
async def test_a_message_may_leave_out_what_has_a_default() -> None:
    read = await Reading().read(Server({"type": "http.request"}))
    assert read.content == b""
    assert await read() == {"type": "http.request"}


@pytest.mark.anyio
async def test_nothing_is_asked_of_the_server_before_the_body_is_given() -> None:
    server = Server(piece(b"a"), piece(b"b", more=False), GONE)
    read = await Reading().read(server)
    await read()
    await read()
    assert server.asked == 2
    await read()
    assert server.asked == 3


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 3, 100])
async def test_many_small_messages_become_fewer(size: int) -> None:
    sent = b"a=" + b"x" * 9_000
    read = await Reading(size=10_000, in_memory=10_000).read(Server(*messages(sent, range(0, 9_000, size))))
    assert read.content == sent
    received = await again(read)
    assert joined(received) == sent
    assert len(received) <= AS_THEY_CAME + 4


# ------------------------------------------------------------------ in a file
@given(sizes=st.lists(st.integers(0, 400), max_size=6), at=st.lists(st.integers(1, 2_000), max_size=8))
def test_a_larger_body_goes_into_a_file_and_comes_out_of_it(sizes: list[int], at: list[int]) -> None:
    sent = multipart(
        field(b"a", b"b"), *[(FILE, bytes([number]) * size) for number, size in enumerate([500, *sizes])]
    )

    async def check() -> None:
        reading = Reading(size=10_000)
        read = await reading.read(Server(*messages(sent, at)), MULTIPART)
        assert read.spooled is not None
        assert (read.content, read.size, read.source.read()) == (b"", len(sent), sent)
        whole = parse_body(MULTIPART, sent)
        assert (read.parsed.fields, read.parsed.uploads) == (whole.fields, whole.uploads)
        assert read.parsed.contents == whole.contents
        assert reading.held == len(sent)
        assert joined(await again(read)) == sent
        read.close()
        assert reading.held == 0

    asyncio.run(check())


@pytest.mark.anyio
async def test_it_comes_out_in_messages_that_are_not_large() -> None:
    sent = multipart((FILE, bytes(PIECE_BYTES * 2 + 5)))
    read = await Reading(size=1 << 20, budget=1 << 20).read(Server(*messages(sent, [9])), MULTIPART)
    received = await again(read)
    assert joined(received) == sent
    assert max(len(message.get("body", b"")) for message in received) == PIECE_BYTES
    read.close()


@pytest.mark.anyio
async def test_one_message_larger_than_memory_takes_goes_into_a_file_too() -> None:
    reading = Reading(in_memory=10)
    read = await reading.read(Server(piece(b"a=" + b"x" * 50, more=False)))
    assert read.spooled is not None
    assert (joined(await again(read)), reading.held) == (b"a=" + b"x" * 50, 52)
    read.close()
    assert reading.held == 0


@pytest.mark.anyio
async def test_a_window_may_be_kept_longer_than_the_request() -> None:
    before = descriptors()
    read = await Reading().read(Server(*messages(multipart((FILE, b"x" * 600)), [300])), MULTIPART)
    with read.parsed.files[0].open() as window:
        read.close()
        assert window.read() == b"x" * 600
    del read
    assert descriptors() == before


# ------------------------------------------------------------------ bounds
@pytest.mark.anyio
@pytest.mark.parametrize("in_memory", [30, 500])
async def test_the_limit_bites_while_reading(in_memory: int) -> None:
    reading, before = Reading(size=100, in_memory=in_memory), descriptors()
    server = Server(*[piece(b"x" * 60)] * 10)
    body = reading.body(server)
    with pytest.raises(BodyTooLargeError):
        await body.read()
    body.close()
    assert (server.asked, reading.held) == (2, 0)
    assert descriptors() == before


@pytest.mark.anyio
async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert (await Reading(size=100).read(Server(piece(b"x" * 100, more=False)))).content == b"x" * 100


@pytest.mark.anyio
async def test_what_the_parser_refuses_is_not_read_on() -> None:
    class Refusing:
        def write(self, _: bytes) -> None:
            raise TooManyFieldsError("text")

    server = Server(*[piece(b"x")] * 10)
    with pytest.raises(TooManyFieldsError):
        await Body(server, Refusing(), LIMITS, Reading().spools).read()  # type: ignore[arg-type]  # never finished
    assert server.asked == 1


@pytest.mark.anyio
@pytest.mark.parametrize("in_memory", [30, 500])
async def test_beyond_the_budget_there_is_no_room_until_others_have_gone(in_memory: int) -> None:
    reading = Reading(budget=150, in_memory=in_memory)
    stalled = asyncio.ensure_future(reading.read(Server(piece(b"x" * 100))))
    body, other = reading.body(Server(piece(b"x" * 100))), reading.body(Server(*[piece(b"x" * 40)] * 3))
    with pytest.raises(ClientGoneError):
        await body.read()
    assert reading.held == 100
    with pytest.raises(NoRoomError):
        await other.read()
    other.close()
    assert reading.held == 100
    body.close()
    assert reading.held == 0
    with pytest.raises(ClientGoneError):
        await stalled


@pytest.mark.anyio
async def test_a_body_that_is_there_whole_is_never_refused_for_want_of_room() -> None:
    """An inquiry of a few lines gets through whoever is uploading: the server holds it already."""
    reading = Reading(budget=1)
    assert (await reading.read(Server(piece(b"message=hello", more=False)))).content == b"message=hello"
    assert reading.held == 0


@pytest.mark.anyio
async def test_what_ends_a_body_is_not_refused_for_want_of_room() -> None:
    reading = Reading(budget=100)
    read = await reading.read(Server(piece(b"a=" + b"x" * 60), piece(b"x" * 60, more=False)))
    assert (read.size, reading.held) == (122, 122)
    read.close()
    assert reading.held == 0


@pytest.mark.anyio
async def test_a_disk_that_takes_nothing_is_no_room(tmp_path: Path) -> None:
    reading = Reading(directory=str(tmp_path / "none"), in_memory=10)
    body = reading.body(Server(piece(b"x" * 50)))
    with pytest.raises(NoRoomError):
        await body.read()
    body.close()
    assert reading.held == 0


# ------------------------------------------------------------------ ends
@pytest.mark.anyio
async def test_a_client_that_leaves_is_told_apart_from_one_that_is_slow() -> None:
    with pytest.raises(ClientGoneError):
        await Reading().read(Server(piece(b"a"), GONE))
    pace = replace(LIMITS.pace, whole_s=0.005)
    with pytest.raises(BodyLateError):
        await Body(never, body_parser(URLENCODED), replace(LIMITS, pace=pace), Reading().spools).read()


@pytest.mark.anyio
async def test_a_timeout_of_the_servers_own_is_not_ours() -> None:
    with pytest.raises(TimeoutError, match="keep-alive"):
        await Reading().read(Server(piece(b"a"), TimeoutError("keep-alive")))


@pytest.mark.anyio
@pytest.mark.parametrize("in_memory", [3, 500])
async def test_being_cancelled_while_reading_is_being_cancelled(in_memory: int) -> None:
    before, reading, stalled = descriptors(), Reading(in_memory=in_memory), asyncio.Event()
    server = Server(piece(b"a=12345"))

    async def receive() -> Message:
        if server.messages:
            return await server()
        stalled.set()
        return await never()

    body = Body(receive, body_parser(URLENCODED), reading.limits, reading.spools)
    task = asyncio.create_task(body.read())
    await stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    body.close()
    del body, task
    assert (reading.held, descriptors()) == (0, before)


@pytest.mark.anyio
async def test_a_file_that_was_left_to_the_store_goes_with_it() -> None:
    before, reading = descriptors(), Reading()
    read = await reading.read(Server(*messages(multipart((FILE, b"x" * 600)), [300])), MULTIPART)
    kept = read.spooled
    read.leave()
    read.close()
    assert kept is not None
    assert kept.read().count(b"x") >= 600
    del kept, read
    assert (descriptors(), reading.held) == (before, 0)
