"""Clients that stall in mid-upload, against a real server: people are served meanwhile, and nothing piles up."""

import asyncio
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from tests.e2e.demo_site import DemoSite, eventually, page_fields
from tests.proof import Proof
from tests.soak import runs

PATIENCE_S = 30.0
STALL_S = 4.0  # what a client is given here, in place of ten seconds
SERVED_S = 2.0
KIB = 1_024
HEAD = (
    b"POST /contact HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 9000000\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
)
SENT = (200 * KIB, 600 * KIB)  # one stays in memory, one goes into a file
MEMORY_KIB_A_CLIENT = 300
MEMORY_KIB = 24 * KIB  # for everything else: threads, SQLite, fragments


@contextmanager
def stalled(port: int, count: int) -> Iterator[list[socket.socket]]:
    """Clients that have sent a part of a large upload, and send no more."""
    sockets: list[socket.socket] = []
    try:
        for number in range(count):
            client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
            sockets.append(client)
            client.sendall(HEAD + bytes(SENT[number % len(SENT)]))
        yield sockets
    finally:
        for client in sockets:
            client.close()


def last_words(client: socket.socket) -> bytes:
    """What the server said until it closed the connection."""
    said = b""
    with suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            said += piece
    return said


def memory_kib(pid: int, what: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.partition(f"{what}:")[2].split()[0])


def nameless_files(pid: int) -> int:
    links = [path.readlink().name for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return sum(link.startswith("#") and link.endswith("(deleted)") for link in links)


async def people(site: DemoSite, pages: Sequence[dict[str, str]]) -> list[tuple[int, float]]:
    """Each posts an inquiry of a few lines, from an address of his own; all at once."""
    async with httpx2.AsyncClient(base_url=site.url, timeout=PATIENCE_S) as client:

        async def post(number: int, page: dict[str, str]) -> tuple[int, float]:
            data = {**page, "name": "Taro Yamada", "email": f"taro{number}@gmail.com"}
            data["message"] = f"My violin number {number} needs a new bridge. Could you look at it next week?"
            headers = {"x-forwarded-for": f"203.0.{number}.7", "accept": "text/html", "accept-language": "en"}
            started = time.monotonic()
            response = await client.post("/contact", data=data, headers=headers)
            return response.status_code, time.monotonic() - started

        return await asyncio.gather(*(post(number, page) for number, page in enumerate(pages)))


@pytest.mark.soak
@pytest.mark.slow
def test_stalled_uploads_keep_nobody_waiting_and_end_in_time(proof: Proof, tmp_path: Path) -> None:
    clients, visitors = runs(30, 200), runs(10, 50)
    settings = {
        "store_url": f"sqlite:///{tmp_path}/store.db",
        "trusted_proxies": "loopback",
        "min_age_s": "0",
        "body_first_s": str(STALL_S),
        "body_window_s": str(STALL_S),
        "spool_dir": str(tmp_path),
    }
    with DemoSite(settings) as site:
        pid = site.process.pid
        pages = [page_fields(httpx2.get(f"{site.url}/contact").text) for _ in range(visitors)]
        asyncio.run(people(site, pages[:1]))
        before, log = memory_kib(pid, "VmRSS"), nameless_files(pid)  # the server's log is one, too
        with stalled(site.port, clients) as sockets:
            eventually("the uploads have come in", lambda: nameless_files(pid) >= log + clients // len(SENT))
            with load(site.url):
                served = asyncio.run(people(site, pages))
            grown = memory_kib(pid, "VmHWM") - before
            ends = Counter(last_words(client)[9:12].decode() for client in sockets)
        eventually("no file is left open", lambda: nameless_files(pid) == log)
        faults = {fault["what"]: fault for fault in site.overview().page["faults"]}  # type: ignore[attr-defined]  # JSON
    slowest = max(seconds for _, seconds in served)
    proof(
        f"{clients} uploads stalled in mid-body, {visitors} people post meanwhile",
        slowest_person=f"{slowest:.2f} s",
        memory_grown=f"{grown / KIB:.0f} MiB",
        stalled_ones_ended=dict(ends),
    )
    assert {status for status, _ in served} == {303}
    assert slowest < SERVED_S
    assert grown < clients * MEMORY_KIB_A_CLIENT + MEMORY_KIB
    assert ends == {"408": clients}
    assert faults["request"]["count"] == clients
    assert "sent too slowly" in str(faults["request"]["why"])


@contextmanager
def load(url: str) -> Iterator[None]:
    """Let wrk ask for pages meanwhile, where it is installed and there is time for it."""
    wrk = shutil.which("wrk")
    if wrk is None or runs(0, 1) == 0:
        yield
        return
    with subprocess.Popen([wrk, "-t1", "-c8", "-d3s", f"{url}/contact"], stdout=subprocess.DEVNULL) as process:
        yield
        process.wait(PATIENCE_S)
