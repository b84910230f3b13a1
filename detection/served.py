"""The sites that are measured, each a process on loopback with a mail server of its own."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from detection.moved import MovedClock
from formwarden.demo.letters import ENVELOPE
from formwarden.demo.sink import MailSink

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parent
START_S: Final = 30.0
STOP_S: Final = 15.0
LOOK_S: Final = 0.05  # between two looks whether it stands
STAFF: Final = "staff@workshop.played"
RECIPIENT: Final = next(name for name, what in ENVELOPE.items() if what == "RCPT TO")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A site that runs. `store`: the URL of its store, None for a peer, which keeps nothing."""

    name: str
    url: str
    clock: MovedClock
    maildir: Path
    store: str | None = None

    def mailed(self) -> tuple[str, ...]:
        """Return the recipient of every mail that left for a visitor."""
        found = []
        for letter in sorted((self.maildir / "new").iterdir()):
            with letter.open("rb") as file:
                heads = file.read().partition(b"\n\n")[0].decode("utf-8", "replace").splitlines()
            to = [line.partition(":")[2].strip() for line in heads if line.lower().startswith(f"{RECIPIENT}:")]
            found += [address for address in to if address != STAFF]
        return tuple(found)


@contextmanager
def demo() -> Iterator[Measured]:
    """Serve our demo with its usual settings; it trusts this machine as a proxy, which says who each visitor is."""
    with tempfile.TemporaryDirectory(prefix="detection-") as folder, _sink(Path(folder)) as smtp_url:
        store = f"sqlite:///{folder}/formwarden.db"
        settings = {
            "FORMWARDEN_STORE_URL": store,
            "FORMWARDEN_SMTP_URL": smtp_url,
            "FORMWARDEN_SITE_DOMAIN": "workshop.played",
            "FORMWARDEN_STAFF_ADDRESS": STAFF,
            "FORMWARDEN_TRUSTED_PROXIES": "loopback",
        }
        with _running("formwarden", [sys.executable, str(HERE / "demo_site.py")], [], Path(folder), settings) as url:
            yield _measured("formwarden", url, Path(folder), store=store)


@contextmanager
def peer(name: str, python: Path) -> Iterator[Measured]:
    """Serve the Django site with one peer's guard, by the Python of its own environment."""
    with tempfile.TemporaryDirectory(prefix="detection-") as folder, _sink(Path(folder)) as smtp_url:
        command = [str(python), str(HERE / "peer_site.py"), name]
        with _running(name, command, [smtp_url.rpartition(":")[2]], Path(folder), {}) as url:
            yield _measured(name, url, Path(folder))


def _measured(name: str, url: str, folder: Path, *, store: str | None = None) -> Measured:
    return Measured(
        name=name, url=f"{url}/contact", clock=MovedClock(folder / "clock"), maildir=folder / "mail", store=store
    )


@contextmanager
def _sink(folder: Path) -> Iterator[str]:
    with MailSink(folder / "mail").running() as sink:
        yield sink.url


@contextmanager
def _running(
    name: str, command: list[str], more: list[str], folder: Path, settings: Mapping[str, str]
) -> Iterator[str]:
    """Run `command PORT more… CLOCK` until the block is left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    clock = folder / "clock"
    MovedClock(clock)
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("FORMWARDEN_", "DJANGO_"))}
    with (folder / "log").open("w+b") as log:
        process = subprocess.Popen(
            [*command, str(port), *more, str(clock)],
            env={**inherited, **settings},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(name, process, port, folder / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(name: str, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(LOOK_S)
        else:
            return
    raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2_000:]}")
