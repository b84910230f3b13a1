"""Lines of JSON, and their members, each of the type it must have."""

import base64
import json
import math
from collections.abc import Mapping, Sequence

from formwarden.stores.ports import Key


class LineError(ValueError):
    """A line that is none of an export; the message says why."""


def dump(written: Mapping[str, object]) -> str:
    """Write one line."""
    return json.dumps(written, separators=(",", ":"))


def load(line: str) -> Mapping[str, object]:
    """Read one line. Raises LineError."""
    try:
        read: object = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LineError("it is no JSON, or torn") from error
    if not isinstance(read, dict):
        raise LineError("it is no JSON object")
    return read


class Fields:
    """The members of one line, each of the type it must have."""

    def __init__(self, read: Mapping[str, object]) -> None:
        self._read = read

    def absent(self, name: str) -> bool:
        """Say whether it is null."""
        return name in self._read and self._read[name] is None

    def text(self, name: str) -> str:
        """Read a text."""
        value = self._read.get(name)
        if not isinstance(value, str):
            raise LineError(f"{name} is no text")
        return value

    def number(self, name: str) -> float:
        """Read a number."""
        value = self._read.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise LineError(f"{name} is no number")
        return float(value)

    def maybe_number(self, name: str) -> float | None:
        """Read a number, or null."""
        return None if self.absent(name) else self.number(name)

    def whole(self, name: str) -> int:
        """Read a whole number."""
        value = self.number(name)
        if value < 0 or not value.is_integer():
            raise LineError(f"{name} is no whole number")
        return int(value)

    def maybe_whole(self, name: str) -> int | None:
        """Read a whole number, or null."""
        return None if self.absent(name) else self.whole(name)

    def truth(self, name: str) -> bool:
        """Read true or false."""
        value = self._read.get(name)
        if not isinstance(value, bool):
            raise LineError(f"{name} is neither true nor false")
        return value

    def maybe_key(self, name: str) -> Key | None:
        """Read a key, or null."""
        return None if self.absent(name) else Key(self.octets(name))

    def keys(self, name: str) -> tuple[Key, ...]:
        """Read keys."""
        value = self._read.get(name)
        if not isinstance(value, list):
            raise LineError(f"{name} is no list")
        return tuple(Key(_octets(name, each)) for each in value)

    def within(self, name: str) -> "Fields":
        """Read the members of an object."""
        return Fields(self.mapping(name))

    def octets(self, name: str) -> bytes:
        """Read bytes that are written in hex."""
        return _octets(name, self._read.get(name))

    def base64(self, name: str) -> bytes:
        """Read bytes that are written in base64."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except ValueError as error:
            raise LineError(f"{name} is no base64") from error

    def mapping(self, name: str) -> Mapping[str, object]:
        """Read an object."""
        value = self._read.get(name)
        if not isinstance(value, dict):
            raise LineError(f"{name} is no object")
        return value

    def stamped(self, name: str) -> Sequence[tuple[bytes, float]]:
        """Read pairs of bytes and a time."""
        value = self._read.get(name)
        if not isinstance(value, list):
            raise LineError(f"{name} is no list")
        return [self._pair(name, each) for each in value]

    def answer(self, name: str) -> tuple[int, str] | None:
        """Read a status and a location, or null."""
        match self._read.get(name):
            case None:
                return None
            case [int(status), str(location)]:
                return status, location
            case _:
                raise LineError(f"{name} is no status and location")

    def _pair(self, name: str, value: object) -> tuple[bytes, float]:
        if not isinstance(value, list) or len(value) != len(("key", "at")):
            raise LineError(f"{name} is no list of pairs")
        return _octets(name, value[0]), Fields({name: value[1]}).number(name)


def _octets(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise LineError(f"{name} is no text of bytes")
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise LineError(f"{name} is no hex") from error
