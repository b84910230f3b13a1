"""Lets every persona visit one site after another, each persona a site of its own, and counts what became of them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Final

import httpx2

from detection.peer_scripts import WITHOUT, with_script
from detection.served import Measured
from formwarden.cli.attack_site import REAL, Paced
from formwarden.cli.attack_store import receipts_since
from formwarden.cli.attack_table import Found, Line, Tried, line_of
from formwarden.settings import Settings
from formwarden.testing.browsers import KINDS, NoFormError, Setting, browser_personas, chromium
from formwarden.testing.personas import BOTS, PEOPLE, Client, Draw, Persona, Response, Scene

MANY: Final = 10  # posts in a visit of a bot that posts often
OFTEN: Final = frozenset({"replayer", "token-harvester", "address-rotator", "dot-shuffler", "office-of-thirty"})
ONE_SCENE: Final = frozenset({"replayer"})  # what it records is one post
PATIENCE_S: Final = 60.0
BROWSED: Final = 4  # visits over HTTP to one by browser

Site = Callable[[], AbstractContextManager[Measured]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be measured. `personas`: their names; empty: all."""

    visits: int
    seed: str
    personas: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Tell whether this persona is wanted."""
        return not self.personas or name in self.personas


def over_http(site: Site, wanted: Wanted, say: Say) -> Iterator[Line]:
    """Measure every persona that speaks HTTP."""
    for persona in (*BOTS, *PEOPLE):
        if not wanted.has(persona.name):
            continue
        with site() as measured:
            say(f"{measured.name}: {persona.name}")
            often = 1 if persona.name in ONE_SCENE else max(1, wanted.visits // MANY)
            number = often if persona.name in OFTEN else wanted.visits
            tried = [
                visited(measured, persona, Draw(f"{wanted.seed}/{n}/{persona.name}", domains=REAL))
                for n in range(number)
            ]
            yield counted(measured, persona, tried)


def by_browser(site: Site, wanted: Wanted, say: Say) -> Iterator[Line]:
    """Measure the browser set, with the page's clock and the server's moved together."""
    for kind in KINDS:
        if not wanted.has(kind.name):
            continue
        with site() as measured:
            say(f"{measured.name}: {kind.name}")
            draws = [
                Draw(f"{wanted.seed}/{n}/{kind.name}", domains=REAL) for n in range(max(1, wanted.visits // BROWSED))
            ]
            # While Playwright's blocking API is open its thread counts as one with a running loop: no store is read.
            with chromium() as driven:
                own = browser_personas(driven, Setting(url=measured.url, moved=True, forwarded=True))
                persona = next(each for each in own if each.name == kind.name)
                tried = [visited(measured, persona, draw) for draw in draws]
            yield counted(measured, persona, tried)


def counted(measured: Measured, persona: Persona, tried: list[Tried]) -> Line:
    """Count the visits to one site: ours by its store, and peers by what they showed and mailed."""
    if measured.store is not None:
        return line_of(persona, tried, kept(measured))
    line = line_of(persona, tried, None)
    mailed, typed = Counter(measured.mailed()), {sent.address for visit in tried for sent in visit.sent}
    replies = sum(number for address, number in mailed.items() if address in typed)
    return replace(line, accepted=line.thanked, quarantined=0, replies=replies)


def kept(measured: Measured) -> Mapping[str, Found]:
    """Read every inquiry of our demo's store, by receipt; a peer keeps none."""
    if measured.store is None:
        return {}
    return receipts_since(measured.store, Settings.only(store_url=measured.store), 0.0)


def visited(
    measured: Measured, persona: Persona, draw: Draw, *, wait: Callable[[float], None] | None = None
) -> Tried:
    """Let a persona visit once, from a network of its own, and say what came. `wait`: else the clock is moved."""
    clients: list[httpx2.Client] = []

    def connect() -> Client:
        base = measured.url.removesuffix("/contact")
        clients.append(httpx2.Client(base_url=base, headers={"x-forwarded-for": draw.network()}, timeout=PATIENCE_S))
        plain = Paced(clients[-1], lambda: None)
        return plain if persona.name in WITHOUT else Scripted(plain)

    scene = Scene(path="/contact", draw=draw, wait=wait or measured.clock.move, connect=connect, many=MANY)
    try:
        return Tried(persona=persona, sent=tuple(persona.act(connect(), scene)))
    except (httpx2.HTTPError, LookupError, ValueError, NoFormError) as error:
        return Tried(persona=persona, error=f"{type(error).__name__}: {error}")
    finally:
        for client in clients:
            client.close()


class Scripted:
    """A client whose posts carry what a peer's script would have written, where the page has that script."""

    def __init__(self, client: Paced) -> None:
        self._client = client

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """Get a page."""
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
        body = None if content is None else with_script(content)
        return self._client.post(url, content=body, data=data, json=json, headers=headers)
