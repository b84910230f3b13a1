"""`formwarden reply on|off|status` is the switch that stops all auto-replies in all processes at once (G18)."""

import argparse
import asyncio
from pathlib import Path
from typing import Final

from formwarden.cli.check_address import Subparsers
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.errors import SettingsError
from formwarden.faults import Faults
from formwarden.settings import Settings
from formwarden.sources import where
from formwarden.stores.opening import SQLITE, open_store
from formwarden.stores.ports import REPLIES_OFF

EPILOG: Final = """examples:
  formwarden reply status
  formwarden reply off      # no auto-reply leaves, from any process, from now on
  formwarden reply on

Run it where the site runs, so that it finds the same settings and the same store. Inquiries are accepted and
staff mail is sent as before; replies that come due while the switch is off are not sent.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "reply",
        help="switch all auto-replies on or off",
        description="Stop all auto-replies in all processes at once, or let them leave again.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("switch", choices=["on", "off", "status"], help="what to do, or status to look only")
    return parser


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Turn the switch, and print where it stands."""
    place = _place(settings)
    off = asyncio.run(_turn(args.switch, settings))
    print(f"auto-replies are {'off' if off else 'on'} ({place})")
    if not off and not settings.mail.replies:
        print(f"none leaves all the same: {where(settings.origins['replies'], 'replies')} is off")
    return 0


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


async def _turn(switch: str, settings: Settings) -> bool:
    """Turn the switch and return whether replies are off now, as the ledger has it."""
    clock = SystemClock()
    store = open_store(
        settings.stores.store_url.get_secret_value(),
        clock=clock,
        entropy=system_entropy,
        settings=settings.stores,
        faults=Faults(clock),
    )
    try:
        if switch == "off":
            await store.ledger.suppress(REPLIES_OFF, cause="formwarden reply off", until=None)
        elif switch == "on":
            await store.ledger.lift(REPLIES_OFF)
        return (await store.ledger.reputation(())).replies_off
    finally:
        await store.aclose()
