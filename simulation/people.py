"""Who writes to the site in a scene: posts as values, drawn from a seed."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from formwarden.scoring import Standing

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
WAKING: Final = (8.0, 22.0)  # hours of the day in which honest people write
MAILBOXES: Final = (("gmail.com", 0.45), ("outlook.com", 0.12), ("yahoo.co.jp", 0.08), ("docomo.ne.jp", 0.05))
"""Where honest people have their mailbox, and their share; the others have a domain of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One accepted submission. `client` is whose network it comes from, as numbers; None: unknown."""

    at: float
    address: str
    client: int
    standing: Standing = Standing.SHOWN
    score: float = 0.0
    tag: str = ""  # who it is, for the count at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Honest people of one site, so many a day on average."""

    a_day: float
    gmail: float | None = None  # share; None: as everywhere
    dead: float = 0.0  # share of addresses whose mailbox is not there
    gone: float = 0.0  # share of addresses whose domain is not there: DNS tells
    known: Sequence[str] = field(default=())  # people who write again and again

    def posts(self, random: Random, start: float, days: float) -> list[Post]:
        """Draw their posts, in order."""
        return sorted(self._posts(random, start, days), key=lambda post: post.at)

    def _posts(self, random: Random, start: float, days: float) -> Iterator[Post]:
        for day in range(math.ceil(days)):
            for _ in range(poisson(random, self.a_day)):
                at = start + day * DAY_S + random.uniform(*WAKING) * HOUR_S
                if at < start + days * DAY_S:
                    yield self._post(random, at)

    def _post(self, random: Random, at: float) -> Post:
        name = f"{random.getrandbits(48):012x}"
        fate = random.random()
        if fate < self.gone:
            address = f"{name}@{name}.gone.example.net"
        elif fate < self.gone + self.dead:
            address = f"dead-{name}@{self._domain(random, name)}"
        else:
            address = f"{name}@{self._domain(random, name)}"
        shown = random.random() < 0.9  # noqa: PLR2004 - about as many have scripts
        return Post(
            at=at,
            address=address,
            client=random.getrandbits(32),
            standing=Standing.SHOWN if shown else Standing.PLAIN,
            tag="honest",
        )

    def _domain(self, random: Random, name: str) -> str:
        share = random.random()
        if self.gmail is not None:
            return "gmail.com" if share < self.gmail else f"{name}.played"
        for domain, part in MAILBOXES:
            share -= part
            if share < 0:
                return domain
        return f"{name}.played"


def poisson(random: Random, mean: float) -> int:
    """Draw how many come where they come independently (Knuth, small means; the normal law beyond)."""
    if mean > 60:  # noqa: PLR2004 - where exp(-mean) still has digits
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, number = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        number += 1
    return number


def spread(random: Random, start: float, seconds: float, number: int) -> list[float]:
    """Draw so many moments, in order."""
    return sorted(start + random.random() * seconds for _ in range(number))
