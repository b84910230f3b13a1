"""The demo site as a real server: its own processes, on a port of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import httpx2

ROOT = Path(__file__).parents[2]
PASSWORD = "an-owner-s-password"
PATIENCE_S = 30.0
POLL_S = 0.05
MOST_PAGES = 200


def free_port() -> int:
    """Ask the system for a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class DemoSite:
    """`with` it: `formwarden demo` runs with the given settings until the block is left."""

    settings: dict[str, str] = field(default_factory=dict[str, str])
    workers: int = 1
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        own = {f"FORMWARDEN_{name.upper()}": value for name, value in self.settings.items()}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FORMWARDEN_")}
        self.log = TemporaryFile()
        command = [sys.executable, "-m", "formwarden", "demo"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--workers", str(self.workers)],
            env={**environment, "FORMWARDEN_CONSOLE_PASSWORD": PASSWORD, **own},
            cwd=ROOT / "tests" / "e2e",
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        children = self._children()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            for pid in [*children, self.process.pid]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait(PATIENCE_S)
            if error is None:
                raise TimeoutError(f"the demo did not stop: {self._said()}") from None
        finally:
            self.log.close()

    def worker_pids(self) -> list[int]:
        """Name the processes that serve, not the one that watches over them."""
        return [pid for pid in self._children() if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in listed.split()]

    def _said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def overview(self, client: httpx2.Client | None = None) -> "Overview":
        """Read the owner's page as JSON, every page of it."""
        inquiries: list[dict[str, object]] = []
        first: dict[str, object] = {}
        path = "/warden/?json"
        with httpx2.Client(base_url=self.url, auth=("owner", PASSWORD), timeout=PATIENCE_S) as own:
            for _ in range(MOST_PAGES):
                page = (client or own).get(path).raise_for_status().json()
                first = first or page
                inquiries += page["inquiries"]
                if not page["older"]:
                    break
                path = f"/warden/?json&after={page['older']}"
        return Overview(page=first, inquiries=inquiries)

    def _wait(self) -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the demo ended: {self._said()}")
            try:
                httpx2.get(f"{self.url}/contact", timeout=PATIENCE_S)
            except httpx2.TransportError:
                time.sleep(POLL_S)
            else:
                return
        raise TimeoutError("the demo did not come up")


@dataclass
class Overview:
    """What the owner's page says."""

    page: dict[str, object]
    inquiries: list[dict[str, object]]

    def states(self) -> dict[str, int]:
        """Count inquiries by state."""
        counts: dict[str, int] = {}
        for inquiry in self.inquiries:
            state = str(inquiry["state"])
            counts[state] = counts.get(state, 0) + 1
        return counts

    def codes(self) -> dict[str, int]:
        """Count replies by code."""
        counts: dict[str, int] = {}
        for inquiry in self.inquiries:
            reply = inquiry["reply"]
            code = str(reply["code"]) if isinstance(reply, dict) else "none"
            counts[code] = counts.get(code, 0) + 1
        return counts


def eventually(what: str, check: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until something is so that another process brings about."""
    end = time.monotonic() + patience_s
    while not check():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(POLL_S)


def nothing_is_due(site: DemoSite) -> bool:
    """Say whether every reply that may leave has left."""
    states = [each["reply"]["state"] for each in site.overview().inquiries if isinstance(each["reply"], dict)]
    return not {"due", "taken"} & set(states)


def page_fields(html: str) -> dict[str, str]:
    """Read what a browser without scripts sends of our markup: hidden fields and the empty text trap."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
    traps = re.findall(r'<input type="text" name="([^"]+)" value="" tabindex="-1"', html)
    return {**hidden, **dict.fromkeys(traps, "")}
