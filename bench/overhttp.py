"""Requests over HTTP: uvicorn on the first core, wrk on the second, one site after another in each round."""

import os
import shutil
import subprocess
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.figures import Goal, Row, rows_of
from bench.inprocess import Say
from bench.posts import BODIES, BROWSER, Post, Visitors
from bench.served import START_S, Served, serve
from bench.sites import PAGE

CONNECTIONS: Final = 32
MOST_A_SECOND: Final = {"urlencoded 1 KB": 4_000, "urlencoded 20 KB": 1_500, "multipart with a 1 MB file": 250}
"""New posts made ready for each second: more than a guarded site takes; a bare one gets them more than once."""
GOALS: Final = {"urlencoded 1 KB": Goal(bound=0.25, at_least=True)}
SCRIPT: Final = Path(__file__).with_name("posts.lua")
WRK: Final = "wrk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one run of wrk found."""

    per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of the server, for one request
    errors: int
    requests: int


def available() -> str | None:
    """Say what is missing; None: nothing."""
    if shutil.which(WRK) is None:
        return "wrk is not installed (`make wrk`, or apt-get install wrk)"
    if shutil.which("taskset") is None or len(os.sched_getaffinity(0)) < 2:  # noqa: PLR2004 - server and client
        return "two cores and taskset are needed"
    return None


def unguarded(rounds: int, say: Say, *, seconds: int) -> list[Row]:
    """Measure a page that no form guards."""
    measured: list[dict[str, Measured]] = []
    sites = ("bare", "no-op", "formwarden")
    with TemporaryDirectory(prefix="formwarden-bench-") as folder:
        for number in range(rounds):
            say(f"unguarded over HTTP, round {number + 1} of {rounds}")
            of_round: dict[str, Measured] = {}
            for site in sites:
                with serve(site, Path(folder)) as served:
                    of_round[site] = _wrk(served, PAGE, seconds, ())
            measured.append(of_round)
    goal = Goal(bound=0.95, at_least=True)
    return _rows("unguarded GET over HTTP", measured, {"formwarden": goal}, {})


def posts(rounds: int, say: Say, *, seconds: int, kinds: Collection[str] = tuple(BODIES)) -> list[Row]:
    """Measure posts of the guarded form."""
    rows: list[Row] = []
    with TemporaryDirectory(prefix="formwarden-bench-") as made:
        visitors = Visitors(Path(made))
        for kind in kinds:
            rows += _posts(kind, visitors, rounds, say, seconds)
    return rows


def _posts(kind: str, visitors: Visitors, rounds: int, say: Say, seconds: int) -> list[Row]:
    measured: list[dict[str, Measured]] = []
    ran = 0
    for number in range(rounds):
        say(f"POST {kind} over HTTP, round {number + 1} of {rounds}: making posts")
        with TemporaryDirectory(prefix="formwarden-bench-") as name:
            folder = Path(name)
            arguments = _write(list(visitors.posts(kind, MOST_A_SECOND[kind] * seconds)), folder)
            of_round: dict[str, Measured] = {}
            for site in ("bare", "reading", "formwarden"):
                say(f"POST {kind} over HTTP, round {number + 1} of {rounds}: {site}")
                with serve(site, folder) as served:
                    of_round[site] = _wrk(served, "/contact", seconds, arguments)
                    ran += served.reached() if site == "formwarden" else 0
            measured.append(of_round)
    sent = sum(each["formwarden"].requests for each in measured)
    note = f"{ran} of {sent} ran the endpoint"  # wrk goes while some are under way: a few more may have run
    return _rows(
        f"POST {kind} over HTTP", measured, {"formwarden": GOALS[kind]} if kind in GOALS else {}, {"formwarden": note}
    )


def _rows(
    what: str, measured: Sequence[dict[str, Measured]], goals: dict[str, Goal], notes: dict[str, str]
) -> list[Row]:
    errors = {site: sum(each[site].errors for each in measured) for site in measured[0]}
    tails = {
        site: f"p50 {_median(each[site].p50_ms for each in measured):.1f} ms, "
        f"p99 {_median(each[site].p99_ms for each in measured):.1f} ms"
        + (f", {errors[site]} errors" if errors[site] else "")
        for site in measured[0]
    }
    notes = {site: "; ".join(filter(None, (tails[site], notes.get(site)))) for site in tails}
    rates = [{site: each.per_s for site, each in of_round.items()} for of_round in measured]
    costs = [{site: each.cpu_us for site, each in of_round.items()} for of_round in measured]
    return [
        *rows_of(what, "/s", rates, goals=goals, notes=notes),
        *rows_of(f"{what}: server", "µs of CPU", costs),
    ]


def _median(values: Iterator[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def _write(posts: Sequence[Post], folder: Path) -> tuple[str, ...]:
    """Write the posts where wrk's script reads them."""
    path, rest = folder / "posts", folder / "rest"
    with path.open("wb") as file:
        for post in posts:
            file.write(f"{post.visitor} {len(post.body)}\n".encode() + post.body)
    rest.write_bytes(posts[0].rest)
    return (str(path), posts[0].content_type, str(rest))


def _wrk(served: Served, path: str, seconds: int, arguments: Sequence[str]) -> Measured:
    second = max(os.sched_getaffinity(0))
    headers = [part for name, value in BROWSER.items() for part in ("-H", f"{name}: {value}")]
    command = ["taskset", "-c", str(second), WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
    before = served.cpu_s()
    ran = subprocess.run(
        [*command, "-s", str(SCRIPT), *headers, f"{served.url}{path}", "--", *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 2 * START_S,
    )
    spent = served.cpu_s() - before
    line = next(line for line in ran.stdout.splitlines() if line.startswith("FIGURES"))
    requests, micros, p50, p99, errors = (int(each) for each in line.split()[1:])
    return Measured(
        per_s=requests / micros * 1e6,
        p50_ms=p50 / 1000,
        p99_ms=p99 / 1000,
        cpu_us=spent / max(requests, 1) * 1e6,
        errors=errors,
        requests=requests,
    )
