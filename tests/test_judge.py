import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formwarden import Action, Evidence, Standing, StoreError, Submission, Thresholds
from formwarden.address.report import Reason
from formwarden.errors import StoreFullError
from formwarden.facts import Facts
from formwarden.forms import GuardedForm
from formwarden.judge import CORRECTIONS, RETRY_WINDOW_S
from formwarden.mail.autoreply import AutoReply
from formwarden.scoring import signal
from formwarden.stores.ports import Decision, State
from formwarden.tokens import Tokens
from tests.page.elements import Elements
from tests.sites import ADDRESS, BROWSER, DOMAIN, IP, MESSAGE, READING_S, STAFF, URL, Site, contact, read_page

BUG = RuntimeError("taro@example.jp is not what we expected")
FILE = {"photo": ("bow.png", b"\x89PNG", "image/png")}


def asked_page(text: str) -> bool:
    return "One more click, please" in text


# ------------------------------------------------------------------ actions
@pytest.mark.anyio
async def test_a_person_is_accepted_and_shown(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    (verdict,) = site.verdicts
    assert (verdict.action, verdict.score, verdict.standing) == (Action.ACCEPT, 0, Standing.SHOWN)
    assert verdict.address == ADDRESS
    assert verdict.staff_reply_to == ADDRESS


@pytest.mark.anyio
async def test_a_person_without_scripts_is_accepted_and_plain(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor(scripts=False)
    await visitor.send(await visitor.open())
    assert site.verdicts[0].standing is Standing.PLAIN


@pytest.mark.anyio
async def test_a_blind_poster_is_held_with_reasons(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.visitor(headers={}).post({"name": "x", "email": "x@gmail.com", "message": MESSAGE})
    inquiry = await site.inquiry()
    assert inquiry.state is State.HELD
    assert inquiry.hits["page_missing"] > 0
    assert set(inquiry.evidence) == set(inquiry.hits)
    assert site.verdicts == []


@pytest.mark.anyio
async def test_every_hit_is_kept_with_its_strength_those_of_weight_zero_too(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"message": f"{MESSAGE} See bow-makers.jp"})
    inquiry = await site.inquiry()
    assert inquiry.hits["site_domain_in_text"] == 0
    assert inquiry.facts["strengths"] == {"site_domain_in_text": 1.0}


@pytest.mark.anyio
async def test_no_text_and_no_address_stands_in_what_is_kept_beside_body_and_recipient(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(
        await visitor.open(), {"message": f"{MESSAGE} http://a.example http://b.example http://c.example"}
    )
    written = repr(replace(await site.inquiry(), body=None, recipient=None))
    for clear in ("Taro", "yamada", "gmail", "violin", "a.example", "203.0.113"):
        assert clear not in written


@pytest.mark.anyio
async def test_thresholds_may_be_a_forms_own(tmp_path: Path) -> None:
    strict = GuardedForm("contact", path="/contact", thresholds=Thresholds(quarantine=0.4, reject=12))
    site = Site(tmp_path, strict)
    visitor = site.visitor(scripts=False)
    await visitor.send(await visitor.open())
    assert (await site.inquiry()).state is State.HELD


@pytest.mark.anyio
async def test_only_line_ends_in_the_address_reject_alone(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), {"email": "taro@gmail.com\r\nBcc: hana@gmail.com"})
    assert response.status_code == 403
    assert (await site.inquiry()).state is State.REJECTED


# ------------------------------------------------------------------ G22: asked is stored first
@pytest.mark.anyio
async def test_g22_asked_is_stored_first_and_the_next_try_replaces_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=1.0)
    assert asked_page(response.text)
    asked = await site.inquiry()
    assert (asked.state, asked.hits["too_young"] > 0) == (State.ASKED, True)
    assert asked.body is not None

    page = read_page(response)
    assert page.fields["message"] == MESSAGE
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert {inquiry.state for inquiry in await site.inquiries()} == {State.DONE, State.DISCARDED}
    parent = await site.store.well.inquiries.get(asked.id)
    assert parent is not None
    assert parent.note.startswith("answered by FW-")
    await site.later(3600)
    assert await site.inquiries(State.HELD) == ()
    assert len(site.verdicts) == 1
    assert site.verdicts[0].standing is Standing.SHOWN  # too quick is no doubt


@pytest.mark.anyio
async def test_g22_unanswered_for_30_minutes_it_becomes_held(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), after_s=1.0)
    await site.later(1799)
    assert (await site.inquiry()).state is State.ASKED
    await site.later(2)
    held = await site.inquiry()
    assert (held.state, held.note) == (State.HELD, "asked for another click, not answered")
    assert site.verdicts == []


