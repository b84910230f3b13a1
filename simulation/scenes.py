"""The scenes, each against its bar (rulings, "Bars, repaired")."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from typing import Final, TypeVar

from formwarden.mail.sender import SendResult, SendState
from formwarden.scoring import Standing
from formwarden.stores.ports import Shut
from simulation.people import DAY_S, HOUR_S, Crowd, Post, spread
from simulation.relay import DEAD, Fate, refuses_the_dead, takes_all
from simulation.world import World

T = TypeVar("T")
MINUTE_S: Final = 60.0
FEW: Final = 4  # seeds that are played in this process
AFTER_DAYS: Final = 14  # how long a drip is looked for
ALARM_DAYS: Final = 7
MOST_SEEDS: Final = 0.98
KEEPS_ALL: Final = 1.0
EVIL: Final = "mx.evil.played"
REPUTATION: Final = "5.7.1 Our system has detected low reputation of your domain, message blocked [CS01]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a scene is played: `make simulate` plays all of it, `make test` a part."""

    seeds: int = 1
    days: float = 1.0
    posts: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What came out, and whether it is within the bar."""

    bar: str
    figure: str
    hit: bool


Scene = Callable[[int, Size], Coroutine[object, object, Line]]


async def over_seeds(play: Callable[[int], Coroutine[object, object, T]], first: int, number: int) -> list[T]:
    """Play something for each of so many seeds: in processes of their own where they are many."""
    seeds = range(first, first + number)
    if number <= FEW:
        return [await play(seed) for seed in seeds]
    with ProcessPoolExecutor() as pool:
        return await asyncio.to_thread(lambda: list(pool.map(partial(_played, play), seeds)))


def _played(play: Callable[[int], Coroutine[object, object, T]], seed: int) -> T:
    return asyncio.run(play(seed))


@asynccontextmanager
async def world(
    seed: int,
    *,
    fate: Fate = refuses_the_dead,
    settings: Mapping[str, object] | None = None,
    tick_s: float = 1_800.0,
    proven: bool = True,
) -> AsyncIterator[World]:
    """Make a site in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="formwarden-simulation-") as folder:
        made = World(Path(folder), seed=seed, fate=fate, settings=settings, tick_s=tick_s)
        try:
            if proven:
                await made.prove()
            yield made
        finally:
            await made.aclose()


# ------------------------------------------------------------------- the accident
async def accident(seed: int, size: Size, *, dsn_s: float | None = None, session: bool = False) -> Line:
    """Invented Gmail addresses over a day, from 500 clients that drive real browsers, beside 20 honest people."""
    bounced = 0

    async def bounce(sender: str) -> None:
        nonlocal bounced
        bounced += await site.bounce(sender)

    async with world(
        seed, fate=refuses_the_dead if session else takes_all, proven=session or dsn_s is not None
    ) as site:

        def took(recipient: str, sender: str) -> None:
            if dsn_s is not None and recipient.startswith(DEAD):
                site.later(dsn_s, partial(bounce, sender))

        site.relay.took = took
        start, random = site.clock.now(), site.random
        days = 3.0
        honest = Crowd(a_day=20).posts(random, start, days + size.days)
        clients = [random.getrandbits(32) for _ in range(500)]
        bots = _invented(random, start + days * DAY_S, size, clients)
        await site.run(_in_order(honest, bots), until=start + (days + size.days) * DAY_S)
        dead = sum(recipient.startswith(DEAD) for _, recipient, _ in site.relay.mails)
        hard = dead + sum(number for name, number in site.relay.refused.items() if name.startswith(DEAD))
        budget = site.settings.mail.site_per_day
        bound = 20 if session or dsn_s == MINUTE_S else budget
        return Line(bar=f"≤ {bound} of {len(bots):,} to the dead", figure=f"{hard}", hit=0 < hard <= bound)


def _invented(random: Random, start: float, size: Size, clients: list[int]) -> list[Post]:
    return [
        Post(
            at=at,
            address=f"{DEAD}{random.getrandbits(40):010x}@gmail.com",
            client=random.choice(clients),
            standing=Standing.SHOWN,
            tag="bot",
        )
        for at in spread(random, start, size.days * DAY_S, size.posts)
    ]


# ------------------------------------------------------------------- the drip
async def drip(seed: int, size: Size, *, honest_a_day: float) -> Line:
    """A bot that adds 33 living strangers a day to an honest site that has been there for weeks."""
    play = partial(_days_to_alarm, honest_a_day=honest_a_day, drip_a_day=33, before=size.days)
    found = await over_seeds(play, seed, size.seeds)
    days = [each for each in found if each is not None]
    share = sum(each <= ALARM_DAYS for each in days) / size.seeds
    slowest = f"{max(days):.1f} days" if days else "never"
    return Line(
        bar=f"alarm ≤ 7 days after {size.days:g} in ≥ 98% of seeds",
        figure=f"{share:.1%} of {size.seeds} seeds, the slowest {slowest}",
        hit=share >= MOST_SEEDS,
    )


