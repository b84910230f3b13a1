import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from formwarden.web.body import BodyLateError, BodyTooLargeError, ClientGoneError, Replay


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Server:
    """Gives these messages, then a disconnect, and counts how often it was asked."""

    def __init__(self, *messages: Message | BaseException) -> None:
        self.messages = list(messages)
        self.asked = 0

    async def __call__(self) -> Message:
        self.asked += 1
        message = self.messages.pop(0) if self.messages else {"type": "http.disconnect"}
        if isinstance(message, BaseException):
            raise message
        return message


async def read(server: Server, *, limit: int = 1000, declared: int | None = None) -> Replay:
    replay = Replay(server)
    await replay.read(limit=limit, declared=declared, seconds=5)
    return replay


def cut(body: bytes, at: Sequence[int]) -> list[Message]:
    ends = sorted({min(end, len(body)) for end in at})
    starts = [0, *ends]
    return [piece(body[a:b], more=b < len(body)) for a, b in zip(starts, [*ends, len(body)], strict=True)]


@given(body=st.binary(max_size=50), at=st.lists(st.integers(0, 49), max_size=5))
def test_the_whole_body_is_read_and_given_again_as_it_came(body: bytes, at: list[int]) -> None:
    async def check() -> None:
        messages = cut(body, at)
        messages = [*messages[:-1], {**messages[-1], "more_body": False}]
        messages = [*({**message, "more_body": True} for message in messages[:-1]), messages[-1]]
        replay = await read(Server(*messages))
        assert replay.body == body
        assert [await replay() for _ in messages] == messages
        assert await replay() == {"type": "http.disconnect"}

    asyncio.run(check())


@pytest.mark.anyio
async def test_a_message_may_leave_out_what_has_a_default() -> None:
    replay = await read(Server({"type": "http.request"}))
    assert replay.body == b""
    assert await replay() == {"type": "http.request"}


@pytest.mark.anyio
async def test_nothing_is_asked_of_the_server_before_the_body_is_given() -> None:
    server = Server(piece(b"a"), piece(b"b", more=False), {"type": "http.disconnect"})
    replay = await read(server)
    await replay()
    await replay()
    assert server.asked == 2
    await replay()
    assert server.asked == 3


@pytest.mark.anyio
async def test_the_limit_bites_while_reading() -> None:
    server = Server(*[piece(b"x" * 60)] * 10)
    with pytest.raises(BodyTooLargeError):
        await read(server, limit=100)
    assert server.asked == 2


@pytest.mark.anyio
async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert (await read(Server(piece(b"x" * 100, more=False)), limit=100, declared=100)).body == b"x" * 100


@pytest.mark.anyio
async def test_a_declared_length_is_an_early_no_and_never_a_yes() -> None:
    server = Server(piece(b"x" * 101, more=False))
    with pytest.raises(BodyTooLargeError):
        await read(server, limit=100, declared=101)
    assert server.asked == 0
    with pytest.raises(BodyTooLargeError):
        await read(server, limit=100, declared=5)


@pytest.mark.anyio
async def test_a_client_that_leaves_is_told_apart_from_one_that_is_slow() -> None:
    with pytest.raises(ClientGoneError):
        await read(Server(piece(b"a"), {"type": "http.disconnect"}))

    async def never() -> Message:
        await asyncio.Event().wait()
        return piece(b"")

    with pytest.raises(BodyLateError):
        await Replay(never).read(limit=10, declared=None, seconds=0.005)


@pytest.mark.anyio
async def test_a_timeout_of_the_servers_own_is_not_ours() -> None:
    with pytest.raises(TimeoutError, match="keep-alive"):
        await read(Server(piece(b"a"), TimeoutError("keep-alive")))


@pytest.mark.anyio
async def test_being_cancelled_while_reading_is_being_cancelled() -> None:
    async def never() -> Message:
        await asyncio.Event().wait()
        return piece(b"")

    task = asyncio.create_task(Replay(never).read(limit=10, declared=None, seconds=60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
