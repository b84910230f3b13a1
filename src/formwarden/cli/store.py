"""`formwarden store` looks after the store: migrate, check, vacuum, backup, export, import, erase."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formwarden.cli.check_address import Subparsers
from formwarden.errors import SettingsError
from formwarden.settings import Settings
from formwarden.sources import where

if TYPE_CHECKING:
    from formwarden.cli.told import Told

EPILOG: Final = """examples:
  formwarden store check
  formwarden store migrate --dry-run
  formwarden store backup /backups/formwarden-monday.db      # the site goes on meanwhile
  formwarden store vacuum
  formwarden store export /backups/formwarden.jsonl
  formwarden store import --store sqlite:////srv/new/formwarden.db --create /backups/formwarden.jsonl
  formwarden store erase --yes ann@example.com

Run it where the site runs, so that it finds the same settings and the same store, or name one with --store. A store
that is not there is never made, but by `import --create`. `formwarden store ACTION --help` tells more.
"""
MIGRATE: Final = """examples:
  formwarden store migrate --dry-run     # from which number to which
  formwarden store migrate

A site does this by itself when it opens its store. Each step is one transaction: one that fails leaves the store as
it was. Stop the sites of an older formwarden first: they refuse a newer store.
"""
CHECK: Final = """examples:
  formwarden store check
  formwarden store check --json | jq '.files[].ills'

The exit code is 1 if something is ill. The site may run meanwhile.
"""
VACUUM: Final = """examples:
  formwarden store vacuum
  formwarden store vacuum --while-running

The store is written anew, for which the disk needs twice its size free. Writers wait meanwhile, so a large store is
left alone while a site runs, unless --while-running.
"""
BACKUP: Final = """examples:
  formwarden store backup /backups/formwarden-monday.db
  mv /backups/formwarden-monday.db formwarden.db     # to restore: stop the site, remove formwarden.db-wal and -shm

The copy is one moment of ledger and inquiries, whoever writes meanwhile. Counters are not in it: they may be lost.
It holds what people typed, in clear, and only its owner may read it.
"""
EXPORT: Final = """examples:
  formwarden store export /backups/formwarden.jsonl
  formwarden store export - | zstd > formwarden.jsonl.zst

One line of JSON each: inquiries with their bodies, in clear, replies with their slots, outcomes, suppressions; the
keys of their hashes stand in the first line. Leases and counters are left out.
"""
IMPORT: Final = """examples:
  formwarden store import --create formwarden.jsonl      # into a store that is not there yet
  formwarden store import --merge formwarden.jsonl       # adds what is missing, changes nothing that is there

Stop the site that was exported first: one inquiry in two stores is worked on twice. A line that cannot be read is
named by its number; what came before it is in, and `--merge` goes on when it is mended.
"""
ERASE: Final = """examples:
  formwarden store erase ann@example.com
  formwarden store erase --yes --field email --field contact_mail ann@example.com

Erased are bodies and recipients of inquiries that came from this address (found by the ledger's hashes, by the
recipient, and by the field of the address in what was typed), the journal's too, and what leads from replies to it.
Kept, so that no machine mails it again, are the hash of its suppression and its slots in the budgets, which go by
themselves within a month; --forget-suppression removes them. Backups and exports are yours to erase.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "store",
        help="look after the store: migrate, check, vacuum, backup, export, import, erase",
        description="Look after the store: ledger, inquiries and counters.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    migrate = _action(actions, "migrate", "bring the store to this formwarden's schema", MIGRATE)
    migrate.add_argument("--dry-run", action="store_true", help="only say from which number to which")
    _action(actions, "check", "say what stands in the store, what is ill, and the remedy", CHECK)
    vacuum = _action(actions, "vacuum", "give free room back to the disk", VACUUM)
    vacuum.add_argument("--while-running", action="store_true", help="also where a site's writers have to wait long")
    backup = _action(actions, "backup", "copy the store while workers write", BACKUP)
    backup.add_argument("file", metavar="FILE", type=Path, help="the copy; it must not stand there yet")
    export = _action(actions, "export", "write everything durable as lines of JSON", EXPORT)
    export.add_argument("file", metavar="FILE", nargs="?", default="-", help="where to; - (the default): the output")
    taken = _action(actions, "import", "take an export into an empty store", IMPORT)
    taken.add_argument("file", metavar="FILE", help="an export; -: the input")
    taken.add_argument("--merge", action="store_true", help="also into a store that is not empty")
    taken.add_argument("--create", action="store_true", help="make the store if there is none")
    erase = _action(actions, "erase", "erase everything about one address", ERASE)
    erase.add_argument("address", metavar="ADDRESS", help="whose")
    erase.add_argument("--field", action="append", metavar="NAME", help="a form's field of the address (email)")
    erase.add_argument("--forget-suppression", action="store_true", help="its suppression and its slots too")
    erase.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it, and print what came of it."""
    path = store_file(args.store, settings, may_be_made=bool(getattr(args, "create", False)))
    if path is None:
        print(json.dumps({"nothing": "memory"}) if args.json else "memory:// ends with its process: nothing to do")
        return 0
    told = _done(args, settings, path)
    if told.lines or args.json:
        print(json.dumps(told.values, default=dict) if args.json else "\n".join(told.lines), file=told.to)
    return told.code


def store_file(url: str | None, settings: Settings, *, may_be_made: bool) -> Path | None:
    """Return the durable file; None: `memory://`. Raises SettingsError where there is none, which is never made."""
    from formwarden.stores.opening import MEMORY, SQLITE

    here = "--store" if url is not None else where(settings.origins["store_url"], "store_url")
    url = url if url is not None else settings.stores.store_url.get_secret_value()
    if url == MEMORY:
        return None
    name = url.removeprefix(SQLITE)
    if name == url or not name.strip("/") or name.endswith("/") or "\0" in name or name.startswith(":"):
        raise SettingsError((f"{here}: give sqlite:///file, sqlite:////absolute/file or memory://",))
    path = Path(name).absolute()
    if not path.is_file() and not (may_be_made and path.parent.is_dir() and not path.exists()):
        raise SettingsError(
            (f"{here}: there is no store at {path}; run this in the site's folder, or name one by --store",)
        )
    return path


def _done(args: argparse.Namespace, settings: Settings, path: Path) -> "Told":
    from formwarden.cli import store_care, store_moves

    match args.action:
        case "migrate":
            return store_care.migrate(path, dry_run=args.dry_run)
        case "check":
            return store_care.check(path)
        case "vacuum":
            return store_care.vacuum(path, beside_a_site=args.while_running)
        case "backup":
            return store_care.backup(path, args.file)
        case "export":
            return store_moves.export(path, args.file)
        case "import":
            return store_moves.take_in(path, args.file, merge=args.merge)
        case _:
            fields = tuple(args.field or ("email",))
            return store_moves.erase(path, args, fields=fields, journal=_journal(path, args.store, settings))


def _journal(path: Path, url: str | None, settings: Settings) -> Path:
    """Say where inquiries went while this store was down."""
    named = settings.stores.journal_path
    return Path(named) if named is not None and url is None else Path(f"{path}.journal")


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str, epilog: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--store", metavar="URL", help="another store than FORMWARDEN_STORE_URL")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
