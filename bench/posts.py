"""Posts as browsers send them, each a new inquiry of another visitor, with a token of its own."""

import json
import random
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import cycle
from operator import add
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request

from bench.sites import DOMAIN, warden_of
from formwarden.clock import SystemClock
from formwarden.entropy import system_entropy
from formwarden.faults import Faults
from formwarden.stores.opening import open_store
from formwarden.stores.settings import Stores

READING_S: Final = 60.0  # how long ago each visitor got his page
VISITORS: Final = IPv4Network("198.18.0.0/15")  # set aside for benchmarks (RFC 2544)
BOUNDARY: Final = "----FormBoundaryOfTheBench"
FILE_BYTES: Final = 1_000_000
BODIES: Final = {"urlencoded 1 KB": 1_000, "urlencoded 20 KB": 20_000, "multipart with a 1 MB file": 1_500}
"""Names of the bodies measured -> bytes of one, the file apart."""

BROWSER: Final = {
    "host": DOMAIN,
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.9",
    "accept-encoding": "gzip, deflate, br",
    "origin": f"https://{DOMAIN}",
    "referer": f"https://{DOMAIN}/contact",
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
SYLLABLES: Final = (
    "ba",
    "de",
    "fi",
    "go",
    "ku",
    "la",
    "me",
    "ni",
    "po",
    "ra",
    "se",
    "ti",
    "vu",
    "wa",
    "yo",
    "bri",
    "cla",
)
ENDINGS: Final = ("", "", "", "", ",", "", "", "", "?", "", "", "", ",\r\n")  # as people end words
ESCAPED: Final = 1.1  # bytes of a URL for one character of such a text


class Earlier(SystemClock):
    """Some time ago: a token of now would be too young."""

    def now(self) -> float:
        """Return what the clock said then."""
        return time.time() - READING_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One post; `rest` is the part of the body that all posts of its kind share."""

    visitor: str
    content_type: str
    body: bytes
    rest: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        """What a browser sends, behind one proxy."""
        length = str(len(self.body) + len(self.rest))
        own = {"content-type": self.content_type, "content-length": length, "x-forwarded-for": self.visitor}
        return BROWSER | own


class Visitors:
    """Fetch the form and fill it in; seeded, so that every run sends texts of the same kind."""

    def __init__(self, folder: Path) -> None:
        clock = Earlier()
        store = open_store("memory://", clock=clock, entropy=system_entropy, settings=Stores(), faults=Faults(clock))
        self._warden = warden_of(folder, clock=clock, store=store)
        self._random = random.Random(7)  # noqa: S311 - words of a bench
        self._number = 0

    def posts(self, kind: str, count: int) -> Iterator[Post]:
        """Send `count` posts of one kind."""
        for _ in range(count):
            self._number += 1
            visitor = str(VISITORS[self._number * 7919 % VISITORS.num_addresses])
            yield self._post(kind, visitor)

    def _post(self, kind: str, visitor: str) -> Post:
        fields = self._hidden(visitor) | {
            "name": self._words(20).title(),
            "email": f"{self._words(12).replace(' ', '.')}{self._number}@gmail.com",
        }
        if "multipart" in kind:
            head = _multipart(fields | {"message": self._text(500)})
            tail = b"\r\n--%s--\r\n" % BOUNDARY.encode()
            content_type = f"multipart/form-data; boundary={BOUNDARY}"
            return Post(visitor=visitor, content_type=content_type, body=head, rest=bytes(FILE_BYTES) + tail)
        left = BODIES[kind] - len(urlencode(fields))
        body = urlencode(fields | {"message": self._text(max(left, 100))}).encode()
        return Post(visitor=visitor, content_type="application/x-www-form-urlencoded", body=body)

    def _hidden(self, visitor: str) -> dict[str, str]:
        """Return what a browser sends of our markup, and what our script writes for somebody who typed."""
        headers = [(name.encode(), value.encode()) for name, value in BROWSER.items()]
        scope = {"type": "http", "client": (str(IPv4Address(visitor)), 4711), "headers": headers}
        html = self._warden.markup("contact", request=Request(scope))
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))
        traps = dict.fromkeys(re.findall(r'<input type="text" name="([^"]+)"', html), "")
        seen = {"v": 1, "t": hidden["_fw_token"][-16:], "k": 90, "p": 0, "d": 3, "i": 88, "f": 3, "s": 18, "a": []}
        return {**hidden, **traps, "_fw_seen": json.dumps(seen | {"w": 0, "x": 0}, separators=(",", ":"))}

    def _words(self, length: int, endings: Sequence[str] = ("",)) -> str:
        """Return words that nobody has written before, cut at a length."""
        draw = self._random.choices
        words = ("".join(draw(SYLLABLES, k=2 + number % 3)) for number in range(length // 4))
        return " ".join(map(add, words, cycle(endings)))[:length].strip()

    def _text(self, length: int) -> str:
        """Return a message that takes about so many bytes, encoded for a URL."""
        return self._words(int(length / ESCAPED), ENDINGS)


def _multipart(fields: dict[str, str]) -> bytes:
    parts = [
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    file = (
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="photo"; filename="bow.jpg"\r\n'
        "content-type: image/jpeg\r\n\r\n"
    )
    return "".join([*parts, file]).encode()
