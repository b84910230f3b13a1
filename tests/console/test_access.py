import base64

import pytest
from starlette.datastructures import Headers

from formwarden.console.access import is_own_post, may_enter


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("user", ["", "owner", "鈴木"])
def test_the_password_opens_under_any_user_name(user: str) -> None:
    assert may_enter(basic(f"{user}:geheim"), "geheim")


def test_a_password_may_hold_colons_and_letters_beyond_ascii() -> None:
    assert may_enter(basic("owner:秘密:2"), "秘密:2")


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", "Basic é", basic("owner:wrong"), basic("geheim"), basic("geheim:"), "Bearer geheim"]
    + [basic(f"owner:{text}") for text in ("gehei", "geheim ", "geheimnis", "Geheim", "")],
)
def test_nothing_else_opens(header: str) -> None:
    assert not may_enter(header, "geheim")


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://shop.jp", "sec-fetch-site": "same-origin"},
        {"origin": "https://shop.jp"},
        {"origin": "https://SHOP.jp"},
        {"sec-fetch-site": "same-origin"},
        {"origin": "https://public.jp"},
    ],
)
def test_a_post_from_a_page_of_this_site_is_told(headers: dict[str, str]) -> None:
    assert is_own_post(Headers({"host": "shop.jp", **headers}), "https://public.jp/base")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.com"},
        {"origin": "https://shop.jp.evil.com"},
        {"origin": "https://shop.jp:8443"},
        {"origin": "https://[evil"},
        {"origin": "https://shop.jp", "sec-fetch-site": "cross-site"},
        {"origin": "https://shop.jp", "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site"},
    ],
)
def test_a_post_from_elsewhere_or_nowhere_is_not_ours(headers: dict[str, str]) -> None:
    assert not is_own_post(Headers({"host": "shop.jp", **headers}), None)


def test_a_request_without_a_host_owns_no_origin() -> None:
    assert not is_own_post(Headers({"origin": "null"}), None)
