"""What may stand in a header, and what the bytes of a mail must look like before they leave (rule R21).

The standard library is not trusted with either: an unpatched Python 3.11 turns an encoded word in a display name
into a real `Bcc:` line (CVE-2024-6923).
"""

import base64
import binascii
import quopri
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from email_validator import validate_email

from formwarden.errors import ComposeError

ADDRESS_LIMIT: Final = 254  # octets (RFC 5321 section 4.5.3.1.3, less the angle brackets)
LOCAL_LIMIT: Final = 64  # octets (RFC 5321 section 4.5.3.1.1)
LINE_LIMIT: Final = 998  # octets without CRLF (RFC 5322 section 2.1.1)
TEXT_LIMIT: Final = 100  # characters of a name or number of ours in a header
ENCODED_WORD: Final = "=?"
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\U0010ffff]+"
_LOCAL: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")  # a dot-atom (RFC 5322 section 3.2.3, RFC 6532 section 3.2)
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SPECIALS: Final = frozenset('()<>[]:;@\\," \t')  # what separates addresses (RFC 5322 section 3.2.3), and blanks
_NAME: Final = re.compile(rb"[!-9;-~]+")  # RFC 5322 section 2.2
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_WORD: Final = re.compile(r"=\?([^?\s]*)\?([^?\s]*)\?([^?\s]*)\?=")
_PHRASE: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^"\\<>@,;:()\[\].]+) ')  # a display name and its blank


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One address that is safe to write into a header or a command; the domain is in ASCII."""

    local: str
    domain: str

    @property
    def address(self) -> str:
        """The address as it is written."""
        return f"{self.local}@{self.domain}"

    @property
    def ascii(self) -> bool:
        """Whether it can be sent without SMTPUTF8 (RFC 6531)."""
        return self.local.isascii()


def parse_mailbox(text: str) -> Mailbox | None:
    """Read exactly one addr-spec, nothing around it; None for anything else. A domain is turned into A-labels."""
    if len(text) > ADDRESS_LIMIT or text.count("@") != 1 or ENCODED_WORD in text:
        return None
    local, _, domain = text.partition("@")
    if not _LOCAL.fullmatch(local) or _smuggles(local) or len(local.encode()) > LOCAL_LIMIT:
        return None
    name = domain if domain.isascii() else _a_labels(domain)
    if not _DOMAIN.fullmatch(name):
        return None
    mailbox = Mailbox(local=local, domain=name)
    return mailbox if len(mailbox.address.encode()) <= ADDRESS_LIMIT else None


def header_text(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text of ours as one line that no mail library takes for anything but text."""
    printable = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text[:limit])
    return " ".join(printable.split()).replace(ENCODED_WORD, "= ?")


def check_headers(
    data: bytes, allowed: frozenset[str], recipient: str, *, sender: str, reply_to: str | None = None
) -> Mapping[str, str]:
    """Parse the bytes of a mail again and return its headers by lower-case name.

    Raises ComposeError unless every header is one of `allowed` and stands once, From, To and Reply-To hold exactly
    the given addresses, and no line is broken or longer than SMTP takes.
    """
    _check_lines(data)
    headers: dict[str, str] = {}
    for name, value in _read_headers(data):
        if name not in allowed:
            raise ComposeError(f"a mail would carry the header {name!r}")
        if name in headers:
            raise ComposeError(f"a mail would carry the header {name!r} twice")
        headers[name] = value
    if headers.get("to") != recipient:
        raise ComposeError("a mail would name another recipient")
    if not _is_mailbox(headers.get("from", ""), sender):
        raise ComposeError("a mail would come from another sender")
    if headers.get("reply-to") != reply_to:
        raise ComposeError("a mail would ask for replies elsewhere")
    return headers


def _smuggles(local: str) -> bool:
    """Tell a local part that holds what is not seen, or what a relay may normalise into a separator."""
    if local.isascii():
        return False
    hidden = any(unicodedata.category(letter)[0] in "CZ" for letter in local)
    return hidden or not _SPECIALS.isdisjoint(unicodedata.normalize("NFKC", local))


def _a_labels(domain: str) -> str:
    try:
        parsed = validate_email(
            f"a@{domain}", check_deliverability=False, globally_deliverable=False, allow_domain_literal=False
        )
    except ValueError:  # EmailNotValidError, and whatever Unicode and IDNA raise below it
        return ""
    return parsed.ascii_domain


def _check_lines(data: bytes) -> None:
    if b"\0" in data or not data.endswith(b"\r\n"):
        raise ComposeError("a mail would hold NUL or an unfinished line")
    for line in data[:-2].split(b"\r\n"):
        if b"\r" in line or b"\n" in line:
            raise ComposeError("a mail would hold a bare CR or LF")
        if len(line) > LINE_LIMIT:
            raise ComposeError(f"a mail would hold a line of {len(line)} octets")


def _read_headers(data: bytes) -> Iterator[tuple[str, str]]:
    head, separator, _ = data.partition(b"\r\n\r\n")
    if not separator:
        raise ComposeError("a mail would have no end of its headers")
    lines: list[bytes] = []
    for line in head.split(b"\r\n"):
        if not line.strip():
            raise ComposeError("a mail would hold a blank header line")  # some parsers stop there
        if line[:1] not in {b" ", b"\t"}:
            lines.append(line)
        elif lines:
            lines[-1] += line
        else:
            raise ComposeError("a mail would begin with a folded line")
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _NAME.fullmatch(name):
            raise ComposeError("a mail would hold a line that is no header")
        yield name.decode("ascii").lower(), _read_value(value)


def _read_value(raw: bytes) -> str:
    try:
        value = raw.decode("utf-8").strip(" \t")
    except UnicodeDecodeError as error:
        raise ComposeError("a mail would hold a header that is not UTF-8") from error
    # a folded blank may be a tab; nothing else below U+0020 has business in a header
    if _CONTROL.search(value.replace("\t", " ")) or _CONTROL.search(_decode_words(value)):
        raise ComposeError("a mail would hold control characters in a header")
    return value


def _decode_words(value: str) -> str:
    """Return what is inside encoded words, and inside those in turn: a relay or reader may decode twice."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        for charset, encoding, text in _WORD.findall(waiting.pop()):
            decoded = _decode_word(charset, encoding, text)
            found.append(decoded)
            waiting.append(decoded)  # shorter than what it came from, so this ends
    return "".join(found)


def _decode_word(charset: str, encoding: str, text: str) -> str:
    if charset.lower() != "utf-8" or encoding.lower() not in {"b", "q"}:
        raise ComposeError("a mail would hold an encoded word that we did not write")
    try:
        if encoding.lower() == "b":
            return base64.b64decode(text).decode()
        return quopri.decodestring(text, header=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise ComposeError("a mail would hold an encoded word that nobody can read") from error


def _is_mailbox(value: str, address: str) -> bool:
    """Tell whether a header holds this address and no other, with or without a display name."""
    if value == address:
        return True
    phrase = value.removesuffix(f"<{address}>")
    return phrase != value and (not phrase or _PHRASE.fullmatch(phrase) is not None)
