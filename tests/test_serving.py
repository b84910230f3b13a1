"""Our pages, where no middleware of ours stands in front."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request

from formwarden import Submission
from tests.page.elements import Elements
from tests.sites import MESSAGE, Site, contact
from tests.test_sync import environ, plain, posted


def asked(path: str, query: str = "", **more: object) -> dict[str, object]:
    return environ(REQUEST_METHOD="GET", PATH_INFO=path, QUERY_STRING=query, **more)


def test_style_sheet_and_script_are_served_by_their_names_on_the_page(tmp_path: Path) -> None:
    site = plain(tmp_path)
    page = Elements(str(site.warden.markup("contact")))
    urls = [str(each["href"]) for each in page.all("link")] + [str(each["src"]) for each in page.all("script")]
    assert len(urls) == 2
    for url in urls:
        answer = site.warden.sync.serve(asked(url))
        assert answer is not None
        assert answer.status == 200
        again = site.warden.sync.serve(asked(url, HTTP_IF_NONE_MATCH=answer.headers["etag"]))
        assert again is not None
        assert again.status == 304


def test_a_mounted_application_has_its_mount_in_the_links_of_its_pages(tmp_path: Path) -> None:
    site = plain(tmp_path)
    markup = str(site.warden.markup("contact", request=environ(SCRIPT_NAME="/shop")))
    assert 'href="/shop/_formwarden/guard.' in markup


def test_a_page_for_a_wsgi_request_speaks_its_language_and_knows_its_network(tmp_path: Path) -> None:
    site = plain(tmp_path, tokens_per_10_min="3")
    japanese = environ(HTTP_ACCEPT_LANGUAGE="ja")
    assert "何も入力しない" in site.warden.markup("contact", request=japanese)
    pages = [Elements(str(site.warden.markup("contact", request=japanese))).all("input") for _ in range(5)]
    tokens = [next(each["value"] for each in page if each["name"] == "_fw_token") for page in pages]
    assert [bool(token) for token in tokens] == [True, True, False, False, False]  # G28
    scope = {"type": "http", "path": "/", "client": ("198.51.100.1", 5), "headers": [(b"accept-language", b"ja")]}
    assert "何も入力しない" in site.warden.markup("contact", request=Request(scope))


def test_the_copy_is_shown_for_a_valid_receipt_only(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    url = urlsplit(site.warden.thanks_url(verdict))
    for path in (url.path, f"{url.path}/"):
        answer = site.warden.sync.serve(asked(path, url.query))
        assert answer is not None
        assert MESSAGE in answer.body.decode()
        assert answer.headers["cache-control"] == "no-store"
    assert site.warden.sync.serve(asked(url.path, url.query[:-3])) is None
    assert site.warden.sync.serve(asked(url.path)) is None


def test_a_fresh_token_is_served_to_the_script(tmp_path: Path) -> None:
    site = plain(tmp_path)
    marker = next(
        each["value"]
        for each in Elements(str(site.warden.markup("contact"))).all("input")
        if each["name"] == "_fw_form"
    )
    answer = site.warden.sync.serve(asked("/_formwarden/token", f"m={marker}"))
    assert answer is not None
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")


@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", ""])
def test_only_reading_is_ours(method: str, tmp_path: Path) -> None:
    assert plain(tmp_path).warden.sync.serve(asked("/thanks", "receipt=x") | {"REQUEST_METHOD": method}) is None


def test_every_other_path_is_the_sites_and_costs_no_loop(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    for path in ("/", "/contact", "/thanks/more", "/_formwarde", ""):
        assert site.warden.sync.serve(asked(path)) is None
