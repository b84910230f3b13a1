"""Framework-free answers, sent over ASGI."""

from starlette.types import Send

from formwarden.submission import Answer


async def send_answer(answer: Answer, send: Send, *, head: bool = False) -> None:
    """Send one answer; `head`: without its body."""
    length = str(len(answer.body))
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    headers.append((b"content-length", length.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
