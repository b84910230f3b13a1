"""Posts alarms to a URL: JSON that chats understand, signed so that a receiver of one's own can trust it."""

import asyncio
import hashlib
import hmac
import json
import socket
import ssl
from ipaddress import ip_address
from typing import Final

from formwarden.clock import Clock
from formwarden.mail.alarm import AlarmError, Notice
from formwarden.mail.alarm_settings import parse_webhook

TIMEOUT_S: Final = 10.0  # for the whole: chats answer within one second
HEAD_BYTES: Final = 16_384  # of an answer; only its status is read
INTERIM: Final = 5  # answers (1xx) before the one that counts
HEADER: Final = "Formwarden-Signature"


class Webhook:
    """Posts one notice at a time, each on a connection of its own; follows no redirect and knows no proxy.

    `Formwarden-Signature: t=SECONDS,v1=HEX` is the HMAC-SHA256 of `SECONDS.BODY` under the key, if one is set.
    Raises ValueError for a URL that may not be.
    """

    name: Final = "webhook"

    def __init__(self, url: str, *, key: str | None, local: bool, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._target = parse_webhook(url, local=local)
        self._key = key
        self._local = local
        self._clock = clock
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context() if self._target.tls else None

    async def tell(self, notice: Notice, /) -> None:
        """Post. Raises AlarmError for every answer but 2xx, and for none."""
        body = json.dumps(
            {
                "site": notice.site,
                "kind": notice.kind,
                "text": f"{notice.subject}\n\n{notice.text}",
                "alarms": [
                    {"id": each.id, "kind": each.kind, "at": each.at, "text": each.text} for each in notice.alarms
                ],
            }
        ).encode()
        try:
            async with asyncio.timeout(self._timeout_s):
                status = await self._post(body)
        except TimeoutError as error:
            raise AlarmError("no answer in time") from error
        except (OSError, ValueError, LookupError, EOFError, asyncio.LimitOverrunError) as error:
            # OSError: ssl.SSLError too; ValueError and LookupError: what answers is no HTTP server
            raise AlarmError(f"no answer: {type(error).__name__}") from error
        if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            raise AlarmError(f"status {status}")

    async def _post(self, body: bytes) -> int:
        """Return the status. By hand: one request and one number need no library that a site must install."""
        target = self._target
        if not self._local and await _leads_here(target.host, target.port):
            raise AlarmError("the host's name leads to this machine; alarm_webhook_local allows it")
        reader, writer = await asyncio.open_connection(target.host, target.port, ssl=self._tls, limit=HEAD_BYTES)
        try:
            writer.write(self._head(body) + body)
            await writer.drain()
            for _ in range(INTERIM):
                head = await reader.readuntil(b"\r\n\r\n")
                status = int(head.split(maxsplit=2)[1])
                if status >= 200:  # noqa: PLR2004 - RFC 9110 section 15.2
                    return status
            raise AlarmError("only interim answers")
        finally:
            writer.transport.abort()

    def _head(self, body: bytes) -> bytes:
        lines = [
            f"POST {self._target.path} HTTP/1.1",
            f"Host: {self._target.authority}",
            "User-Agent: formwarden",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        if self._key is not None:
            at = str(int(self._clock.now()))
            signature = hmac.new(self._key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
            lines.append(f"{HEADER}: t={at},v1={signature}")
        return "\r\n".join((*lines, "", "")).encode()


async def _leads_here(host: str, port: int) -> bool:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return any(ip_address(str(each[4][0]).partition("%")[0]).is_loopback for each in found)
