"""SQLite's own releases: which of them may be trusted with a write-ahead log."""

from typing import Final

from formwarden.errors import StoreError

FIXED: Final = (3, 51, 3)  # wal.html, "The WAL-Reset Bug": two connections that meet in a reset lose committed pages
BACKPORTS: Final = {(3, 44): 6, (3, 50): 7}  # patch releases of older branches that have the correction too
NEVER: Final = 1_000  # no patch release of the other branches has it


def refuse_flawed(version: str) -> None:
    """Raise StoreError where this SQLite may damage a file that several connections write to."""
    major, minor, patch, *_ = (*(int(part) for part in version.split(".")), 0, 0)
    if (major, minor, patch) >= FIXED or patch >= BACKPORTS.get((major, minor), NEVER):
        return
    raise StoreError(
        f"SQLite {version} may damage a file that several processes write to (the WAL-reset bug): install apsw from "
        "PyPI, which brings a corrected one"
    )
