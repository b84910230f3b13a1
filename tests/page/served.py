"""A small site on loopback for a real browser: pages, our assets, fresh tokens; it remembers what was posted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

from formwarden.page.assets import Assets, token_answer
from formwarden.submission import Answer, Fields

STRICT = "default-src 'self'"


class Site:
    """What is served, and what came back."""

    def __init__(self, assets: Assets, fresh: Callable[[str], str | None], work: Callable[[str], str | None]) -> None:
        self.pages: dict[str, Answer] = {}
        self.posts: list[Fields] = []
        self.requests: list[str] = []
        self.url = ""
        self._assets = assets
        self._fresh = fresh
        self._work = work

    def page(self, path: str, body: str, *, policy: str = STRICT) -> None:
        """Serve an ordinary page of a site with a strict content policy."""
        headers = {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}
        html = f'<!doctype html><html lang="en"><title>Site</title><link rel="icon" href="/icon.png">{body}'
        self.pages[path] = Answer(status=200, headers=headers, body=html.encode())

    def script(self, path: str, body: str) -> None:
        """Serve a script of the site's own."""
        self.pages[path] = Answer(status=200, headers={"content-type": "text/javascript"}, body=body.encode())

    def answer(self, target: str) -> Answer:
        """Answer a GET."""
        self.requests.append(target)
        path, query = urlsplit(target).path, urlsplit(target).query
        if path == self._assets.token_path:
            token = self._fresh(parse_qs(query).get("m", [""])[0])
            return token_answer(token, challenge=self._work(token) if token else None)
        asset = self._assets.answer(path)
        return self.pages.get(path) or asset or Answer(status=204, headers={}, body=b"")


@contextmanager
def served(
    assets: Assets, fresh: Callable[[str], str | None], work: Callable[[str], str | None] = lambda _: None
) -> Iterator[Site]:
    """Serve a site until the block is left; `work` says what a fresh token demands."""
    site = Site(assets, fresh, work)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(site.answer(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            site.posts.append(Fields(parse_qsl(body.decode(), keep_blank_values=True)))
            self._send(Answer(status=200, headers={"content-type": "text/html"}, body=b"<p>sent"))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
            """Say nothing."""

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
