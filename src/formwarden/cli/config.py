"""`formwarden config` prints every setting that is in force, its unit and where it came from."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from formwarden.catalogue import Setting
from formwarden.cli.check_address import Subparsers
from formwarden.errors import SettingsError
from formwarden.settings import Settings, require
from formwarden.signals import DEFAULT_SIGNALS
from formwarden.sources import DEFAULT

EPILOG: Final = """examples:
  formwarden config
  formwarden config --diff
  formwarden config --json | jq '.site_per_day.value'
  FORMWARDEN_SITE_PER_DAY=200 formwarden config --check

A value is taken from the environment (FORMWARDEN_<NAME>), else from .env in the working directory, else from
formwarden.toml there. Secrets are never printed. The exit code is 2 if a name or value is wrong, and with
--check also if something is missing that a warden needs.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "config",
        help="print the settings in force and where they came from",
        description="Print every setting: value, unit, origin and what it does.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, by name")
    parser.add_argument("--diff", action="store_true", help="print only what is not the default")
    parser.add_argument("--check", action="store_true", help="also exit with 2 if something is missing")
    return parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print the settings; what a warden would still miss goes to standard error."""
    chosen = [each for each in settings.describe() if not args.diff or each.origin != DEFAULT]
    print(_as_json(chosen) if args.json else "\n".join(_lines(chosen)))
    try:
        require(settings, for_reply=False, signals=[each.name for each in DEFAULT_SIGNALS])
    except SettingsError as error:
        print("\n".join(("still missing:", *(f"  - {fault}" for fault in error.faults))), file=sys.stderr)
        return 2 if args.check else 0
    return 0


def _as_json(settings: Sequence[Setting]) -> str:
    rows = {
        each.name: {
            "value": each.value,
            "default": each.default,
            "unit": each.unit,
            "origin": each.origin,
            "group": each.group,
            "description": each.description,
        }
        for each in settings
    }
    return json.dumps(rows, indent=2, ensure_ascii=False, default=dict)


def _lines(settings: Sequence[Setting]) -> Iterator[str]:
    """Yield a heading for each group, then two lines a setting, columns aligned over all groups."""
    names = max((len(each.name) for each in settings), default=0)
    values = max((len(_text(each.value)) for each in settings), default=0)
    units = max((len(each.unit) for each in settings), default=0)
    for group, members in groupby(settings, key=lambda each: each.group):
        yield f"[{group}]"
        for each in members:
            yield f"  {each.name:{names}}  {_text(each.value):{values}}  {each.unit:{units}}  {each.origin}"
            yield f"      {each.description}"


def _text(value: object) -> str:
    """Write a value as it would be given."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        value = tuple(f"{name}={points:g}" for name, points in value.items())
    if isinstance(value, tuple):
        return " ".join(map(str, value)) or "(none)"
    return "(none)" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
