"""Whom a suppression or a breaker may concern, in the ledger's keys."""

from dataclasses import dataclass

from formwarden.address.report import AddressReport
from formwarden.data import groups, under
from formwarden.stores.ports import Key
from formwarden.subjects import Subjects


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The ledger's keys of whom a suppression or a breaker may name."""

    address: tuple[Key, ...] = ()
    domain: tuple[Key, ...] = ()
    provider: tuple[Key, ...] = ()
    site: tuple[Key, ...] = ()

    @property
    def recipient(self) -> tuple[Key, ...]:
        """What the suppression list may name."""
        return self.address + self.domain

    @property
    def all(self) -> tuple[Key, ...]:
        """Every key the table asks about."""
        return self.recipient + self.provider + self.site


def watch(report: AddressReport, subjects: Subjects) -> Watched:
    """Name whom a suppression or a breaker may concern in the ledger's keys."""
    site = subjects.keys("site", "")
    if report.canonical is None or report.domain is None:
        return Watched(site=site)
    return Watched(
        address=subjects.keys("address", report.canonical),
        domain=subjects.keys("domain", report.domain),
        provider=subjects.keys("provider", provider_group(report)),
        site=site,
    )


def provider_group(report: AddressReport) -> str:
    """Return the group whose budget and breaker this is; an implicit MX is an operator of its own (G11)."""
    return report.provider or report.registrable or report.domain or ""


def label_of(group: str) -> str:
    """Return the name of a large provider's group, which the owner may read; nothing for anybody else's."""
    return group if group in groups("providers", "groups") else ""


def is_of_group(host: str, group: str) -> bool:
    """Tell whether a host belongs to a provider group: by its suffixes, else by the group's own domain (G11, G12)."""
    suffixes = frozenset(groups("providers", "groups").get(group, (group,)))
    return bool(group) and under(host.rstrip(".").lower(), suffixes) is not None
