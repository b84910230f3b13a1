"""`formwarden suppress` keeps the list of those who get no mail, and says why somebody got none."""

import argparse
import asyncio
import json
import math
from typing import TYPE_CHECKING, Final

from formwarden.cli.apps import load
from formwarden.cli.check_address import Subparsers
from formwarden.cli.store import store_file
from formwarden.errors import SettingsError

if TYPE_CHECKING:
    from formwarden.cli.told import Told
    from formwarden.clock import Clock
    from formwarden.settings import Settings

DAY_S: Final = 86_400.0
MOST_DAYS: Final = 36_500.0  # a century; beyond it, leave the end away
EPILOG: Final = """examples:
  formwarden suppress add ann@example.com
  formwarden suppress add --until 30 ann@example.com        # for thirty days
  formwarden suppress add --domain example.com              # everybody at it; what lies below it is another domain
  formwarden suppress remove ann@example.com
  formwarden suppress list                                  # how many, by cause
  formwarden suppress list --stdin < customers.txt          # which of these
  formwarden suppress why ann@example.com                   # why did this person get no mail?
  formwarden suppress known ann@example.com                 # you wrote to each other: held by no doubt

Run it where the site runs, so that it finds the same settings and the same store, or name one of them; the site may
run meanwhile. The list holds keyed hashes, so nobody can read addresses out of it, and all spellings of a mailbox
(tags, dots at Gmail) are one. `formwarden suppress ACTION --help` tells more.
"""
ADD: Final = """examples:
  formwarden suppress add ann@example.com
  formwarden suppress add --until 30 ann@example.com bob@example.com
  formwarden suppress add --domain example.com
  formwarden suppress add --stdin < please-no-mail.txt

From the next reservation on no auto-reply is sent to it, from any process; one that waits is dropped. The staff gets
its inquiries as before. Of two ends the later one holds; without --until it never ends.
"""
REMOVE: Final = """examples:
  formwarden suppress remove ann@example.com
  formwarden suppress remove --domain example.com

Whatever put it on the list, a complaint or a dead mailbox included: so ask `formwarden suppress why` first. The exit
code is 1 if one of them was not on the list.
"""
LIST: Final = """examples:
  formwarden suppress list
  formwarden suppress list ann@example.com bob@example.com
  formwarden suppress list --stdin --json < customers.txt

Without an address: how many stand on it, by cause. Hashes cannot be turned into addresses; name the addresses, and
each is looked up, its domain too. The exit code is 1 if one of them is on the list.
"""
WHY: Final = """examples:
  formwarden suppress why ann@example.com
  formwarden suppress why --app main:warden --form contact ann@example.com   # with the budgets of that form
  formwarden suppress why --offline --json ann@example.com | jq .replies

Tells what stands on the list, the last replies to it with their codes (docs/replies.md), its inquiries that wait for
you, the breakers of its provider, and what the gate would say of a person who fills in the form now: by standing, for
shared budgets are kept apart (shown: with script evidence, plain: without, doubtful: neither). A preview: nothing is
reserved. DNS is asked for the provider, unless --offline. The exit code is 1 if something stands against a reply.
"""
KNOWN: Final = """examples:
  formwarden suppress known ann@example.com
  formwarden suppress known --stdin < customers.txt
  formwarden suppress known --not ann@example.com

The same as `await warden.remember(address)`. A known person's reply is held by no doubt about him (rows 13 and 18)
and draws on the share of the budgets that is kept for the known (rows 16 and 17); all else holds for him as well.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "suppress",
        help="keep the list of those who get no mail, and say why somebody got none",
        description="Keep the suppression list, say why somebody got no mail, and write down whom you know.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = _action(actions, "add", "let no auto-reply go to an address", ADD)
    add.add_argument("--until", metavar="DAYS", type=_days, help="for so many days; default: without end")
    add.add_argument("--domain", action="store_true", help="these are domains: everybody at them")
    remove = _action(actions, "remove", "take an address off the list", REMOVE)
    remove.add_argument("--domain", action="store_true", help="these are domains")
    _action(actions, "list", "count what stands on the list, or look addresses up", LIST)
    why = _action(actions, "why", "say why a person got no mail", WHY, one=True)
    why.add_argument("--form", metavar="NAME", help="whose budgets are asked; default: the site's only form")
    why.add_argument("--offline", action="store_true", help="ask no DNS: nothing is said of the provider")
    known = _action(actions, "known", "write that you know a person", KNOWN)
    known.add_argument("--not", dest="unknown", action="store_true", help="write that you do not know him")
    return parser


def run(args: argparse.Namespace, clock: "Clock | None" = None) -> int:
    """Do it, and print what came of it."""
    from formwarden.clock import SystemClock

    settings = _settings(args)
    if store_file(args.store, settings, may_be_made=False) is None:
        raise SettingsError(("memory:// holds nothing outside of the site's own process: use its page /warden/",))
    told = asyncio.run(_done(args, settings, clock or SystemClock()))
    if told.lines or args.json:
        print(json.dumps(told.values) if args.json else "\n".join(told.lines), file=told.to)
    return told.code


async def _done(args: argparse.Namespace, settings: "Settings", clock: "Clock") -> "Told":
    from formwarden.cli import suppress_list, suppress_why
    from formwarden.entropy import system_entropy
    from formwarden.faults import Faults
    from formwarden.stores.opening import open_store

    faults = Faults(clock)
    url = settings.stores.store_url.get_secret_value()
    store = open_store(url, clock=clock, entropy=system_entropy, settings=settings.stores, faults=faults)
    try:
        match args.action:
            case "why":
                return await suppress_why.why(args, settings, store, clock=clock, faults=faults)
            case "add":
                until = None if args.until is None else clock.now() + args.until * DAY_S
                return await suppress_list.add(args, store, until)
            case "remove":
                return await suppress_list.remove(args, store)
            case "known":
                return await suppress_list.know(args, store)
            case _:
                return await suppress_list.listed(args, store)
    finally:
        await store.aclose()


def _settings(args: argparse.Namespace) -> "Settings":
    from formwarden.settings import Settings

    if args.app is not None:
        return load(args.app).settings
    return Settings() if args.store is None else Settings(store_url=args.store)


def _days(text: str) -> float:
    """Read a number of days that ends some time."""
    try:
        days = float(text)
    except ValueError:
        days = math.nan
    if not 0 < days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of days above 0, at most {MOST_DAYS:g}")
    return days


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    about: str,
    epilog: str,
    *,
    one: bool = False,
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if one:
        parser.add_argument("address", metavar="ADDRESS", help="whose")
    else:
        parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="whose")
        parser.add_argument("--stdin", action="store_true", help="read more from standard input, one a line")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--app", metavar="APP", help="module:attribute of the site's Warden, whose settings are used")
    where.add_argument("--store", metavar="URL", help="the store; default: FORMWARDEN_STORE_URL as set here")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser
