"""One site of a scene: the real gate, outbox and store; clock, relay and DNS through their ports."""

import asyncio
import hashlib
import heapq
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from random import Random
from typing import Final

from formwarden import AutoReply, GuardedForm, Settings, Verdict
from formwarden.errors import StoreError
from formwarden.judging_parts import Ports
from formwarden.mail.replies import ReplyResult
from formwarden.mail.sender import Sender
from formwarden.mail.verp import Verp
from formwarden.mail.watched import Watched
from formwarden.page.receipts import receipt_number
from formwarden.parts import Parts
from formwarden.scoring import Action
from formwarden.stores.ports import Inquiry, Key, Outcome, OutcomeKind, State
from formwarden.submission import Fields
from formwarden.testing import Clock
from simulation.people import Post
from simulation.relay import NO_SUCH_USER, Fate, ScriptedRelay, refuses_the_dead
from simulation.zone import Zone

SITE_DOMAIN: Final = "bow-makers.example.org"
FORM: Final = GuardedForm("contact", path="/contact", reply=AutoReply())
BEGINNING: Final = 1_790_000_000.0  # seconds since the epoch
TICK_S: Final = 600.0
STEPS: Final = 1_000  # of the outbox within one moment: more is a loop without an end
Act = Callable[[], Awaitable[None]]


