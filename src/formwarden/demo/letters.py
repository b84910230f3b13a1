"""The mails that the built-in sink received, read from its Maildir."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Final

VARIABLE: Final = "DEMO_MAILBOX"  # no FORMWARDEN_ name: it is the demo's own, and unknown ones are refused
LISTED: Final = 100  # the latest; the others stay in the directory
SHOWN_BYTES: Final = 200_000  # of one mail
ENVELOPE: Final = {"x-mailfrom": "MAIL FROM", "x-rcptto": "RCPT TO"}  # as aiosmtpd notes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail as it may be shown: everything in it is text."""

    key: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    envelope: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    source: str = ""


class Letters:
    """Reads a Maildir that another process writes."""

    def __init__(self, maildir: Path) -> None:
        self._new = maildir / "new"

    def latest(self) -> tuple[Letter, ...]:
        """Return the latest mails, newest first."""
        entries = sorted(self._entries(), key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
        return tuple(self._read(entry) for entry in entries[:LISTED])

    def get(self, key: str) -> Letter | None:
        """Return one mail; None: there is none of that name."""
        return next((self._read(entry) for entry in self._entries() if entry.name == key), None)

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        if self._new.is_dir():
            with os.scandir(self._new) as entries:
                yield from (entry for entry in entries if entry.is_file())

    def _read(self, entry: os.DirEntry[str]) -> Letter:
        with Path(entry.path).open("rb") as file:
            raw = file.read(SHOWN_BYTES)
        # The old policy: the new one's header parsers raise IndexError and the like on broken headers.
        mail = message_from_bytes(raw)
        headers = tuple((name, _decoded(value)) for name, value in mail.items())
        named = {name.lower(): value for name, value in reversed(headers)}
        return Letter(
            key=entry.name,
            received_at=datetime.fromtimestamp(entry.stat().st_mtime, UTC).astimezone(),
            sender=named.get("from", ""),
            recipient=named.get("to") or named.get("x-rcptto", ""),
            subject=named.get("subject", ""),
            envelope=tuple((ENVELOPE[name.lower()], value) for name, value in headers if name.lower() in ENVELOPE),
            headers=tuple((name, value) for name, value in headers if name.lower() not in ENVELOPE),
            text=_text(mail),
            source=raw.decode("utf-8", "replace"),
        )


def _decoded(value: object) -> str:
    """Return a header as text, its encoded words read (RFC 2047)."""
    text = str(value)
    try:
        return _printable(str(make_header(decode_header(text))))
    except (HeaderParseError, LookupError, ValueError):  # an encoding that is none: shown as it came
        return _printable(text)


def _text(mail: Message) -> str:
    """Return the first plain text of a mail."""
    for part in mail.walk():
        if part.get_content_type() != "text/plain":
            continue
        payload = part.get_payload(decode=True)
        body = payload if isinstance(payload, bytes) else b""
        try:
            return _printable(body.decode(part.get_content_charset("utf-8"), "replace"))
        except (LookupError, ValueError):  # a character set that is none
            return body.decode("utf-8", "replace")
    return ""


def _printable(text: str) -> str:
    """Replace lone surrogates, which some encodings make and no page can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
