"""What a scope tells, read defensively: servers and proxies write strange things into it."""

from collections.abc import Mapping

from starlette.types import Scope

from formwarden.json_values import is_json
from formwarden.submission import join_headers

HTML = "text/html"
LENGTH_DIGITS = 20  # beyond any limit, and int() refuses thousands of them


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined."""
    return join_headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])


def is_repeated(scope: Scope, name: bytes) -> bool:
    """Say whether a header that may stand once (RFC 9110 section 5.3) came more often."""
    times: int = sum(raw_name.lower() == name for raw_name, _ in scope["headers"])
    return times > 1


def peer_of(scope: Scope) -> str | None:
    """Return the address on the socket; None for a unix socket."""
    client = scope.get("client")
    return str(client[0]) if client else None


def path_of(scope: Scope) -> str:
    """Return the path as the app sees it, the mount's part taken off as Starlette does."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    rest = path.removeprefix(root)
    return rest if rest.startswith("/") or not rest else path  # `/con` is no mount of `/contact`


def declared_length(headers: Mapping[str, str]) -> int | None:
    """Return Content-Length where it is a number; it is only ever an early no."""
    text = headers.get("content-length", "")
    if not (text.isascii() and text.isdigit()):
        return None
    return int(text.lstrip("0")[:LENGTH_DIGITS] or "0")


def wants_json(headers: Mapping[str, str]) -> bool:
    """Say whether the client prefers JSON: it asks for it, or sends it, and does not ask for a page.

    No HTML form sends JSON, and a script that does (`fetch`: `Accept: */*`) can read nothing else.
    """
    accept = headers.get("accept", "").lower()
    return HTML not in accept and ("json" in accept or is_json(headers.get("content-type", "")))
