"""What `formwarden reply status` says to people."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from formwarden.cli.figures import age
from formwarden.mail.alarm_settings import Alarming
from formwarden.mail.growing import NEXT_STEP
from formwarden.mail.limits import Limits, name_of
from formwarden.stores.breaking import Cause
from formwarden.stores.ports import Breaker, Shut

CAUSES: Final[Mapping[str, str]] = {
    Cause.RATIO: "too many failed",
    Cause.REPUTATION: "it distrusts us",
    Cause.CONFIG: "it refuses how mail is sent here",
    Cause.COMPLAINT: "several people complained",
    Cause.PROVIDERS: "two of the large providers are open",
}
LOG_ONLY: Final = "the log alone hears them: set alarm_webhook_url, alarm_smtp_url or alarm_file"


def channel_names(alarming: Alarming) -> tuple[str, ...]:
    """Return by which ways alarms are told, beside the log."""
    ways = {
        "file": alarming.alarm_file,
        "webhook": alarming.alarm_webhook_url,
        "relay": alarming.alarm_smtp_url,
    }
    return tuple(name for name, way in ways.items() if way is not None)


def as_lines(limits: Limits, channels: Sequence[str]) -> Iterator[str]:
    """Yield everything but the switch."""
    figures, growth = limits.figures, limits.growth
    yield f"figures    {figures.minute} a minute, {figures.hour} an hour, {figures.day} a day for the whole site"
    for name, day in (("today", limits.today), ("yesterday", limits.yesterday)):
        granted = f"{day.granted} granted of {day.wanted} wanted (UTC)"
        yield f"{name:9}  {granted}; known outcomes {day.known}, failed {day.hard:g}"
    cap = limits.bounds.start if growth is None else limits.bounds.within(growth.cap)
    top = max(limits.bounds.start, limits.bounds.ceiling)
    yield f"growth     {cap} a day by now, from {limits.bounds.start} up to {top} by clean days"
    if not limits.proven:
        yield f"feedback   none: {NEXT_STEP}"
    yield f"drip       {_drip(limits)}"
    if not limits.breakers:
        yield "breakers   all closed"
    for each in limits.breakers:
        yield f"breaker    {_breaker(each)}"
    ways = ", ".join(("log", *channels)) if channels else LOG_ONLY
    yield f"alarms     {limits.untold} not told yet; {f'told by {ways}' if channels else ways}"


def _drip(limits: Limits) -> str:
    usual = "too young to compare" if limits.weekly is None else f"{limits.weekly:.0f} a week before"
    came = f"{limits.newcomers.week} new addresses in 7 days, {usual}"
    growth = limits.growth
    if growth is None or growth.drip_cap is None:
        return f"none suspected: {came}"
    since = "" if growth.drip_at is None else f" for {age(limits.now - growth.drip_at)}"
    return f"suspected{since}, so at most {growth.drip_cap} a day: {came}; `formwarden reply real` ends it"


def _breaker(breaker: Breaker) -> str:
    why = CAUSES.get(breaker.cause, breaker.cause)
    name = {"site": "site (everybody)"}.get(breaker.label, name_of(breaker))
    if breaker.shut is Shut.PROBING:
        state = f"half-open, {breaker.probes} probes out or arrived"
    elif breaker.until is None:
        state = f"until `formwarden reply close {name_of(breaker)}`"
    else:
        state = f"until {datetime.fromtimestamp(breaker.until, UTC):%Y-%m-%d %H:%M} UTC"
    return f"{name}: {why}; {state}"
