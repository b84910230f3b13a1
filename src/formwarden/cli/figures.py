"""What `formwarden stats` shows: findings, and figures as JSON and as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from formwarden.desk.periodic import Trouble, Warned, warned
from formwarden.stores.statistics import Figures

STAFF_WAITS_S: Final = 3_600.0  # a relay that is asked every minute has then said no sixty times
JOURNAL_SHARE: Final = 0.8  # of its limit: what comes beyond it is not kept
LOW_DISK_BYTES: Final = 134_217_728  # the write-ahead log may grow to half of it, and so may the journal
AGAIN: Final = "nothing is mailed, released or erased; start the site, or let cron call `formwarden work --once`"

UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")
KIB: Final = 1_024
SPANS: Final = (("d", 86_400), ("h", 3_600), ("min", 60))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not well: a stable name, and words."""

    code: str
    text: str
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """All that is shown."""

    store: str  # its path
    figures: Figures
    paces: Mapping[str, float]  # seconds between the runs of each task
    journal: Path
    journal_bytes: int
    journal_limit: int
    findings: tuple[Finding, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return every task that there is, and those that another release ran."""
        return (*self.paces, *sorted(self.figures.tasks.keys() - self.paces.keys()))


def findings(figures: Figures, paces: Mapping[str, float], *, journal_share: float) -> Iterator[Finding]:
    """Name everything that is not well, and what to do."""
    for each in warned(figures.tasks, paces, figures.now):
        yield Finding(code=str(each.trouble), task=each.task, text=_work_words(each, figures.now))
    oldest = figures.staff_oldest
    if oldest is not None and figures.now - oldest >= STAFF_WAITS_S:
        text = f"mail to the staff has waited for {age(figures.now - oldest)}: its inquiry says what the relay said"
        yield Finding(code="staff_waits", text=text)
    if journal_share >= JOURNAL_SHARE:
        text = f"the journal is {journal_share:.0%} full: mend the store, or raise FORMWARDEN_JOURNAL_BYTES"
        yield Finding(code="journal_full", text=text)
    if figures.free_bytes is not None and figures.free_bytes < LOW_DISK_BYTES:
        yield Finding(code="disk_full", text=f"{amount(figures.free_bytes)} are free on the store's disk: make room")


def _work_words(each: Warned, now: float) -> str:
    since = "never" if each.since is None else f"{age(now - each.since)} ago"
    match each.trouble:
        case Trouble.NEVER:
            return f"no periodic task has ever run: {AGAIN}"
        case Trouble.IDLE:
            return f"no periodic task has run for an hour, the last one {since}: {AGAIN}"
        case Trouble.TASK_IDLE:
            return f"{each.task} ran last: {since}, though others have: it hangs, so restart the process that has it"
        case _:  # TASK_FAILS
            return f"{each.task} fails (it last went well: {since}): {each.why}"


def as_plain(stats: Stats) -> dict[str, object]:
    """Return everything as values for JSON; the names stay as they are."""
    figures = stats.figures
    return {
        "now": figures.now,
        "counted_up_to": figures.counted_up_to,
        "store": {
            "path": stats.store,
            "health": None,
            "schema": figures.schema,
            "files": dict(figures.files),
            "free_bytes": figures.free_bytes,
        },
        "inquiries": [
            {"form": each.form, "state": each.state, "last_24h": each.day, "last_7d": each.week}
            for each in figures.inquiries
        ],
        "replies": {
            "on": not figures.replies_off,
            "counts": [
                {"state": each.state, "code": each.code, "last_24h": each.day, "last_7d": each.week}
                for each in figures.replies
            ],
        },
        "staff_mail": {"waiting": figures.staff_waiting, "oldest_at": figures.staff_oldest},
        "suppressions": {"total": sum(figures.suppressions.values()), "by_cause": dict(figures.suppressions)},
        "journal": {
            "path": str(stats.journal),
            "bytes": stats.journal_bytes,
            "limit_bytes": stats.journal_limit,
        },
        "tasks": [_plain_task(stats, name) for name in stats.names],
        "warnings": [{"code": each.code, "task": each.task, "text": each.text} for each in stats.findings],
    }


def _plain_task(stats: Stats, name: str) -> dict[str, object]:
    state = stats.figures.tasks.get(name)
    last = None if state is None else state.last
    return {
        "task": name,
        "every_s": stats.paces.get(name),
        "holder": None if state is None else state.holder,
        "last": None
        if last is None
        else {
            "holder": last.holder,
            "started_at": last.started_at,
            "ended_at": last.ended_at,
            "done": last.done,
            "succeeded_at": last.succeeded_at,
            "failed_at": last.failed_at,
            "error": last.error,
        },
    }


def as_lines(stats: Stats) -> Iterator[str]:
    """Yield everything as aligned columns."""
    figures = stats.figures
    files = "  ".join(f"{name} {amount(size)}" for name, size in figures.files.items())
    free = "" if figures.free_bytes is None else f", {amount(figures.free_bytes)} free on their disk"
    causes = ", ".join(f"{cause} {number}" for cause, number in figures.suppressions.items())
    oldest = "" if figures.staff_oldest is None else f", the oldest for {age(figures.now - figures.staff_oldest)}"
    journal = f"{amount(stats.journal_bytes)} of {amount(stats.journal_limit)}" if stats.journal_bytes else "empty"
    yield from _columns(
        (
            ("store", f"{stats.store}, schema {figures.schema}: well"),
            ("files", f"{files}{free}"),
            ("journal", journal),
            ("auto-replies", "off" if figures.replies_off else "on"),
            ("staff mail", f"{figures.staff_waiting} waiting{oldest}"),
            ("suppressed", f"{sum(figures.suppressions.values())}{f' ({causes})' if causes else ''}"),
        )
    )
    inquiries = [(each.form, each.state, str(each.day), str(each.week)) for each in figures.inquiries]
    replies = [(each.state, each.code, str(each.day), str(each.week)) for each in figures.replies]
    yield from _table("inquiries", ("form", "state", "24 h", "7 d"), inquiries, numbers=2)
    yield from _table("replies", ("state", "code", "24 h", "7 d"), replies, numbers=2)
    if figures.counted_up_to is not None:
        yield f"  (at least: of each state, and of replies, the newest {figures.counted_up_to} are counted)"
    tasks = [_task_row(stats, name) for name in stats.names]
    yield from _table("periodic work", ("task", "last ran", "last went well", "done", "by"), tasks)
    yield ""
    yield "warnings" if stats.findings else "no warnings"
    yield from (f"  {each.text}" for each in stats.findings)


def _task_row(stats: Stats, name: str) -> tuple[str, ...]:
    state = stats.figures.tasks.get(name)
    last = None if state is None else state.last
    if last is None:
        return (name, "never", "never", "", "")
    return (name, _ago(stats, last.ended_at), _ago(stats, last.succeeded_at), str(last.done), last.holder)


def _ago(stats: Stats, at: float | None) -> str:
    return "never" if at is None else f"{age(stats.figures.now - at)} ago"


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int = 0) -> Iterator[str]:
    """Yield a titled table whose last `numbers` columns stand at the right."""
    yield ""
    yield title
    yield from (f"  {line}" for line in _columns((heads, *rows), numbers=numbers)) if rows else ("  none",)


def _columns(rows: Sequence[Sequence[str]], *, numbers: int = 0) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    words = len(widths) - numbers
    for row in rows:
        cells = (
            cell.ljust(width) if place < words else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def age(seconds: float) -> str:
    """Say a time in the largest unit that is not zero."""
    for unit, length in SPANS:
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def amount(size: int) -> str:
    """Say bytes in the largest unit that is not zero."""
    left, unit = float(size), 0
    while left >= KIB and unit < len(UNITS) - 1:
        left, unit = left / KIB, unit + 1
    return f"{left:.1f} {UNITS[unit]}" if unit else f"{size} B"
