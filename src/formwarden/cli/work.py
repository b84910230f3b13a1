"""`formwarden work` does what runs by itself: once, for cron, or until it is stopped (G19)."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

from formwarden.cli.apps import load
from formwarden.cli.check_address import Subparsers
from formwarden.clock import Clock, SystemClock

if TYPE_CHECKING:
    from formwarden.warden import Warden
    from formwarden.work import Turn

EPILOG: Final = """examples:
  formwarden work --app main:warden                 # until Ctrl-C or SIGTERM, as a service
  formwarden work --once --app main:warden          # one pass, for cron
  */2 * * * *  cd /srv/site && .venv/bin/formwarden work --once --quiet --app main:warden

APP is the module that makes the site's Warden, and the name it has there; the module is looked for in the working
directory first. Sends what is due, looks at what is held or waiting, erases what is over. While a site runs with
the middleware it does all this by itself; of several processes one does each task, and another follows when it ends.

The exit code is 0 (also where another process has a task), 1 when a task failed in its one pass, 2 when it could not
begin.
"""
FAILED: Final = 1  # exit code


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "work",
        help="do the periodic work, once or until stopped",
        description="Send what is due and look at what is held, waiting or over.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--once", action="store_true", help="one pass, then end")
    parser.add_argument("--app", required=True, metavar="APP", help="module:attribute of the site's Warden")
    parser.add_argument("--json", action="store_true", help="print JSON: one object a pass, or one a line")
    parser.add_argument("--quiet", action="store_true", help="print nothing but failures, on standard error")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do one pass and say how each task went, or go on until stopped."""
    warden = load(args.app)
    if args.once:
        turns = asyncio.run(_pass(warden))
        _print_pass(turns, as_json=bool(args.json), quiet=bool(args.quiet))
        return FAILED if any(turn.error for turn in turns) else 0
    asyncio.run(go_on(warden, Teller(SystemClock(), as_json=bool(args.json), quiet=bool(args.quiet))))
    return 0


async def _pass(warden: "Warden") -> Sequence["Turn"]:
    try:
        return await warden.work_pass()
    finally:
        await warden.aclose()


async def go_on(warden: "Warden", teller: "Teller") -> None:
    """Work until a signal comes; a second one ends the process at once."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    try:
        working = await warden.work_on(teller)
        waiting = loop.create_task(told.wait())
        await asyncio.wait({waiting} if working is None else {waiting, working}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        if working is not None and working.done():
            working.result()  # raises what ended it
    finally:
        await warden.aclose()
    teller.stopped()


class Teller:
    """Prints a line for each pass that did something; a failure once, until it is another or over."""

    def __init__(self, clock: Clock, *, as_json: bool, quiet: bool) -> None:
        self._clock = clock
        self._as_json = as_json
        self._quiet = quiet
        self._errors: dict[str, str] = {}

    def __call__(self, turn: "Turn") -> None:
        """Tell of one turn."""
        fresh = turn.error != self._errors.get(turn.task, "")
        self._errors[turn.task] = turn.error
        if turn.error and fresh:
            self._line(turn, sys.stderr if self._quiet else sys.stdout)
        elif turn.done and not self._quiet:
            self._line(turn, sys.stdout)

    def stopped(self) -> None:
        """Tell of the end."""
        if not self._quiet and not self._as_json:
            print("stopped", flush=True)

    def _line(self, turn: "Turn", file: TextIO) -> None:
        now = self._clock.now()
        if self._as_json:
            print(json.dumps({"at": now, **_plain(turn)}), file=file, flush=True)
        else:
            at = datetime.fromtimestamp(now, UTC).astimezone().strftime("%H:%M:%S")
            print(f"{at} {turn.task}: {_words(turn)}", file=file, flush=True)


def _print_pass(turns: Sequence["Turn"], *, as_json: bool, quiet: bool) -> None:
    if quiet:
        for turn in turns:
            if turn.error:
                print(f"{turn.task}: {_words(turn)}", file=sys.stderr)
        return
    done = sum(turn.done for turn in turns)
    if as_json:
        print(json.dumps({"done": done, "tasks": [_plain(turn) for turn in turns]}))
        return
    width = max((len(turn.task) for turn in turns), default=0)
    for turn in turns:
        print(f"{turn.task:{width}}  {_words(turn)}")
    print(f"work: {done} done")


def _plain(turn: "Turn") -> dict[str, object]:
    return {
        "task": turn.task,
        "done": turn.done,
        "leased": turn.leased,
        "holder": turn.holder,
        "error": turn.error,
    }


def _words(turn: "Turn") -> str:
    if not turn.leased:
        return f"left to {process_of(turn.holder)}, which does it now"
    if turn.error:
        return f"failed: {turn.error}" + (f" ({turn.done} done before)" if turn.done else "")
    return f"{turn.done} done"


def process_of(holder: str) -> str:
    """Name a holder: its id ends with the number of its process."""
    return f"process {holder.rpartition('-')[2]}" if holder else "another process"
