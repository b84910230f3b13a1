"""Lists that ship with the package, each a TOML file with its origin, date and licence."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


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


def under(name: str, suffixes: frozenset[str]) -> str | None:
    """Return the suffix that a host name is, or lies below; the shortest first."""
    labels = name.split(".")
    for start in range(len(labels) - 1, -1, -1):
        candidate = ".".join(labels[start:])
        if candidate in suffixes:
            return candidate
    return None


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
