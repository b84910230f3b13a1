"""Who may look, and which posts come from our own page."""

import base64
import binascii
import hmac
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

CHALLENGE: Final = 'Basic realm="formwarden", charset="UTF-8"'  # RFC 7617 section 2.1


def may_enter(authorization: str, password: str) -> bool:
    """Tell whether an Authorization header holds the password, under any user name."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        _, colon, given = base64.b64decode(credentials.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return False
    return bool(colon) and hmac.compare_digest(given, password.encode())


def is_own_post(headers: Headers, public_url: str | None) -> bool:
    """Tell whether a browser says that its post comes from a page of this site.

    A browser that has a password stored sends it along from any page, so silence is no proof either: every
    browser of today names the origin of a post.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    if site is not None and site != "same-origin":
        return False
    own = {headers.get("host", "").lower(), _host(public_url or "")} - {""}
    return origin is None or _host(origin) in own


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:  # a bracket too few
        return ""
