"""What came while the store was down stands there afterwards as if it had been up: once, and mailed once."""

import asyncio
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from formwarden import StoreError, Submission, Verdict
from formwarden.judge import ENDPOINT_LEASE_S
from formwarden.mail.sender import SendResult, SendState
from formwarden.stores.ports import Inquiry, Staff, State
from tests.e2e.real_site import RealSite
from tests.sites import ADDRESS, MESSAGE, STAFF, Site, Visitor

pytestmark = pytest.mark.anyio
DOWN = StoreError("disk full")


def down(site: Site) -> None:
    for port in ("inquiries", "ledger"):
        site.store.fails(port, DOWN)


async def up(site: Site, seconds: float = 1.0) -> Inquiry:
    """Let the store come back, and the work be done; return the only inquiry."""
    for port in ("inquiries", "ledger"):
        site.store.fails(port, None)
    await site.later(seconds)
    assert site.journal_path.read_bytes() == b""
    return await site.inquiry()


async def data_of(site: Site, visitor: Visitor) -> dict[str, str]:
    page = await visitor.open()
    site.clock.move(20)
    return visitor.fill(page)


async def refuses(_: Request, __: Verdict) -> Response:
    return PlainTextResponse("", 422)


async def fails(_: Request, __: Verdict) -> Response:
    return PlainTextResponse("", 500)


async def test_it_stands_as_done_and_its_staff_mail_as_sent_and_nobody_hears_of_it_again(tmp_path: Path) -> None:
    site = Site(tmp_path)
    down(site)
    visitor = site.visitor()
    data = await data_of(site, visitor)
    location = (await visitor.post(data)).headers["location"]
    overview = await site.warden.overview()
    assert (overview.spooled.inquiries, [each.state for each in overview.journal]) == (1, [State.DONE])
    kept = await up(site)
    assert (kept.state, kept.staff, kept.answer) == (State.DONE, Staff.SENT, (303, location))
    assert kept.body is not None
    await site.later(86_400)
    assert len(site.verdicts) == 1
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]
    assert await site.row(kept.id) is None
    assert (await site.warden.overview()).spooled.size == 0


async def test_a_second_click_afterwards_gets_the_first_ones_answer(tmp_path: Path) -> None:
    site = Site(tmp_path)
    down(site)
    visitor = site.visitor()
    data = await data_of(site, visitor)
    first = await visitor.post(data)
    await up(site)
    second = await visitor.post(data)
    assert second.headers["location"] == first.headers["location"]
    assert len(site.verdicts) == 1


