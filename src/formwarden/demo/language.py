"""Japanese or English, as the visitor's browser prefers."""

from typing import Final

from starlette.requests import Request

LANGUAGES: Final = ("en", "ja")
HEADER_LIMIT: Final = 200  # characters of the header that are read


def language_of(request: Request) -> str:
    """Choose `ja` or `en`: the first of them in Accept-Language, where browsers list the best first."""
    for part in request.headers.get("accept-language", "")[:HEADER_LIMIT].lower().split(","):
        primary = part.partition(";")[0].strip().partition("-")[0]
        if primary in LANGUAGES:
            return primary
    return LANGUAGES[0]
