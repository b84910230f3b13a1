import pytest

from formwarden.address.providers import parked, provider_of
from formwarden.address.suffix import Suffixes
from formwarden.data import groups

MX = tuple[tuple[int, str], ...]


@pytest.fixture
async def suffixes() -> Suffixes:
    loaded = Suffixes()
    await loaded.load()
    return loaded


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("mx", "provider"),
    [
        (((5, "gmail-smtp-in.l.google.com"), (10, "alt1.gmail-smtp-in.l.google.com")), "google"),
        (((1, "aspmx.l.google.com"), (1, "aspmx2.googlemail.com")), "google"),
        (((0, "shop-co-jp.mail.protection.outlook.com"),), "microsoft"),
        (((0, "shop-co-jp.x-v1.mx.microsoft"),), "microsoft"),
        (((1, "mta5.am0.yahoodns.net"),), "yahoo_aol"),
        (((10, "mx1.mail.yahoo.co.jp"),), "yahoo_jp"),
        (((10, "mx01.mail.icloud.com"),), "apple"),
        (((10, "mfsmax.docomo.ne.jp"),), "docomo"),
        (((10, "lsean.ezweb.ne.jp"),), "kddi"),
        (((10, "mx.softbank.ne.jp"),), "softbank"),
        (((0, "gmail-com.olc.protection.outlook.com"),), "microsoft"),
        (((10, "mx-aol.mail.gm0.yahoodns.net"),), "yahoo_aol"),
        (((10, "mx3.mail.yahoo.co.jp"), (10, "mx5.mail.yahoo.co.jp")), "yahoo_jp"),
        (((10, "mx.au.com"),), "kddi"),
        (((10, "mx.i.softbank.jp"),), "softbank"),
        (((10, "mx.ymobile.ne.jp"),), "softbank"),
    ],
)
async def test_g11_each_group_is_told_by_its_mx(suffixes: Suffixes, mx: MX, provider: str) -> None:
    assert provider_of(mx, suffixes) == provider


def test_g11_the_groups_are_these_eight_and_there_is_no_group_of_others() -> None:
    eight = {"google", "microsoft", "yahoo_aol", "yahoo_jp", "apple", "docomo", "kddi", "softbank"}

    assert set(groups("providers", "groups")) == eight


@pytest.mark.anyio
async def test_g11_a_look_alike_of_a_providers_host_is_an_operator_of_its_own(suffixes: Suffixes) -> None:
    assert provider_of(((1, "aspmx.l.google.com.evil.net"),), suffixes) == "evil.net"
    assert provider_of(((1, "mx.notoutlook.com"),), suffixes) == "notoutlook.com"


@pytest.mark.anyio
async def test_g11_a_second_operator_of_the_best_preference_ends_the_group(suffixes: Suffixes) -> None:
    assert provider_of(((5, "aspmx.l.google.com"), (5, "mx.zz-shop.co.jp")), suffixes) == "google.com"
    assert provider_of(((5, "aspmx.l.google.com"), (5, "a.mx.shop.co.jp")), suffixes) == "shop.co.jp"


@pytest.mark.anyio
async def test_g11_a_worse_preference_does_not_count(suffixes: Suffixes) -> None:
    assert provider_of(((5, "aspmx.l.google.com"), (10, "mx.shop.co.jp")), suffixes) == "google"
    assert provider_of(((10, "aspmx.l.google.com"), (5, "mx.shop.co.jp")), suffixes) == "shop.co.jp"


@pytest.mark.anyio
async def test_g11_without_a_group_the_first_host_by_name_names_the_operator(suffixes: Suffixes) -> None:
    assert provider_of(((5, "mx2.b-hosting.com"), (5, "mx1.a-hosting.co.jp")), suffixes) == "a-hosting.co.jp"
    assert provider_of(((5, "mx.played"),), suffixes) == "mx.played"


@pytest.mark.anyio
async def test_g11_two_different_groups_are_neither(suffixes: Suffixes) -> None:
    mx = ((5, "aspmx.l.google.com"), (5, "shop.mail.protection.outlook.com"))

    assert provider_of(mx, suffixes) == "google.com"


@pytest.mark.anyio
async def test_a_host_that_is_a_public_suffix_names_itself(suffixes: Suffixes) -> None:
    assert provider_of(((5, "co.jp"),), suffixes) == "co.jp"


@pytest.mark.anyio
async def test_no_host_is_no_provider(suffixes: Suffixes) -> None:
    assert provider_of((), suffixes) is None
    assert provider_of(((0, "."),), suffixes) is None


def test_a_domain_is_parked_when_every_best_host_is() -> None:
    assert parked(((10, "mx156.hostedmxserver.mailerhost.net"),))
    assert not parked(((10, "mx.mailerhost.net"), (10, "mx.shop.co.jp")))
    assert not parked(((10, "mx.shop.co.jp"), (20, "mx.mailerhost.net")))
    assert not parked(())
