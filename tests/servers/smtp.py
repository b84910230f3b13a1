"""A real SMTP server on loopback that records what it was told and misbehaves when asked to.

with SmtpPeer() as peer:
    SmtpSender(peer.url)                       # smtp://127.0.0.1:<ephemeral port>
    (mail,) = peer.wait_for(1)                 # blocks the thread; in async tests: await peer.arrived(1)
    peer.refuse_at("rcpt", "550 5.1.1 no such user", recipient="a@example.org")
    peer.drop_at("end")                        # reads the whole mail, then hangs up without a word
    peer.hang_at("connect")                    # accepts, and never says anything
    peer.refuse_connections()                  # nobody listens any more; peer.listen() opens the same port again
    peer.behave()                              # all is well again

Phases: connect, ehlo, starttls, auth, mail, rcpt, data (the command), read (of the data), end (of the data), quit.
"""

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self, TypeVar
from urllib.parse import quote

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Phase = Literal["connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "read", "end", "quit"]
T = TypeVar("T")
PATIENCE_S: Final = 10.0  # how long a test waits for what must come; it is never waited in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One envelope with the exact bytes that came, dots unstuffed."""

    mail_from: str  # "" is the null sender
    rcpt_tos: tuple[str, ...]
    data: bytes
    mail_options: tuple[str, ...]  # as they were sent, in upper case
    rcpt_options: tuple[str, ...]
    smtputf8: bool
    tls: bool
    user: str | None
    hello: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Misbehaviour:
    kind: Literal["refuse", "drop", "hang"]
    answer: str = ""
    recipient: str | None = None  # in lower case; None: every one


class SmtpPeer:
    """The server; `mails` holds what it took, `untaken` what it read in full and then did not take."""

    def __init__(
        self,
        *,
        starttls: bool = False,
        tls: bool = False,
        utf8: bool = True,
        dsn: bool = False,
        user: str | None = None,
        password: str | None = None,
        pause_s: float = 0.0,
    ) -> None:
        self.utf8 = utf8
        self.dsn = dsn
        self.user = user
        self.password = password
        self.starttls = starttls
        self.pause_s = pause_s  # before each answer
        self._scheme = "smtps" if tls else "smtp"
        self.certificate = Certificate() if starttls or tls else None
        self._changed = threading.Condition()
        self._mails: list[Delivery] = []
        self._untaken: list[Delivery] = []
        self._connections = 0
        self._plan: dict[Phase, tuple[_Misbehaviour, ...]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp peer", daemon=True)
        self._server: asyncio.Server | None = None
        self._sessions: set[_PeerSession] = set()
        self.fell_silent = threading.Event()
        self.port = 0

    # ------------------------------------------------------------------ what it was told
    @property
    def url(self) -> str:
        """Where it listens, with credentials if it has any."""
        login = f"{quote(self.user, safe='')}:{quote(self.password or '', safe='')}@" if self.user else ""
        return f"{self._scheme}://{login}127.0.0.1:{self.port}"

    @property
    def mails(self) -> tuple[Delivery, ...]:
        """What it answered with 250."""
        with self._changed:
            return tuple(self._mails)

    @property
    def untaken(self) -> tuple[Delivery, ...]:
        """What it read in full and then refused, or dropped the line over."""
        with self._changed:
            return tuple(self._untaken)

    @property
    def connections(self) -> int:
        """How many connections it accepted."""
        with self._changed:
            return self._connections

    def wait_for(self, count: int, timeout: float = PATIENCE_S) -> tuple[Delivery, ...]:
        """Return the mails as soon as there are that many; AssertionError if they do not come."""
        with self._changed:
            came = self._changed.wait_for(lambda: len(self._mails) >= count, timeout)
            assert came, f"{len(self._mails)} of {count} mails after {timeout} s"
            return tuple(self._mails)

    async def arrived(self, count: int, timeout: float = PATIENCE_S) -> tuple[Delivery, ...]:  # noqa: ASYNC109 - mirrors wait_for
        """Do as `wait_for` without blocking the event loop."""
        return await asyncio.to_thread(self.wait_for, count, timeout)

    def wait_for_connections(self, count: int, timeout: float = PATIENCE_S) -> None:
        """Return as soon as it accepted that many."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._connections >= count, timeout), "nobody came"

    async def silent(self) -> None:
        """Return as soon as it has fallen silent on somebody (`hang_at`); AssertionError if it does not."""
        assert await asyncio.to_thread(self.fell_silent.wait, PATIENCE_S), "nobody came as far"

    def wait_until_alone(self, timeout: float = PATIENCE_S) -> None:
        """Return as soon as no connection is open."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._sessions, timeout), "somebody is still there"

    def clear(self) -> None:
        """Forget what came."""
        with self._changed:
            self._mails.clear()
            self._untaken.clear()
            self._connections = 0

    # ------------------------------------------------------------------ how it misbehaves
    def refuse_at(self, phase: Phase, answer: str, *, recipient: str | None = None) -> None:
        """Answer a phase so from now on; at `rcpt`, `data` and `end` for one recipient only if named."""
        self._add(phase, _Misbehaviour(kind="refuse", answer=answer, recipient=recipient and recipient.lower()))

    def drop_at(self, phase: Phase) -> None:
        """Hang up when this phase comes."""
        self._add(phase, _Misbehaviour(kind="drop"))

    def hang_at(self, phase: Phase = "connect") -> None:
        """Say nothing more when this phase comes; the connection stays open."""
        self._add(phase, _Misbehaviour(kind="hang"))

    def refuse_connections(self) -> None:
        """Stop listening, and cut what is open: connecting fails at once."""
        self._call(self._close())

    def listen(self) -> None:
        """Listen again on the same port."""
        self._call(self._open())

    def behave(self) -> None:
        """Do everything right from now on."""
        self._plan = {}
        if self._server is None:
            self.listen()

    # ------------------------------------------------------------------ life
    def __enter__(self) -> Self:
        self._thread.start()
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
        if self.certificate:
            self.certificate.remove()

    def misbehaviour(self, phase: Phase, recipients: tuple[str, ...] = ()) -> _Misbehaviour | None:
        """Tell what to do in a phase; None: what is right. For the session."""
        lowered = {recipient.lower() for recipient in recipients}
        for each in self._plan.get(phase, ()):
            if each.recipient is None or each.recipient in lowered:
                return each
        return None

    def record(self, delivery: Delivery, *, taken: bool) -> None:
        """Remember a mail. For the session."""
        with self._changed:
            (self._mails if taken else self._untaken).append(delivery)
            self._changed.notify_all()

    def connected(self, session: "_PeerSession") -> None:
        """Note a connection. For the session."""
        with self._changed:
            self._sessions.add(session)
            self._connections += 1
            self._changed.notify_all()

    def disconnected(self, session: "_PeerSession") -> None:
        """Note its end. For the session."""
        with self._changed:
            self._sessions.discard(session)
            self._changed.notify_all()

    def _add(self, phase: Phase, misbehaviour: _Misbehaviour) -> None:
        self._plan = {**self._plan, phase: (*self._plan.get(phase, ()), misbehaviour)}  # seen whole, or not yet

    def _call(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _open(self) -> None:
        # the protocol is named, or asyncio leaves Nagle's algorithm on and each conversation takes 40 ms
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        implicit = self.certificate.context if self.certificate and self._scheme == "smtps" else None
        self._server = await self._loop.create_server(self._session, sock=listener, ssl=implicit)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in tuple(self._sessions):
            session.cut()
            await session.ended.wait()

    def _session(self) -> "_PeerSession":
        return _PeerSession(self)


class _Handler:
    """The hooks aiosmtpd calls."""

    def __init__(self, peer: SmtpPeer) -> None:
        self._peer = peer

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: "_PeerSession", session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]] if self._peer.dsn else responses

    async def handle_DATA(self, server: "_PeerSession", session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert isinstance(envelope.original_content, bytes)
        recipients = tuple(str(address) for address in envelope.rcpt_tos)
        delivery = Delivery(
            mail_from="" if envelope.mail_from in {None, "<>"} else str(envelope.mail_from),
            rcpt_tos=recipients,
            data=envelope.original_content,
            mail_options=tuple(envelope.mail_options) + server.report_options[0],
            rcpt_options=tuple(envelope.rcpt_options) + server.report_options[1],
            smtputf8=envelope.smtp_utf8,
            tls=session.ssl is not None or server.is_encrypted,
            user=server.logged_in,
            hello=session.host_name or "",
        )
        wrong = self._peer.misbehaviour("end", recipients)
        self._peer.record(delivery, taken=wrong is None)
        return "250 2.0.0 queued as PEER1" if wrong is None else await server.obey(wrong)


class _PeerSession(SMTP):
    """aiosmtpd's server side of one connection, with a moment to misbehave before each phase."""

    def __init__(self, peer: SmtpPeer) -> None:
        self._peer = peer
        self.report_options: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self.logged_in: str | None = None
        self.ended = asyncio.Event()
        certificate = peer.certificate if peer.starttls else None
        super().__init__(
            _Handler(peer),
            hostname="peer.test",
            enable_SMTPUTF8=peer.utf8,
            tls_context=certificate.context if certificate else None,
            auth_require_tls=peer.user is None,
            auth_exclude_mechanism=() if peer.user else ("LOGIN", "PLAIN"),
            authenticator=self._check_login,
            loop=asyncio.get_running_loop(),
        )

    @property
    def is_encrypted(self) -> bool:
        return self.transport is not None and self.transport.get_extra_info("sslcontext") is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._peer.connected(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._peer.disconnected(self)
        self.ended.set()
        super().connection_lost(error)

    def cut(self) -> None:
        """End the connection at once."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()
        if isinstance(self._original_transport, asyncio.WriteTransport):
            self._original_transport.abort()

    async def obey(self, wrong: _Misbehaviour) -> str:
        """Return the answer of a refusal; of the rest there is none, and this ends with the connection."""
        if wrong.kind == "refuse":
            return wrong.answer
        if wrong.kind == "drop":
            self.cut()
        return await self._say_nothing()

    async def _say_nothing(self) -> str:
        self._peer.fell_silent.set()
        await asyncio.Event().wait()  # cancelled when the connection ends
        raise AssertionError

    async def _misbehaved(self, phase: Phase, recipients: tuple[str, ...] = ()) -> bool:
        if self._peer.pause_s:
            await asyncio.sleep(self._peer.pause_s)
        wrong = self._peer.misbehaviour(phase, recipients)
        if wrong is None:
            return False
        await self.push(await self.obey(wrong))
        return True

    async def _handle_client(self) -> None:
        if await self._misbehaved("connect"):
            self.cut()
            return
        with contextlib.suppress(ConnectionError):  # the client left, or was cut, in the middle of an answer
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehaved("ehlo"):
            await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehaved("starttls"):
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehaved("auth"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehaved("mail"):
            kept, taken = self._without_report(arg)
            self.report_options = (taken, ())
            await super().smtp_MAIL(kept)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        address = (arg or "").partition("<")[2].partition(">")[0]
        if not await self._misbehaved("rcpt", (address,)):
            kept, taken = self._without_report(arg)
            self.report_options = (self.report_options[0], self.report_options[1] + taken)
            await super().smtp_RCPT(kept)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        assert self.envelope is not None
        if await self._misbehaved("data", tuple(str(address) for address in self.envelope.rcpt_tos)):
            return
        if self._peer.misbehaviour("read") and isinstance(self.transport, asyncio.ReadTransport):
            await self.push("354 go ahead")
            self.transport.pause_reading()
            await self._misbehaved("read")
            return
        await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if not await self._misbehaved("quit"):
            await super().smtp_QUIT(arg)

    def _without_report(self, arg: str | None) -> tuple[str | None, tuple[str, ...]]:
        """Take the parameters of RFC 3461 out, which aiosmtpd does not know."""
        if arg is None or not self._peer.dsn:
            return arg, ()
        words = arg.split(" ")
        taken = tuple(word.upper() for word in words if word.upper().startswith(("RET=", "NOTIFY=")))
        return " ".join(word for word in words if word.upper() not in taken), taken

    def _check_login(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        if given != (self._peer.user, self._peer.password):
            return AuthResult(success=False, handled=False)
        self.logged_in = given[0]
        return AuthResult(success=True)


class Certificate:
    """A self-signed certificate for 127.0.0.1 and localhost, made now; skips the test where openssl is missing."""

    def __init__(self) -> None:
        program = shutil.which("openssl")
        if program is None:
            pytest.skip("no openssl program to make a certificate with: apt-get install openssl")
        self._folder = Path(tempfile.mkdtemp(prefix="smtp-peer-"))
        self.file = self._folder / "certificate.pem"
        key = self._folder / "key.pem"
        names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
        kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
        where = ("-keyout", str(key), "-out", str(self.file), "-subj", "/CN=localhost", "-addext", names)
        subprocess.run((program, "req", "-x509", *kind, *where), check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file, key)

    def remove(self) -> None:
        """Delete it."""
        shutil.rmtree(self._folder)
