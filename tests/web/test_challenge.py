"""In place of quarantine one click more: asked for once, kept first, and no machine answers it (G01, G22)."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from formwarden import Action, Answer, AskPage, Evidence, GuardedForm, Standing, StoreError, Submission, Verdict
from formwarden.challenge import Click
from formwarden.facts import Facts
from formwarden.mail.autoreply import AutoReply
from formwarden.scoring import signal
from formwarden.stores.ports import State
from tests.page.elements import Elements
from tests.proof import Proof
from tests.sites import ADDRESS, BROWSER, MESSAGE, Page, Site, Visitor, evidence, read_page, without

CHALLENGE: Mapping[str, object] = {"on_quarantine": "challenge"}
ODD = f"{MESSAGE} It is an odd one."
FILE = {"photo": ("弓.png", bytes(range(256)), "image/png")}


@signal(weight=5.0, group="content")
def odd_text(submission: Submission, _facts: Facts) -> Evidence | None:
    """The text is odd: a doubt that a click can settle."""
    return Evidence(text="odd") if "odd" in submission.fields.get("message", "") else None


@signal(weight=7.0, group="trap")
def odd_name(submission: Submission, _facts: Facts) -> Evidence | None:
    """Something no person does, and does again with the click itself."""
    return Evidence(text="odd") if submission.fields.get("name") == "Robot" else None


def made(tmp_path: Path, form: GuardedForm | None = None, **settings: object) -> Site:
    return Site(tmp_path, form, signals=(odd_text, odd_name), settings={**CHALLENGE, **settings})


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return made(tmp_path)


def is_asked(response: httpx2.Response) -> bool:
    return "We check that no program sends this" in response.text


async def challenged(visitor: Visitor, **typed: str) -> Page:
    response = await visitor.send(await visitor.open(), {"message": ODD, **typed})
    assert is_asked(response)
    return read_page(response)


async def one(site: Site, state: State) -> bytes:
    (inquiry,) = await site.inquiries(state)
    return inquiry.id


# ------------------------------------------------------------------ the question
@pytest.mark.anyio
async def test_g22_it_is_kept_as_asked_and_shown_in_one_sentence_with_one_button(site: Site) -> None:
    visitor = site.visitor()
    first = await visitor.open()
    response = await visitor.send(first, {"message": ODD})
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    elements = Elements(response.text)
    assert "please confirm that you want to send it." in elements.text
    assert ODD in elements.text
    assert elements.field("message") == {"type": "hidden", "name": "message", "value": ODD}
    assert (len(elements.all("button")), len(elements.all("form"))) == (1, 1)
    assert read_page(response).token not in {"", first.token}
    assert site.verdicts == []
    inquiry = await site.inquiry()
    assert (inquiry.state, inquiry.hits["odd_text"], inquiry.facts["click"]) == (State.ASKED, 5.0, "offered")


@pytest.mark.anyio
async def test_a_japanese_visitor_is_asked_in_japanese(site: Site) -> None:
    visitor = site.visitor(headers={**BROWSER, "accept-language": "ja"})
    response = await visitor.send(await visitor.open(), {"message": ODD})
    assert "自動送信でないことを確認しています。" in response.text


@pytest.mark.anyio
async def test_by_default_the_range_of_quarantine_is_thanked_and_held(tmp_path: Path) -> None:
    site = Site(tmp_path, signals=(odd_text,))
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open(), {"message": ODD})).status_code == 303
    assert (await site.inquiry()).state is State.HELD


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("site_wide", "of_form", "state"), [("thank", "challenge", State.ASKED), ("challenge", "thank", State.HELD)]
)
async def test_a_form_may_say_otherwise_than_the_site(
    tmp_path: Path, site_wide: str, of_form: str, state: State
) -> None:
    form = GuardedForm("contact", path="/contact", on_quarantine="challenge" if of_form == "challenge" else "thank")
    site = made(tmp_path, form, on_quarantine=site_wide)
    visitor = site.visitor()
    await visitor.send(await visitor.open(), {"message": ODD})
    assert (await site.inquiry()).state is state


@pytest.mark.anyio
async def test_from_twelve_points_on_nobody_is_asked(site: Site) -> None:
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), {"message": ODD, "name": "Robot"})
    assert response.status_code == 403
    assert (await site.inquiry()).state is State.REJECTED


@pytest.mark.anyio
async def test_a_form_that_only_watches_asks_nobody_and_no_machine_answers(tmp_path: Path) -> None:
    site = made(tmp_path, GuardedForm("contact", path="/contact", mode="monitor", reply=AutoReply()))
    visitor = site.visitor()
    assert (await visitor.send(await visitor.open(), {"message": ODD})).status_code == 303
    (verdict,) = site.verdicts
    assert (verdict.action, verdict.judged) == (Action.ACCEPT, Action.ASK)
    await site.later(61)  # DNS was not asked before (G33)
    row = await site.row(verdict.id)
    assert row is not None
    assert row.code == "HELD_SUSPECT"


# ------------------------------------------------------------------ the answer
@pytest.mark.anyio
@pytest.mark.parametrize("scripts", [True, False])
async def test_g01_one_click_is_accepted_stays_doubtful_and_gets_no_mail_by_itself(site: Site, scripts: bool) -> None:  # noqa: FBT001 - a table
    visitor = site.visitor(scripts=scripts)
    page = await challenged(visitor)
    asked = await one(site, State.ASKED)
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    (verdict,) = site.verdicts
    assert (verdict.standing, verdict.click) == (Standing.DOUBTFUL, Click.MADE)
    assert verdict.score >= 5.0
    assert "cleared by the click" in verdict.explain()
    await site.later(60)
    row = await site.row(verdict.id)
    assert row is not None
    assert (row.code, row.state, site.sender.to(ADDRESS)) == ("HELD_SUSPECT", "held", [])
    replaced = await site.store.well.inquiries.get(asked)
    assert replaced is not None
    assert replaced.state is State.DISCARDED


@pytest.mark.anyio
async def test_g01_an_answer_without_any_doubt_left_is_doubtful_too(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor)
    assert (await visitor.send(page, {"message": MESSAGE}, after_s=2.0)).status_code == 303
    (verdict,) = site.verdicts
    assert verdict.score < 2  # it would be `shown`
    assert (verdict.standing, verdict.click) == (Standing.DOUBTFUL, Click.NONE)


@pytest.mark.anyio
async def test_the_owner_lets_the_reply_of_an_answered_one_go(site: Site) -> None:
    visitor = site.visitor()
    await visitor.send(await challenged(visitor), after_s=2.0)
    await site.later(60)
    assert await site.warden.release_reply(site.verdicts[0].id)
    await site.later(60)
    assert len(site.sender.to(ADDRESS)) == 1


@pytest.mark.anyio
async def test_files_are_kept_and_come_along_with_the_click(site: Site) -> None:
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), {"message": ODD}, files=FILE)
    assert "弓.png" in Elements(response.text).text
    await visitor.send(read_page(response), after_s=2.0)
    (upload,) = site.verdicts[0].uploads
    assert (upload.filename, upload.size) == ("弓.png", 256)


@pytest.mark.anyio
async def test_a_second_click_of_the_answer_runs_nothing_again(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor)
    first, second = await visitor.send(page, after_s=2.0), await visitor.send(page, after_s=1.0)
    assert first.headers["location"] == second.headers["location"]
    assert len(site.verdicts) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("by_then", [{}, {"min_age_s": 60.0}], ids=["accepted", "too young"])
async def test_the_first_form_sent_again_shows_the_same_question_whatever_it_would_be_judged_by_then(
    site: Site, by_then: Mapping[str, object]
) -> None:
    visitor = site.visitor()
    first = await visitor.open()
    await visitor.send(first, {"message": ODD})
    milder = Site(site.journal_path.parent, settings={**CHALLENGE, **by_then})
    milder.clock.move(20)
    await milder.store.well.inquiries.keep(await site.inquiry(), lease_s=0)
    response = await milder.visitor().send(first, {"message": ODD}, after_s=1.0)
    assert is_asked(response)
    await milder.visitor().send(read_page(response), after_s=2.0)
    assert [verdict.standing for verdict in milder.verdicts] == [Standing.DOUBTFUL]


# ------------------------------------------------------------------ no loop, and no way round
@pytest.mark.anyio
async def test_what_the_click_cannot_settle_is_held_and_not_asked_again(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor, name="Robot", message=MESSAGE)
    response = await visitor.send(page, after_s=2.0)
    assert (response.status_code, site.verdicts) == (303, [])
    held = await one(site, State.HELD)
    assert await site.inquiries(State.ASKED) == ()
    assert await site.warden.release(held)


@pytest.mark.anyio
async def test_one_click_clears_one_submission(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor)
    for number in range(3):
        await visitor.send(page, {"message": f"{ODD} Number {number} of some."}, after_s=2.0)
    assert [verdict.fields["message"] for verdict in site.verdicts] == [f"{ODD} Number 0 of some."]


@pytest.mark.anyio
async def test_from_another_network_the_spent_answer_is_a_replay(site: Site) -> None:
    page = await challenged(site.visitor())
    await site.visitor().send(page, after_s=2.0)
    response = await site.visitor("9.8.7.6").send(page, {"message": f"{ODD} It is mine."}, after_s=2.0)
    assert (response.status_code, len(site.verdicts)) == (403, 1)  # 8 points beside the 5 that nothing clears now


@pytest.mark.anyio
async def test_where_the_counters_are_down_the_click_is_not_believed_and_the_owner_sees_it(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor)
    site.store.fails("counters", StoreError("gone"))
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert site.verdicts == []
    assert await one(site, State.HELD)


@pytest.mark.anyio
async def test_a_correction_that_the_site_asked_for_is_not_challenged_again(site: Site) -> None:
    async def refuses(_: Request, verdict: Verdict) -> Response:
        return HTMLResponse(f"<form>{site.warden.markup('contact', again=verdict)}</form>", status_code=422)

    visitor = site.visitor()
    page = await challenged(visitor)
    site.endpoint = refuses
    again = read_page(await visitor.send(page, after_s=2.0))
    site.endpoint = site.answers
    response = await visitor.send(again, {"message": f"{ODD} I write from Nagoya."}, after_s=9.0)
    assert response.status_code == 303
    assert [verdict.standing for verdict in site.verdicts] == [Standing.DOUBTFUL] * 2
    await site.later(60)
    assert site.sender.to(ADDRESS) == []


@pytest.mark.anyio
async def test_a_page_that_lay_open_for_a_day_is_asked_about_once_more_and_then_taken(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor)
    response = await visitor.send(page, after_s=86_401)
    assert "open for a long time" in response.text
    assert (await visitor.send(read_page(response), after_s=2.0)).status_code == 303
    assert site.verdicts[0].standing is Standing.DOUBTFUL


Bot = Callable[[Site, int], Visitor]


@pytest.mark.anyio
async def test_g27_bots_that_never_read_the_question_get_nothing_through(site: Site) -> None:
    for number in range(60):
        bot = site.visitor(f"198.51.{number}.7", scripts=False, headers=without(BROWSER, "accept", "origin"))
        response = await bot.post({"name": "x", "email": f"a{number}@gmail.com", "message": f"{MESSAGE} {number}"})
        assert is_asked(response) or response.status_code in {303, 403}
    assert site.verdicts == []


@pytest.mark.anyio
async def test_a_script_that_posts_the_page_back_is_held_once_it_repeats_itself(site: Site, proof: Proof) -> None:
    """It changes names, numbers and network, reads every page and presses every button; it runs no script."""
    for number in range(60):
        bot = site.visitor(f"198.51.{number}.7", scripts=False)
        typed = {"name": f"Ann {number}", "email": f"ann{number}@gmail.com", "message": f"{ODD} Offer {number}."}
        response = await bot.send(await bot.open(), typed)
        if is_asked(response):
            await bot.send(read_page(response), after_s=2.0)
    await site.later(60)
    proof(
        "of 60 alike that answer the challenge without scripts",
        accepted=len(site.verdicts),
        replies=len(site.sender.to("ann0@gmail.com")),
    )
    assert len(site.verdicts) <= 6
    assert [mail for mail in site.sender.mails if mail.recipient.endswith("@gmail.com")] == []


# ------------------------------------------------------------------ nobody answers
@pytest.mark.anyio
async def test_g22_unanswered_it_is_in_the_owners_list_within_31_minutes(site: Site) -> None:
    await challenged(site.visitor())
    await site.later(1_799)
    asked = await one(site, State.ASKED)
    await site.later(61)
    held = await site.inquiry()
    assert (held.id, held.state, held.note) == (asked, State.HELD, "asked for another click, not answered")
    assert site.verdicts == []


@pytest.mark.anyio
async def test_g22_a_doubted_address_beside_is_no_reason_to_release_it_unanswered(site: Site) -> None:
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), {"message": ODD, "email": "taro@gmail"})
    assert "may not arrive" in response.text
    assert (await site.inquiry()).facts["address_only"] is False
    await site.later(1_860)
    assert (await site.inquiry()).state is State.HELD


@pytest.mark.anyio
async def test_one_without_a_token_that_answers_is_no_repetition_of_itself(site: Site) -> None:
    visitor = site.visitor()
    response = await visitor.post({"name": "Taro", "email": ADDRESS, "message": MESSAGE})
    assert is_asked(response)
    await visitor.send(read_page(response), after_s=2.0)
    assert "same_text" not in {hit.signal for hit in site.verdicts[0].hits}


# ------------------------------------------------------------------ other clients, other pages
@pytest.mark.anyio
async def test_a_json_client_gets_problem_details_and_answers_with_the_token_in_them(site: Site) -> None:
    headers = {**BROWSER, "accept": "application/json", "content-type": "application/json"}
    visitor = site.visitor()
    typed = json.dumps({"name": "Taro", "email": ADDRESS, "message": ODD}).encode()
    site.clock.move(20)
    header = site.warden.header("contact")
    site.clock.move(20)
    asked = await visitor.request("POST", "/contact", content=typed, headers={**headers, "formwarden": header})
    problem = asked.json()
    assert (asked.status_code, problem["type"]) == (409, "urn:formwarden:ask:challenge")
    assert asked.headers["content-type"] == "application/problem+json"
    site.clock.move(2)
    token = f"{problem['header']}, e=:{_base64(evidence(problem['token']))}:"
    answer = await visitor.request("POST", "/contact", content=typed, headers={**headers, "formwarden": token})
    assert answer.status_code == 303
    assert site.verdicts[0].click is Click.MADE


def _base64(text: str) -> str:
    import base64

    return base64.b64encode(text.encode()).decode()


@pytest.mark.anyio
async def test_a_sites_own_page_asks_it_in_the_same_words(tmp_path: Path) -> None:
    pages: list[AskPage] = []

    def ask(page: AskPage) -> Answer:
        pages.append(page)
        hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in page.hidden.pairs)
        return Answer(status=200, headers={}, body=f"<form>{page.reason}{hidden}{page.markup}</form>".encode())

    site = made(tmp_path, GuardedForm("contact", path="/contact", ask=ask))
    visitor = site.visitor()
    page = await challenged(visitor)
    assert pages[0].reason.startswith("We check that no program sends this")
    assert pages[0].shown["message"] == ODD
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert len(site.verdicts) == 1


@pytest.mark.anyio
async def test_judged_from_a_handler_of_ones_own_it_is_asked_and_answered_too(site: Site) -> None:
    visitor = site.visitor()
    page = await visitor.open()
    site.clock.move(20)

    def submission(page: Page) -> Submission:
        fields = visitor.fill(page, {"message": ODD})
        return Submission("contact", fields, headers=BROWSER, peer=visitor.ip)

    verdict = await site.warden.judge(submission(page))
    assert verdict.action is Action.ASK
    again = await site.warden.judge(submission(page))
    assert (again.action, again.click) == (Action.ASK, Click.OFFERED)
    answer = site.warden.answer(verdict)
    asked = read_page(httpx2.Response(200, content=answer.body))
    site.clock.move(2)
    assert (await site.warden.judge(submission(asked))).click is Click.MADE


@pytest.mark.anyio
async def test_many_answers_at_once_clear_one(site: Site) -> None:
    visitor = site.visitor()
    page = await challenged(visitor)
    site.clock.move(2)
    typed = [{"message": f"{ODD} Number {number} at once."} for number in range(4)]
    await asyncio.gather(*(visitor.send(page, each, after_s=0.0) for each in typed))
    assert len(site.verdicts) == 1
