"""`formwarden reply` is the switch for all auto-replies (G18), and shows and mends what limits them."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

from formwarden.cli.check_address import Subparsers
from formwarden.cli.reply_lines import as_lines, channel_names
from formwarden.clock import Clock, SystemClock
from formwarden.entropy import system_entropy
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.mail.growing import mark_real
from formwarden.mail.limits import Limits, as_plain, name_of, read_limits
from formwarden.settings import Settings
from formwarden.sources import where
from formwarden.stores.opening import SQLITE, open_store
from formwarden.stores.ports import REPLIES_OFF, Breaker, Store
from formwarden.subjects import Subjects

T = TypeVar("T")
ALL: Final = "all"
NOTHING_DONE: Final = 1  # exit code
KEY_DIGITS: Final = 8  # of a breaker that has no name: fewer may be any
EPILOG: Final = """examples:
  formwarden reply status           # how many may leave, what holds them back, and what to do next
  formwarden reply status --json
  formwarden reply off              # no auto-reply leaves, from any process, from now on
  formwarden reply on
  formwarden reply close google     # replies to Gmail leave again; also: site, all, a domain
  formwarden reply real             # the new addresses of this week are real people

Run it where the site runs, so that it finds the same settings and the same store. Inquiries are accepted and
staff mail is sent as before, whatever stands here; replies that come due while the switch is off are not sent.

The exit code is 1 where there was nothing to close, or no drip to call real.
"""
CLOSED: Final = (
    "replies may leave there again, within all budgets; what came back before no longer counts against it. "
    "Whatever made it open will open it again, for longer, unless it is mended."
)
REAL: Final = (
    "The new addresses of this week are taken for real people: replies are limited as before, and so many a week "
    "are usual for the next five weeks."
)


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "reply",
        help="switch all auto-replies on or off, and see what limits them",
        description="Stop all auto-replies in all processes at once, or let them leave again; see what limits them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_subparsers(dest="switch", metavar="WHAT", required=True)
    what.add_parser("on", help="let auto-replies leave", description="Let auto-replies leave again.")
    what.add_parser("off", help="stop all auto-replies", description="Stop all auto-replies, in all processes.")
    status = what.add_parser(
        "status",
        help="show what limits them, change nothing",
        description="Show the switch, figures, growth, drip, breakers, alarms and the next step.",
    )
    status.add_argument("--json", action="store_true", help="print one JSON object")
    close = what.add_parser(
        "close",
        help="close a breaker that stopped replies",
        description="Let replies leave where a breaker stopped them: you know what was wrong, and it is mended.",
    )
    close.add_argument(
        "group",
        metavar="GROUP",
        help="google, microsoft, ... as `formwarden reply status` names it; a domain; site; or all",
    )
    what.add_parser(
        "real",
        help="say that the many new addresses are real people",
        description="End the hold on a suspected drip (G10): these people are real, or it is over.",
    )
    return parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what was asked, and print where it stands."""
    place = _place(settings)
    if args.switch == "status":
        return _status(settings, place, as_json=bool(args.json))
    if args.switch == "close":
        return _close(settings, args.group)
    if args.switch == "real":
        return _real(settings)
    off = _with_store(settings, lambda store, _: _turn(store, args.switch))
    print(_switch_line(settings, place, off=off))
    return 0


def _status(settings: Settings, place: Path, *, as_json: bool) -> int:
    async def read(store: Store, clock: Clock) -> Limits:
        return await read_limits(store, settings.mail, clock)

    limits, channels = _with_store(settings, read), channel_names(settings.alarms)
    if as_json:
        switch = {"store": str(place), "replies": settings.mail.replies, "off": limits.off, "now": limits.now}
        print(json.dumps(switch | as_plain(limits) | {"alarm_channels": ["log", *channels]}))
    else:
        print(_switch_line(settings, place, off=limits.off), *as_lines(limits, channels), sep="\n")
    return 0


def _close(settings: Settings, group: str) -> int:
    async def close(store: Store, _: Clock) -> tuple[list[str], list[str]]:
        stands = await store.measures.breakers()
        subjects = Subjects(await store.recipient_keys())
        keys = {*subjects.keys("provider", group.lower())}
        wanted = [each for each in stands if each.subject in keys or _is_named(each, group.lower())]
        closed = [name_of(each) for each in wanted if await store.measures.close(each.subject)]
        return closed, [name_of(each) for each in stands]

    closed, stands = _with_store(settings, close)
    if not closed:
        there = f"not closed are: {', '.join(stands)}" if stands else "all are closed"
        print(f"no breaker {group}: {there}")
        return NOTHING_DONE
    print(f"closed {', '.join(closed)}: {CLOSED}")
    return 0


def _is_named(breaker: Breaker, name: str) -> bool:
    by_key = len(name) >= KEY_DIGITS and breaker.subject.hex().startswith(name)
    return name in {ALL, breaker.label} or by_key


def _real(settings: Settings) -> int:
    real = _with_store(settings, lambda store, clock: mark_real(store.measures, clock))
    print("no drip is suspected: nothing was changed" if real is None else REAL)
    return NOTHING_DONE if real is None else 0


def _switch_line(settings: Settings, place: Path, *, off: bool) -> str:
    line = f"auto-replies are {'off' if off else 'on'} ({place})"
    if not off and not settings.mail.replies:
        line += f"\nnone leaves all the same: {where(settings.origins['replies'], 'replies')} is off"
    return line


def _place(settings: Settings) -> Path:
    """Return the store's file. Raises SettingsError where no other process would see the switch."""
    url = settings.stores.store_url.get_secret_value()
    here = where(settings.origins["store_url"], "store_url")
    if not url.startswith(SQLITE):
        raise SettingsError((f"{here}: holds nothing outside of the site's own process; give sqlite:///file",))
    path = Path(url.removeprefix(SQLITE)).absolute()
    if not path.is_file():
        # A switch in a new, empty store would look turned and stop nothing.
        raise SettingsError(
            (f"{here}: there is no store at {path}; run this in the site's working directory, with its settings",)
        )
    return path


async def _turn(store: Store, switch: str) -> bool:
    """Turn the switch and return whether replies are off now, as the ledger has it."""
    if switch == "off":
        await store.ledger.suppress(REPLIES_OFF, cause="formwarden reply off", until=None)
    else:
        await store.ledger.lift(REPLIES_OFF)
    return (await store.ledger.reputation(())).replies_off


def _with_store(settings: Settings, ask: Callable[[Store, Clock], Awaitable[T]]) -> T:
    """Open the store, ask it, close it. Raises StoreError."""
    clock = SystemClock()

    async def asking() -> T:
        store = open_store(
            settings.stores.store_url.get_secret_value(),
            clock=clock,
            entropy=system_entropy,
            settings=settings.stores,
            faults=Faults(clock),
        )
        try:
            return await ask(store, clock)
        finally:
            await store.aclose()

    return asyncio.run(asking())
