"""The resolver that the settings name."""

from typing import Protocol

from formwarden.address.aiodns_resolver import AiodnsResolver
from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.resolver import Resolver
from formwarden.address.settings import Address
from formwarden.faults import Faults


class LoadedResolver(Resolver, Protocol):
    """A resolver whose library is slow to import."""

    async def load(self) -> None:
        """Import it, in a thread."""


def resolver_for(settings: Address, faults: Faults | None = None) -> LoadedResolver:
    """Make it; raises `SettingsError` where a server is none, or the library is not installed."""
    made = AiodnsResolver if settings.dns_resolver == "aiodns" else DnsResolver
    return made(settings.dns_servers, faults=faults)
