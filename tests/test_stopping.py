"""The link in the mail, from the mail to the suppression list, over the middleware and without it."""

import re
from pathlib import Path

import pytest

from formwarden import AutoReply, GuardedForm, Settings, Warden
from formwarden.errors import StoreError
from formwarden.stopping import CLICKS
from formwarden.stores.ports import Reputation
from formwarden.subjects import Subjects
from formwarden.submission import Answer
from tests.page.elements import Elements
from tests.sites import ADDRESS, URL, Site

DAY_S = 86_400.0
FORGED = "/_formwarden/stop/" + "a" * 56


def site(tmp_path: Path, **settings: object) -> Site:
    return Site(tmp_path, settings={"public_url": URL, **settings})


async def mailed(site: Site, address: str = ADDRESS, ip: str = "203.0.113.9") -> str:
    """Let somebody write, and return the path of the link in the mail that goes to that address."""
    visitor = site.visitor(ip)
    await visitor.send(await visitor.open(), {"email": address, "message": f"Do you repair bows? {address}"})
    await site.later(1)
    (mail,) = site.sender.to(address)
    (path,) = re.findall(rf"{URL}(/_formwarden/stop/\S+)", mail.text)
    return str(path)


async def code_of_next(site: Site, address: str = ADDRESS, ip: str = "203.0.113.80") -> str:
    """Let a month go by, let the same address write again, and return what the gate says."""
    site.clock.move(30 * DAY_S)
    visitor = site.visitor(ip)
    await visitor.send(await visitor.open(), {"email": address, "message": f"Once more about bows, {address}"})
    row = await site.row(site.verdicts[-1].id)
    assert row is not None
    return row.code


async def reputation(site: Site, address: str) -> Reputation:
    keys = Subjects(await site.store.well.recipient_keys())
    subjects = [*keys.keys("address", address), *keys.keys("provider", "google"), *keys.keys("site", "")]
    return await site.store.well.ledger.reputation(subjects)


