"""Whatever fails, the owner loses no inquiry and no stranger is mailed without a ledger row."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from formwarden import Verdict
from formwarden.stores.ports import Staff, State
from formwarden.submission import TOKEN_FIELD
from tests.e2e.real_site import RealSite
from tests.sites import ADDRESS, MESSAGE, STAFF

pytestmark = [pytest.mark.anyio]
ONE_MINUTE_S = 60.0
RETRY_S = 20.0
RELAY_TROUBLE = ("refused", "hanging at the greeting", "hanging after DATA", "dropping the line at RCPT", "tempfail")


def spoil(site: RealSite, trouble: str) -> None:
    match trouble:
        case "refused":
            site.peer.refuse_connections()
        case "hanging at the greeting":
            site.peer.hang_at("connect")
        case "hanging after DATA":
            site.peer.hang_at("data")
        case "dropping the line at RCPT":
            site.peer.drop_at("rcpt")
        case "tempfail":
            site.peer.refuse_at("mail", "451 4.3.0 try again later")


def mend(site: RealSite, trouble: str) -> None:
    if trouble == "refused":
        site.peer.listen()
    site.peer.behave()


@pytest.mark.parametrize("trouble", RELAY_TROUBLE)
async def test_a_relay_in_trouble_loses_nothing_and_the_staff_get_one_mail_within_a_minute_of_its_return(
    tmp_path: Path, trouble: str
) -> None:
    async with RealSite(tmp_path, send_deadline_s=0.5) as site:
        spoil(site, trouble)
        visitor = site.visitor()
        answer = await visitor.send(await visitor.open())
        assert answer.status_code == 303
        await site.later(1)
        row = await site.row_of_one()
        assert row.inquiry.state is State.DONE
        assert row.inquiry.staff is Staff.DUE
        assert row.inquiry.staff_note
        assert row.reply is not None
        assert row.reply.last
        mend(site, trouble)
        waited = 0.0
        while waited < ONE_MINUTE_S:
            await site.later(RETRY_S / 2)
            waited += RETRY_S / 2
        await site.later(3_600)
        row = await site.row_of_one()
        assert row.inquiry.staff is Staff.SENT
        assert site.mailed(STAFF) == 1
        assert site.mailed(ADDRESS) <= 1


async def test_g15_a_relay_that_cannot_be_reached_gets_the_reply_later_and_once(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:
        site.peer.refuse_connections()
        visitor = site.visitor()
        await visitor.send(await visitor.open())
        await site.later(1)
        assert site.mailed(ADDRESS) == 0
        site.peer.listen()
        for _ in range(30):
            await site.later(60)
        assert site.mailed(ADDRESS) == 1
        row = await site.row_of_one()
        assert row.reply is not None
        assert row.reply.state == "sent"


async def test_g15_a_reply_whose_line_broke_at_rcpt_is_spent_and_never_sent_again(tmp_path: Path) -> None:
    async with RealSite(tmp_path, send_deadline_s=0.5) as site:
        site.peer.drop_at("end")
        visitor = site.visitor()
        await visitor.send(await visitor.open())
        await site.later(1)
        site.peer.behave()
        for _ in range(30):
            await site.later(60)
        assert site.mailed(ADDRESS) == 0
        row = await site.row_of_one()
        assert row.reply is not None
        assert row.reply.state == "lost"


async def test_a_silent_name_server_blames_nobody_and_holds_the_reply(tmp_path: Path) -> None:
    async with RealSite(tmp_path, dns_deadline_s=0.2, dns_hard_stop_s=0.2) as site:
        for name in ("gmail.com", "gmail-smtp-in.l.google.com"):
            site.dns.misbehave(name, "silent")
        visitor = site.visitor()
        answer = await visitor.send(await visitor.open())
        assert answer.status_code == 303
        await site.later(1)
        row = await site.row_of_one()
        assert row.inquiry.state is State.DONE
        assert site.mailed(STAFF) == 1
        assert site.mailed(ADDRESS) == 0
        assert row.reply is not None
        assert (row.reply.state, row.reply.code) == ("held", "ADDR_DNS_TEMP")
        for name in ("gmail.com", "gmail-smtp-in.l.google.com"):
            site.dns.misbehave(name, None)
        for _ in range(12):
            await site.later(60)
        assert site.mailed(ADDRESS) == 1


async def test_a_name_server_silent_for_an_hour_means_no_reply(tmp_path: Path) -> None:
    async with RealSite(tmp_path, dns_deadline_s=0.2, dns_hard_stop_s=0.2) as site:
        site.dns.misbehave("gmail.com", "silent")
        visitor = site.visitor()
        await visitor.send(await visitor.open())
        for _ in range(14):
            await site.later(600)
        row = await site.row_of_one()
        assert row.reply is not None
        assert row.reply.state in {"dropped", "suppressed"}
        assert row.inquiry.recipient is None
        assert site.mailed(ADDRESS) == 0


async def test_g21_an_endpoint_that_raises_leaves_the_inquiry_held_and_shown_and_release_runs_it(
    tmp_path: Path,
) -> None:
    async with RealSite(tmp_path) as site:

        async def broken(_: Request, __: Verdict) -> Response:
            raise RuntimeError("the site's own bug")

        site.endpoint = broken
        visitor = site.visitor()
        answer = await visitor.send(await visitor.open(), raises=False)
        assert answer.status_code == 500
        row = await site.row_of_one()
        assert row.inquiry.state is State.HELD
        assert row.inquiry.note == "endpoint failed: RuntimeError"
        assert row.inquiry.body is not None
        site.endpoint = site.answers
        assert await site.warden.release(row.inquiry.id)
        await site.later(1)
        row = await site.row_of_one()
        assert row.inquiry.state is State.RELEASED
        assert site.mailed(STAFF) == 1
        assert site.mailed(ADDRESS) == 1


async def test_a_broken_store_file_stops_replies_and_nothing_else(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:
        site.store_path.write_bytes(b"this is no database, and never was one " * 200)
        visitor = site.visitor()
        answer = await visitor.send(await visitor.open())
        assert answer.status_code == 303
        [verdict] = site.verdicts
        assert not verdict.recorded
        assert verdict.fields["message"] == MESSAGE
        await site.later(1)
        overview = await site.overview()
        assert site.mailed(STAFF) == 1
        assert site.mailed(ADDRESS) == 0
        assert len(site.peer.mails) == 1
        assert [inquiry.receipt for inquiry in overview.journal] == [verdict.receipt]
        assert overview.store is not None
        assert overview.replies_off
        assert {fault.what for fault in overview.faults} >= {"inquiries"}


async def test_a_store_that_is_put_right_again_works_without_a_restart(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:
        site.store_path.write_bytes(b"this is no database, and never was one " * 200)
        visitor = site.visitor()
        await visitor.send(await visitor.open())
        site.store_path.unlink()
        site.clock.move(60)
        other = site.visitor("198.51.100.7")
        await other.send(await other.open(), {"message": MESSAGE[::-1], "email": "hanako@gmail.com"})
        await site.later(1)
        after, before = await site.rows()
        assert [row.inquiry.state for row in (before, after)] == [State.DONE, State.DONE]
        assert [row.inquiry.staff for row in (before, after)] == [Staff.SENT, Staff.SENT]
        assert before.reply is None  # nothing was decided while the ledger was down, and nothing is by the replay
        assert site.mailed("hanako@gmail.com") == 1
        assert site.mailed(ADDRESS) == 0
        assert site.mailed(STAFF) == 2
        assert (await site.overview()).journal == ()


async def test_no_auto_reply_leaves_without_a_ledger_row(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:
        addresses = [f"person.{number}@shop-{number}.played" for number in range(6)]
        for number, address in enumerate(addresses):
            visitor = site.visitor(f"198.51.{number}.7")
            await visitor.send(await visitor.open(), {"email": address, "message": f"{number} {MESSAGE[number:]}"})
        await site.later(1)
        sent = {row.inquiry.id for row in await site.rows() if row.reply is not None and row.reply.state == "sent"}
        mailed = [mail for mail in site.peer.mails if mail.rcpt_tos != (STAFF,)]
        assert len(sent) == len(mailed)
        assert {mail.rcpt_tos[0] for mail in mailed} <= set(addresses)


async def test_a_reply_that_waits_for_the_owner_leaves_at_one_click_and_once(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:
        visitor = site.visitor(scripts=False)
        page = await visitor.open()
        marked = {name: value for name, value in visitor.fill(page).items() if name != TOKEN_FIELD}
        site.clock.move(20)
        answer = await visitor.post(marked)  # a cached page: accepted, and doubtful
        assert answer.status_code == 303
        await site.later(1)
        row = await site.row_of_one()
        assert row.reply is not None
        assert (row.reply.state, row.reply.code) == ("held", "HELD_SUSPECT")
        assert site.mailed(ADDRESS) == 0
        clicks = [await site.warden.release_reply(row.inquiry.id) for _ in range(3)]
        assert clicks == [True, False, False]
        await site.later(1)
        assert site.mailed(ADDRESS) == 1


async def test_an_endpoint_with_plain_text_and_no_mail_is_done_all_the_same(tmp_path: Path) -> None:
    async with RealSite(tmp_path) as site:

        async def quiet(_: Request, __: Verdict) -> Response:
            return PlainTextResponse("thank you")

        site.endpoint = quiet
        visitor = site.visitor()
        answer = await visitor.send(await visitor.open())
        assert answer.text == "thank you"
        await site.later(1)
        assert (await site.row_of_one()).inquiry.state is State.DONE
        assert site.peer.mails == ()
