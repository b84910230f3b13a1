"""`formwarden suppress add|remove|list|known`: many addresses at a time, each said to be done or wrong."""

import argparse
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from formwarden.address.report import Flag
from formwarden.address.syntax import check_syntax
from formwarden.cli.address_lines import address_lines
from formwarden.cli.told import Told
from formwarden.mail.knowing import Knowing
from formwarden.stores.ports import Key, Store
from formwarden.stores.statistics import Listed
from formwarden.subjects import Subjects

MANUAL: Final = "manual"
FOUND: Final = 1  # exit code: on the list (`list`), or not on it (`remove`)
WRONG: Final = 2  # exit code: one of them is no address; the others were done
SHOWN: Final = 320  # characters of what was given


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An address, or a domain, as the ledger names it; newest key first, none where it is neither."""

    text: str
    keys: tuple[Key, ...]
    domain: tuple[Key, ...] = ()  # of an address
    many: bool = False  # strangers have their mailboxes there


async def add(args: argparse.Namespace, store: Store, until: float | None) -> Told:
    """Put each on the list."""
    said = _Said()
    async for subject in _subjects(args, store, domains=args.domain):
        if not subject.keys:
            said.wrong(subject, domain=args.domain)
            continue
        await store.ledger.suppress(subject.keys[0], cause=MANUAL, until=until)
        note = "; many strangers have their mailbox there, and none of them is answered now" if subject.many else ""
        said.done(subject, f"no auto-reply goes to it, {end_text(until)}{note}", until=until)
    return said.told("added")


async def remove(args: argparse.Namespace, store: Store) -> Told:
    """Take each off the list, whatever the causes."""
    said = _Said()
    async for subject in _subjects(args, store, domains=args.domain):
        if not subject.keys:
            said.wrong(subject, domain=args.domain)
            continue
        listed = (await store.statistics.about(subject.keys, limit=0)).listed
        lifted = [await store.ledger.lift(key) for key in subject.keys]
        if not any(lifted):
            said.code = said.code or FOUND
            said.done(subject, "it was not on the list", removed=False, causes=[])
            continue
        causes = sorted({each.cause for each in listed})
        said.done(
            subject, f"taken off the list; it stood there for: {', '.join(causes)}", removed=True, causes=causes
        )
    return said.told("removed")


async def know(args: argparse.Namespace, store: Store) -> Told:
    """Write of each that he is known, or not (G03)."""
    said, knowing = _Said(), Knowing(store.measures, store.recipient_keys)
    async for subject in _subjects(args, store):
        if not subject.keys:
            said.wrong(subject)
            continue
        await knowing.remember(subject.text, known=not args.unknown)
        said.done(subject, "not known any more" if args.unknown else "known from now on", known=not args.unknown)
    return said.told("known")


async def listed(args: argparse.Namespace, store: Store) -> Told:
    """Count what is on the list, or look each up."""
    if not args.addresses and not args.stdin:
        return await _counts(store)
    said = _Said()
    async for subject in _subjects(args, store):
        if not subject.keys:
            said.wrong(subject)
            continue
        found = (await store.statistics.about((*subject.keys, *subject.domain), limit=0)).listed
        if not found:
            said.done(subject, "not on the list", listed=[])
            continue
        said.code = said.code or FOUND
        whole = [each.subject in subject.domain for each in found]
        text = "; ".join(cause_text(each, whole_domain=w) for each, w in zip(found, whole, strict=True))
        values = [
            {"cause": each.cause, "until": each.until, "domain": w} for each, w in zip(found, whole, strict=True)
        ]
        said.done(subject, text, listed=values)
    return said.told("listed")


def cause_text(found: Listed, *, whole_domain: bool) -> str:
    """Say what stands on the list."""
    return f"{'its domain: ' if whole_domain else ''}{found.cause}, {end_text(found.until)}"


def end_text(until: float | None) -> str:
    """Say when a suppression ends."""
    return "without end" if until is None else f"until {moment(until)}"


def moment(at: float) -> str:
    """Write a time as people read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


class _Said:
    """What came of each address."""

    def __init__(self) -> None:
        self.code = 0
        self._lines: list[str] = []
        self._values: list[dict[str, object]] = []
        self._wrong: list[str] = []

    def done(self, subject: Subject, text: str, **values: object) -> None:
        self._lines.append(f"{printable(subject.text)}: {text}")
        self._values.append({"address": subject.text, **values})

    def wrong(self, subject: Subject, *, domain: bool = False) -> None:
        self.code = WRONG
        why = f"is no {'domain' if domain else 'address'} that mail could go to: nothing was done for it"
        print(f"{printable(subject.text)}: {why}", file=sys.stderr)
        self._wrong.append(subject.text)

    def told(self, name: str) -> Told:
        if not self._lines and not self._wrong:
            print("suppress: give an address, or --stdin", file=sys.stderr)
            self.code = WRONG
        return Told(values={name: self._values, "wrong": self._wrong}, lines=self._lines, code=self.code)


async def _counts(store: Store) -> Told:
    counts = (await store.statistics.read()).suppressions
    lines = [f"{count:7} {cause}" for cause, count in counts.items()] or ["nobody is on the list"]
    if counts:
        lines.append("They are hashes, which nobody can turn into addresses: name addresses to look them up.")
    return Told(values={"counts": dict(counts)}, lines=lines)


async def _subjects(args: argparse.Namespace, store: Store, *, domains: bool = False) -> AsyncIterator[Subject]:
    """Read what is asked about, one after another; those of standard input come last."""
    subjects = Subjects(await store.recipient_keys())
    async for text in _given(args.addresses, stdin=args.stdin):
        yield _subject(text, subjects, domain=domains)


async def _given(addresses: Sequence[str], *, stdin: bool) -> AsyncIterator[str]:
    for each in addresses:
        yield each
    if stdin:
        async for line in address_lines(sys.stdin.buffer):
            yield line


def _subject(text: str, subjects: Subjects, *, domain: bool) -> Subject:
    report = check_syntax(f"anybody@{text.strip().removeprefix('@')}" if domain else text)
    text = text.strip()[:SHOWN]
    if report.canonical is None or report.domain is None:
        return Subject(text=text, keys=())
    at_domain = subjects.keys("domain", report.domain)
    many = domain and Flag.FREEMAIL in report.flags
    keys = at_domain if domain else subjects.keys("address", report.canonical)
    return Subject(text=text, keys=keys, domain=() if domain else at_domain, many=many)


def printable(text: str) -> str:
    """Show what a terminal would obey as an escape."""
    return text if text.isprintable() else ascii(text)
