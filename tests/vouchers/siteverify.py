"""A siteverify service on loopback that says what it is told to, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl


class Siteverify:
    """`says` maps responses to answers; those it does not know are invalid."""

    def __init__(self) -> None:
        self.says: dict[str, Mapping[str, object]] = {}
        self.raw: tuple[int, bytes] | None = None  # said to everybody instead
        self.asked: list[dict[str, str]] = []
        self.silent = threading.Event()  # set: it takes the question and keeps quiet
        self.over = threading.Event()
        self.url = ""

    def solved(self, response: str, hostname: str = "bow-makers.jp", action: str = "") -> None:
        self.says[response] = {"success": True, "error-codes": [], "hostname": hostname, "action": action}

    def fails(self, response: str, *codes: str) -> None:
        self.says[response] = {"success": False, "error-codes": list(codes)}

    def answer(self, body: bytes) -> tuple[int, bytes]:
        asked = dict(parse_qsl(body.decode()))
        self.asked.append(asked)
        if self.silent.is_set():
            self.over.wait(10.0)
        if self.raw is not None:
            return self.raw
        invalid = {"success": False, "error-codes": ["invalid-input-response"]}
        return 200, json.dumps(self.says.get(asked.get("response", ""), invalid)).encode()


@contextmanager
def served() -> Iterator[Siteverify]:
    """Serve in a thread while the block runs."""
    service = Siteverify()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, body = service.answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it is given by
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_port}/siteverify"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5.0)
