"""`formwarden work --once` does what runs by itself, once: for cron, where no process stays open (G19)."""

import argparse
import asyncio
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formwarden.cli.check_address import Subparsers
from formwarden.errors import SettingsError

if TYPE_CHECKING:
    from formwarden.warden import Warden

EPILOG: Final = """examples:
  formwarden work --once --app site:warden
  */2 * * * *  cd /srv/site && .venv/bin/formwarden work --once --app site:warden

APP is the module that makes the site's Warden, and the name it has there; the module is looked for in the working
directory first. Sends what is due, looks at what is held or waiting, erases what is over. While a site runs with
the middleware it does all this by itself.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "work",
        help="do the periodic work once, for cron",
        description="Send what is due and look at what is held, waiting or over, once.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", required=True, help="one pass, then end")
    parser.add_argument("--app", required=True, metavar="APP", help="module:attribute of the site's Warden")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do one pass, and print how much was done."""
    done = asyncio.run(_pass(load(args.app)))
    print(f"work: {done} done")
    return 0


async def _pass(warden: "Warden") -> int:
    try:
        return await warden.work_once()
    finally:
        await warden.aclose()


def load(app: str) -> "Warden":
    """Import a site's warden by `module:attribute`. Raises SettingsError with what is not there."""
    from formwarden.warden import Warden

    name, _, attribute = app.partition(":")
    if not name or not attribute:
        raise SettingsError((f"--app {app}: give module:attribute, such as site:warden",))
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: object = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # a library that the site itself misses
        raise SettingsError((f"--app {app}: there is no module {name} here ({here})",)) from None
    for part in attribute.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Warden):
        raise SettingsError((f"--app {app}: {attribute} is no Warden; name the one that the site makes",))
    return found
