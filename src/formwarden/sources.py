"""Where settings come from outside of the code: the environment, `.env` and `formwarden.toml`, in this order."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX: Final = "FORMWARDEN_"
ENVIRONMENT: Final = "environment"
DOTENV: Final = ".env"
TOML: Final = "formwarden.toml"
CODE: Final = "code"
DEFAULT: Final = "default"
# Kubernetes and Docker links put these into every container beside a service that is called "formwarden".
SERVICE_LINK: Final = re.compile(r"(service_(host|port(_\w+)?)|port|port_\d+_(tcp|udp)(_(proto|port|addr))?)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What one source says: values by the name they were given, and why it could not be read."""

    origin: str
    values: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)  # secrets are among them
    faults: tuple[str, ...] = ()


class _Where(BaseSettings):
    """Tells the library's sources where to look; it has no fields, so that every name is ours to judge."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=DOTENV,
        toml_file=TOML,
        env_ignore_empty=True,  # `FORMWARDEN_SMTP_URL=` in a compose file says "not set"
        enable_decoding=False,  # lists are split by the groups, not read as JSON
        extra="ignore",
    )


def outside() -> tuple[Source, ...]:
    """Read every source outside of the code, the one that wins first; a broken one comes with its faults."""
    return (_environment(), _dotenv(), _toml())


def where(origin: str, name: str) -> str:
    """Say where a value stands, as the person who set it knows the place."""
    if origin in {ENVIRONMENT, DOTENV}:
        return f"{origin} {PREFIX}{name.upper()}"
    return f"{origin} {name}"


def _environment() -> Source:
    return Source(origin=ENVIRONMENT, values=_ours(EnvSettingsSource(_Where).env_vars))


def _dotenv() -> Source:
    try:
        # Editors on Windows put a byte order mark in front of the first name.
        return Source(origin=DOTENV, values=_ours(_read_dotenv("utf-8-sig")))
    except UnicodeDecodeError:
        return _legacy_dotenv()
    except OSError as error:
        return Source(origin=DOTENV, faults=(f"{DOTENV}: cannot be read ({error.strerror}); mend its permissions",))


def _legacy_dotenv() -> Source:
    """Read a `.env` that is not UTF-8: it is the site's own, and in it only our names concern us."""
    values = _ours(_read_dotenv("latin-1"))
    wrong = [name for name, value in values.items() if not str(value).isascii()]
    return Source(
        origin=DOTENV,
        values={name: value for name, value in values.items() if name not in wrong},
        faults=tuple(f"{where(DOTENV, name)}: its text is not UTF-8; save the file as UTF-8" for name in wrong),
    )


def _read_dotenv(encoding: str) -> Mapping[str, str | None]:
    return DotEnvSettingsSource(_Where, env_file_encoding=encoding).env_vars


def _ours(found: Mapping[str, str | None]) -> Mapping[str, object]:
    """Keep the names that bear our prefix; the library has turned them to lower case."""
    prefix = PREFIX.lower()
    named = {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}
    return {name: value for name, value in named.items() if value is not None and not SERVICE_LINK.fullmatch(name)}


def _toml() -> Source:
    try:
        return Source(origin=TOML, values=TomlConfigSettingsSource(_Where)())
    except UnicodeDecodeError:
        return Source(origin=TOML, faults=(f"{TOML}: its text is not UTF-8; save the file as UTF-8",))
    except ValueError as error:  # tomllib.TOMLDecodeError: names line and column, quotes no value
        return Source(origin=TOML, faults=(f"{TOML}: is no TOML: {error}",))
    except OSError as error:
        return Source(origin=TOML, faults=(f"{TOML}: cannot be read ({error.strerror}); mend its permissions",))
