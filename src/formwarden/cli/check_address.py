"""`formwarden check-address` tells whether mail to addresses may arrive."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from typing import BinaryIO, Final, Protocol, TextIO

from formwarden.address.report import AddressReport, Status
from formwarden.address.resolvers import resolver_for
from formwarden.address.settings import Address
from formwarden.address.suffix import Suffixes
from formwarden.address.verify import AddressChecker
from formwarden.cli.address_lines import address_lines
from formwarden.clock import SystemClock

AT_ONCE: Final = 16  # addresses; below the checker's own bound on look-ups
NAMES_PER_DOMAIN: Final = 1_000  # who checks a list of his own may have many customers below one provider's domain
PROGRESS_EVERY: Final = 20  # addresses
FOUND_BAD: Final = 1  # exit code with --exit-code
INTERRUPTED: Final = 130  # exit code of what Ctrl-C ends
NOTHING_ASKED: Final = 2  # exit code of argparse too
BAD: Final = frozenset({Status.UNDELIVERABLE, Status.INVALID})
EPILOG: Final = """examples:
  formwarden check-address taro@docomo.ne.jp
  formwarden check-address --json taro@docomo.ne.jp hanako@gmial.com
  formwarden check-address --stdin --json < addresses.txt > reports.jsonl
  formwarden check-address --exit-code taro@docomo.ne.jp && echo "mail may arrive"
  FORMWARDEN_DNS_SERVERS=127.0.0.1:5353 formwarden check-address taro@docomo.ne.jp

status: deliverable, undeliverable, unknown (the resolver did not say), invalid (no address).
--stdin skips blank lines and those that begin with #; the reports come in the order of the lines.
The exit code is 0 whatever the addresses are, or with --exit-code 1 if one is undeliverable or invalid.
Ctrl-C prints what is known by then and ends with 130.
No mail server is contacted.
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
    parser.add_argument("addresses", nargs="*", metavar="ADDRESS", help="an address to check")
    parser.add_argument("--stdin", action="store_true", help="read more addresses from standard input, one a line")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--exit-code", action="store_true", help="exit with 1 if one is undeliverable or invalid")
    return parser


def run(args: argparse.Namespace, settings: Address) -> int:
    """Print a report on each address, in the order given; those of standard input come last."""
    if not args.addresses and not args.stdin:
        print("check-address: give an address, or --stdin", file=sys.stderr)
        return NOTHING_ASKED
    source = _unlocked(sys.stdin) if args.stdin else None
    interrupted = False
    progress = Progress(sys.stderr, shown=sys.stderr.isatty() and not sys.stdout.isatty())
    try:
        asyncio.run(_print_all(_given(list(args.addresses), source), settings, progress, as_json=bool(args.json)))
    except* BrokenPipeError:  # whoever read the reports has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except* KeyboardInterrupt:
        interrupted = True
    if interrupted:
        print(f"check-address: interrupted, {progress.checked} reported", file=sys.stderr)
        return INTERRUPTED
    return FOUND_BAD if args.exit_code and progress.bad else 0


class Progress:
    """Counts reports, and shows the count where the reports themselves go elsewhere."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._stream = stream
        self._shown = shown
        self.checked = 0
        self.bad = 0

    def note(self, report: AddressReport) -> None:
        """Count one report."""
        self.checked += 1
        self.bad += report.status in BAD
        if self.checked % PROGRESS_EVERY == 0:
            self._show(end="")

    def end(self) -> None:
        """Leave the last count, if there was a first."""
        if self.checked >= PROGRESS_EVERY:
            self._show(end="\n")

    def _show(self, *, end: str) -> None:
        if self._shown:
            text = f"\r{self.checked} checked, {self.bad} undeliverable or invalid"
            print(text, end=end, file=self._stream, flush=True)


def _unlocked(stdin: TextIO) -> BinaryIO:
    """Read its file anew: a thread that still waits for a line at the end must hold no lock that Python wants."""
    try:
        return open(stdin.fileno(), "rb", closefd=False)
    except OSError:  # it has no file
        return stdin.buffer


async def _given(addresses: Sequence[str], source: BinaryIO | None) -> AsyncIterator[str]:
    for address in addresses:
        yield address
    if source is not None:
        async for address in address_lines(source):
            yield address


async def _print_all(addresses: AsyncIterator[str], settings: Address, progress: Progress, *, as_json: bool) -> None:
    """Check several at once and report in order; a report does not wait for the next line.

    Whoever interrupts it gets the reports that stood behind one that is not known yet, too.
    """

    def show(report: AddressReport) -> None:
        print(json.dumps(report.as_dict()) if as_json else _as_text(report), flush=True)
        progress.note(report)

    checker = await _checker(settings)
    # One is waited for here, and one waits for its place.
    checks: asyncio.Queue[asyncio.Task[AddressReport] | None] = asyncio.Queue(AT_ONCE - 2)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_start(addresses, checker, group, checks))
            while (check := await checks.get()) is not None:
                show(await check)
    except asyncio.CancelledError:
        while not checks.empty():
            check = checks.get_nowait()
            if check is not None and not check.cancelled():
                show(check.result())
        raise
    finally:
        progress.end()


async def _start(
    addresses: AsyncIterator[str],
    checker: AddressChecker,
    group: asyncio.TaskGroup,
    checks: "asyncio.Queue[asyncio.Task[AddressReport] | None]",
) -> None:
    async for address in addresses:
        await checks.put(group.create_task(checker.verify(address)))
    await checks.put(None)


async def _checker(settings: Address) -> AddressChecker:
    resolver, suffixes = resolver_for(settings), Suffixes()
    # Nobody waits for what would be found after the deadline, and it would take the place of others.
    ours = {"dns_hard_stop_s": settings.dns_deadline_s, "dns_names_per_domain": NAMES_PER_DOMAIN}
    checker = AddressChecker(
        resolver,
        settings=settings.model_copy(update=ours),
        suffixes=suffixes,
        clock=SystemClock(),
        own_domains=frozenset(),
    )
    await asyncio.gather(resolver.load(), checker.load())  # before the first deadline starts
    return checker


def _as_text(report: AddressReport) -> str:
    lines = [f"{_printable(report.address)}: {report.status} ({report.reason}), {report.elapsed_ms:.0f} ms"]
    if report.suggestion:
        lines.append(f"  did you mean: {_printable(report.suggestion)}")
    if report.flags:
        lines.append(f"  flags: {', '.join(sorted(report.flags))}")
    lines.extend(f"  mx: {preference} {host}" for preference, host in report.mx)
    if report.provider:
        lines.append(f"  provider: {report.provider}")
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Show what a terminal would obey as an escape."""
    return text if text.isprintable() else ascii(text)
