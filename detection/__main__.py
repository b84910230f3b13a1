"""The command `python -m detection`."""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Final

from detection import measuring, peers, served
from detection.measuring import Site, Wanted
from detection.page import written
from formwarden.cli.attack_table import Line
from formwarden.testing.browsers import NoBrowserError, chromium_path

PAGE: Final = Path(__file__).parent.parent / "docs" / "detection.md"
EPILOG: Final = """examples:
  python -m detection                                # writes docs/detection.md
  python -m detection --visits 4 --only formwarden --output -
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    args = _parser().parse_args(argv)
    missing: dict[str, str] = {}
    sites: dict[str, Site] = {"formwarden": served.demo}
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    less = "a tenth of it where one visit posts ten times or more, a quarter by browser"
    facts = [
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}",
        f"{args.visits} visits of each persona, {less}; seed {args.seed}",
        f"formwarden {version('formwarden')}",
    ]
    for peer in peers.PEERS:
        if args.only and peer.package not in args.only:
            continue
        try:
            python = peers.python_of(peer)
        except peers.NotInstalledError as error:
            missing[peer.package] = str(error)
            continue
        sites[peer.package] = partial(served.peer, peer.name, python)
        facts.append(", ".join(f"{name} {number}" for name, number in peers.versions(peer).items()))
    try:
        facts.append(f"browser: {chromium_path().name}" if args.browser else "browser set left out")
    except NoBrowserError as error:
        args.browser = False
        facts.append(f"browser set left out: {error}")
    with ThreadPoolExecutor(len(sites)) as pool:
        jobs = {name: pool.submit(_measured, site, args) for name, site in sites.items()}
        lines = {name: job.result() for name, job in jobs.items()}
    text = "\n".join(written(lines, facts=facts, missing=missing))
    if args.output == "-":
        print(text)
    else:
        Path(args.output).write_text(text, encoding="utf-8")
    return 0


def _measured(site: Site, args: argparse.Namespace) -> list[Line]:
    wanted = Wanted(visits=args.visits, seed=args.seed, personas=tuple(args.persona or ()))
    lines = list(measuring.over_http(site, wanted, _say))
    if args.browser:
        lines += measuring.by_browser(site, wanted, _say)
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m detection",
        description="Let the same personas visit formwarden and its peers.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--visits", type=int, default=100, help="of each persona (%(default)s)")
    parser.add_argument("--only", action="append", metavar="SITE", help="formwarden and this one; may be repeated")
    parser.add_argument("--persona", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--seed", default="1", help="what is drawn (%(default)s)")
    parser.add_argument("--no-browser", dest="browser", action="store_false", help="without the browser set")
    parser.add_argument("--output", default=str(PAGE), help="where to; - is standard output (docs/detection.md)")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
