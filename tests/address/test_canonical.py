import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.address.canonical import BY_PROVIDER, RULES, base_name, canonical_key, foldings
from formwarden.data import groups

DOMAINS = [*foldings(), "yahoo.co.uk", "yahoo.co.jp", "outlook.com", "fastmail.com", "taro.fastmail.fm", "shop.co.jp"]
PROVIDERS = [None, "mx.shop.co.jp", *groups("providers", "groups")]


@pytest.mark.parametrize(
    ("local", "domain", "key"),
    [
        ("Taro.Yamada+news", "gmail.com", "taroyamada@gmail.com"),
        ("t.a.r.o", "googlemail.com", "taro@gmail.com"),
        ("taro.y+x", "me.com", "taro.y@icloud.com"),
        ("taro", "mac.com", "taro@icloud.com"),
        ("taro.y", "pm.me", "taroy@proton.me"),
        ("taro", "protonmail.com", "taro@proton.me"),
        ("taro", "ya.ru", "taro@yandex.ru"),
        ("taro", "yandex.com", "taro@yandex.ru"),
        ("shop", "taro.fastmail.com", "taro@fastmail.com"),
        ("shop", "taro.sent.com", "taro@sent.com"),
        ("taro", "narod.ru", "taro@yandex.ru"),
        ("taro+shop", "fastmail.com", "taro@fastmail.com"),
        ("taro.y+x", "outlook.com", "taro.y@outlook.com"),
        ("taro+x", "hotmail.com", "taro@hotmail.com"),
        ("taro-shop", "yahoo.com", "taro@yahoo.com"),
        ("taro-shop", "yahoo.co.uk", "taro@yahoo.co.uk"),
        ("taro-shop", "yahoo.co.jp", "taro-shop@yahoo.co.jp"),
        ("taro-y", "shop.co.jp", "taro-y@shop.co.jp"),
        ("Taro.Y+x", "Shop.Co.Jp", "taro.y@shop.co.jp"),
        ("ＴＡＲＯ", "shop.co.jp", "taro@shop.co.jp"),
        ("+tag", "gmail.com", "+tag@gmail.com"),
        ("...", "gmail.com", "...@gmail.com"),
    ],
)
def test_all_spellings_of_a_mailbox_have_one_key(local: str, domain: str, key: str) -> None:
    assert canonical_key(local, domain, None) == key


def test_g11_workspace_drops_the_tag_and_keeps_the_dots() -> None:
    assert BY_PROVIDER["google"].dots
    assert canonical_key("taro.y+x", "shop.co.jp", "google") == "taro.y@shop.co.jp"


@given(local=st.text(min_size=1, max_size=40), domain=st.sampled_from(DOMAINS), provider=st.sampled_from(PROVIDERS))
def test_the_key_of_a_key_is_itself(local: str, domain: str, provider: str | None) -> None:
    key = canonical_key(local, domain, provider)
    again_local, _, again_domain = key.rpartition("@")

    assert canonical_key(again_local, again_domain, provider) == key


@given(local=st.text(min_size=1, max_size=40), domain=st.sampled_from(DOMAINS), provider=st.sampled_from(PROVIDERS))
def test_g11_the_key_is_the_same_before_and_after_dns_has_answered(
    local: str, domain: str, provider: str | None
) -> None:
    assert canonical_key(local, domain, provider) == canonical_key(local, domain, None)


@given(local=st.from_regex(r"[a-z]([a-z0-9.]{0,10}[a-z0-9])?", fullmatch=True), domain=st.sampled_from(DOMAINS))
def test_a_tag_and_capitals_never_make_another_mailbox(local: str, domain: str) -> None:
    assert canonical_key(f"{local.upper()}+tag", domain, None) == canonical_key(local, domain, None)


def test_a_base_name_is_small_and_without_a_tag() -> None:
    assert base_name("Abuse+reports") == "abuse"
    assert base_name("+tag") == "+tag"


def test_every_listed_group_has_a_rule_and_every_rule_a_group() -> None:
    assert set(groups("canonical", "domains")) == set(RULES)


def test_a_rule_that_joins_domains_joins_those_of_its_own_group() -> None:
    for group, domains in groups("canonical", "domains").items():
        assert RULES[group].domain in {None, *domains}
