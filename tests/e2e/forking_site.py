"""A real site of several worker processes that may be killed: a parent loads it, forks them, and replaces the dead.

The workers share one listening socket, as those of gunicorn do. The site's endpoint writes down whom it served, with
O_APPEND and before it goes on, so that its word outlives the process.
"""

import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from formwarden import AutoReply, GuardedForm, Warden, WardenMiddleware, verdict_of
from tests.e2e.stepped_clock import SteppedClock

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
RAN = "ran"  # the endpoint has the inquiry
TOLD = "told"  # `notify()` has returned: the staff's mail is promised
LISTENING = 1024
BUSY_S = 0.03  # at most: what an endpoint does beside, before each step of ours


class ForkingSite:
    """`with` it: the site serves with the given settings; all it leaves lies in `folder`."""

    def __init__(self, folder: Path, settings: dict[str, str], *, workers: int) -> None:
        self._folder = folder
        self._workers = workers
        self._settings = {
            "store_url": f"sqlite:///{folder / 'formwarden.db'}",
            "journal_path": str(folder / "journal"),
            **settings,
        }
        self.clock = SteppedClock(folder / "clock")

    def __enter__(self) -> Self:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FORMWARDEN_")}
        own = {f"FORMWARDEN_{name.upper()}": value for name, value in self._settings.items()}
        self._log = TemporaryFile()
        with socket.create_server(("127.0.0.1", 0), backlog=LISTENING) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            number = str(listener.fileno())
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.forking_site", number, str(self._workers), str(self._folder)],
                env=environment | own,
                cwd=ROOT,
                pass_fds=(listener.fileno(),),
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        workers = self.worker_pids() if self._parent.poll() is None else []
        self._parent.terminate()
        try:
            self._parent.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            for pid in [self._parent.pid, *workers]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._parent.wait(PATIENCE_S)
            if error is None:
                raise TimeoutError(f"the site did not stop: {self.said()}") from None
        finally:
            if error is not None:
                error.add_note(f"the site said: {self.said()}")
            self._log.close()

    def worker_pids(self) -> list[int]:
        """Name the processes that serve; none while the parent still loads."""
        if self._parent.poll() is not None:
            raise RuntimeError("the site ended")
        listed = Path(f"/proc/{self._parent.pid}/task/{self._parent.pid}/children").read_text(encoding="ascii")
        return [int(pid) for pid in listed.split()]

    def said(self) -> str:
        """Return what its processes printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def written(self, what: str) -> list[str]:
        """Return the addresses whose inquiries came that far in the endpoint, one for each time."""
        path = self._folder / "endpoint"
        lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
        return [address for word, address in (line.split(" ") for line in lines) if word == what]


def _app(folder: Path) -> Starlette:
    form = GuardedForm("contact", path="/contact", reply=AutoReply())
    clock = SteppedClock(folder / "clock")
    warden = Warden(form, clock=clock)
    chance = random.Random(7)  # noqa: S311 - pauses, not secrets
    written = os.open(folder / "endpoint", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def show(_: Request) -> Response:
        return HTMLResponse(f"<form>{warden.markup('contact')}</form>")

    async def submit(request: Request) -> Response:
        verdict = verdict_of(request)
        address = verdict.fields.get("email", "")
        os.write(written, f"{RAN} {address}\n".encode("ascii"))
        await clock.sleep(chance.uniform(0, BUSY_S))
        await warden.notify(verdict)
        os.write(written, f"{TOLD} {address}\n".encode("ascii"))
        await clock.sleep(chance.uniform(0, BUSY_S))
        await warden.reply(verdict)
        return RedirectResponse(warden.thanks_url(verdict), status_code=303)

    routes = [Route("/contact", show), Route("/contact", submit, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(WardenMiddleware, warden=warden)])


def _forked(app: Starlette, listener: socket.socket) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on")).run(sockets=[listener])
    finally:
        os._exit(0)  # what the parent does at its end is not a worker's


def _replaced(workers: set[int]) -> int:
    """Forget the dead; return how many they are."""
    dead = {pid for pid in workers if os.waitpid(pid, os.WNOHANG) != (0, 0)}
    workers -= dead
    return len(dead)


def main(descriptor: int, count: int, folder: Path) -> None:
    """Keep `count` workers alive until told to end."""
    awaited = {signal.SIGCHLD, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, awaited)  # kept for `sigwait`, which loses none
    listener = socket.socket(fileno=descriptor)
    app = _app(folder)
    workers = {_forked(app, listener) for _ in range(count)}
    while signal.sigwait(awaited) == signal.SIGCHLD:
        workers |= {_forked(app, listener) for _ in range(_replaced(workers))}
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
    for pid in workers:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