@pytest.mark.anyio
async def test_g22_if_only_the_address_is_doubted_it_is_released_by_itself_and_its_reply_held(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.resolver.gone.add("nagoya-bow.jp")
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), {"email": "taro@nagoya-bow.jp"})
    assert asked_page(response.text)
    site.resolver.gone.clear()  # the domain came back, so only the standing speaks

    await site.later(1801)
    inquiry = await site.inquiry()
    assert inquiry.state is State.RELEASED
    (verdict,) = site.verdicts
    assert (verdict.action, verdict.standing, verdict.released) == (Action.ACCEPT, Standing.DOUBTFUL, False)
    row = await site.row(inquiry.id)
    assert row is not None
    assert (row.state, row.code) == ("held", "HELD_SUSPECT")
    await site.later(10)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


@pytest.mark.anyio
async def test_g22_an_address_and_something_else_in_doubt_waits_for_the_owner(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.resolver.gone.add("nagoya-bow.jp")
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"email": "taro@nagoya-bow.jp"}, after_s=1.0)
    await site.later(1801)
    assert (await site.inquiry()).state is State.HELD


@pytest.mark.anyio
async def test_g22_an_insisted_address_is_accepted_and_doubtful(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.resolver.gone.add("nagoya-bow.jp")
    visitor = site.visitor()
    first = await visitor.send(await visitor.open(), {"email": "taro@nagoya-bow.jp"})

    response = await visitor.send(read_page(first))
    assert response.status_code == 303
    assert site.verdicts[0].standing is Standing.DOUBTFUL
    assert "address_undeliverable_again" in {hit.signal for hit in site.verdicts[0].hits}
    assert site.verdicts[0].staff_reply_to is None  # G24


@pytest.mark.anyio
async def test_g22_a_try_without_files_brings_those_of_the_asked_one_along(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=1.0, files=FILE)
    assert asked_page(response.text)
    assert "bow.png" in response.text
    await visitor.send(read_page(response))  # a browser does not send a file again by itself

    (done,) = await site.inquiries(State.DONE)
    assert len(await site.inquiries(State.DISCARDED)) == 1
    assert done.body is not None
    assert b"\x89PNG" in done.body


@pytest.mark.anyio
async def test_g22_where_nobody_hands_a_body_on_the_asked_one_with_its_files_stays(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=1.0, files=FILE)
    site.clock.move(5)
    data = visitor.fill(read_page(response))
    verdict = await site.warden.judge(Submission("contact", data, client=visitor.ip, headers=BROWSER, host=DOMAIN))
    assert (verdict.accepted, verdict.uploads) == (True, ())
    assert len(await site.inquiries(State.ASKED)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("body", [b"not what its type says", None])
async def test_g22_files_that_cannot_be_read_back_stay_with_their_inquiry(tmp_path: Path, body: bytes | None) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), after_s=1.0, files=FILE)
    asked = replace(await site.inquiry(), id=b"p" * 16, receipt="FW-PPPP-PPPP", body=body)
    await site.store.well.inquiries.keep(asked, lease_s=0)
    tokens = Tokens(["k" * 40], clock=site.clock, entropy=lambda size: b"1" * size)
    page = await visitor.open()
    await visitor.send(page, {"_fw_token": tokens.issue("contact", parent=asked.id)}, after_s=9.0)
    assert len(site.verdicts) == 1
    assert asked.id in {inquiry.id for inquiry in await site.inquiries(State.ASKED)}


@pytest.mark.anyio
async def test_g22_a_try_that_brings_its_files_again_replaces_the_asked_one(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=1.0, files=FILE)
    await visitor.send(read_page(response), files=FILE)
    assert len(await site.inquiries(State.DISCARDED)) == 1


