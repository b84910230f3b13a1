"""Whom a site knows: people who wrote to it, or to whom it wrote, by another way than the form (G03)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from formwarden.address.syntax import check_syntax
from formwarden.errors import AddressError
from formwarden.stores.ports import Key, Measures
from formwarden.subjects import Subjects

SHOWN: Final = 254  # characters of what was given, in an error


class Knowing:
    """Writes down who is known; the ledger keeps the hash of the address, never the address."""

    def __init__(self, measures: Measures, recipient_keys: Callable[[], Awaitable[Sequence[bytes]]]) -> None:
        self._measures = measures
        self._recipient_keys = recipient_keys

    async def remember(self, address: str, *, known: bool = True) -> None:
        """Write that this address is one we know, or is not. Raises AddressError, StoreError."""
        keys = address_keys(address, Subjects(await self._recipient_keys()))
        for key in keys[:1] if known else keys:  # written under the newest, and may stand under any
            await self._measures.remember(key, on=known)


def address_keys(address: str, subjects: Subjects) -> tuple[Key, ...]:
    """Name an address as replies count it, under every key, newest first. Raises AddressError."""
    canonical = check_syntax(address).canonical
    if canonical is None:
        raise AddressError(f"{address[:SHOWN]!r} is no address that mail could go to")
    return subjects.keys("address", canonical)
