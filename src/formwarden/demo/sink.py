"""A mail server on loopback that keeps what it is given: with it, no mail of the demo leaves this machine."""

import asyncio
import mailbox
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

START_S: Final = 10.0
MAIL_BYTES: Final = 40_000_000  # the largest body the site takes, with its files as base64, and room to spare


class MailSink:
    """Serves SMTP on a free port in a thread of its own, and writes every mail to a Maildir."""

    def __init__(self, maildir: Path, *, host: str = "127.0.0.1") -> None:
        self._host = host
        mailbox.Maildir(maildir, create=True).close()
        self._handler = Mailbox(maildir)
        self._thread: threading.Thread | None = None
        self._leave: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self.url = ""

    def start(self) -> str:
        """Begin to serve and return the URL of this relay; raises `OSError` where no port can be had."""
        ready: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="mail-sink", daemon=True)
        self._thread.start()
        self.url = ready.result(timeout=START_S)
        return self.url

    def stop(self) -> None:
        """End the thread and the connections it has."""
        if self._leave is not None:
            loop, leave = self._leave
            loop.call_soon_threadsafe(leave.set)
            self._leave = None
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve while the block runs."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def _run(self, ready: Future[str]) -> None:
        try:
            asyncio.run(self._serve(ready))
        except OSError as error:
            ready.set_exception(error)

    async def _serve(self, ready: Future[str]) -> None:
        loop, leave = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(lambda: self._session(loop), self._host, 0)
        async with server:
            self._leave = (loop, leave)
            ready.set_result(f"smtp://{self._host}:{server.sockets[0].getsockname()[1]}")
            await leave.wait()

    def _session(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return SMTP(
            self._handler,
            hostname="mail-sink.invalid",
            data_size_limit=MAIL_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        )
