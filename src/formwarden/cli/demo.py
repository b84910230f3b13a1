"""`formwarden demo` serves a small guarded site with everything it needs."""

import argparse
import errno
import importlib
import signal
import socket
import sys
import threading
from contextlib import closing
from types import FrameType
from typing import TYPE_CHECKING, Final

from formwarden.cli.check_address import Subparsers

if TYPE_CHECKING:
    from formwarden.demo.stage import Stage

NEEDED: Final = ("uvicorn", "jinja2", "aiosmtpd")  # of the extra `demo`
WRONG: Final = 2  # exit code
PORTS: Final = 65_535
STOP_S: Final = 10  # requests under way may finish that long
FACTORY: Final = "formwarden.demo:create_app"
EPILOG: Final = """examples:
  formwarden demo
  formwarden demo --port 8080 --workers 4
  FORMWARDEN_SMTP_URL=smtp://127.0.0.1:1025 FORMWARDEN_STORE_URL=sqlite:///demo.db formwarden demo

It obeys every FORMWARDEN_* setting, as any site does, and puts up what is not set: a secret key, a temporary store,
a mail server and a name server on loopback, a password. Clients behind a proxy are found by
FORMWARDEN_TRUSTED_PROXIES alone: the server itself believes no forwarding header.
"""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Describe the command and its arguments."""
    parser = subparsers.add_parser(
        "demo",
        help="serve a small guarded site",
        description="Serve a small site with a guarded contact form, a mailbox and the owner's page.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", default=8000, type=_port, help="port to listen on; 0: any free one (%(default)s)")
    parser.add_argument("--workers", default=1, type=_workers, help="processes that serve (%(default)s)")
    return parser


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM. Raises ModuleNotFoundError where the extra is missing, SettingsError."""
    for module in NEEDED:  # before anything is put up
        importlib.import_module(module)
    host, port, workers = str(args.host), int(args.port), int(args.workers)
    try:
        listener = _listen(host, port)
    except OSError as error:
        print(f"cannot listen on {host} port {port}: {_remedy(error)}", file=sys.stderr)
        return WRONG
    with closing(listener):
        _stop_on_sigterm()
        try:
            return _serve(listener, host, workers)
        except KeyboardInterrupt:  # Ctrl-C and SIGTERM; the server has ended by then, and the stage is down
            print("stopped", flush=True)
            return 0


def _serve(listener: socket.socket, host: str, workers: int) -> int:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from formwarden import Settings
    from formwarden.demo import create_app
    from formwarden.demo.stage import staged

    port = int(listener.getsockname()[1])
    settings = Settings()
    if workers > 1 and settings.stores.store_url.get_secret_value().startswith("memory:"):
        print("memory:// is one process's own: leave out --workers, or give a sqlite:/// store", file=sys.stderr)
        return WRONG
    with staged(settings, host=host, port=port) as stage:
        app = create_app()  # here too with several workers: what is wrong is said once, and by us
        _tell(stage, host, port)
        config = uvicorn.Config(
            FACTORY if workers > 1 else app,
            factory=workers > 1,
            workers=workers,
            ws="none",
            log_level="warning",
            access_log=False,  # nobody's address in the terminal
            server_header=False,
            proxy_headers=False,  # formwarden finds the client itself; uvicorn must not rewrite it
            timeout_graceful_shutdown=STOP_S,
        )
        if workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])
    print("stopped", flush=True)
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is put up; who connects from now on is answered when the site stands."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
    listener = socket.create_server((host, port), family=family)
    listener.set_inheritable(True)  # for the workers
    return listener


def _remedy(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "it is in use; choose another with --port"
    if error.errno == errno.EACCES:
        return "ports below 1024 need the administrator's rights; choose another with --port"
    return error.strerror or str(error)


def _stop_on_sigterm() -> None:
    """Turn SIGTERM into what Ctrl-C is, so that everything is taken down."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)


def _tell(stage: "Stage", host: str, port: int) -> None:
    """Say what was put up, and where the site is."""
    if stage.given:
        print("not set, so the demo brings its own:")
        for name, what in stage.given.items():
            print(f"  {name:<28} {what}")
        print()
    for warning in stage.warnings:
        print(f"note: {warning}\n")
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    print(f"site      {url}/contact")
    if stage.mailbox:
        print(f"mailbox   {url}/mailbox")
    own = "FORMWARDEN_CONSOLE_PASSWORD" not in stage.given
    print(f"owner     {url}/warden/   any user name, password: {'as you set it' if own else stage.password}")
    print("\nCtrl-C stops it.", flush=True)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= PORTS:
        raise argparse.ArgumentTypeError(f"a port is between 0 and {PORTS}")
    return port


def _workers(text: str) -> int:
    workers = int(text)
    if workers < 1:
        raise argparse.ArgumentTypeError("at least one worker")
    return workers
