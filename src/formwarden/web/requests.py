"""What a scope tells, read defensively: servers and proxies write strange things into it."""

from collections.abc import Mapping

from starlette.types import Scope

HTML = "text/html"
LENGTH_DIGITS = 20  # beyond any limit, and int() refuses thousands of them


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined by commas (RFC 9110 section 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


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
    """Say whether the client prefers JSON: it asks for it and not for a page."""
    accept = headers.get("accept", "").lower()
    return "json" in accept and HTML not in accept
