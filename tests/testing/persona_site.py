"""A real site that personas visit from this thread, while its own thread serves it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from formwarden.desk.overview import Row
from formwarden.stores.ports import State
from formwarden.testing.personas import Client, Draw, Persona, Scene, Seen, Sent
from tests.e2e.real_site import RealSite
from tests.sites import STAFF, URL

PLAYED = ("gmail.com", "outlook.com", "yahoo.co.jp", "docomo.ne.jp", "*.played", "*.played")
"""Domains that the played DNS knows: real providers among them, whose mail goes to a server on loopback (G37)."""
PAGE = 200  # rows of one look at the owner's list
KEPT = dict.fromkeys(("keep_held_days", "keep_rejected_days", "keep_facts_days"), 3650.0)  # all that came is counted
ENTERED = {State.DONE, State.ACCEPTED, State.RELEASED}


class Bridge(httpx2.BaseTransport):
    """Carries a request to the app in its thread, from a network address of the visitor's own."""

    def __init__(self, portal: BlockingPortal, site: RealSite, ip: str) -> None:
        self._portal = portal
        self._asgi = httpx2.ASGITransport(app=site.app, client=(ip, 4711))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._portal.call(self._handle, request)

    async def _handle(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._asgi.handle_async_request(request)
        return httpx2.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


@dataclass(frozen=True, kw_only=True)
class Told:
    """How many posts ended how, and the mails they caused."""

    sent: Sequence[Sent]
    states: Mapping[State, int]
    mails: int
    rows: Sequence[Row]
    granted: Mapping[bytes, float]  # by reply: when its slots were taken, which may be later than its inquiry came

    @property
    def accepted(self) -> int:
        return sum(self.states.get(state, 0) for state in ENTERED)

    @property
    def held(self) -> int:
        return self.states.get(State.HELD, 0)

    @property
    def ended(self) -> int:
        """Count inquiries, less those that another answer took the place of."""
        return len(self.rows) - self.states.get(State.DISCARDED, 0)

    def _granted(self, standing: str) -> list[float]:
        of_standing = (row.reply for row in self.rows if row.inquiry.facts.get("standing") == standing)
        return sorted(
            self.granted[reply.reply_id] for reply in of_standing if reply is not None and reply.state == "sent"
        )

    def mails_of(self, standing: str) -> int:
        """Count the auto-replies that submissions of a standing caused."""
        return len(self._granted(standing))

    def most_mails(self, standing: str, within_s: float) -> int:
        """Count the most auto-replies of a standing in any window of this length."""
        times = self._granted(standing)
        return max((sum(0 <= other - begun < within_s for other in times) for begun in times), default=0)

    def figures(self) -> Mapping[str, int]:
        rejected = self.states.get(State.REJECTED, 0)
        asked = self.states.get(State.ASKED, 0)
        figures = {"posts": len(self.sent), "accepted": self.accepted, "quarantined": self.held, "asked": asked}
        return figures | {"rejected": rejected, "auto-replies": self.mails}

    def why(self, *states: State) -> list[str]:
        """Name what every inquiry in these states was found to be."""
        found = [row.inquiry for row in self.rows if row.inquiry.state in states]
        return [f"{each.score:.1f} {dict(each.hits)} {dict(each.evidence)}" for each in found]


class PersonaSite:
    """One site with SQLite, ledger, DNS and a relay, and everybody who visits it."""

    def __init__(self, portal: BlockingPortal, site: RealSite) -> None:
        self._portal = portal
        self.site = site

    def scene(self, seed: int | str, *, many: int = 10) -> Scene:
        draw = Draw(seed, domains=PLAYED)
        networks = draw.apart("networks")
        return Scene(
            path="/contact",
            draw=draw,
            wait=self.wait,
            connect=lambda: self.client(networks.network()),
            many=many,
        )

    def client(self, ip: str) -> Client:
        return httpx2.Client(transport=Bridge(self._portal, self.site, ip), base_url=URL)

    def wait(self, seconds: float) -> None:
        self.site.clock.move(seconds)

    def work(self) -> None:
        """Do what a site does by itself."""
        self._portal.call(self.site.warden.work_once)

    def visits(self, persona: Persona, runs: int, *, many: int = 10, apart_s: float = 600.0) -> Told:
        """Let a persona visit again and again, and look up how it ended."""
        sent: list[Sent] = []
        for run in range(runs):
            scene = self.scene(f"{persona.name} {run}", many=many)
            sent += persona.act(scene.connect(), scene)
            self.wait(scene.draw.apart("pause").between(apart_s / 2, apart_s))
        self.work()
        rows = self.rows()
        states = Counter(row.inquiry.state for row in rows)
        mails = sum(mail.rcpt_tos != (STAFF,) for mail in self.site.peer.mails)
        return Told(sent=sent, states=states, mails=mails, rows=rows, granted=self.granted())

    def granted(self) -> Mapping[bytes, float]:
        """Read when each reply was granted."""
        connection = apsw.Connection(str(self.site.store_path), flags=apsw.SQLITE_OPEN_READONLY)
        rows: list[tuple[bytes, float]] = list(
            connection.execute("SELECT reply.id, account.at FROM account JOIN reply ON reply.n = account.reply")
        )
        connection.close()
        return dict(rows)

    def rows(self) -> list[Row]:
        """Everything the owner sees."""
        found: list[Row] = []
        after: str | None = None
        for _ in range(100):
            page = self._portal.call(self._page, after)
            found += page[0]
            after = page[1]
            if after is None:
                return found
        raise AssertionError("too many inquiries")

    async def _page(self, after: str | None) -> tuple[tuple[Row, ...], str | None]:
        overview = await self.site.warden.overview(limit=PAGE, after=after)
        return overview.rows, overview.after


@contextmanager
def persona_site(tmp_path: Path, **settings: object) -> Iterator[PersonaSite]:
    """Open a site while the block runs."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(RealSite(tmp_path, **(KEPT | settings))) as site,
    ):
        yield PersonaSite(portal, site)


def lost(sent: Sequence[Sent]) -> list[Sent]:
    """Name every post after which what was typed is nowhere to be seen."""
    return [each for each in sent if not each.typed_kept or each.seen in {Seen.REJECTED, Seen.ERROR}]