class World:
    """A site whose time is moved from one post, or one event, to the next."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        fate: Fate = refuses_the_dead,
        settings: Mapping[str, object] | None = None,
        tick_s: float = TICK_S,
        sender: Sender | None = None,
        ahead_s: float = 0.0,
    ) -> None:
        self.random = Random(seed)  # noqa: S311 - a scene is drawn, and can be drawn again
        self.clock = Clock(BEGINNING + ahead_s)
        self.relay = ScriptedRelay(self.clock, fate)
        self.decided = Counter[tuple[str, str]]()  # (tag, code)
        self.results: list[tuple[Post, ReplyResult]] = []
        self._tick_s = tick_s
        self._numbers = count(1)
        self._events: list[tuple[float, int, Act]] = []
        plain: dict[str, object] = {
            "secret_keys": "k" * 40,
            "site_domain": SITE_DOMAIN,
            "staff_address": f"staff@{SITE_DOMAIN}",
            "smtp_url": "smtp://127.0.0.1:1",
            "store_url": f"sqlite:///{folder / 'store.db'}",
            "work": "cron",
        }
        self.settings = Settings.only(**(plain | dict(settings or {})))
        ports = Ports(clock=self.clock, entropy=self._entropy, resolver=Zone(), sender=sender or self.relay)
        self.parts = Parts(self.settings, {FORM.name: FORM}, ports, (), (), _nobody).complete()
        self.verp = Verp(self.parts.tokens)

    # ---------------------------------------------------------------- time
    async def run(self, posts: Iterable[Post], *, until: float) -> None:
        """Let the posts come, and everything that is due between them, until a moment."""
        await self.parts.load()
        coming = iter(posts)
        post = next(coming, None)
        tick = self.clock.now()
        while True:
            event = self._events[0][0] if self._events else until
            at = min(until, tick, event, post.at if post is not None else until)
            self.clock.move(max(0.0, at - self.clock.now()))
            if at >= until:
                break
            if post is not None and at == post.at:
                await self.post(post)
                post = next(coming, None)
            elif self._events and at == event:
                await heapq.heappop(self._events)[2]()
            else:
                await self.parts.work.run_once()
                tick = at + self._tick_s
        await self.parts.work.run_once()

    def later(self, seconds: float, act: Act) -> None:
        """Do something when so much time has passed."""
        heapq.heappush(self._events, (self.clock.now() + seconds, next(self._numbers), act))

    async def aclose(self) -> None:
        """Close the store."""
        await self.parts.store.aclose()

    # ---------------------------------------------------------------- what happens
    async def post(self, post: Post) -> ReplyResult:
        """Keep one accepted submission, ask for its reply, and let the outbox send it."""
        result = await self.ask(post)
        await self.send_due()
        return result

    async def ask(self, post: Post) -> ReplyResult:
        """Keep one accepted submission and ask for its reply; the outbox has not run yet."""
        verdict = await self._verdict(post)
        await self._keep(verdict)
        result = await self.parts.replies.reply(verdict)
        self.decided[post.tag, result.code] += 1
        self.results.append((post, result))
        return result

    async def send_due(self) -> None:
        """Let the outbox send what is due by now."""
        for _ in range(STEPS):
            if not await self.parts.outbox.step():
                return
        raise RuntimeError("the outbox finds no end")

    async def bounce(self, envelope_from: str, *, counts: bool = True, kind: OutcomeKind = OutcomeKind.HARD) -> bool:
        """Take in what a bounce says of one reply, by its return path; False: not ours."""
        reply_id = self.verp.read(envelope_from.rpartition("@")[0], self.clock.now())
        if reply_id is None:
            return False
        outcome = Outcome(
            id=b"dsn " + reply_id, reply_id=reply_id, kind=kind, reason=f"550 {NO_SUCH_USER}", counts=counts
        )
        await self.parts.ledger.settle(outcome)
        return True

    async def prove(self) -> None:
        """Let one outcome have been seen: feedback reaches this site (G07)."""
        await self.parts.ledger.settle(
            Outcome(id=b"probe", reply_id=b"probe of the doctor", kind=OutcomeKind.HARD, reason="550 5.1.1 probe")
        )

    async def remember(self, address: str) -> None:
        """Let this be the address of somebody we know (G03)."""
        await self.parts.store.measures.remember((await self._watched(address)).address[0])

    async def stop(self, address: str) -> None:
        """Let somebody click Stop in a reply: no more to this address (G13)."""
        await self.parts.ledger.suppress((await self._watched(address)).address[0], cause="stop", until=None)

    async def provider_keys(self, address: str) -> tuple[Key, ...]:
        """Return the keys of an address's provider group."""
        return (await self._watched(address)).provider

    @property
    def reached(self) -> set[str]:
        """Return whose mail the relay took."""
        return {recipient for _, recipient, _ in self.relay.mails}

    @property
    def staff(self) -> str:
        """Return the address of the staff, who are told of things too."""
        return self.settings.site.staff_address[0]

    async def kept(self) -> int:
        """Count the inquiries of this week that are kept."""
        return sum(count.week for count in (await self.parts.store.statistics.read()).inquiries)

    # ---------------------------------------------------------------- within
    async def _watched(self, address: str) -> Watched:
        return await self.parts.replies.watched(await self.parts.checker.verify(address))

    async def _verdict(self, post: Post) -> Verdict:
        number = next(self._numbers)
        own = hashlib.blake2b(b"%d" % number, digest_size=16).digest()
        client = post.client.to_bytes(5, "big")
        return Verdict(
            id=own,
            receipt=receipt_number(own),
            form=FORM.name,
            action=Action.ACCEPT,
            judged=Action.ACCEPT,
            score=post.score,
            hits=(),
            standing=post.standing,
            fields=Fields(),
            address=post.address,
            report=await self.parts.checker.verify(post.address),
            lineage=own,
            client=client,
            network=client[:-1],
            received_at=self.clock.now(),
        )

    async def _keep(self, verdict: Verdict) -> None:
        facts = self.parts.clients.facts(
            client=verdict.client, network=verdict.network, now=self.clock.now(), hold_s=self.settings.mail.hold_dns_s
        )
        kept = Inquiry(
            id=verdict.id,
            receipt=verdict.receipt,
            form=verdict.form,
            state=State.DONE,
            received_at=verdict.received_at,
            score=verdict.score,
            hits={},
            evidence={},
            facts={"judged": str(verdict.judged), "standing": str(verdict.standing), "language": "en", **facts},
            lineage=verdict.lineage,
            recipient=verdict.address,
            changed_at=verdict.received_at,
        )
        await self.parts.store.inquiries.keep(kept, lease_s=0.0)

    def _entropy(self, size: int) -> bytes:
        return self.random.randbytes(size)


async def _nobody(_: Inquiry, __: Verdict) -> int:
    """Stand for a handler that release would run: no scene releases."""
    await asyncio.sleep(0)
    raise StoreError("no scene releases")
