"""How many replies may leave: the budgets one reply draws on, in the order of the gate's table.

A budget (n, w) grants no more than n in any interval of length w; the ledger counts its rows, exactly (G05, G16).
Budgets that everybody shares are kept by standing (G02): what cost an attacker nothing never takes the part of those
who gave evidence, and neither takes the part of the people we know.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from typing import Final

from formwarden.address.report import AddressReport, Flag
from formwarden.forms import FormLimits
from formwarden.mail.settings import Mail
from formwarden.mail.watched import provider_group
from formwarden.scoring import Standing
from formwarden.stores.ports import Key, Spend
from formwarden.subjects import Subjects

MINUTE_S: Final = 60.0
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0
WEEK_S: Final = 7 * DAY_S
LINEAGE_S: Final = 30 * DAY_S  # a form shown once is answered once, however often it is sent again (G28)
LEAST_PER_MINUTE: Final = 5  # G05
LEAST_PER_HOUR: Final = 15  # G05
LEAST_PER_NETWORK: Final = 3  # G02
PARTS: Final = 256  # shares of figures that are remembered: settings hold some dozens, and fractions are slow
LARGE: Final = frozenset({"google", "microsoft"})  # provider groups where most people have their mailbox

MEANINGS: Final[Mapping[str, str]] = {
    "DUP_LINEAGE": "This visit to the form has had its reply.",
    "DUP_24H": "The address had its reply within 24 hours.",
    "DUP_7D": "The address had its replies within 7 days.",
    "IP_RATE": "The client had its replies for now.",
    "NETWORK_RATE": "The client's network had its part of the site's hour.",
    "DOMAIN_RATE": "The recipient's domain had its replies for now.",
    "PROVIDER_RATE": "The recipient's provider had its replies for now.",
    "FORM_RATE": "The form has sent its replies for now.",
    "SITE_RATE": "The site has sent its replies for now.",
    "WARMUP": "No bounce or refusal has been seen yet: without feedback no volume.",
}
"""What it means when a budget is spent, by its code."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """On whose account one reply goes."""

    form: str
    limits: FormLimits
    report: AddressReport
    standing: Standing
    released: bool = False  # by the owner's hand: draws like a known one
    owner: bool = False  # an address of the staff or of the owner's tests (G26)
    proven: bool = False  # an outcome has been seen (G07)
    lineage: bytes | None = None
    client: tuple[Key, ...] = ()  # under the keys of a day, newest first; empty: unknown, no budget
    network: tuple[Key, ...] = ()


def spends_for(draw: Draw, subjects: Subjects, settings: Mail) -> tuple[Spend, ...]:
    """Return what this reply draws on; the first spent budget names the code."""
    return (
        *_address(draw, subjects, settings),
        *_client(draw, settings),
        *_recipient(draw, subjects, settings),
        *_site(draw, subjects, settings),
    )


def site_figures(settings: Mail) -> Figures:
    """Return the site's figures, those not set by the rule of G05."""
    day = settings.site_per_day
    hour = settings.site_per_hour if settings.site_per_hour is not None else max(LEAST_PER_HOUR, day // 5)
    minute = settings.site_per_minute if settings.site_per_minute is not None else max(LEAST_PER_MINUTE, hour // 4)
    return Figures(minute=minute, hour=hour, day=day)


def provider_figures(group: str, settings: Mail) -> Figures:
    """Return the figures of one provider group: a part of the site's."""
    site = site_figures(settings)
    share = settings.large_provider_share if group in LARGE else settings.provider_share
    return Figures(hour=max(1, part(share, site.hour)), day=max(1, part(share, site.day)))


def form_figures(limits: FormLimits, settings: Mail) -> Figures:
    """Return the figures of one form: its own, else those of all forms, else the site's."""
    site = site_figures(settings)
    return Figures(
        hour=_first(limits.replies_per_hour, settings.form_per_hour, site.hour),
        day=_first(limits.replies_per_day, settings.form_per_day, site.day),
    )


def network_limit(settings: Mail) -> int:
    """Return how many replies of an hour one client network may cause."""
    return max(LEAST_PER_NETWORK, _rounded_down(settings.network_share, site_figures(settings).hour))


@lru_cache(maxsize=PARTS)
def part(share: float, figure: int) -> int:
    """Return a share of a figure, rounded up; decimal, so that 7% of 100 is 7."""
    return ceil(Fraction(str(share)) * figure)


@lru_cache(maxsize=PARTS)
def _rounded_down(share: float, figure: int) -> int:
    return floor(Fraction(str(share)) * figure)


def _address(draw: Draw, subjects: Subjects, settings: Mail) -> Iterator[Spend]:
    """Row 14."""
    canonical = draw.report.canonical or ""
    address = subjects.keys("address", canonical)
    if draw.owner:
        yield Spend(budget="DUP_24H", keys=address, window_s=DAY_S, limit=settings.owner_tests_per_day)
        return
    if draw.lineage is not None:
        lineage = subjects.keys("lineage", draw.lineage)
        yield Spend(budget="DUP_LINEAGE", keys=lineage, window_s=LINEAGE_S, limit=1)
    on_form = subjects.keys("address+form", f"{canonical}\0{draw.form}")
    yield Spend(budget="DUP_24H", keys=on_form, window_s=DAY_S, limit=settings.address_per_day_form)
    yield Spend(budget="DUP_24H", keys=address, window_s=DAY_S, limit=settings.address_per_day)
    yield Spend(budget="DUP_7D", keys=address, window_s=WEEK_S, limit=settings.address_per_week)


def _client(draw: Draw, settings: Mail) -> Iterator[Spend]:
    """Row 15. The whole of a client's replies is counted, whatever their standing; only the limit differs."""
    plain = _tier(draw) == PLAIN_TIER
    hourly = settings.client_per_hour_plain if plain else settings.client_per_hour
    if draw.client:
        yield Spend(budget="IP_RATE", keys=draw.client, window_s=HOUR_S, limit=hourly)
        yield Spend(budget="IP_RATE", keys=draw.client, window_s=DAY_S, limit=settings.client_per_day)
    if draw.network:
        yield Spend(budget="NETWORK_RATE", keys=draw.network, window_s=HOUR_S, limit=network_limit(settings))


def _recipient(draw: Draw, subjects: Subjects, settings: Mail) -> Iterator[Spend]:
    """Row 16."""
    if Flag.FREEMAIL not in draw.report.flags:
        domain = subjects.keys("registrable", draw.report.registrable or draw.report.domain or "")
        yield Spend(budget="DOMAIN_RATE", keys=domain, window_s=HOUR_S, limit=settings.domain_per_hour)
        yield Spend(budget="DOMAIN_RATE", keys=domain, window_s=DAY_S, limit=settings.domain_per_day)
    group = provider_group(draw.report)
    shared = _Shared(draw=draw, subjects=subjects, settings=settings, kind="provider", value=group)
    yield from shared.spends("PROVIDER_RATE", provider_figures(group, settings))


def _site(draw: Draw, subjects: Subjects, settings: Mail) -> Iterator[Spend]:
    """Row 17. A form without figures of its own is counted all the same, for the day they are set."""
    form = _Shared(draw=draw, subjects=subjects, settings=settings, kind="form", value=draw.form)
    site = _Shared(draw=draw, subjects=subjects, settings=settings, kind="site", value="")
    figures, whole = form_figures(draw.limits, settings), site_figures(settings)
    own = tuple(form.spends("FORM_RATE", figures))
    first = (figures.hour, figures.day) != (whole.hour, whole.day)  # else the site's figure is the one to name
    yield from own if first else ()
    yield from site.spends("SITE_RATE", whole)
    if not draw.proven:
        unproven = Figures(hour=settings.unproven_per_hour, day=settings.unproven_per_day)
        yield from site.spends("WARMUP", unproven)
    yield from () if first else own


PLAIN_TIER: Final = 0
SHOWN_TIER: Final = 1
WHOLE_TIER: Final = 2


def _tier(draw: Draw) -> int:
    """Return from which tier of a shared budget on this reply is counted."""
    if draw.released or draw.standing is Standing.KNOWN:
        return WHOLE_TIER
    return SHOWN_TIER if draw.standing is Standing.SHOWN else PLAIN_TIER


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """A budget of everybody, kept in three tiers: `plain`, `plain` and `shown`, all (G02)."""

    draw: Draw
    subjects: Subjects
    settings: Mail
    kind: str
    value: str

    def spends(self, budget: str, figures: Figures) -> Iterator[Spend]:
        """Yield one spend a window and tier; a reply is counted in its own tier and in every wider one."""
        tiers = (
            (f"{self.kind}|plain", self.settings.plain_share),
            (f"{self.kind}|plain+shown", self.settings.shown_share),
            (self.kind, 1.0),
        )[_tier(self.draw) :]
        for window_s, figure in figures.windows():
            for kind, share in tiers:
                keys = self.subjects.keys(kind, self.value)
                yield Spend(budget=budget, keys=keys, window_s=window_s, limit=part(share, figure))


def _first(*figures: int | None) -> int:
    return next(figure for figure in figures if figure is not None)
