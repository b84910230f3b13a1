"""The command `formwarden`."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from formwarden.errors import FormwardenError

EPILOG: Final = """examples:
  formwarden demo                               # a small guarded site on http://127.0.0.1:8000/contact
  formwarden config --diff                      # what is set, and where it came from
  formwarden check-address taro@docomo.ne.jp
  formwarden reply off                          # stop all auto-replies at once
  formwarden suppress why taro@docomo.ne.jp     # why did this person get no mail?
  formwarden stats                              # what stands in the store, and does the periodic work go on

`formwarden COMMAND --help` tells more. Settings come from FORMWARDEN_* variables, .env and formwarden.toml.
"""
EXTRAS: Final = {  # module -> the extra that installs it
    "uvicorn": "demo",
    "jinja2": "demo",
    "aiosmtpd": "demo",
    "fastapi": "fastapi",
    "httpx2": "testing",
    "playwright": "browsers",
}
WRONG: Final = 2  # exit code of argparse too: what was asked for cannot be done as it was given


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what the user can mend is said without a traceback."""
    args = _parser().parse_args(argv)
    try:
        return _run(args)
    except FormwardenError as error:
        print(error, file=sys.stderr)
        return WRONG
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        print(f"this command needs {error.name}: pip install 'formwarden[{extra}]'", file=sys.stderr)
        return WRONG


def _parser() -> argparse.ArgumentParser:
    # Each of these imports what it needs when it runs: `formwarden config` loads neither a server nor a resolver.
    from formwarden.cli import attack, check_address, config, demo, lists, reply, stats, store, suppress, work

    parser = argparse.ArgumentParser(
        prog="formwarden",
        description="Guards inquiry forms, and decides separately whether an auto-reply may leave.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"formwarden {version('formwarden')}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in (demo, config, check_address, lists, reply, suppress, stats, store, work, attack):
        command.add_parser(commands)
    return parser


def _run(args: argparse.Namespace) -> int:
    from formwarden.cli import attack, check_address, config, demo, lists, reply, stats, store, suppress, work
    from formwarden.settings import Settings

    match args.command:
        case "attack":
            return attack.run(args, Settings())
        case "check-address":
            return check_address.run(args, Settings().address)
        case "config":
            return config.run(args, Settings())
        case "lists":
            return lists.run(args)
        case "reply":
            return reply.run(args, Settings())
        case "stats":
            return stats.run(args)
        case "store":
            return store.run(args, Settings())
        case "suppress":
            return suppress.run(args)
        case "work":
            return work.run(args)
        case _:
            return demo.run(args)
