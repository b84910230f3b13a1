"""The relay over SMTP, spoken in phases, so that what became of a mail is known exactly (rulings G15, G17)."""

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, unquote, urlsplit

from formwarden.mail.headers import parse_mailbox
from formwarden.mail.sender import REFUSAL_TEXT_LIMIT, NothingLeftError, SendResult, SendState

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponse

EXPECTED: Final = "smtp://host:port, smtp://user:password@host:port or smtps://user:password@host:port"
SMTP_PORT: Final = 25
SUBMISSION_PORT: Final = 587  # with credentials (RFC 6409)
SMTPS_PORT: Final = 465  # RFC 8314
GOODBYE_S: Final = 1.0  # how long QUIT may take when all is said; it comes on top of the deadline
READ_LIMIT: Final = 1_000  # characters of a relay's word that are looked at
SHORTEST_NAME: Final = 3  # characters; below that a local part is not told from a word or a number
NO_SMTPUTF8: Final = "5.6.7 relay has no SMTPUTF8"
NOT_PLAIN: Final = "5.5.4 not one plain address"
_MAILBOX_NAME_NOT_ALLOWED: Final = 553
_SYNTAX_ERROR: Final = 501

_ADDRESS: Final = re.compile(r"""(?:"[^"]*"|[^\s<>()\[\]",;:@]+)(?=@|%40)""")
_IN_BRACKETS: Final = re.compile(r"<[^<>@\s]+>")
_SENDMAIL_NAME: Final = re.compile(r"[^\s<>]+(?=\.\.\. )")  # `bob... User unknown`
_STATUS: Final = re.compile(r"\d\.\d{1,3}\.\d{1,3}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
# words of refusals: a mailbox of that name is masked in `<...>` and before `@` only
_COMMON_WORDS: Final = frozenset(
    {"account", "address", "denied", "mail", "mailbox", "no", "not", "recipient", "relay", "spam", "unknown", "user"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """Where mail is handed over, and as whom."""

    host: str
    port: int
    implicit_tls: bool = False
    user: str | None = None
    password: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, where nobody stands between."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def verified(self) -> bool:
        """Whether its certificate must be right.

        Yes where a password depends on it, or TLS was asked for by `smtps`. Plain STARTTLS is opportunistic: a
        certificate nobody can check is better than none (RFC 7435), and whoever could forge it could hide the offer.
        """
        return (self.user is not None or self.implicit_tls) and not self.is_local


class SmtpSender:
    """Hands over one mail at a time, each on a connection of its own. Raises ValueError for a URL that is none.

    A password is sent only over TLS with a verified certificate, or to this machine. `hello` is the name said in
    EHLO, the host's own if it has a dot; `tls` replaces the rules for certificates with those of a context.
    """

    def __init__(self, url: str, *, hello: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._relay = parse_relay(url)
        self._hello = hello or _own_name()
        if not self._hello.isascii() or not self._hello.isprintable() or " " in self._hello:
            raise ValueError("the name for EHLO must be a host name in ASCII")
        self._tls = tls

    async def send(self, envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        """Send one message to one recipient; never raises.

        Before RCPT is on the line every failure is NOT_SENT. From then on a refusal is REFUSED and all else UNKNOWN.
        A mail that needs SMTPUTF8 is REFUSED with 553 by ourselves where the relay does not offer it: trying again
        would not help. So is, with 501, an address that is more than one plain address.
        """
        from aiosmtplib import SMTP, SMTPException

        sender, to = parse_mailbox(envelope_from), parse_mailbox(recipient)
        if to is None or (sender is None and envelope_from):
            return SendResult(state=SendState.REFUSED, code=_SYNTAX_ERROR, text=NOT_PLAIN)
        client = SMTP(
            hostname=self._relay.host,
            port=self._relay.port,
            local_hostname=self._hello,
            timeout=deadline_s,
            use_tls=self._relay.implicit_tls,
            start_tls=False,
            validate_certs=self._relay.verified,
            tls_context=self._tls,
        )
        talk = _Conversation(client, self._relay, sender.address if sender else "", to.address, data)
        try:
            async with asyncio.timeout(deadline_s):
                result = await talk.run()
        except (SMTPException, OSError, ValueError, RuntimeError) as error:
            # OSError: TimeoutError and ssl.SSLError too; RuntimeError: an interpreter that ends starts no look-up
            result = talk.failed(error)
        except asyncio.CancelledError as error:
            if talk.committed:
                raise
            raise NothingLeftError from error
        else:
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=GOODBYE_S)
        finally:
            _hang_up(client)
        return result


class _Conversation:
    """One conversation, and how far it got."""

    def __init__(self, client: "SMTP", relay: Relay, envelope_from: str, recipient: str, data: bytes) -> None:
        self._client = client
        self._relay = relay
        self._from = envelope_from
        self._to = recipient
        self._data = data
        self._phase = "connect"
        self.committed = False  # RCPT is on the line: from here nobody but the relay knows

    async def run(self) -> SendResult:
        await self._open()
        client, utf8 = self._client, not (self._from + self._to).isascii() or not self._data.isascii()
        if utf8 and not client.supports_extension("smtputf8"):
            return SendResult(state=SendState.REFUSED, code=_MAILBOX_NAME_NOT_ALLOWED, text=NO_SMTPUTF8)
        self._phase = "MAIL"
        answer = await self._command("MAIL FROM", self._from, self._mail_options(utf8=utf8))
        if not _is_yes(answer.code):
            return self._result(SendState.NOT_SENT, answer.code, answer.message)
        self._phase = "RCPT"
        self.committed = client.is_connected
        answer = await self._command("RCPT TO", self._to, self._recipient_options())
        if not _is_yes(answer.code):
            return self._refused(answer.code, answer.message)
        self._phase = "DATA"
        answer = await client.data(self._data)
        return self._result(SendState.TAKEN, answer.code, answer.message)

    def failed(self, error: Exception) -> SendResult:
        """Tell what an error means where it happened."""
        from aiosmtplib import SMTPResponseException

        if isinstance(error, SMTPResponseException):
            return self._refused(error.code, error.message)
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        state = SendState.UNKNOWN if self.committed else SendState.NOT_SENT
        return self._result(state, None, f"{self._phase}: {why}")

    async def _open(self) -> None:
        from aiosmtplib import SMTPException

        client, relay = self._client, self._relay
        await client.connect()
        self._phase = "EHLO"
        await _greet(client)
        if not relay.implicit_tls and client.supports_extension("starttls"):
            self._phase = "STARTTLS"
            await client.starttls()
            await _greet(client)
        if relay.user is None:
            return
        self._phase = "AUTH"
        if not relay.is_local and client.get_transport_info("sslcontext") is None:
            raise SMTPException("the relay offers no TLS, so the password stays here")
        await client.login(relay.user, relay.password)

    @property
    def _wants_report(self) -> bool:
        return bool(self._from) and self._client.supports_extension("dsn")  # RFC 3461; R19

    def _mail_options(self, *, utf8: bool) -> list[str]:
        options: list[str] = []
        if self._client.supports_extension("size"):
            options.append(f"SIZE={len(self._data)}")  # RFC 1870: refused before it is transferred
        if utf8:
            options.extend(("BODY=8BITMIME", "SMTPUTF8"))  # RFC 6531 section 3.1: one implies the other
        if self._wants_report:
            options.append("RET=HDRS")
        return options

    def _recipient_options(self) -> list[str]:
        """Ask for a report on failure, or for none where nobody could get it (RFC 3461 section 4.1; R18, R19)."""
        if not self._client.supports_extension("dsn"):
            return []
        return ["NOTIFY=FAILURE" if self._from else "NOTIFY=NEVER"]

    async def _command(self, verb: str, address: str, options: list[str]) -> "SMTPResponse":
        # not client.mail() and .rcpt(): they parse the address with email.utils, which may find another one in it
        words = [f"{verb}:<{address}>", *options]
        return await self._client.execute_command(*(word.encode() for word in words))

    def _refused(self, code: int, message: str) -> SendResult:
        if not self.committed:
            return self._result(SendState.NOT_SENT, code, f"{self._phase}: {message}")
        return self._result(SendState.REFUSED if _is_no(code) else SendState.UNKNOWN, code, message)

    def _result(self, state: SendState, code: int | None, text: str) -> SendResult:
        known = code if code is not None and code > 0 else None  # aiosmtplib says -1 for an answer that is none
        return SendResult(state=state, code=known, text=masked(text, self._from, self._to))


def parse_relay(url: str) -> Relay:
    """Read the URL of a relay. Raises ValueError that names what is expected, and never the password."""
    if _UNPRINTABLE.search(url):
        raise ValueError(f"SMTP URL: no blanks or control characters; write {EXPECTED}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"SMTP URL: host or port cannot be read; write {EXPECTED}") from None  # it quotes the text
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError(f"SMTP URL: write {EXPECTED}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"SMTP URL: nothing may follow the port (write / in a password as %2F); write {EXPECTED}")
    user, password = _credentials(parts)
    implicit_tls = parts.scheme == "smtps"
    default = SMTPS_PORT if implicit_tls else SMTP_PORT if user is None else SUBMISSION_PORT
    return Relay(host=parts.hostname, port=port or default, implicit_tls=implicit_tls, user=user, password=password)


def masked(text: str, *addresses: str) -> str:
    """Return a relay's word as one line to be stored and shown: without the local parts of addresses."""
    line = _UNPRINTABLE.sub(" ", text.encode("utf-8", "replace").decode()).strip()
    if len(line) > READ_LIMIT:
        line = line[:READ_LIMIT].rpartition(" ")[0]  # half an address would not be known as one
    for pattern, instead in ((_ADDRESS, "…"), (_IN_BRACKETS, "<…>"), (_SENDMAIL_NAME, "…")):
        line = pattern.sub(instead, line)
    for address in addresses:
        local = address.rpartition("@")[0]
        if len(local) >= SHORTEST_NAME and local.lower() not in _COMMON_WORDS and not _STATUS.fullmatch(local):
            line = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "…", line, flags=re.IGNORECASE)
    return line[:REFUSAL_TEXT_LIMIT]


def _credentials(parts: SplitResult) -> tuple[str | None, str]:
    if parts.username is None:
        return None, ""
    user, password = unquote(parts.username), unquote(parts.password or "")
    if not user or not password or not (user + password).isprintable():
        raise ValueError(f"SMTP URL: give user and password, or neither; write {EXPECTED}")
    return user, password


def _own_name() -> str:
    """Return this host's name if it has a dot, else an address literal (RFC 5321 section 4.1.4); asks no DNS."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


async def _greet(client: "SMTP") -> None:
    from aiosmtplib import SMTPHeloError

    try:
        await client.ehlo()
    except SMTPHeloError:
        if not client.is_connected:
            raise
        await client.helo()  # a relay from before 1995 (RFC 5321 section 3.2)


def _hang_up(client: "SMTP") -> None:
    """Close at once: a transport with unsent bytes would wait for a peer that reads no more."""
    abort = getattr(client.transport, "abort", None)
    if callable(abort):
        abort()
    client.close()


def _is_yes(code: int) -> bool:
    return 200 <= code < 300  # noqa: PLR2004 - RFC 5321 section 4.2.1


def _is_no(code: int) -> bool:
    return 400 <= code < 600  # noqa: PLR2004 - RFC 5321 section 4.2.1
