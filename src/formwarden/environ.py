"""What a WSGI environment (PEP 3333) or Django's `request.META` tells, read defensively."""

from collections.abc import Mapping
from typing import Final

CONTENT: Final = ("CONTENT_TYPE", "CONTENT_LENGTH")  # the two headers that CGI gives no prefix
DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def headers_of(environ: Mapping[str, object]) -> dict[str, str]:
    """Return the headers by lower-case name, as servers joined them."""
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if isinstance(value, str) and key.startswith("HTTP_")
    }
    for key in CONTENT:  # whatever an `HTTP_CONTENT_TYPE` says, the body was read by this one
        headers.pop(key.replace("_", "-").lower(), None)
        value = environ.get(key)
        if isinstance(value, str) and value:  # empty is absent
            headers[key.replace("_", "-").lower()] = value
    return headers


def peer_of(environ: Mapping[str, object]) -> str | None:
    """Return the address on the socket; None for a unix socket."""
    return _text(environ, "REMOTE_ADDR") or None


def host_of(environ: Mapping[str, object]) -> str | None:
    """Return the host that was asked for; before HTTP/1.1 no client had to name it."""
    host = _text(environ, "HTTP_HOST") or _text(environ, "SERVER_NAME")
    port, scheme = _text(environ, "SERVER_PORT"), _text(environ, "wsgi.url_scheme")
    if not host or _text(environ, "HTTP_HOST") or not port or DEFAULT_PORTS.get(scheme) == port:
        return host or None
    return f"{host}:{port}"


def path_of(environ: Mapping[str, object]) -> str:
    """Return the path below the mount, decoded."""
    return _decoded(_text(environ, "PATH_INFO"))


def mount_of(environ: Mapping[str, object]) -> str:
    """Return where the application is mounted, decoded."""
    return _decoded(_text(environ, "SCRIPT_NAME"))


def query_of(environ: Mapping[str, object]) -> str:
    """Return the query, as it was sent."""
    return _text(environ, "QUERY_STRING")


def method_of(environ: Mapping[str, object]) -> str:
    """Return the method in capitals."""
    return _text(environ, "REQUEST_METHOD").upper()


def _text(environ: Mapping[str, object], key: str) -> str:
    value = environ.get(key)
    return value if isinstance(value, str) else ""


def _decoded(text: str) -> str:
    """Turn the bytes that PEP 3333 hides in a string into text; Django's ASGI side has done so already."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text
