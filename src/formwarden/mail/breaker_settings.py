"""The figures of the breaker: when replies to a provider, or all of them, stop, and how they begin again."""

from typing import Annotated

from pydantic import Field

from formwarden.groups import Group, Unit
from formwarden.stores.breaking import DAY_S, DEFAULT, HOUR_S, SCANNED, Breaking, Ratio

SHORT, LONG = DEFAULT.ratios


class BreakerSettings(Group):
    """Hard failures, and the lower bound of their share, that open a breaker; probes that close it (G08-G13)."""

    breaker_hard: Annotated[
        float,
        Unit("failures"),
        Field(gt=0, description="this many of the last known outcomes, and the bound below, open a breaker (G09)"),
    ] = SHORT.hard
    breaker_last: Annotated[
        int, Unit("outcomes"), Field(gt=0, le=SCANNED // 4, description="the last known ones that are read for it")
    ] = SHORT.last
    breaker_bound: Annotated[
        float,
        Unit("share"),
        Field(ge=0, lt=1, description="Wilson's 95% lower bound of the failed share must be above this, too"),
    ] = SHORT.bound
    breaker_hard_long: Annotated[
        float, Unit("failures"), Field(gt=0, description="the same over a longer window, for a slow leak (G09)")
    ] = LONG.hard
    breaker_last_long: Annotated[
        int, Unit("outcomes"), Field(gt=0, le=SCANNED // 4, description="the longer window")
    ] = LONG.last
    breaker_bound_long: Annotated[
        float, Unit("share"), Field(ge=0, lt=1, description="the lower bound in the longer window")
    ] = LONG.bound
    breaker_first_s: Annotated[
        float, Unit("s"), Field(gt=0, description="it stays open so long the first time (G09)")
    ] = DEFAULT.open_s[0]
    breaker_second_s: Annotated[float, Unit("s"), Field(gt=0, description="after a probe that failed")] = (
        DEFAULT.open_s[1]
    )
    breaker_third_s: Annotated[float, Unit("s"), Field(gt=0, description="after a second one, and from then on")] = (
        DEFAULT.open_s[2]
    )
    breaker_probes: Annotated[
        int, Unit("replies"), Field(gt=0, description="that must all arrive to close a half-open breaker (row 18)")
    ] = DEFAULT.probes
    breaker_presumed_s: Annotated[
        float,
        Unit("s"),
        Field(gt=0, le=7 * DAY_S, description="taken by the relay and not failed for so long: delivered (G08)"),
    ] = DEFAULT.presumed_s
    client_bounced_s: Annotated[
        float,
        Unit("s"),
        Field(ge=0, le=7 * DAY_S, description="no reply for a client whose reply bounced (G12); keys last 8 days"),
    ] = DEFAULT.bounced_s
    complaints: Annotated[
        int,
        Unit("complaints"),
        Field(gt=0, description="of different recipient domains and networks, that stop the whole site (G13)"),
    ] = DEFAULT.complaints
    complaints_s: Annotated[float, Unit("s"), Field(ge=HOUR_S, description="within so long")] = DEFAULT.complaints_s
    complaint_share: Annotated[
        float, Unit("share"), Field(gt=0, le=1, description="of the replies sent, that stops the whole site (G13)")
    ] = DEFAULT.complaint_share
    complaint_least: Annotated[
        int, Unit("replies"), Field(gt=0, description="sent at least, before their share of complaints is read")
    ] = DEFAULT.complaint_least


def breaking_of(settings: BreakerSettings) -> Breaking:
    """Return the figures as the stores reckon with them."""
    return Breaking(
        ratios=(
            Ratio(hard=settings.breaker_hard, last=settings.breaker_last, bound=settings.breaker_bound),
            Ratio(
                hard=settings.breaker_hard_long, last=settings.breaker_last_long, bound=settings.breaker_bound_long
            ),
        ),
        open_s=(settings.breaker_first_s, settings.breaker_second_s, settings.breaker_third_s),
        probes=settings.breaker_probes,
        presumed_s=settings.breaker_presumed_s,
        bounced_s=settings.client_bounced_s,
        complaints=settings.complaints,
        complaints_s=settings.complaints_s,
        complaint_share=settings.complaint_share,
        complaint_least=settings.complaint_least,
    )
