"""One submission of a form, as a value: who sent what, when, and from where."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

from formwarden import environ as environs
from formwarden.json_values import is_json, json_pairs
from formwarden.multipart import File, SentFile, read_file, write_multipart

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile
    from starlette.requests import Request

MARKER_FIELD: Final = "_fw_form"
TOKEN_FIELD: Final = "_fw_token"  # noqa: S105 - the name of a field, not a secret
EVIDENCE_FIELD: Final = "_fw_seen"
OWN_FIELDS: Final = frozenset({MARKER_FIELD, TOKEN_FIELD, EVIDENCE_FIELD})
"""Names of the hidden fields that `warden.markup` puts on the page; the traps come on top."""

URLENCODED: Final = "application/x-www-form-urlencoded"
JSON_BYTES: Final = 262_144  # of a body read without the middleware, whose settings bound it else
JSON_VALUES: Final = 1_000  # the fields Starlette reads of a form
LANGUAGE_CHARS: Final = 256  # of an Accept-Language header that are read
IPV4_NETWORK_BITS: Final = 24
IPV6_CLIENT_BITS: Final = 64  # what one household or office is given (RFC 6177)
IPV6_NETWORK_BITS: Final = 48


class Fields(Mapping[str, str]):
    """Immutable names and values in the order they were sent; a name may come more than once.

    `fields[name]` is the last value, as Starlette and Django have it; `.all(name)` gives every one.
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        if isinstance(pairs, Fields):
            pairs = pairs.pairs  # as a mapping it would give the last value of each name only
        items = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._pairs: tuple[tuple[str, str], ...] = tuple([(str(name), str(value)) for name, value in items])

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every name with every value, in order."""
        return self._pairs

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value sent under this name."""
        return tuple([value for key, value in self._pairs if key == name])

    def without(self, names: Iterable[str]) -> "Fields":
        """Return these fields less those of the given names."""
        gone = frozenset(names)
        return Fields([pair for pair in self._pairs if pair[0] not in gone])

    def __getitem__(self, name: str) -> str:
        for key, value in reversed(self._pairs):
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name for name, _ in self._pairs})

    def __repr__(self) -> str:
        return f"Fields({', '.join(self)})"  # names only: values are what people typed

    def __eq__(self, other: object) -> bool:
        return self._pairs == other._pairs if isinstance(other, Fields) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that came with the form: counted and hashed."""

    field: str
    filename: str
    content_type: str
    size: int  # bytes
    sha256: bytes


class BodySource(Protocol):
    """A request body that lies in a file, read where it is needed and not before; read-only."""

    @property
    def size(self) -> int:
        """Bytes."""

    def read(self) -> bytes:
        """Return all of it. Raises OSError. Blocks: called by the thread that writes it down."""


@dataclass(frozen=True, slots=True)
class Client:
    """The network peer; `ip` is None when it cannot be known."""

    ip: IPv4Address | IPv6Address | None = None

    @classmethod
    def parse(cls, text: str | None) -> "Client":
        """Read an address, an IPv4 one mapped into IPv6 or one with a zone included; anything else is unknown."""
        try:
            ip = ip_address((text or "").strip().partition("%")[0])
        except ValueError:
            return cls()
        ip = (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
        return cls(None if ip.is_unspecified else ip)  # 0.0.0.0 is what those write who do not know

    @property
    def identity(self) -> bytes | None:
        """What one person or office has: an IPv4 address, or an IPv6 /64."""
        return self._prefix(32, IPV6_CLIENT_BITS)

    @property
    def network(self) -> bytes | None:
        """What one provider hands to neighbours: a /24, or a /48."""
        return self._prefix(IPV4_NETWORK_BITS, IPV6_NETWORK_BITS)

    def _prefix(self, v4_bits: int, v6_bits: int) -> bytes | None:
        """Return the first bits, whole bytes of them, and their number."""
        if self.ip is None:
            return None
        bits = v4_bits if self.ip.version == 4 else v6_bits  # noqa: PLR2004 - the version of the protocol
        whole = bits // 8
        return self.ip.packed[:whole] + bytes(len(self.ip.packed) - whole) + bytes([bits])


@dataclass(frozen=True, slots=True, init=False)
class Submission:
    """One submission. `fields` holds everything that was sent, our own fields and traps too.

    `client` may be given as text, and is believed; `body` is the request body as sent (made from the fields when
    absent), `received_at` is seconds since the epoch (None: the warden's clock says).
    """

    form: str
    fields: Fields
    uploads: tuple[Upload, ...] = ()
    client: Client | None = None  # None: to be found from `peer` and the forwarding headers
    peer: str | None = None  # the address on the socket
    headers: Mapping[str, str] = field(default_factory=dict[str, str])  # names in lower case
    host: str | None = None
    content_type: str = URLENCODED
    body: bytes = b""
    spooled: BodySource | None = None  # the body, where it was too large for memory: `body` is then empty
    alternative: Fields | None = None  # what other frameworks read in the same body; None: the same
    received_at: float | None = None

    def __init__(
        self,
        form: str,
        fields: Fields | Mapping[str, str] | Iterable[tuple[str, str]],
        *,
        uploads: tuple[Upload, ...] = (),
        client: Client | str | None = None,
        peer: str | None = None,
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
        content_type: str = URLENCODED,
        body: bytes | None = None,
        spooled: BodySource | None = None,
        alternative: Fields | None = None,
        received_at: float | None = None,
    ) -> None:
        sent = fields if isinstance(fields, Fields) else Fields(fields)
        lowered = {name.lower(): value for name, value in (headers or {}).items()}
        values: dict[str, object] = {
            "form": form,
            "fields": sent,
            "uploads": uploads,
            "client": Client.parse(client) if isinstance(client, str) else client,
            "peer": peer,
            "headers": lowered,
            "host": host if host is not None else lowered.get("host"),
            "content_type": content_type,
            "body": urlencode(sent.pairs, errors="replace").encode() if body is None else body,
            "spooled": spooled,
            "alternative": alternative,
            "received_at": received_at,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    async def from_request(cls, form: str, request: "Request") -> "Submission":
        """Read a Starlette or FastAPI request, where the middleware does not stand before the endpoint.

        Raises JsonUnreadableError or JsonTooMuchError, both ValueErrors, for a JSON body that cannot be read.
        """
        try:
            body = await request.body()
        except RuntimeError:
            body = None  # the framework read it before: what it made of it is kept instead
        data = await request.form()
        pairs = [(name, value) for name, value in data.multi_items() if isinstance(value, str)]
        files = [await _received(name, value) for name, value in data.multi_items() if not isinstance(value, str)]
        content_type = request.headers.get("content-type", "")
        if body is not None and is_json(content_type):
            pairs = json_pairs(body, text_bytes=JSON_BYTES, count=JSON_VALUES)
        if body is None:
            content_type, body = write_multipart(pairs, files) if files else (URLENCODED, None)
        return cls(
            form,
            pairs,
            uploads=tuple(_upload(file) for file in files),
            peer=request.client.host if request.client else None,
            headers=join_headers(request.headers.items()),
            content_type=content_type,
            body=body,
        )

    @classmethod
    def from_environ(
        cls,
        form: str,
        environ: Mapping[str, object],
        pairs: Iterable[tuple[str, str]],
        *,
        files: Iterable[SentFile] = (),
    ) -> "Submission":
        """Read a WSGI environment (PEP 3333), or Django's `request.META`, with what the framework parsed.

        `files` are (field, file name, content type, bytes or a file that can seek): kept with the inquiry, read from
        the beginning and set back to it.
        """
        fields, taken = Fields(pairs), [each for each in map(read_file, files) if each.filename or each.content]
        content_type, body = write_multipart(fields.pairs, taken) if taken else (URLENCODED, None)
        return cls(
            form,
            fields,
            uploads=tuple(_upload(each) for each in taken),
            peer=environs.peer_of(environ),
            headers=environs.headers_of(environ),
            host=environs.host_of(environ),
            content_type=content_type,
            body=body,
        )

    @property
    def language(self) -> str:
        """`ja` when the browser prefers Japanese, else `en`."""
        return preferred_language(self.headers.get("accept-language", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A framework-free HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


async def _received(name: str, file: "UploadFile") -> File:
    content = await file.read()
    await file.seek(0)  # the endpoint reads it too
    return File(field=name, filename=file.filename or "", content_type=file.content_type or "", content=content)


def _upload(file: File) -> Upload:
    return Upload(
        field=file.field,
        filename=file.filename,
        content_type=file.content_type,
        size=len(file.content),
        sha256=hashlib.sha256(file.content).digest(),
    )


def join_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by lower-case name; repeated ones are joined by commas, in order (RFC 9110 section 5.3)."""
    headers: dict[str, str] = {}
    for given, value in pairs:
        name = given.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def preferred_language(accept_language: str) -> str:
    """Choose `ja` or `en` from an Accept-Language header (RFC 9110 section 12.5.4)."""
    return _preferred(accept_language[:LANGUAGE_CHARS])


@lru_cache(maxsize=256)
def _preferred(accept_language: str) -> str:
    best, chosen = 0.0, "en"
    for part in accept_language.split(","):
        tag, _, parameters = part.strip().lower().partition(";")
        weight = parameters.strip().removeprefix("q=") if parameters else "1"
        try:
            quality = float(weight)
        except ValueError:
            continue
        primary = tag.partition("-")[0]
        if primary in {"ja", "en"} and quality > best:
            best, chosen = quality, primary
    return chosen