@pytest.mark.anyio
async def test_g13_a_stop_click_suppresses_that_address_and_feeds_no_breaker(tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    answer = await here.visitor("198.51.100.7").request("POST", path)
    assert answer.status_code == 200
    known = await reputation(here, ADDRESS.replace(".", "", 1))
    assert set(known.suppressed.values()) == {"stop"}
    assert known.breakers == {}
    assert await code_of_next(here) == "SUPP_STOP"
    assert await code_of_next(here, "somebody@example.com", "198.51.100.9") == "OK"


@pytest.mark.anyio
async def test_r23_looking_at_a_link_changes_nothing_however_often(tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    for method in ("GET", "HEAD", "GET"):
        answer = await here.visitor(headers={}).request(method, path)
        assert answer.status_code == 200
    assert await code_of_next(here) == "OK"


@pytest.mark.anyio
async def test_ten_clicks_are_one(tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    pages = {(await here.visitor().request("POST", path)).text for _ in range(10)}
    assert len(pages) == 1
    assert await code_of_next(here) == "SUPP_STOP"


@pytest.mark.anyio
async def test_every_variant_of_the_address_is_stopped(tmp_path: Path) -> None:
    here = site(tmp_path)
    await here.visitor().request("POST", await mailed(here))
    assert await code_of_next(here, "taroyamada+bows@googlemail.com") == "SUPP_STOP"


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_every_link_gets_the_same_pages_so_they_tell_nothing(method: str, tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    real = await here.visitor().request(method, path)
    for other in (FORGED, path[:-1], path + "a", "/_formwarden/stop/", "/_formwarden/stop/" + "é" * 3_000):
        answer = await here.visitor().request(method, other)
        assert (answer.status_code, answer.text) == (real.status_code, real.text)
        assert dict(answer.headers) == dict(real.headers)
    here.clock.move(61 * DAY_S)
    assert (await here.visitor().request(method, path)).text == real.text


@pytest.mark.anyio
async def test_a_link_that_is_too_old_stops_nobody(tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    here.clock.move(61 * DAY_S)
    await here.visitor().request("POST", path)
    assert await code_of_next(here) == "OK"


@pytest.mark.anyio
@pytest.mark.parametrize(("language", "title"), [("en", "Stop automatic mail"), ("ja", "自動返信を停止します")])
async def test_the_page_has_one_button_and_nothing_else(language: str, title: str, tmp_path: Path) -> None:
    here = site(tmp_path)
    answer = await here.visitor(headers={"accept-language": language}).request("GET", FORGED)
    elements = Elements(answer.text)
    assert f"<h1>{title}</h1>" in answer.text
    assert len(elements.all("button")) == 1
    assert elements.all("input") == elements.all("a") == elements.all("script") == elements.all("img") == []
    (form,) = elements.all("form")
    assert form["method"] == "post"
    assert "action" not in form  # the same URL
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.anyio
async def test_one_network_clicks_so_often_and_no_more(tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    for _ in range(CLICKS):
        assert (await here.visitor().request("POST", FORGED)).status_code == 200
    late = await here.visitor("203.0.113.200").request("POST", path)
    assert late.status_code == 429
    assert 0 < int(late.headers["retry-after"]) <= 600
    assert (await here.visitor("198.51.100.7").request("POST", FORGED)).status_code == 200
    assert await code_of_next(here) == "OK"


@pytest.mark.anyio
async def test_a_store_that_is_down_says_so_and_the_owner_hears_of_it(tmp_path: Path) -> None:
    here = site(tmp_path)
    path = await mailed(here)
    here.store.fails("ledger.suppress", StoreError("disk full"))
    answer = await here.visitor().request("POST", path)
    assert answer.status_code == 503
    assert here.warden.faults.of("ledger") == 1


@pytest.mark.anyio
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_g30_without_a_public_url_there_is_no_link_and_no_page(method: str, tmp_path: Path) -> None:
    here = site(tmp_path, public_url=None)
    assert (await here.visitor(headers={"host": "evil.test"}).request(method, FORGED)).status_code == 404
    person = here.visitor()
    await person.send(await person.open(), headers={"x-forwarded-host": "evil.test"})
    await here.later(1)
    (mail,) = here.sender.to(ADDRESS)
    assert "http" not in mail.text


@pytest.mark.anyio
async def test_g30_a_link_never_comes_from_a_request(tmp_path: Path) -> None:
    here = site(tmp_path, public_url="https://www.public.example/base")
    visitor = here.visitor()
    said = {"host": "evil.test", "origin": "https://evil.test", "x-forwarded-host": "evil.test"}
    await visitor.send(await visitor.open(), headers=said)
    await here.later(1)
    (mail,) = here.sender.to(ADDRESS)
    assert "evil" not in mail.text
    assert "https://www.public.example/base/_formwarden/stop/" in mail.text


@pytest.mark.anyio
async def test_other_methods_are_the_sites(tmp_path: Path) -> None:
    assert (await site(tmp_path).visitor().request("PUT", FORGED)).status_code == 404


def environ(method: str, path: str) -> dict[str, object]:
    return {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "198.51.100.7", "HTTP_HOST": "site.example"}


def test_frameworks_without_the_middleware_serve_it_too() -> None:
    settings = Settings.only(
        secret_keys="k" * 40, site_domain="site.example", store_url="memory://", public_url=URL, work="cron"
    )
    warden = Warden(GuardedForm("contact", reply=AutoReply()), settings=settings)
    try:
        shown = warden.sync.serve(environ("GET", FORGED))
        done = warden.sync.serve(environ("POST", FORGED))
        assert isinstance(shown, Answer)
        assert isinstance(done, Answer)
        assert b"<button" in shown.body
        assert b"<button" not in done.body
        assert warden.sync.serve(environ("POST", "/contact")) is None
        assert warden.sync.serve(environ("PUT", FORGED)) is None
    finally:
        warden.sync.close()