@pytest.mark.anyio
async def test_g22_a_second_click_on_a_first_try_keeps_one_inquiry(tmp_path: Path) -> None:
    """The first click was too quick, the second one of the same body no longer is."""
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page, after_s=2.9)
    response = await visitor.send(page, after_s=0.3)
    assert asked_page(response.text)
    await visitor.send(read_page(response))
    await site.later(1801)
    assert sorted(inquiry.state for inquiry in await site.inquiries()) == [State.DISCARDED, State.DONE]


# ------------------------------------------------------------------ G27: token outcomes
@pytest.mark.anyio
async def test_g27_a_stale_page_asks_and_one_click_settles_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=86_401)
    assert "The page was open for a long time" in response.text
    assert (await visitor.send(read_page(response), after_s=1.0)).status_code == 303
    assert site.verdicts[0].standing is Standing.SHOWN


@pytest.mark.anyio
async def test_g27_a_tampered_token_is_eight_points_and_a_second_chance(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    response = await visitor.send(page, {"_fw_token": page.token[:-2] + "xx"})
    assert asked_page(response.text)
    assert (await site.inquiry()).hits["token_tampered"] == 8


@pytest.mark.anyio
async def test_g27_a_token_of_another_form_asks(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(), contact("order", "/order"))
    visitor = site.visitor()
    order = await visitor.open("/order")
    response = await visitor.send(order, path="/contact")
    assert "another form" in response.text
    assert (await site.inquiry()).form == "contact"


@pytest.mark.anyio
async def test_g27_a_token_of_a_key_that_was_rotated_out_is_not_forged(tmp_path: Path) -> None:
    old = Site(tmp_path, settings={"secret_keys": "o" * 40})
    page = await old.visitor().open()
    site = Site(tmp_path)
    response = await site.visitor().send(page)
    assert asked_page(response.text)
    assert set((await site.inquiry()).hits) == {"token_rotated"}


@pytest.mark.anyio
async def test_g27_a_token_of_an_older_key_that_still_stands_there_is_fresh(tmp_path: Path) -> None:
    old = Site(tmp_path, settings={"secret_keys": "o" * 40})
    page = await old.visitor().open()
    site = Site(tmp_path, settings={"secret_keys": f"{'n' * 40} {'o' * 40}"})
    assert (await site.visitor().send(page)).status_code == 303
    assert site.verdicts[0].score == 0


@pytest.mark.anyio
async def test_g22_a_second_click_on_a_doubted_address_stays_doubtful(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.resolver.gone.add("nagoya-bow.jp")
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page, {"email": "taro@nagoya-bow.jp"})
    site.resolver.gone.clear()
    response = await visitor.send(page, {"email": "taro@nagoya-bow.jp"}, after_s=5.0)
    assert asked_page(response.text)
    await visitor.send(read_page(response))
    assert site.verdicts[0].standing is Standing.DOUBTFUL
    assert len(await site.inquiries(State.DISCARDED)) == 1


@pytest.mark.anyio
async def test_a_page_without_token_is_accepted_and_never_answered_by_a_machine(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor(scripts=False)
    page = await visitor.open()
    response = await visitor.send(page, {"_fw_token": ""})
    assert response.status_code == 303
    assert site.verdicts[0].standing is Standing.DOUBTFUL


# ------------------------------------------------------------------ replays
@pytest.mark.anyio
async def test_g27_three_bodies_from_one_network_are_corrections_and_a_fourth_is_a_replay(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor, neighbour = site.visitor("1.2.3.4"), site.visitor("1.2.3.5")
    page = await visitor.open()
    for number, who in enumerate((visitor, neighbour, visitor)):
        response = await who.send(page, {"message": f"{MESSAGE} It is number {number}."})
        assert response.status_code == 303
    assert len(site.verdicts) == CORRECTIONS == 3

    response = await visitor.send(page, {"message": "Something else entirely, and quite unlike it."})
    assert "has been sent before" in response.text
    asked = (await site.inquiries(State.ASKED))[0]
    assert asked.hits["token_replayed"] == 8
    assert len(site.verdicts) == 3


@pytest.mark.anyio
async def test_g27_another_body_from_another_network_is_a_replay_at_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    page = await site.visitor("1.2.3.4").open()
    await site.visitor("1.2.3.4").send(page)
    response = await site.visitor("9.8.7.6").send(page, {"message": "Something else entirely, and quite unlike it."})
    assert asked_page(response.text)
    assert (await site.inquiries(State.ASKED))[0].hits["token_replayed"] == 8


@pytest.mark.anyio
async def test_g27_the_same_body_after_ten_minutes_is_a_replay(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    await visitor.send(page)
    response = await visitor.send(page, after_s=RETRY_WINDOW_S + 1)
    assert asked_page(response.text)
    assert len(await site.inquiries()) == 2


@pytest.mark.anyio
async def test_a_replayer_gets_no_more_than_a_person_and_no_reply(tmp_path: Path) -> None:
    site = Site(tmp_path)
    page = await site.visitor("1.2.3.4").open()
    site.clock.move(20)
    for number in range(30):
        bot = site.visitor(f"9.{number}.7.6")
        await bot.send(page, {"email": f"someone{number}@gmail.com", "message": f"{MESSAGE} {number}"}, after_s=1.0)
    assert len(site.verdicts) <= CORRECTIONS
    assert len(await site.inquiries()) == 30  # all kept
    await site.later(10)
    assert len([mail for mail in site.sender.mails if mail.recipient != STAFF]) <= 1


@pytest.mark.anyio
async def test_two_tabs_are_independent(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    one, two = await visitor.open(), await visitor.open()
    assert (await visitor.send(one)).status_code == 303
    assert (await visitor.send(two, {"message": "Something else entirely, and quite unlike it."})).status_code == 303
    assert [verdict.score for verdict in site.verdicts] == [0, 0]
    assert site.verdicts[0].lineage != site.verdicts[1].lineage


# ------------------------------------------------------------------ network and origin
@pytest.mark.anyio
async def test_g31_behind_an_undeclared_proxy_the_client_is_unknown_and_plain_at_best(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor("127.0.0.1", headers={**BROWSER, "x-forwarded-for": "9.8.7.6"})
    await visitor.send(await visitor.open())
    (verdict,) = site.verdicts
    assert (verdict.client, verdict.network, verdict.standing) == (None, None, Standing.PLAIN)
    assert (await site.inquiry()).facts["client_known"] is False


@pytest.mark.anyio
async def test_g31_behind_a_declared_proxy_the_client_is_the_one_it_names(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"trusted_proxies": "127.0.0.1"})
    visitor = site.visitor("127.0.0.1", headers={**BROWSER, "x-forwarded-for": "9.8.7.6"})
    await visitor.send(await visitor.open())
    assert site.verdicts[0].client == bytes([9, 8, 7, 6, 32])
    assert site.verdicts[0].standing is Standing.SHOWN


@pytest.mark.anyio
async def test_g32_cross_site_without_a_fresh_token_shows_nothing_that_was_submitted(tmp_path: Path) -> None:
    site = Site(tmp_path)
    foreign = site.visitor(headers={**BROWSER, "origin": "https://evil.example", "sec-fetch-site": "cross-site"})
    page = await site.visitor().open()
    data = foreign.fill(page) | {"_fw_token": ""}
    response = await foreign.post(data)
    assert asked_page(response.text)

    assert MESSAGE not in Elements(response.text).text
    hidden = {
        each["name"]: each["value"] for each in Elements(response.text).all("input") if each["type"] == "hidden"
    }
    assert hidden["message"] == MESSAGE
    assert (await site.inquiry()).hits["cross_site_stale_page"] == 6


@pytest.mark.anyio
async def test_g32_with_a_fresh_token_it_is_a_trifle_but_doubtful(tmp_path: Path) -> None:
    site = Site(tmp_path)
    page = await site.visitor().open()
    foreign = site.visitor(headers={**BROWSER, "origin": "https://evil.example"})
    await foreign.send(page)
    assert site.verdicts[0].standing is Standing.DOUBTFUL


# ------------------------------------------------------------------ G33: DNS last
@pytest.mark.anyio
async def test_g33_dns_is_not_asked_when_free_facts_reach_quarantine(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.visitor(headers={}).post({"name": "x", "email": "x@nagoya-bow.jp", "message": MESSAGE})
    assert (await site.inquiry()).state is State.HELD
    assert site.resolver.asked == {}


@pytest.mark.anyio
async def test_g33_below_quarantine_it_is_asked(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"email": "x@nagoya-bow.jp"})
    assert site.resolver.asked["nagoya-bow.jp"] >= 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    "email", ["", "nonsense", "a@gmail.com, b@gmail.com", f"info@{URL.removeprefix('https://')}"]
)
async def test_g33_what_dns_cannot_tell_is_never_asked(tmp_path: Path, email: str) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)
    await visitor.post(visitor.fill(page) | {"email": email})
    assert site.resolver.asked == {}


# ------------------------------------------------------------------ G18: monitor mode
@pytest.mark.anyio
@pytest.mark.parametrize("where", ["form", "site"])
async def test_g18_monitor_lets_everything_through_and_the_gate_still_suppresses(tmp_path: Path, where: str) -> None:
    form = GuardedForm("contact", path="/contact", reply=AutoReply(), mode="monitor" if where == "form" else None)
    site = Site(tmp_path, form, settings={"mode": "monitor"} if where == "site" else None)
    await site.visitor(headers={}).post({"name": "x", "email": ADDRESS, "message": MESSAGE})
    (verdict,) = site.verdicts
    assert (verdict.action, verdict.judged) == (Action.ACCEPT, Action.QUARANTINE)
    assert "the form only watches" in verdict.explain()
    inquiry = await site.inquiry()
    assert inquiry.state is State.DONE
    row = await site.row(inquiry.id)
    assert row is not None
    assert (row.state, row.code) == ("suppressed", "BOT")
    assert verdict.staff_reply_to is None


@pytest.mark.anyio
async def test_g18_what_a_watching_form_would_have_asked_gets_no_reply_either(tmp_path: Path) -> None:
    form = GuardedForm("contact", path="/contact", reply=AutoReply(), mode="monitor")
    site = Site(tmp_path, form)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), after_s=1.0)
    (verdict,) = site.verdicts
    assert verdict.judged is Action.ASK
    assert (await site.warden.preview(verdict)).code == "HELD_SUSPECT"


# ------------------------------------------------------------------ judging fails open
@pytest.mark.anyio
async def test_counters_that_are_down_are_unknown_and_the_inquiry_goes_on(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("counters", StoreError("volatile file is gone"))
    visitor = site.visitor()
    response = await visitor.send(await visitor.open())
    assert response.status_code == 303
    (verdict,) = site.verdicts
    assert (verdict.recorded, verdict.standing) == (True, Standing.DOUBTFUL)
    assert (await site.inquiry()).state is State.DONE
    assert site.warden.faults.of("counters") == 1


@pytest.mark.anyio
async def test_with_counters_down_a_second_click_still_runs_the_endpoint_once(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("counters", StoreError("volatile file is gone"))
    visitor = site.visitor()
    page = await visitor.open()
    first, second = await visitor.send(page), await visitor.send(page, after_s=1.0)
    assert first.headers["location"] == second.headers["location"]
    assert len(site.verdicts) == 1


@pytest.mark.anyio
async def test_inquiries_down_the_journal_has_it_and_the_endpoint_runs(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("inquiries", StoreError("disk full"))
    visitor = site.visitor()
    response = await visitor.send(await visitor.open())
    assert response.status_code == 303
    (verdict,) = site.verdicts
    assert (verdict.recorded, verdict.accepted) == (False, True)
    (spooled,) = await site.journal()
    assert (spooled.id, spooled.receipt) == (verdict.id, verdict.receipt)
    assert spooled.body is not None
    assert b"violin" in spooled.body

    assert [mail.recipient for mail in site.sender.mails] == [STAFF]  # at once, and no reply
    result = await site.warden.reply(verdict)
    assert (result.decision, result.code) == (Decision.SUPPRESS, "LEDGER_DOWN")
    assert site.warden.faults.of("inquiries") >= 1


@pytest.mark.anyio
async def test_inquiries_down_a_bot_is_still_held_back_and_kept_in_the_journal(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("inquiries", StoreError("disk full"))
    await site.visitor(headers={}).post({"name": "x", "email": ADDRESS, "message": MESSAGE})
    assert site.verdicts == []
    assert [inquiry.state for inquiry in await site.journal()] == [State.HELD]


@pytest.mark.anyio
async def test_g23_what_neither_store_nor_journal_can_take_is_passed_on_and_never_answered(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"journal_bytes": 1})
    site.store.fails("inquiries", StoreError("disk full"))
    await site.visitor(headers={}).post({"name": "x", "email": ADDRESS, "message": MESSAGE})  # to be held
    visitor = site.visitor()
    await visitor.send(await visitor.open(), after_s=1.0)  # to be asked again
    held, asked = site.verdicts
    assert (held.action, held.judged, held.recorded) == (Action.ACCEPT, Action.QUARANTINE, False)
    assert (asked.action, asked.judged, asked.recorded) == (Action.ACCEPT, Action.ASK, False)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF, STAFF]
    assert site.warden.faults.of("journal") == 2


@pytest.mark.anyio
async def test_g23_what_a_full_store_cannot_take_is_passed_on_and_never_swallowed_by_the_journal(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path)
    site.store.fails("inquiries.keep", StoreFullError("no room"))
    await site.visitor(headers={}).post({"name": "x", "email": ADDRESS, "message": MESSAGE})  # to be held
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    held, person = site.verdicts
    assert (held.action, held.judged, held.recorded) == (Action.ACCEPT, Action.QUARANTINE, False)
    assert (person.action, person.recorded) == (Action.ACCEPT, False)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF, STAFF], "and no reply"
    assert tuple(await site.journal()) == ()
    assert site.warden.faults.of("inquiries") >= 2


@pytest.mark.anyio
async def test_an_asked_inquiry_that_cannot_be_read_is_not_thrown_away(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), after_s=1.0)
    site.store.fails("inquiries.get", StoreError("locked"))
    assert (await visitor.send(read_page(response))).status_code == 303
    assert len(await site.inquiries(State.ASKED)) == 1


@pytest.mark.anyio
async def test_a_dead_ledger_holds_no_inquiry_up(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.store.fails("ledger", StoreError("disk full"))
    visitor = site.visitor()
    response = await visitor.send(await visitor.open())
    assert response.status_code == 303
    assert site.verdicts[0].staff_reply_to is None
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_silent_dns_is_unknown_and_nobody_is_blamed(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.resolver.silent.add("nagoya-bow.jp")
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"email": "taro@nagoya-bow.jp"})
    (verdict,) = site.verdicts
    assert (verdict.score, verdict.standing) == (0, Standing.SHOWN)
    row = await site.row(verdict.id)
    assert row is not None
    assert (row.state, row.code) == ("held", "ADDR_DNS_TEMP")


@pytest.mark.anyio
@pytest.mark.parametrize("what", ["resolver", "counters", "inquiries.keep"])
async def test_a_bug_of_our_own_loses_nobody_an_inquiry(tmp_path: Path, what: str) -> None:
    site = Site(tmp_path)
    if what == "resolver":
        site.resolver.error = BUG
    else:
        site.store.fails(what, BUG)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open())
    assert response.status_code == 303
    (verdict,) = site.verdicts
    assert (verdict.accepted, verdict.recorded, verdict.standing) == (True, False, Standing.DOUBTFUL)
    assert verdict.fields["message"] == MESSAGE
    assert [inquiry.id for inquiry in await site.journal()] == [verdict.id]
    assert (await site.warden.reply(verdict)).code == "LEDGER_DOWN"
    (fault,) = [each for each in site.warden.faults.all() if each.what == "judge"]
    assert fault.count == 1
    assert fault.why.startswith("RuntimeError at ")
    assert "taro" not in fault.why