async def honest_without_alarm(seed: int, size: Size) -> Line:
    """An honest site of 20 a day raises no alarm of a drip."""
    play = partial(_days_to_alarm, honest_a_day=20, drip_a_day=0, before=size.days)
    alarms = sum(each is not None for each in await over_seeds(play, seed, size.seeds))
    return Line(
        bar="no alarm in ≥ 98% of seeds",
        figure=f"{alarms} of {size.seeds} seeds of {size.days + AFTER_DAYS:g} days",
        hit=alarms <= size.seeds * (1 - MOST_SEEDS),
    )


async def _days_to_alarm(seed: int, *, honest_a_day: float, drip_a_day: int, before: float) -> float | None:
    async with world(seed, tick_s=4 * HOUR_S) as site:
        start, random = site.clock.now(), site.random
        begins = start + before * DAY_S
        honest = Crowd(a_day=honest_a_day).posts(random, start, before + AFTER_DAYS)
        bots = [
            Post(at=at, address=f"{random.getrandbits(40):010x}@gmail.com", client=random.getrandbits(32), tag="drip")
            for at in spread(random, begins, AFTER_DAYS * DAY_S, int(drip_a_day * AFTER_DAYS))
        ]
        posts = _in_order(honest, bots)
        await site.run((post for post in posts if post.at < begins), until=begins)
        if drip_a_day and await _drip_at(site) is not None:
            return None  # an alarm before there was anything to alarm of
        for day in range(1, AFTER_DAYS + 1):
            first, last = begins + (day - 1) * DAY_S, begins + day * DAY_S
            await site.run((post for post in posts if first <= post.at < last), until=last)
            alarm_at = await _drip_at(site)
            if alarm_at is not None:
                return max(0.0, alarm_at - begins) / DAY_S
        return None