async def test_a_second_click_meanwhile_gets_thanks_and_runs_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    down(site)
    visitor = site.visitor()
    data = await data_of(site, visitor)
    answers = [await visitor.post(data) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    assert len(site.verdicts) == 1
    await up(site)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


@pytest.mark.parametrize(
    ("endpoint", "state", "note"),
    [(refuses, State.REFUSED, "refused by the site: 422"), (fails, State.HELD, "endpoint failed: 500")],
)
async def test_what_the_endpoint_did_not_take_stands_so(
    tmp_path: Path, endpoint: object, state: State, note: str
) -> None:
    site = Site(tmp_path)
    site.endpoint = refuses if endpoint is refuses else fails
    down(site)
    visitor = site.visitor()
    data = await data_of(site, visitor)
    await visitor.post(data)
    kept = await up(site)
    assert (kept.state, kept.note, kept.staff) == (state, note, Staff.NONE)
    assert site.sender.mails == []


async def test_after_a_failure_it_runs_again_meanwhile_and_stands_as_done(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.endpoint = fails
    down(site)
    visitor = site.visitor()
    data = await data_of(site, visitor)
    assert (await visitor.post(data)).status_code == 500
    site.endpoint = site.answers
    assert (await visitor.post(data)).status_code == 303
    kept = await up(site)
    assert (kept.state, kept.staff) == (State.DONE, Staff.SENT)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


async def test_g21_whose_process_died_is_found_held(tmp_path: Path) -> None:
    site = Site(tmp_path)
    running = asyncio.Event()

    async def endless(_: Request, __: Verdict) -> Response:
        running.set()
        await asyncio.Event().wait()
        return Response()

    site.endpoint = endless
    down(site)
    visitor = site.visitor()
    data = await data_of(site, visitor)
    task = asyncio.create_task(visitor.post(data))
    await running.wait()
    spooled = site.journal_path.read_bytes()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    site.journal_path.write_bytes(spooled)  # a dead process wrote nothing of its end
    assert (await up(site)).state is State.ACCEPTED
    await site.later(ENDPOINT_LEASE_S)
    kept = await site.inquiry()
    assert (kept.state, kept.note) == (State.HELD, "endpoint failed: its process ended; may have run")
    assert site.sender.mails == []


async def test_a_store_that_goes_down_while_the_endpoint_runs_learns_the_end_later(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def late(request: Request, verdict: Verdict) -> Response:
        down(site)
        return await site.answers(request, verdict)

    site.endpoint = late
    visitor = site.visitor()
    await visitor.post(await data_of(site, visitor))
    assert site.verdicts[0].recorded
    kept = await up(site)
    assert (kept.state, kept.staff) == (State.DONE, Staff.SENT)
    await site.later(60)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


async def test_a_store_that_comes_back_while_the_endpoint_runs_learns_the_end_too(tmp_path: Path) -> None:
    site = Site(tmp_path)

    async def back(request: Request, verdict: Verdict) -> Response:
        assert (await up(site)).state is State.ACCEPTED
        return await site.answers(request, verdict)

    site.endpoint = back
    down(site)
    visitor = site.visitor()
    await visitor.post(await data_of(site, visitor))
    kept = await up(site)
    assert (kept.state, kept.staff) == (State.DONE, Staff.SENT)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


async def test_g24_a_relay_that_is_down_as_well_gets_the_staffs_mail_after_both_are_back(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.sender.says = SendResult(state=SendState.NOT_SENT, text="no connection")
    down(site)
    visitor = site.visitor()
    await visitor.post(await data_of(site, visitor))
    site.sender.says = SendResult(state=SendState.TAKEN, code=250)
    kept = await up(site)
    assert (kept.state, kept.staff) == (State.DONE, Staff.SENT)
    await site.later(3_600)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


async def test_g24_of_a_process_that_died_in_the_sending_the_mail_is_sent_when_its_time_is_over(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    spooled = list[bytes]()
    send = site.sender.send

    async def watched(envelope_from: str, recipient: str, data: bytes, /, *, deadline_s: float) -> SendResult:
        spooled.append(site.journal_path.read_bytes())
        return await send(envelope_from, recipient, data, deadline_s=deadline_s)

    site.sender.send = watched  # type: ignore[method-assign]  # the relay's double
    down(site)
    visitor = site.visitor()
    await visitor.post(await data_of(site, visitor))
    site.journal_path.write_bytes(spooled[0])
    assert (await up(site)).staff is Staff.DUE
    assert len(site.sender.mails) == 1
    await site.later(120)
    assert (await site.inquiry()).staff is Staff.SENT
    assert len(site.sender.mails) == 2  # at least once


async def test_without_the_middleware_it_is_done_at_once_and_told_once(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"on_hold": "digest"})  # else what is held is told at once too (G25)
    down(site)
    submission = Submission("contact", [("email", ADDRESS), ("message", MESSAGE)])
    verdict = await site.warden.judge(submission)
    if verdict.accepted:
        await site.warden.notify(verdict)
        await site.warden.notify(verdict)
    kept = await up(site)
    assert kept.state in {State.DONE, State.HELD, State.ASKED}
    assert len(site.sender.mails) == (1 if verdict.accepted else 0)


async def test_g23_what_the_full_journal_cannot_take_is_marked_in_the_staffs_mail_and_among_the_faults(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, settings={"journal_bytes": 1})
    down(site)
    await site.visitor(headers={}).post({"name": "x", "email": ADDRESS, "message": MESSAGE})
    (mail,) = site.sender.mails
    assert mail.message["Subject"].startswith("[not recorded] contact: inquiry ")
    assert "neither the store nor the journal could take this inquiry" in mail.text
    assert {"journal", "not recorded"} <= {fault.what for fault in (await site.warden.overview()).faults}


async def test_after_a_replay_no_text_is_left_in_the_journal(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:
        site.store_path.write_bytes(b"this is no database, and never was one " * 200)
        visitor = site.visitor()
        await visitor.send(await visitor.open())
        journal = tmp_path / "formwarden.db.journal"
        assert journal.stat().st_size > 0
        assert journal.stat().st_mode & 0o777 == 0o600
        site.store_path.unlink()
        await site.later(60)
        row = await site.row_of_one()
        assert (row.inquiry.state, row.inquiry.staff) == (State.DONE, Staff.SENT)
        assert journal.read_bytes() == b""
        assert not (tmp_path / "formwarden.db.journal.rest").exists()
        assert not (tmp_path / "formwarden.db.journal.aside").exists()
        assert site.mailed(STAFF) == 1
        assert site.mailed(ADDRESS) == 0


async def test_the_relays_250_is_not_forgotten_while_the_ledger_is_down(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.post(await data_of(site, visitor))
    site.store.fails("ledger.settle", DOWN)
    await site.later(1)
    assert len(site.sender.to(ADDRESS)) == 1
    site.clock.move(3_600)
    site.store.fails("ledger.settle", None)
    await site.later(1)
    row = await site.row((await site.inquiry()).id)
    assert row is not None
    assert row.state == "sent"
    assert len(site.sender.to(ADDRESS)) == 1
