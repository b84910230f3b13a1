"""Domains of mailboxes to throw away, from the extra `disposable`: a mark, never a refusal."""

import asyncio
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from formwarden.address.flags import shared_domains
from formwarden.data import under

PACKAGE: Final = "disposable_email_domains"
NONE: Final = frozenset[str]()


class Disposables:
    """Answers whether a domain is listed. Without the package, or before `load()`, none is.

    Two things win over the list: what the site allows, and our own lists of providers and privacy relays, for
    public lists copy each other and carry 21cn.com or Firefox Relay.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.lower().strip(".") for name in allowed)
        self._listed: AbstractSet[str] | None = None

    async def load(self) -> None:
        """Read the list in a thread, once a process (4 ms, 1.3 MB)."""
        if self._listed is None:
            self._listed = await asyncio.to_thread(the_blocklist)

    def lists(self, domain: str) -> bool:
        """Tell whether a domain in small ASCII letters, or one above it, is listed and nothing wins over that."""
        if under(domain, self._listed or NONE) is None:
            return False
        return under(domain, self._allowed) is None and under(domain, shared_domains()) is None


def is_installed() -> bool:
    """Tell whether the extra is there, without reading its list."""
    return find_spec(PACKAGE) is not None


@cache
def the_blocklist() -> AbstractSet[str]:
    """Return the names of the package; none where it is not installed, or has another shape."""
    try:
        listed = getattr(import_module(PACKAGE), "blocklist", NONE)
    except ImportError:
        return NONE
    return listed if isinstance(listed, set | frozenset) else NONE
