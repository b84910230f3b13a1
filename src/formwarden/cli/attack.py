"""`formwarden attack URL` lets bots and people visit a form of one's own, and counts what became of them."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from formwarden.cli.check_address import Subparsers
from formwarden.cli.told import progress
from formwarden.clock import SystemClock
from formwarden.errors import SettingsError, StoreError
from formwarden.settings import Settings
from formwarden.stores.opening import SQLITE

if TYPE_CHECKING:
    from formwarden.cli.attack_runs import Plan
    from formwarden.cli.attack_table import Found, Line
    from formwarden.testing.personas import Persona

RUNS_MOST: Final = 1_000  # visits of one persona
RATE_MOST: Final = 50.0  # requests a second, on loopback
RATE_MOST_ELSEWHERE: Final = 5.0  # it is a real site, and others visit it too
MANY: Final = 5  # posts in a visit of bots that post often
LONGEST_S: Final = 300.0  # of one visit
SETTLE_S: Final = 1.0  # earlier than the first visit: clocks of one machine differ a little
PEOPLE_HURT: Final = 1  # exit code
WRONG: Final = 2  # exit code
INTERRUPTED: Final = 130  # exit code of what Ctrl-C ends
EPILOG: Final = f"""examples:
  formwarden attack --list
  formwarden attack http://127.0.0.1:8000/contact
  formwarden attack http://127.0.0.1:8000/contact --persona blind-poster --persona replayer --runs 50 --json
  formwarden attack http://127.0.0.1:8000/contact --browser --store sqlite:////srv/site/formwarden.db
  formwarden attack https://staging.example.com/contact --i-own-this-site --recipient-domain test.example.com

Off loopback only sites that you own, and only addresses below a domain of yours: the site may mail them.
Waiting is real; personas wait side by side, and how long it takes is said beforehand. At most {RUNS_MOST:,} visits of
each persona, {RATE_MOST:g} requests a second on loopback and {RATE_MOST_ELSEWHERE:g} elsewhere.

From outside an accepted inquiry and a held one look alike, on purpose. With the site's store (--store, or
FORMWARDEN_STORE_URL) they are told apart by their receipts, and auto-replies are counted.

