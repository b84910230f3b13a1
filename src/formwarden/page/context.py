"""The request a page is rendered for: known without being passed, under the middleware."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from formwarden.submission import Client


@dataclass(slots=True)
class PageRequest:
    """The one who asks for a page; `issued` says afterwards that it is for this one alone.

    `again` is the id of the submission whose form was shown again: the site did not take it.
    """

    client: Client
    language: str = "en"
    issued: bool = False
    root: str = ""  # where our paths are mounted, as links begin
    again: bytes | None = None


CURRENT: Final[ContextVar[PageRequest | None]] = ContextVar("formwarden_page_request", default=None)


@contextmanager
def known(page: PageRequest | None) -> Iterator[None]:
    """Let whatever is rendered within be for this request."""
    context = CURRENT.set(page)
    try:
        yield
    finally:
        CURRENT.reset(context)


def current_root() -> str:
    """Return how links to our own paths begin in the page that is being rendered."""
    page = CURRENT.get()
    return page.root if page else ""


def link_root(root_path: str) -> str:
    """Write the mount of an app as the beginning of links: nothing in it may name another host.

    A mount may hold a part of the visitor's path (`Mount("/{shop}")`): `//evil.example` becomes a path of this host.
    """
    inner = root_path.strip("/")
    return "/" + quote(inner, errors="replace") if inner else ""


def root_of(scope: Mapping[str, object], mounted_at: str) -> str:
    """Return how links begin in a page that the middleware, standing at `mounted_at`, did not announce.

    An app may mount others behind the middleware: our paths lie where that stands, not where the page does.
    """
    root_path = str(scope.get("root_path", ""))
    is_behind = root_path.startswith(f"{mounted_at}/")
    return link_root(mounted_at if is_behind else root_path)
