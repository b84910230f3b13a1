"""What `formwarden reply status` says of breakers and drips."""

from dataclasses import replace

import pytest

from formwarden.cli.reply_lines import CAUSES, as_lines, channel_names
from formwarden.mail.alarm_settings import Alarming
from formwarden.mail.figures import Figures
from formwarden.mail.growth import Bounds
from formwarden.mail.limits import Limits
from formwarden.stores.breaking import Cause
from formwarden.stores.ports import Breaker, Day, Growth, Key, Newcomers, Shut

NOW = 1_790_000_000.0
CALM = Limits(
    now=NOW,
    off=False,
    proven=True,
    figures=Figures(minute=5, hour=19, day=98),
    bounds=Bounds(start=50, ceiling=200),
    growth=Growth(cap=98, day=20_000),
    today=Day(),
    yesterday=Day(),
    newcomers=Newcomers(first_at=NOW - 9e6, week=40, before=(10, 10, 10, 10)),
    breakers=(),
    untold=0,
)


def line(limits: Limits, head: str) -> str:
    """Return the rest of the line that begins so."""
    (found,) = [each.removeprefix(head).strip() for each in as_lines(limits, ()) if each.startswith(head)]
    return found


@pytest.mark.parametrize(
    ("label", "cause", "shut", "until", "said"),
    [
        ("google", "ratio", Shut.OPEN, NOW, "google: too many failed; until 2026-09-21 14:13 UTC"),
        (
            "site",
            "providers",
            Shut.OPEN,
            NOW,
            "site (everybody): two of the large providers are open; until 2026-09-21",
        ),
        (
            "",
            "complaint",
            Shut.PROBING,
            NOW,
            "0100000000: several people complained; half-open, 2 probes out or arrived",
        ),
        (
            "apple",
            "config",
            Shut.CONFIG,
            None,
            "apple: it refuses how mail is sent here; until `formwarden reply close",
        ),
        ("apple", "of-a-later-release", Shut.OPEN, NOW, "apple: of-a-later-release; until"),
    ],
)
def test_a_breaker_says_what_it_stops_why_and_until_when(
    label: str, cause: str, shut: Shut, until: float | None, said: str
) -> None:
    subject = Key(b"\x01" + bytes(16))
    breaker = Breaker(subject=subject, cause=cause, label=label, shut=shut, opened_at=NOW, until=until, probes=2)
    assert line(replace(CALM, breakers=(breaker,)), "breaker ").startswith(said)


def test_every_cause_has_words() -> None:
    assert set(CAUSES) == set(Cause)


def test_a_drip_says_since_when_it_is_suspected_if_that_is_known() -> None:
    drip = Growth(cap=98, day=20_000, drip_cap=7)
    came = "so at most 7 a day: 40 new addresses in 7 days, 10 a week before; `formwarden reply real` ends it"
    assert line(replace(CALM, growth=drip), "drip") == f"suspected, {came}"
    since = replace(drip, drip_at=NOW - 7_200)
    assert line(replace(CALM, growth=since), "drip") == f"suspected for 2 h, {came}"
    assert line(CALM, "drip").startswith("none suspected: 40 new")


def test_ways_are_named_in_one_order() -> None:
    assert channel_names(Alarming()) == ()
    every = Alarming.model_validate(
        {"alarm_smtp_url": "smtp://x", "alarm_webhook_url": "https://x", "alarm_file": "alarms"}
    )
    assert channel_names(every) == ("file", "webhook", "relay")
    assert list(as_lines(CALM, ("relay",)))[-1].endswith("told by log, relay")
