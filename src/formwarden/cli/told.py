"""What a command has to say: for people, for programs, and its exit code."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TextIO

UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer."""

    values: Mapping[str, object]
    lines: Sequence[str]
    code: int = 0
    to: TextIO = field(default_factory=lambda: sys.stdout)


def size_text(count: int) -> str:
    """Return bytes as people read them."""
    size, unit = float(count), 0
    while size >= KIB and unit < len(UNITS) - 1:
        size, unit = size / KIB, unit + 1
    return f"{count} bytes" if unit == 0 else f"{size:.1f} {UNITS[unit]}"


def progress(what: str, *, step: int) -> Callable[[int, int], None]:
    """Return what tells a person at a terminal, on standard error, how far it is; to a file it says nothing."""
    shown = -1

    def tell(done: int, whole: int) -> None:
        nonlocal shown
        if sys.stderr.isatty() and (done // step != shown or done == whole):
            shown = done // step
            print(f"\r{what}: {done} of {whole}", end="\n" if done >= whole else "", file=sys.stderr, flush=True)

    return tell
