"""How many replies each budget grants: the rule of G05, the day that history allows (G06), shares (G02)."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Final

from formwarden.forms import FormLimits
from formwarden.mail.growing import bounds_of
from formwarden.mail.settings import Mail
from formwarden.stores.ports import Growth

MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
LEAST_PER_MINUTE: Final = 5  # G05
LEAST_PER_HOUR: Final = 15  # G05
LEAST_PER_NETWORK: Final = 3  # G02
PARTS: Final = 256  # shares of figures that are remembered: settings hold some dozens, and fractions are slow
LARGE: Final = frozenset({"google", "microsoft"})  # provider groups where most people have their mailbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Replies a minute, an hour, a day; a figure of None has no budget of its own."""

    hour: int
    day: int
    minute: int | None = None

    def windows(self) -> Iterator[tuple[float, int]]:
        """Return (seconds, replies), the shortest first."""
        if self.minute is not None:
            yield MINUTE_S, self.minute
        yield HOUR_S, self.hour
        yield DAY_S, self.day


def site_figures(settings: Mail, growth: Growth | None = None) -> Figures:
    """Return the site's figures: the day by its history so far, hour and minute by the rule of G05 unless set.

    What a suspected drip leaves of the day is a budget of its own (`DRIP`).
    """
    bounds = bounds_of(settings)
    day = bounds.start if growth is None else bounds.within(growth.cap)
    hour = settings.site_per_hour if settings.site_per_hour is not None else max(LEAST_PER_HOUR, day // 5)
    minute = settings.site_per_minute if settings.site_per_minute is not None else max(LEAST_PER_MINUTE, hour // 4)
    return Figures(minute=minute, hour=hour, day=day)


def provider_figures(group: str, settings: Mail, site: Figures) -> Figures:
    """Return the figures of one provider group: a part of the site's."""
    share = settings.large_provider_share if group in LARGE else settings.provider_share
    return Figures(hour=max(1, part(share, site.hour)), day=max(1, part(share, site.day)))


def form_figures(limits: FormLimits, settings: Mail, site: Figures) -> Figures:
    """Return the figures of one form: its own, else those of all forms, else the site's."""
    return Figures(
        hour=_first(limits.replies_per_hour, settings.form_per_hour, site.hour),
        day=_first(limits.replies_per_day, settings.form_per_day, site.day),
    )


def network_limit(settings: Mail, site: Figures, *, carrier: bool = False) -> int:
    """Return how many replies of an hour one client network may cause; of a carrier's, thousands stand behind it."""
    share = settings.carrier_network_share if carrier else settings.network_share
    return max(LEAST_PER_NETWORK, _rounded_down(share, site.hour))


@lru_cache(maxsize=PARTS)
def part(share: float, figure: int) -> int:
    """Return a share of a figure, rounded up; decimal, so that 7% of 100 is 7."""
    return ceil(Fraction(str(share)) * figure)


@lru_cache(maxsize=PARTS)
def _rounded_down(share: float, figure: int) -> int:
    return floor(Fraction(str(share)) * figure)


def _first(*figures: int | None) -> int:
    return next(figure for figure in figures if figure is not None)
