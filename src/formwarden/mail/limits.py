"""How replies are limited right now, as a value: the switch, figures, growth, drip, breakers, alarms."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from formwarden.clock import Clock
from formwarden.mail.figures import Figures, site_figures
from formwarden.mail.growing import NEXT_STEP, bounds_of
from formwarden.mail.growth import Bounds, day_of, weekly_mean
from formwarden.mail.settings import Mail
from formwarden.stores.ports import Breaker, Day, Growth, Newcomers, Store

KEY_DIGITS: Final = 10  # of a breaker without a name: enough to tell a few of them apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What stands at one moment."""

    now: float
    off: bool  # the switch of G18
    proven: bool  # G07
    figures: Figures  # of the site, with everything that limits it taken in
    bounds: Bounds
    growth: Growth | None  # None: nothing was judged yet
    today: Day  # in UTC, so far
    yesterday: Day
    newcomers: Newcomers
    breakers: Sequence[Breaker]
    untold: int  # alarms

    @property
    def dripping(self) -> bool:
        """Whether a drip is suspected and the owner has not spoken (G10)."""
        return self.growth is not None and self.growth.drip_cap is not None

    @property
    def weekly(self) -> float | None:
        """How many new addresses a week were usual; None: the site is too young."""
        return weekly_mean(self.newcomers, self.now)


def as_plain(limits: Limits) -> dict[str, object]:
    """Return them as values ready for JSON."""
    return {
        "figures": asdict(limits.figures),
        "today": asdict(limits.today),
        "yesterday": asdict(limits.yesterday),
        "growth": None if limits.growth is None else asdict(limits.growth),
        "bounds": asdict(limits.bounds),
        "feedback_seen": limits.proven,
        "next_step": None if limits.proven else NEXT_STEP,
        "drip": limits.dripping,
        "new_addresses": {"week": limits.newcomers.week, "weekly_before": limits.weekly},
        "breakers": [
            {
                "name": name_of(each),
                "cause": each.cause,
                "state": str(each.shut),
                "opened_at": each.opened_at,
                "until": each.until,
                "probes": each.probes,
            }
            for each in limits.breakers
        ],
        "alarms_untold": limits.untold,
    }


def name_of(breaker: Breaker) -> str:
    """Return what `formwarden reply close` takes for it."""
    return breaker.label or breaker.subject.hex()[:KEY_DIGITS]


async def read_limits(store: Store, mail: Mail, clock: Clock) -> Limits:
    """Read them. Raises StoreError."""
    now = clock.now()
    reputation = await store.ledger.reputation(())
    today, newcomers, growth = await store.measures.measure(day_of(now))
    yesterday, _, _ = await store.measures.measure(day_of(now) - 1)
    return Limits(
        now=now,
        off=reputation.replies_off,
        proven=reputation.feedback_seen,
        figures=figures_now(mail, growth, proven=reputation.feedback_seen),
        bounds=bounds_of(mail),
        growth=growth,
        today=today,
        yesterday=yesterday,
        newcomers=newcomers,
        breakers=await store.measures.breakers(),
        untold=await store.measures.untold(),
    )


def figures_now(mail: Mail, growth: Growth | None, *, proven: bool) -> Figures:
    """Return what the whole site may send: by its growth, by what a drip leaves (G10), by what is unproven (G07)."""
    site = site_figures(mail, growth)
    drip = site.day if growth is None or growth.drip_cap is None else growth.drip_cap
    day = min(site.day, drip) if proven else min(site.day, drip, mail.unproven_per_day)
    hour = min(site.hour, day) if proven else min(site.hour, day, mail.unproven_per_hour)
    return Figures(minute=hour if site.minute is None else min(site.minute, hour), hour=hour, day=day)
