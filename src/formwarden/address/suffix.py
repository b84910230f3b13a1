"""The registrable domain: what one owner registered, by the public-suffix list."""

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Final

from formwarden.forks import Lock

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

SECOND_LEVEL: Final = frozenset(
    [
        "ac",
        "ad",
        "co",
        "com",
        "ed",
        "edu",
        "go",
        "gob",
        "gov",
        "gr",
        "lg",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "sch",
    ]
)
COUNTRY_CODE_LENGTH: Final = 2  # letters of a country's top-level domain (ISO 3166)


class Suffixes:
    """Answers which part of a name one owner registered.

    The list is read by `load()` in a thread (25 ms, 2 MB), once a process. Before that `registrable` guesses by the
    shape of the name, so a caller that counts by its answer loads first, as the address check and an opening warden
    do.
    """

    def __init__(self) -> None:
        self._list: PublicSuffixList | None = None
        self._lock = Lock()

    @property
    def loaded(self) -> bool:
        """Whether answers come from the list."""
        return self._list is not None

    async def load(self) -> None:
        """Read the list in a thread, once."""
        if self._list is None:
            await asyncio.to_thread(self._load)

    def registrable(self, domain: str) -> str | None:
        """Return the registrable domain of an ASCII name; None where it is itself a public suffix."""
        name = domain.lower().rstrip(".")
        if self._list is None:
            return guess(name)
        return self._list.privatesuffix(name)

    def _load(self) -> None:
        with self._lock:  # many may come at once, one reads
            self._list = the_list()


@cache
def the_list() -> "PublicSuffixList":
    """Read the list; nobody changes it, so one is enough for every warden of a process."""
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def guess(name: str) -> str | None:
    """Take the last two labels, or three below a country's usual second level."""
    labels = name.split(".")
    if not all(labels):
        return None
    below_country = len(labels[-1]) == COUNTRY_CODE_LENGTH and len(labels) > 1 and labels[-2] in SECOND_LEVEL
    count = 3 if below_country else 2
    return ".".join(labels[-count:]) if len(labels) >= count else None
