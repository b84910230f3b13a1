"""`formwarden lists` shows the lists that addresses are read by, and how old they are."""

import argparse
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from formwarden.address.disposable import PACKAGE, the_blocklist
from formwarden.cli.check_address import Subparsers
from formwarden.clock import Clock, SystemClock
from formwarden.data import MAX_AGE, listings

EPILOG: Final = f"""examples:
  formwarden lists
  formwarden lists --json | jq '.lists[] | select(.stale)'

Nothing is fetched. A list that nobody has compared with its origin for {MAX_AGE.days} days is called stale: upgrade
formwarden; if that is the newest already, tell its authors. The exit code is 1 if one is stale.
"""
STALE: Final = 1  # exit code


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "lists",
        help="show the lists that addresses are read by, and their age",
        description="Show every list that is shipped, how many names it holds and when it was last checked.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run(args: argparse.Namespace, clock: Clock | None = None) -> int:
    """Print the lists, and return whether all are fresh."""
    today = datetime.fromtimestamp((clock or SystemClock()).now(), UTC).date()
    print(json.dumps(_plain(today), ensure_ascii=False) if args.json else "\n".join(_lines(today)))
    return STALE if any(each.is_stale(today) for each in listings()) else 0


def _plain(today: date) -> dict[str, object]:
    rows = [
        {
            "name": each.name,
            "date": each.checked.isoformat(),
            "names": each.names,
            "stale": each.is_stale(today),
            "origin": each.origin,
        }
        for each in listings()
    ]
    return {"lists": rows, "disposable": {"version": _package(), "names": len(the_blocklist())}}


def _lines(today: date) -> Iterator[str]:
    width = max(len(each.name) for each in listings())
    for each in listings():
        stale = "  STALE: upgrade formwarden" if each.is_stale(today) else ""
        yield f"{each.name:{width}}  {each.checked}  {each.names:5} names{stale}"
    found = _package()
    if found is None:
        yield f"{'disposable':{width}}  not installed: pip install 'formwarden[disposable]'"
    else:
        yield f"{'disposable':{width}}  {found:10}  {len(the_blocklist()):5} names, kept by that package"


def _package() -> str | None:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None
