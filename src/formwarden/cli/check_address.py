"""`formwarden check-address` tells whether mail to addresses may arrive."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol

from formwarden.address.dns_resolver import DnsResolver
from formwarden.address.report import AddressReport
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.clock import SystemClock

AT_ONCE: Final = 16  # addresses; below the checker's own bound on look-ups
EPILOG: Final = """examples:
  formwarden check-address taro@docomo.ne.jp
  formwarden check-address --json taro@docomo.ne.jp hanako@gmial.com
  FORMWARDEN_DNS_SERVERS=127.0.0.1:5353 formwarden check-address taro@docomo.ne.jp

status: deliverable, undeliverable, unknown (the resolver did not say), invalid (no address).
The exit code is 0 whatever the addresses are; no mail server is contacted.
"""


class Subparsers(Protocol):
    """What argparse returns from `add_subparsers()`."""

    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002 - argparse's own word
        description: str,
        epilog: str,
        formatter_class: type[argparse.RawDescriptionHelpFormatter],
    ) -> argparse.ArgumentParser:
        """Add one command."""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "check-address",
        help="tell whether mail to an address may arrive",
        description="Check the syntax of addresses and ask DNS whether their domains take mail.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS", help="an address to check")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    return parser


def run(args: argparse.Namespace, settings: Address) -> int:
    """Print a report on each address, in the order given."""
    asyncio.run(_print_all(list(args.addresses), settings, as_json=bool(args.json)))
    return 0


async def _print_all(addresses: Sequence[str], settings: Address, *, as_json: bool) -> None:
    async for report in _reports(addresses, settings):
        print(json.dumps(report.as_dict()) if as_json else _as_text(report), flush=True)


async def _reports(addresses: Sequence[str], settings: Address) -> AsyncIterator[AddressReport]:
    clock, resolver, suffixes = SystemClock(), DnsResolver(settings.dns_servers), Suffixes()
    await asyncio.gather(resolver.load(), suffixes.load())  # before the first deadline starts
    checker = AddressChecker(resolver, settings=settings, suffixes=suffixes, clock=clock, own_domains=frozenset())
    for start in range(0, len(addresses), AT_ONCE):
        for report in await asyncio.gather(*map(checker.verify, addresses[start : start + AT_ONCE])):
            yield report


def _as_text(report: AddressReport) -> str:
    lines = [f"{_printable(report.address)}: {report.status} ({report.reason}), {report.elapsed_ms:.0f} ms"]
    if report.flags:
        lines.append(f"  flags: {', '.join(sorted(report.flags))}")
    lines.extend(f"  mx: {preference} {host}" for preference, host in report.mx)
    if report.provider:
        lines.append(f"  provider: {report.provider}")
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Show what a terminal would obey as an escape."""
    return text if text.isprintable() else ascii(text)
