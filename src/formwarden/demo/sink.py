"""A mail server on loopback that keeps what it is given: with it, no mail of the demo leaves this machine."""

import asyncio
import mailbox
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final, Self

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP

from formwarden.demo.aside import Aside

MAIL_BYTES: Final = 40_000_000  # the largest body the site takes, with its files as base64, and room to spare


class MailSink:
    """Serves SMTP on a free port in a thread of its own, and writes every mail to a Maildir."""

    def __init__(self, maildir: Path, *, host: str = "127.0.0.1") -> None:
        self._host = host
        mailbox.Maildir(maildir, create=True).close()
        self._handler = Mailbox(maildir)
        self._aside = Aside("mail-sink", self._serving)
        self.url = ""

    def start(self) -> str:
        """Begin to serve and return the URL of this relay; raises `OSError` where no port can be had."""
        self.url = self._aside.start()
        return self.url

    def stop(self) -> None:
        """End the thread and the connections it has."""
        self._aside.stop()

    @contextmanager
    def running(self) -> Iterator[Self]:
        """Serve while the block runs."""
        with self._aside.running() as self.url:
            yield self

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        async with await loop.create_server(lambda: self._session(loop), self._host, 0) as server:
            yield f"smtp://{self._host}:{server.sockets[0].getsockname()[1]}"

    def _session(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return SMTP(
            self._handler,
            hostname="mail-sink.invalid",
            data_size_limit=MAIL_BYTES,
            enable_SMTPUTF8=True,
            loop=loop,
        )
