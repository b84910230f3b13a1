"""The catalogue of settings: every group, every name in it, and what is said of a name or value that is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from formwarden.address.settings import Address
from formwarden.console.settings import ConsoleAccess
from formwarden.groups import Group, Unit
from formwarden.mail.alarm_settings import Alarming
from formwarden.mail.dkim_settings import Signing
from formwarden.mail.settings import Mail
from formwarden.mail.staff_settings import Staffing
from formwarden.page.settings import Pages
from formwarden.scoring import Scoring
from formwarden.signals.limits import SignalLimits
from formwarden.site import Site
from formwarden.sources import DEFAULT, DOTENV, ENVIRONMENT, PREFIX, Source, where
from formwarden.stores.settings import Stores
from formwarden.web.settings import Web

GROUPS: Final[Mapping[str, type[Group]]] = MappingProxyType(
    {
        "site": Site,
        "pages": Pages,
        "scoring": Scoring,
        "signals": SignalLimits,
        "web": Web,
        "address": Address,
        "mail": Mail,
        "signing": Signing,
        "alarms": Alarming,
        "staffing": Staffing,
        "stores": Stores,
        "console": ConsoleAccess,
    }
)
GROUP_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: group for group, kind in GROUPS.items() for name in kind.model_fields}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it is in force; a secret's value is only `(set)` or `(not set)`."""

    name: str
    group: str
    value: object
    default: object
    unit: str
    origin: str
    description: str


def describe(name: str, value: object, origin: str) -> Setting:
    """Say of one setting what it is and where its value came from."""
    group = GROUP_OF[name]
    info = GROUPS[group].model_fields[name]
    return Setting(
        name=name,
        group=group,
        value=_shown(info, value, known=origin == DEFAULT),
        default=_shown(info, info.default, known=True),
        unit=_unit(info),
        origin=origin,
        description=info.description or "",
    )


def flatten(source: Source) -> tuple[dict[str, object], list[str]]:
    """Bring a source's values to flat names; say what is unknown, misplaced or given twice."""
    given: dict[str, object] = {}
    faults: list[str] = []
    for name, value, group in _named(source.values):
        here = where(source.origin, name)
        if group is not None and name == group:
            faults.append(f"{here}: is a group of settings; {_group_remedy(group)}")
        elif name not in GROUP_OF:
            faults.append(f"{here}: no such setting; {_nearest(source.origin, name)}")
        elif group is not None and GROUP_OF[name] != group:
            faults.append(f"{here}: stands in the group {group}, but belongs to {GROUP_OF[name]}")
        elif name in given:
            faults.append(f"{here}: given twice, by itself and in the group {GROUP_OF[name]}; leave one out")
        else:
            given[name] = value
    return given, faults


def _named(values: Mapping[str, object]) -> Iterator[tuple[str, object, str | None]]:
    """Yield (name, value, the group it stands in); a group that holds no values comes under its own name."""
    for name, value in values.items():
        if name not in GROUPS:
            yield name, value, None
        elif isinstance(value, GROUPS[name]):
            # What the group was not given is left to the other sources, as with flat names.
            yield from ((each, getattr(value, each), name) for each in sorted(value.model_fields_set))
        elif isinstance(value, Mapping):
            yield from ((str(each), inner, name) for each, inner in value.items())
        else:
            yield name, value, name


def _group_remedy(group: str) -> str:
    return f"give its values by name, such as {next(iter(GROUPS[group].model_fields))}"


def _nearest(origin: str, name: str) -> str:
    prefix = PREFIX if origin in {ENVIRONMENT, DOTENV} else ""
    near = get_close_matches(name, GROUP_OF, n=1)
    if not near:
        return "remove it; `formwarden config` lists all there are"
    return f"did you mean {prefix}{near[0].upper() if prefix else near[0]}?"


def explain(error: ValidationError, kind: type[Group], origins: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong, where it stands and how it is mended; never what was given: it may be a secret."""
    for each in error.errors(include_input=False, include_context=False, include_url=False):
        name, *inner = (str(part) for part in each["loc"])
        info = kind.model_fields[name]
        part = f" ({' '.join(inner)})" if inner else ""
        yield (
            f"{where(origins[name], name)}{part}: {each['msg'][:1].lower()}{each['msg'][1:]}; "
            f"unit: {_unit(info)}; {info.description}; without it: {_text(_shown(info, info.default, known=True))}"
        )


def _unit(info: FieldInfo) -> str:
    return next((each.name for each in info.metadata if isinstance(each, Unit)), "")


def _shown(info: FieldInfo, value: object, *, known: bool) -> object:
    """Hide a secret; `known`: the value is a default, which every reader of the documentation knows."""
    if not _is_secret(info.annotation):
        return value
    if known and isinstance(value, SecretStr):
        return value.get_secret_value()
    return "(set)" if value else "(not set)"


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


def _text(value: object) -> str:
    return "none" if value is None or value in ((), {}) else str(value)
