"""Who runs the mailboxes of a domain, by its MX hosts (ruling G11)."""

from collections.abc import Mapping, Sequence
from functools import cache

from formwarden.address.suffix import Suffixes
from formwarden.data import groups, under, words


def provider_of(mx: Sequence[tuple[int, str]], suffixes: Suffixes) -> str | None:
    """Return the group shared by all hosts of the best preference, else the registrable domain of the first by name.

    None only where there is no host. There is no group of "others": each operator is one of its own.
    """
    hosts = best_hosts(mx)
    if not hosts:
        return None
    shared = {_group(host) for host in hosts}
    first = hosts[0]
    return (shared.pop() if len(shared) == 1 else None) or suffixes.registrable(first) or first


def parked(mx: Sequence[tuple[int, str]]) -> bool:
    """Tell whether mail to these hosts ends at a seller of names who reads none."""
    hosts = best_hosts(mx)
    return bool(hosts) and all(under(host, words("parking", "mx_suffixes")) for host in hosts)


def best_hosts(mx: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Return the hosts of the best preference, by name; the root of a null MX (RFC 7505) is none."""
    real = [(preference, host) for preference, host in mx if host != "."]
    best = min((preference for preference, _ in real), default=None)
    return tuple(sorted({host for preference, host in real if preference == best}))


def _group(host: str) -> str | None:
    suffix = under(host, frozenset(_groups()))
    return _groups()[suffix] if suffix else None


@cache
def _groups() -> Mapping[str, str]:
    return {suffix: group for group, members in groups("providers", "groups").items() for suffix in members}
