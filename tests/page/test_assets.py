"""Static files and fresh tokens."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formwarden.page.assets import CURRENT, KEPT, Assets, token_answer


def test_a_file_under_its_hash_is_kept_for_a_year(assets: Assets) -> None:
    for asset in (assets.guard_script, assets.guard_style, assets.page_style):
        answer = assets.answer(asset.url)
        assert answer is not None
        assert answer.status == 200
        assert answer.body == asset.body
        assert answer.headers["cache-control"] == KEPT == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] == asset.content_type
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_types_are_what_nosniff_demands(assets: Assets) -> None:
    assert assets.guard_script.content_type.startswith("text/javascript")
    assert assets.guard_style.content_type.startswith("text/css")


@pytest.mark.parametrize("name", ["guard.0123456789ab.js", "guard.js", "guard.old.js"])
def test_g35_an_unknown_hash_serves_the_current_file_for_a_short_time(assets: Assets, name: str) -> None:
    answer = assets.answer(f"/_formwarden/{name}")
    assert answer is not None
    assert answer.body == assets.guard_script.body
    assert answer.headers["cache-control"] == CURRENT == "public, max-age=300"


@pytest.mark.parametrize(
    "path",
    [
        "/_formwarden/",
        "/_formwarden/token",
        "/_formwarden/pages.js",
        "/_formwarden/../settings.py",
        "/_formwarden/guard.js/",
        "/_formwarden/guard.js\n",
        "/_formwarden/guard.a/b.js",
        "/guard.js",
        "guard.js",
        "",
    ],
)
def test_nothing_else_is_served(assets: Assets, path: str) -> None:
    assert assets.answer(path) is None


@given(st.text(max_size=30))
def test_no_path_makes_it_raise(path: str) -> None:
    Assets("/").answer("/" + path)


@pytest.mark.parametrize("form", ['"{}"', 'W/"{}"', '"other", "{}"', "*"])
def test_a_file_the_browser_has_is_not_sent_again(assets: Assets, form: str) -> None:
    asset = assets.guard_script
    answer = assets.answer(asset.url, form.format(asset.digest))
    assert answer is not None
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == f'"{asset.digest}"'
    assert answer.headers["cache-control"] == KEPT


@pytest.mark.parametrize("tag", ['"other"', "", '""'])
def test_another_file_is_sent(assets: Assets, tag: str) -> None:
    answer = assets.answer(assets.guard_script.url, tag)
    assert answer is not None
    assert answer.status == 200


def test_the_integrity_value_is_that_of_the_file(assets: Assets) -> None:
    digest = hashlib.sha384(assets.guard_style.body).digest()
    assert assets.guard_style.integrity == f"sha384-{base64.b64encode(digest).decode()}"


def test_a_fresh_token_is_never_cached() -> None:
    answer = token_answer("1.key.payload.signature")
    assert (answer.status, answer.body) == (200, b"1.key.payload.signature")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("text/plain")


def test_g28_a_network_that_drew_too_many_tokens_is_told_to_wait() -> None:
    answer = token_answer(None)
    assert (answer.status, answer.body) == (429, b"")
    assert answer.headers["retry-after"] == "600"
    assert answer.headers["cache-control"] == "no-store"