async def _drip_at(site: World) -> float | None:
    _, _, growth = await site.parts.store.measures.measure(int(site.clock.now() // DAY_S))
    return None if growth is None else growth.drip_at


# ------------------------------------------------------------------- one victim
async def victim(seed: int, size: Size) -> Line:
    """One mailbox under dotted and tagged spellings, from 300 clients within a day."""
    async with world(seed, settings=OPEN) as site:
        start, random = site.clock.now(), site.random
        posts = [
            Post(at=at, address=_spelling(random, "someonesmailbox"), client=random.getrandbits(32), tag="bot")
            for at in spread(random, start, DAY_S - 1, size.posts)
        ]
        await site.run(posts, until=start + DAY_S)
        return Line(
            bar="1 mail", figure=f"{len(site.relay.mails)} of {len(posts)} posts", hit=len(site.relay.mails) == 1
        )


def _spelling(random: Random, name: str) -> str:
    dotted = "".join(letter + random.choice(("", "", ".")) for letter in name[:-1]) + name[-1]
    tag = random.choice(("", f"+{random.getrandbits(20):x}"))
    domain = random.choice(("gmail.com", "googlemail.com", "GMAIL.com"))
    return f"{dotted}{tag}@{domain}"


OPEN: Final[Mapping[str, object]] = {
    "site_per_day": 10_000,
    "reply_ceiling_per_day": 10_000,
    "site_per_hour": 10_000,
    "site_per_minute": 10_000,
    "provider_share": KEEPS_ALL,
    "large_provider_share": KEEPS_ALL,
    "plain_share": KEEPS_ALL,
    "shown_share": KEEPS_ALL,
    "unproven_per_hour": 10_000,
    "unproven_per_day": 10_000,
}
"""The budgets a bar about another budget raises."""


# ------------------------------------------------------------------- honest sites
async def ordinary(seed: int, size: Size) -> Line:
    """Twenty honest inquiries a day, 2% typos: 1.2% dead domains and 0.8% dead mailboxes."""
    found = await over_seeds(partial(_ordinary, days=size.days), seed, size.seeds)
    opened = sum(each.opened for each in found)
    wanted, sent = sum(each.wanted for each in found), sum(each.sent for each in found)
    share = sent / max(1, wanted)
    return Line(
        bar="breaker open in ≤ 1% of seeds, ≥ 99.9% of replies out",
        figure=f"open in {opened} of {size.seeds} seeds of {size.days:g} days, {share:.3%} of {wanted:,} out",
        hit=opened <= size.seeds / 100 and share >= 0.999,  # noqa: PLR2004 - the bar
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordinary:
    opened: bool
    wanted: int
    sent: int


async def _ordinary(seed: int, *, days: float) -> _Ordinary:
    async with world(seed, tick_s=4 * HOUR_S) as site:
        start = site.clock.now()
        posts = Crowd(a_day=20, dead=0.008, gone=0.012).posts(site.random, start, days)
        await site.run(posts, until=start + days * DAY_S)
        living = {
            post.address for post in posts if not post.address.startswith(DEAD) and ".gone." not in post.address
        }
        opened = any(code.startswith("BREAKER") for _, code in site.decided)
        return _Ordinary(opened=opened, wanted=len(living), sent=len(living & site.reached))


async def busy(seed: int, size: Size) -> Line:
    """Many honest inquiries a day, 60% of them from Gmail, with a ceiling of twice as many."""
    grown_days = int(size.days / 2)
    async with world(seed, settings={"reply_ceiling_per_day": 2 * size.posts}, tick_s=HOUR_S) as site:
        start = site.clock.now()
        posts = Crowd(a_day=size.posts, gmail=0.6, dead=0.008).posts(site.random, start, size.days)
        await site.run(posts, until=start + size.days * DAY_S)
        got = site.reached | set(site.relay.refused)
        late = [post for post in posts if post.at >= start + grown_days * DAY_S]
        withheld = [post for post in late if post.address not in got]
        return Line(
            bar=f"nothing withheld after day {grown_days}",
            figure=f"{len(withheld)} of {len(late):,} withheld on days {grown_days + 1} to {size.days:g}",
            hit=bool(late) and not withheld,
        )


# ------------------------------------------------------------------- starving
async def starving(seed: int, size: Size) -> Line:
    """1,000 posts an hour with evidence, from 1,000 clients, beside 20 honest people a day and people we know."""
    async with world(seed) as site:
        start, random = site.clock.now(), site.random
        friends = [f"friend{number}@friend{number}.played" for number in range(5)]
        for friend in friends:
            await site.remember(friend)
        honest = Crowd(a_day=20).posts(random, start, size.days)
        known = [
            Post(
                at=start + hour * HOUR_S + random.random() * HOUR_S,
                address=friends[number],
                client=number,
                tag="known",
            )
            for number, hour in enumerate(random.sample(range(1, max(6, int(size.days * 24))), len(friends)))
        ]
        clients = [random.getrandbits(32) for _ in range(1_000)]
        bots = [
            Post(
                at=at,
                address=f"{random.getrandbits(40):010x}@{random.getrandbits(40):x}.played",
                client=random.choice(clients),
                tag="bot",
            )
            for at in spread(random, start, size.days * DAY_S, size.posts)
        ]
        posts = _in_order(honest, known, bots)
        await site.run(posts, until=start + size.days * DAY_S)
        answered = sum(friend in site.reached for friend in friends)
        most = _most_in(DAY_S, [at for at, recipient, _ in site.relay.mails if recipient != site.staff])
        kept = await site.kept()
        budget = site.settings.mail.site_per_day
        return Line(
            bar=f"every inquiry kept, every known person answered, ≤ {budget} replies in 24 h",
            figure=f"{kept:,} of {len(posts):,} kept, {answered} of {len(friends)} answered, {most} replies at most",
            hit=kept == len(posts) and answered == len(friends) and most <= budget,
        )


def _most_in(window_s: float, times: list[float]) -> int:
    most = first = 0
    for last, at in enumerate(times):
        while at - times[first] > window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


# ------------------------------------------------------------------- what attackers write
async def replayed_identities(seed: int, size: Size) -> Line:
    """A bot's one bounced reply is bounced a thousand times more: it counts once."""
    return await _evidence(seed, size, bounces_each=200, own=1, counts=True, stops=False)


async def forged(seed: int, size: Size) -> Line:
    """Bots bounce and stop each of their own replies, by mails that came from anywhere."""
    return await _evidence(seed, size, bounces_each=3, own=40, counts=False, stops=True)


async def _evidence(seed: int, size: Size, *, bounces_each: int, own: int, counts: bool, stops: bool) -> Line:
    async with world(seed, fate=takes_all) as site:
        start, random = site.clock.now(), site.random
        bots = [
            Post(at=at, address=f"bot{number}@bots{number}.played", client=random.getrandbits(32), tag="bot")
            for number, at in enumerate(spread(random, start, size.days * DAY_S, own))
        ]
        honest = Crowd(a_day=10).posts(random, start, size.days + 3)

        async def attack(recipient: str, sender: str) -> None:
            for _ in range(bounces_each):
                await site.bounce(sender, counts=counts)
            if stops:
                await site.stop(recipient)

        def took(recipient: str, sender: str) -> None:
            if recipient.startswith("bot"):
                site.later(MINUTE_S, partial(attack, recipient, sender))

        site.relay.took = took
        await site.run(_in_order(honest, bots), until=start + (size.days + 3) * DAY_S)
        closed = sum(number for (_, code), number in site.decided.items() if code.startswith("BREAKER"))
        reached = sum(recipient.startswith("bot") for _, recipient, _ in site.relay.mails)
        return Line(
            bar="the gate stays open",
            figure=f"{reached * bounces_each} forged of {reached} replies; {closed} replies stopped by a breaker",
            hit=reached > 0 and closed == 0,
        )


async def own_reputation(seed: int, size: Size) -> Line:
    """A bot's own mail server answers with a provider's words of distrust: only its own domain closes."""

    def fate(recipient: str, _: str) -> SendResult | None:
        if not recipient.endswith("evil.played"):
            return None
        said = f"host {EVIL}[192.175.48.66] said: 550 {REPUTATION}"
        return SendResult(state=SendState.REFUSED, code=550, text=said)

    async with world(seed, fate=fate) as site:
        start, random = site.clock.now(), site.random
        honest = Crowd(a_day=20).posts(random, start, size.days)
        bots = [
            Post(at=at, address=f"bot{number}@evil.played", client=random.getrandbits(32), tag="bot")
            for number, at in enumerate(spread(random, start, size.days * DAY_S, size.posts))
        ]
        await site.run(_in_order(honest, bots), until=start + size.days * DAY_S)
        breakers = await site.parts.store.measures.breakers()
        own = await site.provider_keys("bot@evil.played")
        others = [each for each in breakers if each.shut is not Shut.CONFIG and each.subject not in own]
        stopped = sum(number for (tag, code), number in site.decided.items() if tag == "honest" and "BREAKER" in code)
        closed = site.decided["bot", "BREAKER_PROVIDER"]
        return Line(
            bar="only its own domain closes",
            figure=f"own {'closed' if closed else 'open'}, {len(others)} others; {stopped} honest ones stopped",
            hit=closed > 0 and not others and stopped == 0,
        )


def _in_order(*crowds: list[Post]) -> list[Post]:
    return sorted(chain(*crowds), key=lambda post: post.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A scene with its name and its two sizes."""

    name: str
    play: Scene
    whole: Size
    part: Size


SCENES: Final = (
    Played(
        name="accident, refused in the session",
        play=partial(accident, session=True),
        whole=Size(posts=10_000),
        part=Size(days=0.25, posts=250),
    ),
    Played(
        name="accident, bounced after a minute",
        play=partial(accident, dsn_s=MINUTE_S),
        whole=Size(posts=10_000),
        part=Size(days=0.25, posts=250),
    ),
    Played(
        name="accident, bounced after 4 hours",
        play=partial(accident, dsn_s=4 * HOUR_S),
        whole=Size(posts=10_000),
        part=Size(days=0.25, posts=250),
    ),
    Played(name="accident, no feedback", play=accident, whole=Size(posts=10_000), part=Size(days=0.25, posts=250)),
    Played(
        name="drip of 33 beside 5 a day",
        play=partial(drip, honest_a_day=5),
        whole=Size(seeds=100, days=60),
        part=Size(seeds=1, days=28),
    ),
    Played(
        name="drip of 33 beside 20 a day",
        play=partial(drip, honest_a_day=20),
        whole=Size(seeds=100, days=60),
        part=Size(seeds=1, days=28),
    ),
    Played(
        name="no drip beside 20 a day", play=honest_without_alarm, whole=Size(seeds=100, days=60), part=Size(days=16)
    ),
    Played(name="one victim, 300 clients", play=victim, whole=Size(posts=300), part=Size(posts=60)),
    Played(
        name="ordinary site, 20 a day",
        play=ordinary,
        whole=Size(seeds=200, days=90),
        part=Size(seeds=2, days=6),
    ),
    Played(name="busy site, 500 a day", play=busy, whole=Size(days=20, posts=500), part=Size(days=12, posts=80)),
    Played(
        name="starving by 1,000 an hour",
        play=starving,
        whole=Size(days=2, posts=48_000),
        part=Size(days=0.25, posts=300),
    ),
    Played(name="replayed identities", play=replayed_identities, whole=Size(days=3), part=Size(days=0.5)),
    Played(name="forged bounces and Stop clicks", play=forged, whole=Size(days=3), part=Size(days=1)),
    Played(
        name="its own server speaks as a provider",
        play=own_reputation,
        whole=Size(days=3, posts=200),
        part=Size(days=1, posts=30),
    ),
)
"""Every scene of the rulings' bars."""
