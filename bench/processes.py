"""What needs a process of its own: import time, and memory of many uploads at once."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from starlette.types import Message

from bench.figures import Goal, Row, rows_of
from bench.inprocess import CHUNK, Say, never, scope_of
from bench.posts import Post, Visitors
from bench.sites import ROOT, site_of

UPLOADS: Final = 20
FILE_BYTES: Final = 3_000_000
MEMORY_GOAL: Final = Goal(bound=40.0, of_figure=True)
TIMED: Final = """
import sys, time
started = time.process_time()
import {module}
print((time.process_time() - started) * 1000)
"""
MODULES: Final = ("starlette.applications", "formwarden")
PROCESS_S: Final = 120.0


def imports(rounds: int, say: Say) -> list[Row]:
    """Measure the import of formwarden beside that of Starlette's app."""
    measured = []
    for number in range(rounds + 1):
        say(f"import, round {number} of {rounds}")
        measured.append({module: float(_run("-c", TIMED.format(module=module))) for module in MODULES})
    return rows_of("import, a fresh process", "ms of CPU", measured[1:])


def memory(rounds: int, say: Say, *, uploads: int = UPLOADS, size: int = FILE_BYTES) -> list[Row]:
    """Measure by how much the peak of resident memory grows while many upload at once."""
    measured = []
    for number in range(rounds):
        say(f"memory, round {number + 1} of {rounds}")
        measured.append(
            {
                site: float(_run("-m", "bench.processes", site, str(uploads), str(size)))
                for site in ("bare", "reading", "formwarden")
            }
        )
    what = f"peak memory of {uploads} uploads of {size / 1e6:g} MB at once"
    return rows_of(what, "MiB", measured, goals={"reading": MEMORY_GOAL, "formwarden": MEMORY_GOAL})


def _run(*arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        cwd=ROOT,
    )
    return ran.stdout.strip()


class Upload:
    """One body in flight: its chunks are made when they are asked for, as they come from a socket."""

    def __init__(self, post: Post, size: int) -> None:
        self._head = post.body
        self._left = size
        self._tail = post.rest
        self._ended = False

    async def __call__(self) -> Message:
        """Give the next chunk, after everybody else had his turn."""
        await asyncio.sleep(0)
        if self._ended:
            return await never()
        part, self._head = self._head, b""
        if not part:
            part = bytes(min(CHUNK, self._left))
            self._left -= len(part)
        if not self._left:
            part, self._ended = part + self._tail, True
        return {"type": "http.request", "body": part, "more_body": not self._ended}


async def _grow(kind: str, uploads: int, size: int, folder: Path) -> float:
    """Return the growth in MiB; one small upload before it loads what is loaded at first use."""
    visitors = Visitors(folder)
    site = site_of(kind, folder)

    async def ignore(_: Message) -> None:
        pass

    async def upload(post: Post, size: int) -> None:
        tail = post.rest[post.rest.rindex(b"\r\n", 0, -2) :]
        length = str(len(post.body) + size + len(tail))
        scope = scope_of("POST", "/contact", post.headers | {"content-length": length}, "127.0.0.1")
        sent = Post(visitor=post.visitor, content_type=post.content_type, body=post.body, rest=tail)
        await site.app(scope, Upload(sent, size), ignore)

    first, *posts = visitors.posts("multipart with a 1 MB file", uploads + 1)
    await upload(first, 1_000)
    before = _peak_begins_anew()
    await asyncio.gather(*(upload(post, size) for post in posts))
    grown = _peak_kib() - before
    await site.aclose()
    return grown / 1024


def _peak_begins_anew() -> int:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # proc(5)
    return _peak_kib()


def _peak_kib() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0])


def main(arguments: Sequence[str]) -> None:
    """Print the growth for one site."""
    kind, uploads, size = arguments
    with TemporaryDirectory(prefix="formwarden-bench-") as folder:
        print(asyncio.run(_grow(kind, int(uploads), int(size), Path(folder))))


if __name__ == "__main__":
    main(sys.argv[1:])
