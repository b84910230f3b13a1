import pytest
from starlette.types import Message

from formwarden import Answer
from formwarden.web.responses import send_answer

ANSWER = Answer(status=403, headers={"content-type": "text/html; charset=utf-8", "x-a": "é"}, body="んん".encode())


@pytest.mark.anyio
@pytest.mark.parametrize("head", [True, False])
async def test_an_answer_is_sent_whole_or_without_its_body(head: bool) -> None:  # noqa: FBT001 - a table
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await send_answer(ANSWER, send, head=head)
    start, body = sent
    assert start["status"] == 403
    assert dict(start["headers"])[b"content-length"] == b"6"
    assert dict(start["headers"])[b"x-a"] == "é".encode("latin-1")
    assert body == {"type": "http.response.body", "body": b"" if head else ANSWER.body}
