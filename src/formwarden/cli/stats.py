"""`formwarden stats` shows what stands in the store and whether the periodic work goes on (G19)."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formwarden.cli.apps import load
from formwarden.cli.check_address import Subparsers
from formwarden.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from formwarden.cli.figures import Stats
    from formwarden.settings import Settings

EPILOG: Final = """examples:
  formwarden stats
  formwarden stats --store sqlite:////srv/site/formwarden.db
  formwarden stats --app main:warden --json | jq .warnings

Looks and changes nothing: no store is made, opened for writing, migrated or locked, so it may run beside a busy site.
Run it where the site runs, so that it finds the same settings, or name the store or the site's Warden.

The exit code is 0 when all is well, 1 when there are warnings, 2 when the store cannot be read.
"""
WARNED: Final = 1  # exit code
UNREAD: Final = 2  # exit code


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "stats",
        help="show what stands in the store, and whether the periodic work goes on",
        description="Count inquiries, replies and what waits, and say when each periodic task last ran.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--app", metavar="APP", help="module:attribute of the site's Warden, whose settings are used")
    where.add_argument("--store", metavar="URL", help="the store; default: FORMWARDEN_STORE_URL as set here")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the figures, and return whether all is well."""
    from formwarden.cli.figures import as_lines, as_plain

    settings = _settings(args)
    path = _path(settings)
    try:
        stats = asyncio.run(_read(settings, path))
    except StoreError as error:
        if args.json:
            print(json.dumps({"store": {"path": path, "health": str(error)}}))
        print(error, file=sys.stderr)
        return UNREAD
    print(json.dumps(as_plain(stats)) if args.json else "\n".join(as_lines(stats)))
    return WARNED if stats.findings else 0


def _settings(args: argparse.Namespace) -> "Settings":
    from formwarden.settings import Settings

    if args.app is not None:
        return load(args.app).settings
    return Settings() if args.store is None else Settings(store_url=args.store)


def _path(settings: "Settings") -> str:
    """Return where the store lies. Raises SettingsError where nothing can be seen from outside."""
    from formwarden.sources import where
    from formwarden.stores.opening import MEMORY, SQLITE

    url = settings.stores.store_url.get_secret_value()
    if url == MEMORY:
        here = where(settings.origins["store_url"], "store_url")
        raise SettingsError((f"{here}: holds nothing outside of the site's own process; see its page /warden/",))
    return str(Path(url.removeprefix(SQLITE)).absolute())


async def _read(settings: "Settings", path: str) -> "Stats":
    from formwarden.cli.figures import Stats, findings
    from formwarden.clock import SystemClock
    from formwarden.entropy import system_entropy
    from formwarden.faults import Faults
    from formwarden.judging_parts import journal_path
    from formwarden.parts import PACES
    from formwarden.stores.opening import open_store

    clock = SystemClock()
    try:
        store = open_store(
            settings.stores.store_url.get_secret_value(),
            clock=clock,
            entropy=system_entropy,
            settings=settings.stores,
            faults=Faults(clock),
        )
    except ValueError as error:
        raise SettingsError((str(error),)) from None
    figures = await store.statistics.read()
    journal, limit = journal_path(settings), settings.stores.journal_bytes
    size = _size(journal)
    return Stats(
        store=path,
        figures=figures,
        paces=PACES,
        journal=journal,
        journal_bytes=size,
        journal_limit=limit,
        findings=tuple(findings(figures, PACES, journal_share=size / limit)),
    )


def _size(path: Path) -> int:
    """Return the bytes of a file; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