@signal(weight=4.0, group="content")
def broken_signal(_submission: Submission, _facts: Facts) -> Evidence | None:
    """Raises."""
    raise BUG


@pytest.mark.anyio
async def test_a_signal_that_raises_is_counted_and_scores_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, signals=[broken_signal])
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    assert site.verdicts[0].score == 0
    assert site.warden.faults.of("signal broken_signal") == 1
    assert (await site.inquiry()).state is State.DONE


@pytest.mark.anyio
async def test_a_look_up_that_is_late_for_the_visitor_decides_the_held_reply(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"dns_deadline_s": 0.02})
    site.resolver.late = asyncio.Event()
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    (verdict,) = site.verdicts
    assert verdict.report is not None
    assert (verdict.report.reason, verdict.score) == (Reason.TIMEOUT, 0)
    row = await site.row(verdict.id)
    assert row is not None
    assert (row.state, row.code) == ("held", "ADDR_DNS_TEMP")

    site.resolver.late.set()
    for _ in range(20):
        await asyncio.sleep(0)  # the look-up ends before time goes on
    for seconds in (60, 1):  # the reply is weighed again, then it leaves
        await site.later(seconds)
    assert [mail.recipient for mail in site.sender.mails].count(ADDRESS) == 1
    assert site.resolver.asked[ADDRESS.partition("@")[2]] == 1  # nothing was asked again


