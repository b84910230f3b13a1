"""One who closes the tab at whatever page asks for another click is in the owner's list within 31 minutes (G22)."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx2
import pytest

from formwarden import GuardedForm, Thresholds
from formwarden.console.report import typed_in
from formwarden.stores.ports import State
from tests.sites import MESSAGE, STAFF, Site, Visitor, contact, read_page
from tests.web.test_second_chance import CAUSES

MINUTE_S = 60
MOST_MINUTES = 31
Provoke = Callable[[Site, Visitor], Awaitable[httpx2.Response]]


async def challenged(site: Site, visitor: Visitor) -> httpx2.Response:
    """Come without any header of a browser, where little is enough for quarantine."""
    del site
    page = await visitor.open()
    visitor.headers = {}
    return await visitor.send(page)


PROVOKE: Mapping[str, Provoke] = {name: cause.provoke for name, cause in CAUSES.items()} | {"challenge": challenged}


async def twice(site: Site, visitor: Visitor, provoke: Provoke) -> httpx2.Response:
    """Answer the first question a day late, and be asked again."""
    return await visitor.send(read_page(await provoke(site, visitor)), after_s=86_401)


def site_for(tmp_path: Path) -> Site:
    thresholds = Thresholds(quarantine=1.0, reject=99.0)
    strict = GuardedForm("contact", path="/contact", on_quarantine="challenge", thresholds=thresholds)
    return Site(tmp_path, strict)


def was_asked(response: httpx2.Response) -> bool:
    return "One more click, please" in response.text


@pytest.mark.anyio
@pytest.mark.parametrize("again", [False, True], ids=["at the first page", "at the second page"])
@pytest.mark.parametrize("cause", PROVOKE)
async def test_g22_the_owner_reads_all_of_it_within_31_minutes(tmp_path: Path, cause: str, again: bool) -> None:  # noqa: FBT001 - a table
    site = site_for(tmp_path) if cause == "challenge" else Site(tmp_path, contact(), contact("order", "/order"))
    visitor, provoke = site.visitor(), PROVOKE[cause]
    response = await (twice(site, visitor, provoke) if again else provoke(site, visitor))
    assert was_asked(response)
    (asked,) = await site.inquiries(State.ASKED)
    came, before = site.clock.now(), len(site.verdicts)
    for _ in range(MOST_MINUTES):
        await site.later(MINUTE_S)
        (row,) = [each for each in (await site.warden.overview(limit=50)).rows if each.inquiry.id == asked.id]
        if row.inquiry.state is not State.ASKED:
            break
    assert (site.clock.now() - came) / MINUTE_S <= MOST_MINUTES
    typed = typed_in(row.inquiry)
    assert typed is not None
    assert ("message", MESSAGE) in typed.fields
    if row.inquiry.state is State.RELEASED:  # nothing but the address was in doubt: its way is the accepted one's
        assert (cause, len(site.verdicts)) == ("address", before + 1)
        await site.later(MINUTE_S)
        assert any(MESSAGE in mail.text for mail in site.sender.to(STAFF))
    else:
        assert row.inquiry.state is State.HELD
        assert await site.warden.release(asked.id)
        assert len(site.verdicts) == before + 1
