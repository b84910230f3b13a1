"""The request a page is rendered for: known without being passed, under the middleware."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from formwarden.submission import Client


@dataclass(slots=True)
class PageRequest:
    """The one who asks for a page; `issued` says afterwards that it is for this one alone."""

    client: Client
    language: str = "en"
    issued: bool = False


CURRENT: Final[ContextVar[PageRequest | None]] = ContextVar("formwarden_page_request", default=None)
