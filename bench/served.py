"""One site behind uvicorn, on the first core."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.sites import FOLDER, ROOT, SITE

START_S: Final = 30.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server and its address."""

    pid: int
    url: str

    def cpu_s(self) -> float:
        """Seconds of CPU time used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def reached(self) -> int:
        """Return how often the endpoint ran."""
        with urllib.request.urlopen(f"{self.url}/reached", timeout=START_S) as answer:  # noqa: S310 - our own server
            return int(answer.read())


@contextmanager
def serve(site: str, folder: Path) -> Iterator[Served]:
    """Serve one site on the first core."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = min(os.sched_getaffinity(0))
    command = ["taskset", "-c", str(first), sys.executable, "-m", "uvicorn", "bench.sites:served", "--factory"]
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning", "--no-proxy-headers"]
    with TemporaryDirectory(dir=folder) as own:
        environment = {**os.environ, SITE: site, FOLDER: own}
        process = subprocess.Popen([*command, *options], env=environment, cwd=ROOT)
        try:
            served = Served(pid=process.pid, url=f"http://127.0.0.1:{port}")
            _wait(process, port)
            yield served
        finally:
            process.terminate()
            try:
                process.wait(START_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")
