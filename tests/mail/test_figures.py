"""The figures of every budget, by the rules of G02, G05 and G06."""

import pytest

from formwarden.forms import FormLimits
from formwarden.mail.figures import (
    Figures,
    form_figures,
    network_limit,
    part,
    provider_figures,
    site_figures,
)
from formwarden.mail.settings import Mail
from formwarden.stores.ports import Growth

SITE = site_figures(Mail())


def test_g05_a_site_begins_with_50_a_day_and_15_an_hour() -> None:
    assert Figures(minute=5, hour=15, day=50) == SITE


@pytest.mark.parametrize(
    ("day", "hour", "minute"), [(0, 15, 5), (20, 15, 5), (100, 20, 5), (200, 40, 10), (1_000, 200, 50)]
)
def test_g05_hour_and_minute_follow_from_the_day(day: int, hour: int, minute: int) -> None:
    assert site_figures(Mail(site_per_day=day)) == Figures(minute=minute, hour=hour, day=day)


def test_g05_figures_that_are_set_stand() -> None:
    figures = Figures(minute=1, hour=2, day=3)
    assert site_figures(Mail(site_per_minute=1, site_per_hour=2, site_per_day=3)) == figures


@pytest.mark.parametrize(
    ("cap", "settings", "day"),
    [
        (70, Mail(), 70),
        (200, Mail(), 200),
        (900, Mail(), 200),  # clean days raise it so far and no further
        (900, Mail(reply_ceiling_per_day=1_000), 900),
        (20, Mail(), 50),  # never below what the owner set
        (70, Mail(site_per_day=500), 500),  # beyond the ceiling a person raises it
        (70, Mail(warm_start_per_day=120), 120),
        (150, Mail(warm_start_per_day=120), 150),
    ],
)
def test_g06_the_site_s_day_grows_between_what_was_set_and_the_ceiling(cap: int, settings: Mail, day: int) -> None:
    figures = site_figures(settings, Growth(cap=cap, day=20_000))
    assert figures.day == day
    assert figures.hour == max(15, day // 5)
    assert figures.minute == max(5, figures.hour // 4)


def test_g06_a_site_that_sends_already_may_begin_higher() -> None:
    assert site_figures(Mail(warm_start_per_day=150)) == Figures(minute=7, hour=30, day=150)
    assert site_figures(Mail(warm_start_per_day=10)).day == 50


def test_g10_a_suspected_drip_is_a_budget_of_its_own_and_leaves_the_figures_alone() -> None:
    assert site_figures(Mail(), Growth(cap=70, day=20_000, drip_cap=5)).day == 70


def test_g05_large_providers_have_three_quarters_and_every_other_group_30_percent_rounded_up() -> None:
    assert provider_figures("google", Mail(), SITE) == Figures(hour=12, day=38)
    assert provider_figures("microsoft", Mail(), SITE) == Figures(hour=12, day=38)
    assert provider_figures("mailhost.net", Mail(), SITE) == Figures(hour=5, day=15)
    assert provider_figures("mailhost.net", Mail(), Figures(hour=0, day=1)) == Figures(hour=1, day=1)


def test_g06_provider_groups_and_forms_grow_with_the_site() -> None:
    grown = site_figures(Mail(), Growth(cap=200, day=20_000))
    assert provider_figures("google", Mail(), grown) == Figures(hour=30, day=150)
    assert form_figures(FormLimits(), Mail(), grown) == Figures(hour=40, day=200)


def test_g05_a_form_has_the_site_s_figures_unless_set() -> None:
    assert form_figures(FormLimits(), Mail(), SITE) == Figures(hour=15, day=50)
    assert form_figures(FormLimits(), Mail(form_per_hour=4), SITE) == Figures(hour=4, day=50)
    assert form_figures(FormLimits(replies_per_hour=0, replies_per_day=7), Mail(form_per_hour=4), SITE).hour == 0
    assert form_figures(FormLimits(replies_per_day=7), Mail(), SITE).day == 7


@pytest.mark.parametrize(
    ("share", "figure", "limit"), [(0.25, 15, 4), (0.75, 15, 12), (0.07, 100, 7), (0.3, 10, 3), (0.25, 0, 0)]
)
def test_g02_a_share_is_rounded_up_and_exact(share: float, figure: int, limit: int) -> None:
    assert part(share, figure) == limit


@pytest.mark.parametrize(("hour", "limit", "carrier"), [(15, 3, 7), (19, 3, 9), (20, 4, 10), (99, 19, 49), (0, 3, 3)])
def test_g02_a_network_has_20_percent_of_the_site_s_hour_at_least_3_and_g05_a_carrier_s_half(
    hour: int, limit: int, carrier: int
) -> None:
    site = Figures(hour=hour, day=50)
    assert network_limit(Mail(), site) == limit
    assert network_limit(Mail(), site, carrier=True) == carrier