The exit code is 0, 1 when a person was rejected or lost what was typed, 2 when it could not begin, 130 after Ctrl-C,
which prints what is finished.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "attack",
        help="let bots and people visit a form of your own, and count what became of them",
        description="Run personas against a form of your own: bots that should not get through, people who must.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", nargs="?", metavar="URL", help="the page with the form")
    parser.add_argument("--list", action="store_true", help="list the personas, and about how long a visit takes")
    parser.add_argument("--persona", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--browser", action="store_true", help="the browser set too; needs Chromium")
    parser.add_argument("--runs", type=_runs, default=5, help="visits of each persona (%(default)s)")
    parser.add_argument("--rate", type=float, default=RATE_MOST_ELSEWHERE, help="requests a second (%(default)s)")
    parser.add_argument("--longest", type=float, default=LONGEST_S, metavar="SECONDS", help="leave out longer visits")
    parser.add_argument("--seed", default="1", help="what is drawn; the same seed draws the same (%(default)s)")
    parser.add_argument("--store", metavar="URL", help="the site's store; default: FORMWARDEN_STORE_URL as set here")
    parser.add_argument("--i-own-this-site", action="store_true", help="allows an address that is not loopback")
    parser.add_argument(
        "--recipient-domain", action="append", metavar="DOMAIN", help="yours; *.DOMAIN: names below it"
    )
    parser.add_argument(
        "--played-providers",
        action="store_true",
        help="gmail.com too: the site's DNS and mail are played on loopback",
    )
    parser.add_argument(
        "--forwarded", action="store_true", help="say X-Forwarded-For: the site trusts this machine as a proxy"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Attack, and print what became of every persona."""
    if args.list:
        _list()
        return 0
    plan = _plan(args)
    store = _store(args.store, settings)
    from formwarden.cli.attack_pace import Pace
    from formwarden.cli.attack_runs import Attack
    from formwarden.cli.attack_table import lines_of

    said = progress("visits", step=max(1, plan.visits // 100))
    attack = Attack(plan, Pace(args.rate), said)
    started = SystemClock().now() - SETTLE_S
    whole = attack.run()
    found = _found(store, settings, started)
    names = {each.persona.name: each.persona for each in attack.finished}
    lines = lines_of(names.values(), attack.finished, found)
    _print(lines, whole=whole, plan=plan, as_json=bool(args.json), inside=found is not None)
    for error in sorted({f"{each.persona.name}: {each.error}" for each in attack.finished if each.error}):
        print(error, file=sys.stderr)
    if not whole:
        return INTERRUPTED
    return PEOPLE_HURT if any(line.person and (line.rejected or line.lost) for line in lines) else 0


def _plan(args: argparse.Namespace) -> "Plan":
    """Read what is wanted, and say how long it takes. Raises SettingsError with what is missing."""
    from formwarden.cli.attack_runs import AT_ONCE, Plan
    from formwarden.cli.attack_site import domains_for, looked_at, target_of

    if args.url is None:
        raise SettingsError(("attack: give the URL of the page with the form, or --list",))
    target = target_of(args.url)
    given = tuple(args.recipient_domain or ())
    domains = domains_for(target, owned=args.i_own_this_site, given=given, real=args.played_providers)
    most = RATE_MOST if target.loopback else RATE_MOST_ELSEWHERE
    if not 0 < args.rate <= most:
        raise SettingsError((f"--rate {args.rate:g}: more than 0, at most {most:g} requests a second there",))
    personas, browsers = _chosen(tuple(args.persona or ()), browser=args.browser)
    plan = Plan(
        target=looked_at(target),
        personas=personas,
        browsers=browsers,
        runs=args.runs,
        seed=args.seed,
        domains=domains,
        many=MANY,
        forwarded=args.forwarded,
    )
    lasting = _lasting(plan)
    left = [each for each in personas if lasting[each.name] > args.longest and not args.persona]
    kept = tuple(each for each in personas if each not in left)
    _say(f"attacking {target.url}: {args.runs * (len(kept) + len(browsers))} visits")
    if not plan.target.ours:
        _say("not a form that formwarden guards: attacked all the same")
    if left:
        _say(f"left out, for a visit takes longer than {args.longest:g} s: {', '.join(each.name for each in left)}")
    together = sum(lasting[each.name] for each in kept) * args.runs / AT_ONCE
    longest = max((lasting[each.name] for each in kept), default=0.0)
    by_browser = sum(lasting[name] for name in browsers) * args.runs
    _say(f"this takes about {max(together, longest, by_browser) / 60 + 1:.0f} min; Ctrl-C prints what is finished")
    return replace(plan, personas=kept)


def _lasting(plan: "Plan") -> dict[str, float]:
    """Return about how many seconds a visit of each persona takes."""
    from formwarden.cli.attack_rehearsal import seconds_of

    lasting = {each.name: seconds_of(each, plan.draw(each.name, 0), plan.many) for each in plan.personas}
    if plan.browsers:
        from formwarden.testing.browsers import KINDS

        lasting |= {kind.name: kind.seconds for kind in KINDS}
    return lasting


def _chosen(names: Sequence[str], *, browser: bool) -> tuple[tuple["Persona", ...], tuple[str, ...]]:
    """Choose personas by name, or all. Raises SettingsError for a name that nobody has or a browser that is not."""
    from formwarden.testing.personas import BOTS, PEOPLE

    everybody = {each.name: each for each in (*BOTS, *PEOPLE)}
    if not browser:
        driven: tuple[str, ...] = ()
    else:
        from formwarden.testing.browsers import KINDS, NoBrowserError, chromium_path

        driven = tuple(kind.name for kind in KINDS)
        try:
            chromium_path()
        except NoBrowserError as error:
            raise SettingsError((f"--browser: {error}",)) from None
    unknown = [name for name in names if name not in everybody and name not in driven]
    if unknown:
        raise SettingsError(
            (f"--persona {unknown[0]}: nobody has this name; --list shows all, --browser adds the browser set",)
        )
    personas = tuple(each for each in everybody.values() if not names or each.name in names)
    return personas, tuple(name for name in driven if not names or name in names)


def _list() -> None:
    from formwarden.cli.attack_rehearsal import seconds_of
    from formwarden.testing.personas import BOTS, PEOPLE, Draw

    rows = [(each.name, each.person, seconds_of(each, Draw(1), MANY), each.says) for each in (*BOTS, *PEOPLE)]
    try:
        from formwarden.testing.browsers import KINDS
    except ModuleNotFoundError:  # the extra `browsers`
        pass
    else:
        rows += [(kind.name, kind.person, kind.seconds, f"{kind.says} (--browser)") for kind in KINDS]
    for name, person, seconds, says in rows:
        print(f"{name:<22} {'person' if person else 'bot':<7} {seconds:>7.0f} s  {says}")


def _store(given: str | None, settings: Settings) -> str | None:
    """Return the URL of a store that can be read, if any. Raises SettingsError for one given and not there."""
    url = given or settings.stores.store_url.get_secret_value()
    there = url.startswith(SQLITE) and Path(url.removeprefix(SQLITE)).is_file()
    if given is not None and not there:
        raise SettingsError((f"--store {given}: there is no store; give the site's own, sqlite:////absolute/file",))
    return url if there else None


def _found(url: str | None, settings: Settings, started: float) -> "dict[str, Found] | None":
    from formwarden.cli.attack_store import receipts_since

    if url is None:
        return None
    try:
        return dict(receipts_since(url, settings, started))
    except StoreError as error:
        _say(f"the store says nothing: {error}")
        return None


def _print(lines: "Sequence[Line]", *, whole: bool, plan: "Plan", as_json: bool, inside: bool) -> None:
    from formwarden.cli.attack_table import table

    if as_json:
        values = {"url": plan.target.url, "seed": plan.seed, "whole": whole, "store_read": inside}
        print(json.dumps(values | {"personas": [line.as_plain() for line in lines]}))
        return
    print("\n".join(table(lines)))
    if not inside:
        print("\naccepted and held look alike from outside: both are thanked. To tell them apart, and to count")
        print("auto-replies, run this where the site's store can be read, with --store sqlite:////absolute/file")
    if not whole:
        print("\nstopped: this is what was finished")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _runs(text: str) -> int:
    number = int(text)
    if not 1 <= number <= RUNS_MOST:
        raise argparse.ArgumentTypeError(f"between 1 and {RUNS_MOST}")
    return number
