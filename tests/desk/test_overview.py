"""What the owner sees at a glance."""

from pathlib import Path

import pytest

from formwarden import StoreError
from formwarden.desk.periodic import IDLE_S, Trouble, Warned
from formwarden.mail.limits import as_plain
from formwarden.stores.ports import Growth, State
from tests.sites import ADDRESS, MESSAGE, Site
from tests.web.test_rerun import held


@pytest.mark.anyio
async def test_the_last_inquiries_stand_there_with_their_replies(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    site.clock.move(1)
    await held(site)
    overview = await site.warden.overview()
    newest, oldest = overview.rows
    assert (newest.inquiry.state, newest.reply) == (State.HELD, None)
    assert oldest.inquiry.state is State.DONE
    assert oldest.reply is not None
    assert (oldest.reply.state, oldest.reply.code) == ("due", "OK")
    assert (overview.store, overview.replies_off, overview.now) == (None, False, site.clock.now())
    assert overview.after is None


@pytest.mark.anyio
async def test_pages_follow_each_other_and_states_are_chosen(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for number in range(5):
        site.clock.move(1)
        await site.visitor(f"1.2.{number}.4", headers={}).post({"email": ADDRESS, "message": f"{MESSAGE} {number}"})
    first = await site.warden.overview(limit=3)
    rest = await site.warden.overview(limit=3, after=first.after)
    assert (len(first.rows), len(rest.rows), rest.after) == (3, 2, None)
    assert len({row.inquiry.id for row in (*first.rows, *rest.rows)}) == 5
    assert (await site.warden.overview(states=frozenset({State.DONE}))).rows == ()


@pytest.mark.anyio
async def test_a_store_that_is_down_is_shown_with_the_journal_and_counts_as_replies_off(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for port in ("inquiries", "ledger"):
        site.store.fails(port, StoreError("disk full"))
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    overview = await site.warden.overview()
    assert overview.rows == ()
    assert overview.store == "disk full"
    assert overview.replies_off
    assert [inquiry.receipt for inquiry in overview.journal] == [site.verdicts[0].receipt]
    assert "inquiries" in {fault.what for fault in overview.faults}


@pytest.mark.anyio
async def test_a_dead_ledger_does_not_hide_the_inquiries(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await held(site)
    site.store.fails("ledger", StoreError("disk full"))
    overview = await site.warden.overview()
    assert (len(overview.rows), overview.store, overview.replies_off) == (1, "disk full", True)


@pytest.mark.anyio
async def test_g18_the_switch_is_shown(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.warden.switch_replies(on=False)
    assert (await site.warden.overview()).replies_off
    await site.warden.switch_replies(on=True)
    assert not (await site.warden.overview()).replies_off


@pytest.mark.anyio
async def test_the_limits_of_replies_are_shown_and_a_drip_is_ended_by_its_owner(tmp_path: Path) -> None:
    site = Site(tmp_path)
    growth = Growth(cap=98, day=20_000, drip_cap=7, drip_at=site.clock.now())
    assert await site.store.measures.grow(growth, after=None, alarm="40 new addresses")
    limits = (await site.warden.overview()).limits
    assert limits is not None
    assert (limits.figures.day, limits.dripping, limits.untold) == (7, True, 1)
    assert as_plain(limits)["drip"] is True
    assert await site.warden.call_real()
    limits = (await site.warden.overview()).limits
    assert limits is not None
    assert (limits.figures.day, limits.dripping) == (20, False)  # unproven (G07)
    assert not await site.warden.call_real()
    site.store.fails("measures", StoreError("disk full"))
    assert (await site.warden.overview()).limits is None


@pytest.mark.anyio
async def test_g19_work_that_has_not_run_for_an_hour_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert (await site.warden.overview()).work == (Warned(trouble=Trouble.NEVER),)
    await site.warden.work_once()
    ran = site.clock.now()
    assert (await site.warden.overview()).work == ()
    site.clock.move(IDLE_S)
    assert (await site.warden.overview()).work == (Warned(trouble=Trouble.IDLE, since=ran),)
