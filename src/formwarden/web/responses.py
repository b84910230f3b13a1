"""Framework-free answers, sent over ASGI."""

from starlette.types import Send

from formwarden.submission import Answer


async def send_answer(answer: Answer, send: Send, *, head: bool = False) -> None:
    """Send one answer; `head`: without its body."""
    length = (b"content-length", str(len(answer.body)).encode())  # first, where Starlette has it (G29)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
