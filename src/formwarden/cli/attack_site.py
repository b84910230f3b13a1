"""The site that is attacked: whether it may be, whether it stands, and the clients that visit it."""

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx2

from formwarden.cli.attack_pace import Pace
from formwarden.errors import SettingsError
from formwarden.submission import MARKER_FIELD
from formwarden.testing.personas import Draw, Response
from formwarden.testing.personas.form_page import read_page

PATIENCE_S: Final = 30.0  # for one answer
PLAYED: Final = ("*.played",)  # no such top-level domain exists; the demo plays it
REAL: Final = ("gmail.com", "docomo.ne.jp", "*.played")  # as the demo's own name server plays them
LOCAL_ADDRESSES: Final = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The page with the form. `ours`: formwarden guards it."""

    url: str
    loopback: bool
    ours: bool = False

    @property
    def base(self) -> str:
        """Return scheme and host."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """Return what follows them."""
        return self.url.removeprefix(self.base) or "/"


def target_of(url: str) -> Target:
    """Read the address of a form. SettingsError: it is none, or its name leads nowhere."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SettingsError((f"attack {url}: give the address of the page with the form, http://… or https://…",))
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:
        raise SettingsError((f"attack {url}: this name leads nowhere ({error}); is it spelled right?",)) from None
    return Target(url=url, loopback=all(ip_address(str(each[4][0])).is_loopback for each in found))


def domains_for(target: Target, *, owned: bool, given: tuple[str, ...], real: bool) -> tuple[str, ...]:
    """Return the domains of the addresses that are typed (G37). SettingsError says what is missing."""
    if not target.loopback and not owned:
        raise SettingsError(
            (f"attack {target.url}: is it yours? then say --i-own-this-site; no other may be attacked",)
        )
    if not target.loopback and not given:
        what = "name a domain of yours: addresses below it are typed into the form, and may be mailed"
        raise SettingsError((f"attack {target.url}: --recipient-domain DOMAIN is missing; {what}",))
    if real and not target.loopback:
        raise SettingsError(("--played-providers is for sites on loopback whose DNS and mail are played",))
    return given or (REAL if real else PLAYED)


def looked_at(target: Target) -> Target:
    """Open the page once. SettingsError: it cannot be reached, or has no form."""
    try:
        answer = httpx2.get(target.url, timeout=PATIENCE_S, follow_redirects=True)
    except httpx2.HTTPError as error:
        raise SettingsError((f"attack {target.url}: cannot be reached ({error}); does the site run?",)) from None
    form = read_page(answer.text, str(answer.url)).form
    if form is None:
        said = f"no form on this page (status {answer.status_code}); give the page with the form, not the site"
        raise SettingsError((f"attack {target.url}: {said}",))
    return Target(url=target.url, loopback=target.loopback, ours=form.field(MARKER_FIELD) is not None)


class Visitors:
    """Gives each visitor a client: of a network of its own where the target lets us have one."""

    def __init__(self, target: Target, pace: Pace, *, forwarded: bool) -> None:
        self._target = target
        self._pace = pace
        self._forwarded = forwarded
        self._networks = target.loopback and not forwarded and _many_loopbacks(target)
        self._clients: list[httpx2.Client] = []
        self._lock = threading.Lock()

    def connect(self, draw: Draw) -> "Paced":
        """Return the client of one visitor more."""
        headers = {"x-forwarded-for": draw.network()} if self._forwarded else {}
        local = (
            f"127.{draw.number(1, LOCAL_ADDRESSES)}.{draw.number(1, LOCAL_ADDRESSES)}.1" if self._networks else None
        )
        client = httpx2.Client(
            base_url=self._target.base,
            transport=httpx2.HTTPTransport(local_address=local),
            headers=headers,
            timeout=PATIENCE_S,
        )
        with self._lock:
            self._clients.append(client)
        return Paced(client, self._pace.take)

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            while self._clients:
                self._clients.pop().close()


class Paced:
    """A client that waits for its turn before every request."""

    def __init__(self, client: httpx2.Client, turn: Callable[[], None]) -> None:
        self._client = client
        self._turn = turn

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Get a page."""
        self._turn()
        return self._client.get(url, headers=headers)

    def post(
        self,
        url: str,
        *,
        content: bytes | None = None,
        data: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Post a form, or JSON, or bytes."""
        self._turn()
        form = None if data is None else dict(data)
        return self._client.post(url, content=content, data=form, json=json, headers=headers)


def _many_loopbacks(target: Target) -> bool:
    """Tell whether this machine may speak from all of 127.0.0.0/8, as Linux does."""
    host, port = urlsplit(target.url).hostname, urlsplit(target.url).port or 80
    try:
        socket.create_connection((host, port), PATIENCE_S, source_address=("127.9.9.1", 0)).close()
    except OSError:
        return False
    return True
