"""Proof of work, over the whole way: bots make their network's next pages work, and a person still gets through."""

from pathlib import Path

import pytest
from altcha.v1 import solve_challenge

from formwarden.scoring import Action, Standing
from formwarden.submission import EVIDENCE_FIELD, TOKEN_FIELD
from tests.page.elements import Elements
from tests.sites import MESSAGE, Site, evidence

BOT = "198.51.100.7"
NEIGHBOUR = "198.51.100.200"  # of the same /24
ELSEWHERE = "203.0.113.9"


async def flood(site: Site, posts: int = 6) -> None:
    """Post without ever having had the page."""
    bot = site.visitor(BOT, scripts=False, headers={})
    for number in range(posts):
        await bot.post({"name": "A", "email": f"a{number}@gmail.com", "message": f"Buy this, please, {number}"})


async def token_of(site: Site, ip: str) -> Elements:
    return Elements((await site.visitor(ip).request("GET", "/contact")).text)


def filled(page: Elements, message: str) -> dict[str, str]:
    """Fill in the form, its traps untouched."""
    inputs = [each for each in page.all("input") if each.get("type") != "checkbox"]
    shown = {str(each["name"]): str(each.get("value") or "") for each in inputs}
    address = f"taro.{len(message)}@gmail.com"
    return shown | {"name": "Taro", "email": address, "message": message}


def answer(page: Elements) -> int:
    """Solve what the page demands."""
    field = page.field(TOKEN_FIELD)
    numbers, _, wanted = str(field["data-work"]).partition(".")
    found = solve_challenge(wanted, f"{str(field['value'])[-16:]}&", "SHA-256", int(numbers))
    assert found is not None
    return found.number


@pytest.mark.anyio
async def test_g34_bots_make_the_pages_of_their_network_work_and_no_others(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert "data-work" not in (await token_of(site, NEIGHBOUR)).field(TOKEN_FIELD)
    await flood(site)
    assert "data-work" in (await token_of(site, NEIGHBOUR)).field(TOKEN_FIELD)
    assert "data-work" not in (await token_of(site, ELSEWHERE)).field(TOKEN_FIELD)
    site.clock.move(600)
    assert "data-work" not in (await token_of(site, NEIGHBOUR)).field(TOKEN_FIELD)


@pytest.mark.anyio
async def test_g34_a_person_under_attack_is_accepted_with_and_without_the_work(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await flood(site)
    for solving in (True, False):
        page = await token_of(site, NEIGHBOUR)
        token = str(page.field(TOKEN_FIELD)["value"])
        person = site.visitor(NEIGHBOUR)
        shown = filled(page, f"{MESSAGE} {solving}")
        shown[EVIDENCE_FIELD] = evidence(token, n=answer(page)) if solving else evidence(token)
        site.clock.move(30)
        await person.post(shown)
        verdict = site.verdicts[-1]
        assert (verdict.action, verdict.standing) == (Action.ACCEPT, Standing.SHOWN)
        names = {hit.signal: hit.points for hit in verdict.hits}
        assert ("work_solved" in names, names.get("work_missing")) == (solving, None if solving else 1.0)


@pytest.mark.anyio
async def test_g34_work_makes_up_for_evidence_that_is_missing_and_is_plain_then(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await flood(site)
    for solving, expected in ((True, Standing.PLAIN), (False, Standing.DOUBTFUL)):
        page = await token_of(site, NEIGHBOUR)
        token = str(page.field(TOKEN_FIELD)["value"])
        nothing = {"k": 0, "p": 0, "d": 0, "i": 0}
        shown = filled(page, f"{MESSAGE} {solving}")
        number = {"n": answer(page)} if solving else {}
        shown[EVIDENCE_FIELD] = evidence(token, **nothing, **number)
        site.clock.move(30)
        await site.visitor(NEIGHBOUR).post(shown)
        assert site.verdicts[-1].standing is expected
