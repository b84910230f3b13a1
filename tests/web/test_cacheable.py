"""`GuardedForm(cacheable=True)`: one and the same page for everybody, for days (G01, G28, G35)."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from formwarden import GuardedForm, Standing, Verdict
from formwarden.page.traps import WEEK_S
from formwarden.stores.ports import State
from tests.page.elements import Elements
from tests.proof import Proof
from tests.sites import ADDRESS, MESSAGE, read_page
from tests.web.cached import DAY_S, CachedSite, with_scripts

AGES_S = [0, 3 * DAY_S, WEEK_S]
OLD, NEW = "o" * 40, "n" * 40


@pytest.fixture
def site(tmp_path: Path) -> CachedSite:
    return CachedSite(tmp_path)


@pytest.mark.anyio
async def test_two_visitors_get_the_same_bytes_and_a_week_later_too(site: CachedSite) -> None:
    first = await site.visitor().open()
    second = await site.visitor("198.51.100.7").open()
    site.clock.move(WEEK_S)
    third = await site.visitor("192.0.2.7").open()
    assert first.response.content == second.response.content == third.response.content
    assert site.cache.served == 2
    assert first.response.headers["cache-control"] == "public, max-age=864000"  # the site's own word
    assert (first.token, bool(first.marker)) == ("", True)
    assert "integrity" not in first.response.text  # a page may outlive a release of ours (G35)


@pytest.mark.anyio
async def test_g28_any_other_form_is_kept_by_no_cache_whatever_the_site_says(tmp_path: Path) -> None:
    site = CachedSite(tmp_path, GuardedForm("contact", path="/contact"))
    first, second = await site.visitor().open(), await site.visitor("198.51.100.7").open()
    assert first.response.headers["cache-control"] == "private, no-store"
    assert (first.token == second.token, site.cache.served) == (False, 0)


@pytest.mark.anyio
@pytest.mark.parametrize("age_s", AGES_S)
async def test_g01_a_person_without_scripts_is_accepted_and_no_machine_answers(
    site: CachedSite, age_s: float
) -> None:
    await site.visitor("198.51.100.7").open()
    site.clock.move(age_s)
    visitor = site.visitor(scripts=False)
    page = await visitor.open()
    assert (await visitor.send(page)).status_code == 303
    (verdict,) = site.verdicts
    assert {hit.signal for hit in verdict.hits} == {"token_missing"}
    assert verdict.standing is Standing.DOUBTFUL
    await site.later(60)
    row = await site.row(verdict.id)
    assert row is not None
    assert (row.code, site.sender.to(ADDRESS)) == ("HELD_SUSPECT", [])
    assert len(site.sender.mails) == 1  # the staff's


@pytest.mark.anyio
@pytest.mark.parametrize("age_s", AGES_S)
async def test_g01_a_person_with_scripts_gets_a_token_of_ones_own_and_is_shown(
    site: CachedSite, age_s: float
) -> None:
    await site.visitor("198.51.100.7").open()
    site.clock.move(age_s)
    visitor = site.visitor()
    page = await with_scripts(visitor, await visitor.open())
    assert page.response.text.count(page.token) == 0
    assert (await visitor.send(page)).status_code == 303
    (verdict,) = site.verdicts
    assert (verdict.score, verdict.standing) == (0, Standing.SHOWN)
    await site.later(60)
    assert len(site.sender.to(ADDRESS)) == 1


@pytest.mark.anyio
async def test_tokens_that_scripts_fetch_are_kept_by_no_cache(site: CachedSite) -> None:
    page = await site.visitor().open()
    first = await with_scripts(site.visitor(), page)
    second = await with_scripts(site.visitor("198.51.100.7"), page)
    assert "" not in {first.token, second.token}
    assert first.token != second.token


@pytest.mark.anyio
@pytest.mark.parametrize("age_s", AGES_S)
async def test_traps_of_a_page_of_another_week_still_catch(site: CachedSite, age_s: float) -> None:
    await site.visitor("198.51.100.7").open()
    site.clock.move(age_s)
    bot = site.visitor(scripts=False)
    page = await bot.open()
    (trap,) = [
        each["name"]
        for each in Elements(page.response.text).all("input")
        if each.get("tabindex") and each["type"] == "text"
    ]
    await bot.send(page, {str(trap): "Acme"})
    assert site.verdicts == []
    (held,) = await site.inquiries(State.HELD)
    assert held.hits["trap_filled"] > 0


@pytest.mark.anyio
async def test_of_a_page_whose_key_is_the_older_one_by_now_nothing_is_lost(tmp_path: Path) -> None:
    old, new = CachedSite(tmp_path, secret_keys=OLD), CachedSite(tmp_path, secret_keys=f"{NEW} {OLD}")
    page = await old.visitor().open()
    new.clock.move(WEEK_S)
    await new.visitor("198.51.100.7", scripts=False).send(page)
    scripted = await with_scripts(new.visitor(), page)
    assert scripted.token
    await new.visitor().send(
        scripted, {"message": "Quite another matter: do you sell rosin?", "email": "ann@gmail.com"}
    )
    assert [verdict.standing for verdict in new.verdicts] == [Standing.DOUBTFUL, Standing.SHOWN]


@pytest.mark.anyio
@pytest.mark.parametrize("scripts", [True, False])
async def test_of_a_page_whose_key_is_gone_one_click_is_asked(tmp_path: Path, scripts: bool) -> None:  # noqa: FBT001 - a table
    old, new = CachedSite(tmp_path, secret_keys=OLD), CachedSite(tmp_path, secret_keys=NEW)
    page = await old.visitor().open()
    visitor = new.visitor(scripts=scripts)
    if scripts:
        page = await with_scripts(visitor, page)
    response = await visitor.send(page)
    assert "The page was open for a long time" in response.text
    assert MESSAGE in response.text
    assert (await visitor.send(read_page(response), after_s=2.0)).status_code == 303
    assert len(new.verdicts) == 1


@pytest.mark.anyio
async def test_g28_what_the_site_shows_again_is_kept_by_no_cache(site: CachedSite) -> None:
    async def refuses(_: Request, verdict: Verdict) -> Response:
        form = f"<form>{site.warden.markup('contact', again=verdict)}<input name='email'></form>"
        return HTMLResponse(form, status_code=422, headers={"cache-control": "public, max-age=60"})

    visitor = site.visitor()
    site.endpoint = refuses
    response = await visitor.send(await with_scripts(visitor, await visitor.open()))
    assert response.headers["cache-control"] == "private, no-store"
    site.endpoint = site.answers
    assert (
        await visitor.send(read_page(response), {"message": f"{MESSAGE} Thanks!"}, after_s=1.0)
    ).status_code == 303


@pytest.mark.anyio
async def test_a_marker_of_a_cached_page_is_no_ticket_for_a_flood(site: CachedSite, proof: Proof) -> None:
    """Marker only is a small score: what is alike, or comes in numbers, is held, and no machine answers any of it."""
    page = await site.visitor().open()
    for number in range(40):
        bot = site.visitor(f"198.51.100.{number}", scripts=False)
        await bot.send(
            page, {"email": f"ann{number}@gmail.com", "message": f"{MESSAGE} Offer {number}."}, after_s=1.0
        )
    await site.later(60)
    proof(
        "of 40 alike with the marker of one cached page, each from an address of its own", accepted=len(site.verdicts)
    )
    assert len(site.verdicts) <= 6
    assert [mail for mail in site.sender.mails if mail.recipient.endswith("@gmail.com")] == []
