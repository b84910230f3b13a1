"""Pages where no middleware of ours stands in front: whom they are for, and what they need to be served."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starlette.requests import HTTPConnection

from formwarden import environ as environs
from formwarden.page.context import PageRequest, known, link_root, root_of
from formwarden.submission import Answer, join_headers, preferred_language

if TYPE_CHECKING:
    from formwarden.warden import Warden

Asked = HTTPConnection | Mapping[str, object]
"""A request of Starlette or FastAPI, a WSGI environment, or Django's `request.META`."""

READING: Final = frozenset({"GET", "HEAD"})


def page_request(warden: "Warden", request: Asked) -> PageRequest:
    """Name the one a page is for."""
    if isinstance(request, HTTPConnection):
        peer = request.client.host if request.client else None
        headers = join_headers(request.headers.items())
        root = root_of(request.scope, warden.mounted_at)
    else:
        peer, headers = environs.peer_of(request), environs.headers_of(request)
        root = link_root(environs.mount_of(request))
    language = preferred_language(headers.get("accept-language", ""))
    return PageRequest(warden.client_at(peer, headers), language, root=root)


def is_ours(warden: "Warden", environ: Mapping[str, object]) -> bool:
    """Say whether `serve` may have an answer to this."""
    path = environs.path_of(environ)
    if environs.method_of(environ) not in READING:
        return warden.stopping.is_ours(path)
    return path.startswith(warden.settings.pages.asset_prefix) or bool(_ending_at(warden, path))


async def serve(warden: "Warden", environ: Mapping[str, object]) -> Answer | None:
    """Give a page, an asset or a fresh token of ours, or thanks for a valid receipt; None: it is the site's."""
    if not is_ours(warden, environ):
        return None
    path, query = environs.path_of(environ), environs.query_of(environ)
    page = page_request(warden, environ)
    with known(page):
        if warden.stopping.is_ours(path):
            return await warden.stopping.answer(path, environs.method_of(environ), page.client, page.language)
        if path.startswith(warden.settings.pages.asset_prefix):
            return warden.asset(path, query, environs.headers_of(environ).get("if-none-match"), page.client)
        return await warden.thanks_page(_ending_at(warden, path), query, page.language)


def _ending_at(warden: "Warden", path: str) -> tuple[str, ...]:
    """Name the forms whose thanks page this is, with or without its last slash."""
    forms = warden.forms.values()
    return tuple(each.name for each in forms if each.thanks.partition("?")[0].rstrip("/") == path.rstrip("/"))