@pytest.mark.anyio
async def test_one_network_brings_so_many_new_domains_and_no_inquiry_is_lost(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"dns_new_domains_per_client": 1})
    for ip, domain in (("198.51.100.7", "a.jp"), ("198.51.100.8", "b.jp"), ("203.0.113.9", "b.jp")):
        visitor = site.visitor(ip)
        page = await visitor.open()
        assert (await visitor.send(page, {"email": f"taro@{domain}"})).status_code == 303
    reports = [verdict.report for verdict in site.verdicts]
    assert [report.reason for report in reports if report] == [Reason.MX_OK, Reason.NOT_CHECKED, Reason.MX_OK]
    assert [verdict.action for verdict in site.verdicts] == [Action.ACCEPT] * 3


@pytest.mark.anyio
async def test_an_endless_look_up_ends_at_the_deadline(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"judge_seconds": 0.02, "dns_deadline_s": 60})
    visitor = site.visitor()
    page = await visitor.open()
    site.resolver.forever = True
    response = await visitor.send(page, {"email": "taro@nagoya-bow.jp"})
    assert response.status_code == 303
    assert site.warden.faults.of("dns") == 1


NAMES = st.sampled_from(["name", "email", "message", "_fw_form", "_fw_token", "_fw_seen"])
ODD = st.text(alphabet=st.sampled_from("ab.@:/[]%,;= \r\n\0é") | st.characters(), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(["name", "email", "message", "_fw_form", "_fw_token", "_fw_seen"]), ODD)
    ),
    headers=st.dictionaries(
        st.sampled_from(["Origin", "Host", "Accept-Language", "User-Agent", "X-Forwarded-For"]), ODD
    ),
)
def test_nothing_that_is_sent_makes_judging_fail_open(
    tmp_path: Path, pairs: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = site.warden.sync.judge(Submission("contact", pairs, peer="1.2.3.4", headers=headers))
    assert site.warden.faults.all() == ()
    assert verdict.recorded


@pytest.mark.anyio
@pytest.mark.parametrize("moment", ["while our lists are loaded", "while DNS is asked"])
async def test_g21_what_a_cancelled_handler_never_heard_of_is_held(tmp_path: Path, moment: str) -> None:
    """Without the middleware accepted is done at once, but nobody was there to do anything with it."""
    site = Site(tmp_path, settings={"dns_deadline_s": 0.1, "dns_hard_stop_s": 0.2})
    site.resolver.forever = True
    others = asyncio.all_tasks()
    page = await site.visitor().open()
    site.clock.move(READING_S)
    fields = site.visitor().fill(page)
    judging = asyncio.create_task(site.warden.judge(Submission("contact", fields, client=IP, headers=BROWSER)))
    if moment == "while DNS is asked":
        await asyncio.wait_for(site.resolver.begun.wait(), timeout=10)
    else:
        await asyncio.sleep(0)
    judging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await judging
    while left := asyncio.all_tasks() - others:
        await asyncio.wait(left, timeout=10)
    kept = await site.inquiry()
    assert kept.state is State.HELD
    assert "cancelled" in kept.note
