"""Requests in this process, by direct calls of the apps: microseconds of CPU time, all threads together.

CPU time and not the clock's: other programs on the machine disturb it less, and waiting for a disk costs none.
"""

import asyncio
import gc
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from starlette.types import ASGIApp, Message, Scope

from bench.figures import Goal, Row, rows_of
from bench.posts import BODIES, BROWSER, Post, Visitors
from bench.sites import PAGE, Site, site_of

CHUNK: Final = 65_536  # bytes of one message, as uvicorn cuts them
AT_ONCE: Final = 16  # requests under way
GETS: Final = 2_000  # requests a round and site
POSTS: Final = {"urlencoded 1 KB": 300, "urlencoded 20 KB": 100, "multipart with a 1 MB file": 20}
GOALS: Final = {"urlencoded 1 KB": 1.6, "urlencoded 20 KB": 2.0, "multipart with a 1 MB file": 1.35}
UNIT: Final = "µs of CPU"
Say = Callable[[str], None]


def unguarded(rounds: int, say: Say, *, gets: int = GETS) -> list[Row]:
    """Measure a page that no form guards."""
    return asyncio.run(_unguarded(rounds, say, gets))


def posts(rounds: int, say: Say, *, share: float = 1.0, kinds: Collection[str] = tuple(BODIES)) -> list[Row]:
    """Measure posts of the guarded form; `share` of the usual number of them."""
    rows: list[Row] = []
    for kind in kinds:
        rows += asyncio.run(_posts(kind, rounds, say, max(1, int(POSTS[kind] * share))))
    return rows


async def _unguarded(rounds: int, say: Say, gets: int) -> list[Row]:
    with TemporaryDirectory(prefix="formwarden-bench-") as folder:
        sites = {kind: site_of(kind, Path(folder)) for kind in ("bare", "no-op", "formwarden")}
        measured = []
        for number in range(rounds + 1):
            say(f"unguarded, round {number} of {rounds}")
            measured.append({kind: await _pages(site.app, gets) for kind, site in _turned(sites, number)})
        await _close(sites)
    return rows_of(
        "unguarded GET, in process", UNIT, _in_order(measured[1:], sites), goals={"formwarden": Goal(bound=1.05)}
    )


async def _posts(kind: str, rounds: int, say: Say, count: int) -> list[Row]:
    with TemporaryDirectory(prefix="formwarden-bench-") as folder:
        visitors = Visitors(Path(folder))
        sites = {each: site_of(each, Path(folder)) for each in ("bare", "reading", "formwarden")}
        measured = []
        for number in range(rounds + 1):
            say(f"POST {kind}, round {number} of {rounds}")
            sent = list(visitors.posts(kind, count))
            measured.append({each: await _sent(site.app, sent) for each, site in _turned(sites, number)})
        reached = {each: f"{site.reached} of {count * (rounds + 1)} ran the endpoint" for each, site in sites.items()}
        await _close(sites)
    goals = {"reading": Goal(bound=GOALS[kind])}
    notes = {"formwarden": reached["formwarden"]}
    return rows_of(f"POST {kind}, in process", UNIT, _in_order(measured[1:], sites), goals=goals, notes=notes)


async def _pages(app: ASGIApp, count: int) -> float:
    scope = scope_of("GET", PAGE, BROWSER, "198.18.0.1")
    gc.collect()
    started = time.process_time()
    for _ in range(count):
        await app({**scope, "state": {}}, _nothing, _ignore)
    return (time.process_time() - started) / count * 1e6


async def _sent(app: ASGIApp, sent: Sequence[Post]) -> float:
    waiting = iter(sent)

    async def send_some() -> None:
        for post in waiting:
            await app(scope_of("POST", "/contact", post.headers, "127.0.0.1"), Body(post), _ignore)

    gc.collect()
    started = time.process_time()
    await asyncio.gather(*(send_some() for _ in range(AT_ONCE)))
    return (time.process_time() - started) / len(sent) * 1e6


class Body:
    """The messages of one body."""

    def __init__(self, post: Post) -> None:
        self._parts = _parts(post)

    async def __call__(self) -> Message:
        """Give the next one; nobody goes away."""
        await asyncio.sleep(0)
        part = next(self._parts, None)
        if part is None:
            return await never()
        return part


def _parts(post: Post) -> Iterator[Message]:
    body = post.body + post.rest if post.rest else post.body
    for start in range(0, len(body), CHUNK):
        more = start + CHUNK < len(body)
        yield {"type": "http.request", "body": body[start : start + CHUNK], "more_body": more}


def scope_of(method: str, path: str, headers: Mapping[str, str], peer: str) -> Scope:
    """Return a scope as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("127.0.0.1", 8000),
        "client": (peer, 4711),
        "state": {},
    }


async def never() -> Message:
    """Wait for what does not come."""
    await asyncio.Event().wait()
    return {"type": "http.disconnect"}


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _ignore(_: Message) -> None:
    pass


def _turned(sites: Mapping[str, Site], number: int) -> Sequence[tuple[str, Site]]:
    """Begin each round with another site: none always follows the same one."""
    pairs = list(sites.items())
    start = number % len(pairs)
    return pairs[start:] + pairs[:start]


def _in_order(measured: Sequence[Mapping[str, float]], sites: Mapping[str, Site]) -> list[Mapping[str, float]]:
    return [{kind: each[kind] for kind in sites} for each in measured]


async def _close(sites: Mapping[str, Site]) -> None:
    for site in sites.values():
        await site.aclose()
