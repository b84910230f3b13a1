"""When replies to a provider, or all of them, stop: the arithmetic of the breaker, the same in every store (G08-G13).

A window holds the last known outcomes of a scope. An outcome is known when a relay or a bounce said so, or a day
after the relay took the mail (G08). What an attacker can write counts once: one identity, one client network, one
domain that is no provider's (G12).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Final

HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
SCANNED: Final = 4_000  # rows of a window that are read at most: the widest holds 1,000 that count


class Cause(StrEnum):
    """Why a breaker opened."""

    RATIO = "ratio"  # too many replies failed
    REPUTATION = "reputation"  # a provider said that it distrusts us
    CONFIG = "config"  # a provider refuses how we send: until somebody mends it
    COMPLAINT = "complaint"
    PROVIDERS = "providers"  # two of the large provider groups are open


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Trips at `hard` failed of the `last` known, if the lower bound of their share is above `bound` too."""

    hard: float
    last: int
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaking:
    """The figures of G08, G09, G12 and G13."""

    ratios: tuple[Ratio, ...] = (Ratio(hard=5, last=100, bound=0.08), Ratio(hard=20, last=1_000, bound=0.04))
    z: float = 1.96  # two-sided 95%
    open_s: tuple[float, ...] = (4 * HOUR_S, 24 * HOUR_S, 72 * HOUR_S)  # the first time, after a failed probe, again
    probes: int = 3
    presumed_s: float = DAY_S  # taken by the relay and not failed for so long: presumed delivered (G08)
    bounced_s: float = 7 * DAY_S  # no reply for a client whose reply bounced (G12)
    complaints: int = 2  # within `complaints_s`, of different recipient domains and networks
    complaints_s: float = 7 * DAY_S
    complaint_share: float = 0.001  # of at least `complaint_least` sent
    complaint_least: int = 1_000

    def opens_for(self, cause: Cause, level: int) -> float | None:
        """Return for how many seconds a breaker opens that was open `level` times in a row; None: until mended.

        A provider's distrust that outlasts two probings is for a person to settle (reference, section 2.3).
        """
        if cause is Cause.CONFIG or (cause is Cause.REPUTATION and level >= len(self.open_s) - 1):
            return None
        return self.open_s[min(level, len(self.open_s) - 1)]


DEFAULT: Final = Breaking()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One known outcome: how much of a failure it is (0, 0.5 or 1), and by whom it counts once."""

    hard: float
    network: tuple[bytes, ...] = ()  # under the keys of all days it may be met again with
    domain: bytes | None = None  # None: a provider's, where strangers are many


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Of so many known outcomes, so many failed."""

    known: int = 0
    hard: float = 0.0

    def lower_bound(self, z: float) -> float:
        """Return the lower end of Wilson's interval (Wilson 1927) of the failed share; 0 where nothing is known."""
        n = self.known
        if n == 0:
            return 0.0
        p = self.hard / n
        centre = p + z * z / (2 * n)
        spread = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (centre - spread) / (1 + z * z / n))


def shares(newest_first: Iterable[Known], lasts: tuple[int, ...]) -> tuple[Share, ...]:
    """Return the share within the last so many that count, for each of `lasts`.

    A network, and a domain, counts once as failed and once as delivered: one that failed does not count again, and
    one that is well dilutes nothing by being well again.
    """
    seen: set[tuple[bool, bytes]] = set()
    known, hard = 0, 0.0
    found: dict[int, Share] = {}
    for each in newest_first:
        failed = each.hard > 0
        names = {(failed, key) for key in (*each.network, *((each.domain,) if each.domain else ()))}
        if names & seen:
            continue
        seen |= names
        known += 1
        hard += each.hard
        if known in lasts:
            found[known] = Share(known=known, hard=hard)
        if known >= max(lasts):
            break
    whole = Share(known=known, hard=hard)
    return tuple(found.get(last, whole) for last in lasts)


def trips(newest_first: Iterable[Known], breaking: Breaking) -> bool:
    """Tell whether these outcomes open a breaker."""
    found = shares(newest_first, tuple(ratio.last for ratio in breaking.ratios))
    return any(
        share.hard >= ratio.hard and share.lower_bound(breaking.z) > ratio.bound
        for share, ratio in zip(found, breaking.ratios, strict=True)
    )


def complaints_trip(newest_first: Sequence[Known], breaking: Breaking, *, recent: int, sent: int) -> bool:
    """Tell whether these complaints open the site: `recent` of them are within `complaints_s`, of `sent` replies.

    Several count together if no two are of one recipient domain or of one network: people who do not know each other.
    """
    if sent >= breaking.complaint_least and len(newest_first) >= breaking.complaint_share * sent:
        return True
    least = newest_first[:recent]
    return any(_strangers(least[first:]) >= breaking.complaints for first in range(len(least)))


def _strangers(complaints: Sequence[Known]) -> int:
    """Count those that share no name with one that was counted before them."""
    seen: set[bytes] = set()
    found = 0
    for each in complaints:
        names = {*each.network, *((each.domain,) if each.domain else ())}
        if not names & seen:
            seen |= names
            found += 1
    return found
