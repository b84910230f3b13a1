"""How many replies may leave: the budgets one reply draws on, in the order of the gate's table (rows 14 to 17).

A budget (n, w) grants no more than n in any interval of length w; the ledger counts its rows, exactly (G05, G16).
Budgets that everybody shares are kept by standing (G02): what cost an attacker nothing never takes the part of those
who gave evidence, and neither takes the part of the people we know.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from formwarden.address.report import AddressReport, Flag
from formwarden.forms import FormLimits
from formwarden.mail.figures import (
    DAY_S,
    HOUR_S,
    Figures,
    form_figures,
    network_limit,
    part,
    provider_figures,
    site_figures,
)
from formwarden.mail.settings import Mail
from formwarden.mail.watched import provider_group
from formwarden.scoring import Standing
from formwarden.stores.ports import Growth, Key, Spend
from formwarden.subjects import Subjects

WEEK_S: Final = 7 * DAY_S
LINEAGE_S: Final = 30 * DAY_S  # a form shown once is answered once, however often it is sent again (G28)
AFTER_SPENT_S: Final = HOUR_S  # after a spent hour of the site, `plain` has none of the next one (G02)

PLAIN_TIER: Final = 0
SHOWN_TIER: Final = 1
WHOLE_TIER: Final = 2


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
    growth: Growth | None = None
    lineage: bytes | None = None
    client: tuple[Key, ...] = ()  # under the keys of a day, newest first; empty: unknown, or many people's
    bounced: tuple[Key, ...] = ()  # what a bounce of this client was written under, all readable days
    network: tuple[Key, ...] = ()
    carrier: bool = False  # its network is a mobile carrier's or a relay's


def spends_for(draw: Draw, subjects: Subjects, settings: Mail) -> tuple[Spend, ...]:
    """Return what this reply draws on; the first spent budget names the code."""
    site = site_figures(settings, draw.growth)
    return (
        *_address(draw, subjects, settings),
        *_client(draw, settings, site),
        *_recipient(draw, subjects, settings, site),
        *_site(draw, subjects, settings, site),
    )


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


def _client(draw: Draw, settings: Mail, site: Figures) -> Iterator[Spend]:
    """Row 15. The whole of a client's replies is counted, whatever their standing; only the limit differs."""
    plain = _tier(draw) == PLAIN_TIER
    hourly = settings.client_per_hour_plain if plain else settings.client_per_hour
    if draw.bounced and settings.client_bounced_s:
        window_s = settings.client_bounced_s
        yield Spend(budget="CLIENT_BOUNCED", keys=draw.bounced, window_s=window_s, limit=1, taken=False)
    if draw.client:
        yield Spend(budget="IP_RATE", keys=draw.client, window_s=HOUR_S, limit=hourly)
        yield Spend(budget="IP_RATE", keys=draw.client, window_s=DAY_S, limit=settings.client_per_day)
    if draw.network:
        limit = network_limit(settings, site, carrier=draw.carrier)
        yield Spend(budget="NETWORK_RATE", keys=draw.network, window_s=HOUR_S, limit=limit)


def _recipient(draw: Draw, subjects: Subjects, settings: Mail, site: Figures) -> Iterator[Spend]:
    """Row 16."""
    if Flag.FREEMAIL not in draw.report.flags:
        domain = subjects.keys("registrable", draw.report.registrable or draw.report.domain or "")
        yield Spend(budget="DOMAIN_RATE", keys=domain, window_s=HOUR_S, limit=settings.domain_per_hour)
        yield Spend(budget="DOMAIN_RATE", keys=domain, window_s=DAY_S, limit=settings.domain_per_day)
    group = provider_group(draw.report)
    shared = _Shared(draw=draw, subjects=subjects, settings=settings, kind="provider", value=group)
    yield from shared.spends("PROVIDER_RATE", provider_figures(group, settings, site))


def _site(draw: Draw, subjects: Subjects, settings: Mail, whole: Figures) -> Iterator[Spend]:
    """Row 17. A form without figures of its own is counted all the same, for the day they are set."""
    form = _Shared(draw=draw, subjects=subjects, settings=settings, kind="form", value=draw.form)
    site = _Shared(draw=draw, subjects=subjects, settings=settings, kind="site", value="")
    figures = form_figures(draw.limits, settings, whole)
    own = tuple(form.spends("FORM_RATE", figures))
    first = (figures.hour, figures.day) != (whole.hour, whole.day)  # else the site's figure is the one to name
    yield from own if first else ()
    if draw.growth is not None and draw.growth.drip_cap is not None:
        yield from site.within("DRIP", DAY_S, draw.growth.drip_cap)
    yield from site.after_a_spent_hour()
    yield from site.spends("SITE_RATE", whole, marks=site.spent[0])
    if not draw.proven:
        unproven = Figures(hour=settings.unproven_per_hour, day=settings.unproven_per_day)
        yield from site.spends("WARMUP", unproven)
    yield from () if first else own


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

    @property
    def spent(self) -> tuple[Key, ...]:
        """What is written down when an hour of it is spent."""
        return self.subjects.keys(f"{self.kind}|spent", self.value)

    def spends(self, budget: str, figures: Figures, *, marks: Key | None = None) -> Iterator[Spend]:
        """Yield one spend a window and tier; `marks`: what a spent hour writes."""
        for window_s, figure in figures.windows():
            yield from self.within(budget, window_s, figure, marks=marks if window_s == HOUR_S else None)

    def within(self, budget: str, window_s: float, figure: int, *, marks: Key | None = None) -> Iterator[Spend]:
        """Yield one spend a tier; a reply is counted in its own tier and in every wider one."""
        tiers = (
            (PLAIN_TIER, f"{self.kind}|plain", self.settings.plain_share),
            (SHOWN_TIER, f"{self.kind}|plain+shown", self.settings.shown_share),
            (WHOLE_TIER, self.kind, 1.0),
        )[_tier(self.draw) :]
        for tier, kind, share in tiers:
            yield Spend(
                budget=budget,
                keys=self.subjects.keys(kind, self.value),
                window_s=window_s,
                limit=part(share, figure),
                # the part of `plain` alone is no hour of the site: every busy morning spends it
                marks=None if tier == PLAIN_TIER else marks,
                shared=True,
            )

    def after_a_spent_hour(self) -> Iterator[Spend]:
        """Yield what keeps `plain` out of the hour after a spent one (G02)."""
        if _tier(self.draw) == PLAIN_TIER:
            yield Spend(
                budget="SITE_RATE", keys=self.spent, window_s=AFTER_SPENT_S, limit=1, taken=False, shared=True
            )
