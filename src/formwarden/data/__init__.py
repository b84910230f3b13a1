"""Lists that ship with the package, each a TOML file with its origin, date and licence."""

import tomllib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

MAX_AGE: Final = timedelta(days=548)  # 18 months: providers rename hosts and open domains at about that pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One file of this folder, and whether somebody should look at it again."""

    name: str
    checked: date
    origin: str
    names: int

    def is_stale(self, today: date) -> bool:
        """Tell whether nobody has compared it with its origin for longer than such lists keep."""
        return today - self.checked > MAX_AGE


def listings() -> tuple[Listing, ...]:
    """Return what every file says of itself, by name."""
    found = sorted(path.name for path in files(__name__).iterdir() if path.name.endswith(".toml"))
    return tuple(_listing(name.removesuffix(".toml")) for name in found)


@cache
def load(name: str) -> Mapping[str, object]:
    """Read one file by its name without `.toml`; it is read once, and what it holds cannot be changed."""
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return MappingProxyType({key: _frozen(value) for key, value in tomllib.loads(text).items()})


@cache
def words(name: str, key: str) -> frozenset[str]:
    """Return one list of a file as a set."""
    return frozenset(_texts(load(name)[key]))


@cache
def groups(name: str, key: str) -> Mapping[str, tuple[str, ...]]:
    """Return one table of lists of a file."""
    table = load(name)[key]
    if not isinstance(table, Mapping):
        raise TypeError(f"{name}.toml: {key} is no table")
    return MappingProxyType({str(group): _texts(members) for group, members in table.items()})


def under(name: str, suffixes: AbstractSet[str]) -> str | None:
    """Return the suffix that a host name is, or lies below; the shortest first."""
    labels = name.split(".")
    for start in range(len(labels) - 1, -1, -1):
        candidate = ".".join(labels[start:])
        if candidate in suffixes:
            return candidate
    return None


def _listing(name: str) -> Listing:
    table = load(name)
    checked = table["date"]
    if not isinstance(checked, date):
        raise TypeError(f"{name}.toml: the date is none")
    return Listing(name=name, checked=checked, origin=str(table["origin"]), names=sum(map(_count, table.values())))


def _count(value: object) -> int:
    if isinstance(value, Mapping):
        return sum(map(_count, value.values()))
    return len(value) if isinstance(value, tuple) else 0


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise TypeError("a list of texts was expected")
    return tuple(str(item) for item in value)


def _frozen(value: object) -> object:
    if isinstance(value, dict):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(_frozen(item) for item in value)
    return value
