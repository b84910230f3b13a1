"""The base of every room's group of settings: frozen, documented, each value with its unit."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of a setting, as `formwarden config` prints it."""

    name: str


class Group(BaseModel):
    """Settings of one room. Field names are unique over all groups: they name the environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)


def split_words(value: object) -> object:
    """Read a list the way people write one: by commas, by spaces, or as a sequence."""
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    return value


Words = Annotated[tuple[str, ...], BeforeValidator(split_words)]
"""A list given by commas or spaces."""
