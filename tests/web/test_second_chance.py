"""The second chance: what is doubted is kept, and asked for once more, in every framework (DESIGN, The ask page)."""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from formwarden import Answer, AskPage, GuardedForm, Standing, StoreError
from formwarden.bodies import parse_body
from formwarden.stores.ports import State
from tests.page.elements import Elements
from tests.sites import ADDRESS, BROWSER, MESSAGE, Page, Site, Visitor, evidence, read_page
from tests.web.frameworks import FRAMEWORKS, FastApiSite, Framework, StarletteSite, closing

Make = Callable[..., Framework]
Files = Mapping[str, tuple[str, bytes, str]]
BYTES = bytes(range(256)) * 40 + b"\r\n--xyz--\r\n"
FILE: Files = {"photo": ("弓.png", BYTES, "image/png")}
OTHER_FILE: Files = {"photo": ("other.png", b"\x89PNG other", "image/png")}
DOUBTED = "taro@nagoya-bow.jp"
FOREIGN = {**BROWSER, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}


@pytest.fixture(params=FRAMEWORKS, ids=lambda kind: kind.__name__)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    with closing() as sites:

        def made(form: GuardedForm | None = None, setting: Mapping[str, object] | None = None) -> Framework:
            site: Framework = request.param(tmp_path, form, setting=setting)
            sites.append(site)
            return site

        yield made


@pytest.fixture
def site(make: Make) -> Framework:
    return make()


@pytest.fixture
def plain(tmp_path: Path) -> StarletteSite:
    """Where frameworks cannot differ one of them is enough."""
    return StarletteSite(tmp_path)


async def quick(_: Site, visitor: Visitor, files: Files | None = None) -> httpx2.Response:
    """Send sooner than a person can."""
    return await visitor.send(await visitor.open(), after_s=1.0, files=files)


async def stale(_: Site, visitor: Visitor) -> httpx2.Response:
    return await visitor.send(await visitor.open(), after_s=86_401)


async def rotated(site: Site, visitor: Visitor) -> httpx2.Response:
    old = Site(site.journal_path.parent, settings={"secret_keys": "o" * 40})
    return await visitor.send(await old.visitor().open())


async def other_form(_: Site, visitor: Visitor) -> httpx2.Response:
    return await visitor.send(await visitor.open("/order"))


async def replayed(site: Site, visitor: Visitor) -> httpx2.Response:
    page = await visitor.open()
    await site.visitor("1.2.3.4").send(
        page, {"email": "somebody@gmail.com", "message": "An altogether other matter."}
    )
    return await visitor.send(page)


async def tampered(_: Site, visitor: Visitor) -> httpx2.Response:
    page = await visitor.open()
    return await visitor.send(page, {"_fw_token": f"{page.token[:-2]}xx"})


async def cross_site(site: Site, visitor: Visitor) -> httpx2.Response:
    page = await visitor.open()
    site.clock.move(20)
    foreign = site.visitor(headers=FOREIGN)
    return await foreign.post(foreign.fill(page) | {"_fw_token": ""})


async def doubted(site: Site, visitor: Visitor) -> httpx2.Response:
    site.resolver.gone.add("nagoya-bow.jp")
    return await visitor.send(await visitor.open(), {"email": DOUBTED})


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One reason to ask: how it comes about, the words for it, and how far the answer is trusted."""

    provoke: Callable[[Site, Visitor], Awaitable[httpx2.Response]]
    words: str
    standing: Standing


CAUSES = {
    "too young": Cause(provoke=quick, words="That was very quick", standing=Standing.SHOWN),
    "stale": Cause(provoke=stale, words="The page was open for a long time", standing=Standing.SHOWN),
    "rotated": Cause(provoke=rotated, words="The page was open for a long time", standing=Standing.SHOWN),
    "other form": Cause(provoke=other_form, words="the page of another form", standing=Standing.DOUBTFUL),
    "replayed": Cause(provoke=replayed, words="has been sent before", standing=Standing.DOUBTFUL),
    "tampered": Cause(provoke=tampered, words="did not arrive as we made it", standing=Standing.DOUBTFUL),
    "cross-site": Cause(provoke=cross_site, words="a page of another site", standing=Standing.DOUBTFUL),
    "address": Cause(provoke=doubted, words=f"Mail to “{DOUBTED}” may not arrive", standing=Standing.DOUBTFUL),
}


@pytest.fixture(params=CAUSES)
def cause(request: pytest.FixtureRequest) -> Cause:
    return CAUSES[request.param]


def is_asked(response: httpx2.Response) -> bool:
    return "One more click, please" in response.text


async def asked_one(site: Site) -> bytes:
    (inquiry,) = await site.inquiries(State.ASKED)
    return inquiry.id


async def became(site: Site, inquiry: bytes) -> tuple[State, str]:
    """What became of an inquiry, and why."""
    kept = await site.store.well.inquiries.get(inquiry)
    assert kept is not None
    return kept.state, kept.note.partition(" FW-")[0]


# ------------------------------------------------------------------ each cause
@pytest.mark.anyio
async def test_it_is_asked_in_words_with_the_fields_hidden_and_a_fresh_token(site: Framework, cause: Cause) -> None:
    visitor = site.visitor()
    response = await cause.provoke(site, visitor)
    before = len(site.verdicts)
    assert (response.status_code, is_asked(response)) == (200, True)
    elements = Elements(response.text)
    assert cause.words in elements.text
    assert elements.all("form") == [{"method": "post", "accept-charset": "utf-8", "novalidate": None}]
    assert len(elements.all("button")) == 1
    assert elements.field("message") == {"type": "hidden", "name": "message", "value": MESSAGE}
    assert (MESSAGE in elements.text) is (cause is not CAUSES["cross-site"])  # G32
    assert (elements.field("email")["type"] == "email") is (cause is CAUSES["address"])  # it may be corrected
    assert response.headers["cache-control"] == "no-store"
    assert len(site.verdicts) == before  # the handler has not seen it
    assert await asked_one(site)


@pytest.mark.anyio
async def test_one_click_runs_the_handler_and_replaces_what_was_asked(site: Framework, cause: Cause) -> None:
    visitor = site.visitor()
    page = read_page(await cause.provoke(site, visitor))
    asked = await asked_one(site)
    before = len(site.verdicts)
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert len(site.verdicts) == before + 1
    verdict = site.verdicts[-1]
    assert verdict.standing is cause.standing
    assert verdict.fields["message"] == MESSAGE
    assert await became(site, asked) == (State.DISCARDED, "answered by")
    assert await became(site, verdict.id) == (State.DONE, "")
    row = await site.row(verdict.id)
    assert row is not None
    assert row.code in ({"OK"} if cause.standing is Standing.SHOWN else {"HELD_SUSPECT", "ADDR_UNDELIVERABLE"})


@pytest.mark.anyio
async def test_without_scripts_one_click_is_enough_too(plain: StarletteSite, cause: Cause) -> None:
    visitor = plain.visitor(scripts=False)
    page = read_page(await cause.provoke(plain, visitor))
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert plain.verdicts[-1].standing is (Standing.PLAIN if cause.standing is Standing.SHOWN else cause.standing)


@pytest.mark.anyio
async def test_g22_unanswered_it_is_held_after_30_minutes_and_a_doubted_address_goes_its_way(
    plain: StarletteSite, cause: Cause
) -> None:
    await cause.provoke(plain, plain.visitor())
    asked = await asked_one(plain)
    await plain.later(1_799)
    assert (await became(plain, asked))[0] is State.ASKED
    before = len(plain.verdicts)
    await plain.later(2)
    only_address = cause is CAUSES["address"]
    end = (State.RELEASED, "released") if only_address else (State.HELD, "asked for another click, not answered")
    assert await became(plain, asked) == end
    assert len(plain.verdicts) == before + only_address


@pytest.mark.anyio
async def test_g22_answered_after_31_minutes_it_leaves_the_owners_way(plain: StarletteSite, cause: Cause) -> None:
    visitor = plain.visitor()
    page = read_page(await cause.provoke(plain, visitor))
    asked = await asked_one(plain)
    await plain.later(1_860)
    before = len(plain.verdicts)
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert len(plain.verdicts) == before + 1
    gone_its_way = (State.RELEASED, "released")
    assert await became(plain, asked) == (
        gone_its_way if cause is CAUSES["address"] else (State.DISCARDED, "answered by")
    )
    assert await plain.inquiries(State.HELD) == ()


@pytest.mark.anyio
async def test_g21_one_that_the_owner_released_meanwhile_stays_released(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = read_page(await quick(plain, visitor))
    asked = await asked_one(plain)
    await plain.later(1_860)
    assert await plain.warden.release(asked)
    await visitor.send(page, after_s=2.0)
    assert await became(plain, asked) == (State.RELEASED, "released")


@pytest.mark.anyio
async def test_answered_twice_it_runs_once(plain: StarletteSite, cause: Cause) -> None:
    visitor = plain.visitor()
    page = read_page(await cause.provoke(plain, visitor))
    before = len(plain.verdicts)
    first, second = await visitor.send(page, after_s=2.0), await visitor.send(page, after_s=0.5)
    assert (first.status_code, first.headers["location"]) == (second.status_code, second.headers["location"])
    assert len(plain.verdicts) == before + 1


# ------------------------------------------------------------------ other answers
@pytest.mark.anyio
async def test_answered_with_a_changed_text_it_is_the_new_text_that_goes_on(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = read_page(await quick(plain, visitor))
    asked = await asked_one(plain)
    assert (await visitor.send(page, {"message": f"{MESSAGE} And strings?"}, after_s=2.0)).status_code == 303
    assert plain.verdicts[0].fields["message"].endswith("And strings?")
    assert await became(plain, asked) == (State.DISCARDED, "answered by")


@pytest.mark.anyio
async def test_a_corrected_address_is_accepted_and_no_machine_answers_it_by_itself(
    plain: StarletteSite,
) -> None:
    visitor = plain.visitor()
    page = read_page(await doubted(plain, visitor))
    assert (await visitor.send(page, {"email": ADDRESS}, after_s=9.0)).status_code == 303
    (verdict,) = plain.verdicts
    assert (verdict.address, verdict.score, verdict.standing) == (ADDRESS, 0, Standing.DOUBTFUL)
    await plain.later(10)
    assert [mail.recipient for mail in plain.sender.mails if mail.recipient == ADDRESS] == []


@pytest.mark.anyio
async def test_the_address_that_was_probably_meant_is_one_click_away_without_scripts(plain: StarletteSite) -> None:
    plain.resolver.gone.add("gmial.com")
    visitor = plain.visitor(scripts=False)
    response = await visitor.send(await visitor.open(), {"email": "taro@gmial.com"})
    html = response.text
    assert "Did you mean this address?" in html
    form = html[html.index("<form") : html.index("</form>") + len("</form>")]  # the first one
    page = read_page(httpx2.Response(200, text=form))
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    (verdict,) = plain.verdicts
    assert (verdict.address, verdict.fields["message"], verdict.standing) == (
        "taro@gmail.com",
        MESSAGE,
        Standing.DOUBTFUL,
    )


@pytest.mark.anyio
async def test_answered_from_another_network_it_is_taken_and_trusted_less(plain: StarletteSite) -> None:
    page = read_page(await quick(plain, plain.visitor("1.2.3.4")))
    asked = await asked_one(plain)
    assert (await plain.visitor("9.8.7.6").send(page, after_s=2.0)).status_code == 303
    assert plain.verdicts[0].standing is Standing.PLAIN
    assert await became(plain, asked) == (State.DISCARDED, "answered by")


@pytest.mark.anyio
async def test_g28_asked_again_and_again_it_is_held_at_last_and_one_inquiry_remains(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    response = await stale(plain, visitor)
    for _ in range(4):  # every page lies open for a day
        assert is_asked(response)
        response = await visitor.send(read_page(response), after_s=86_401)
    assert is_asked(response)
    last = await visitor.send(read_page(response), after_s=2.0)
    assert last.headers["location"].startswith("/thanks?receipt=")  # as if it had been accepted (G29)
    assert plain.verdicts == []
    (held,) = await plain.inquiries(State.HELD)
    assert held.hits["lineage_spent"] == 5
    assert b"violin" in (held.body or b"")
    assert {inquiry.state for inquiry in await plain.inquiries()} == {State.HELD, State.DISCARDED}


@pytest.mark.anyio
async def test_g22_of_many_tries_with_one_answer_token_one_alone_replaces(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = read_page(await quick(plain, visitor))
    for number in range(5):
        await visitor.send(page, {"message": f"{MESSAGE} Number {number}."}, after_s=9.0)
    assert len(await plain.inquiries(State.DISCARDED)) == 1
    assert len(await plain.inquiries()) == 6


@pytest.mark.anyio
async def test_g27_what_other_signals_hold_is_not_asked(plain: StarletteSite) -> None:
    visitor = plain.visitor(headers={})  # no header of a browser: 3 points beside
    page = await visitor.open()
    data = visitor.fill(page)
    trap = next(name for name in page.fields if "_" in name and not name.startswith("_fw"))
    plain.clock.move(1.0)
    response = await visitor.post({**data, trap: "filled"})
    assert response.status_code == 303
    assert (await plain.inquiry()).state is State.HELD


@pytest.mark.anyio
async def test_the_page_posts_to_the_address_it_came_from_below_a_mount_and_with_its_query(tmp_path: Path) -> None:
    site = StarletteSite(tmp_path)
    site.app = Starlette(routes=[Mount("/shop", app=site.app)])
    visitor = site.visitor()
    url = "/shop/contact?from=top"
    response = await visitor.send(await visitor.open(url), after_s=1.0, path=url)
    assert is_asked(response)
    elements = Elements(response.text)
    assert "action" not in elements.all("form")[0]  # so a browser posts to the very URL (HTML standard, 4.10.21.3)
    assert {str(each["href"]).startswith("/shop/_formwarden/") for each in elements.all("link")} == {True}
    answer = await visitor.send(read_page(response), after_s=2.0, path=url)
    assert answer.headers["location"].startswith("/shop/thanks?receipt=")


# ------------------------------------------------------------------ files
async def sent_with_files(site: Site, visitor: Visitor) -> Page:
    response = await quick(site, visitor, FILE)
    assert is_asked(response)
    assert "弓.png" in Elements(response.text).text
    return read_page(response)


@pytest.mark.anyio
async def test_files_are_kept_and_come_along_with_the_next_click(site: Framework) -> None:
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)
    asked = await asked_one(site)
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert site.files == [("弓.png", BYTES)]
    (verdict,) = site.verdicts
    assert [(upload.field, upload.content_type) for upload in verdict.uploads] == [("photo", "image/png")]
    assert verdict.standing is Standing.SHOWN
    assert await became(site, asked) == (State.DISCARDED, "answered by")
    kept = await site.store.well.inquiries.get(verdict.id)
    assert kept is not None
    read = parse_body(kept.content_type, kept.body or b"")
    assert (read.contents, read.fields["message"]) == ((BYTES,), MESSAGE)


@pytest.mark.anyio
async def test_a_second_click_of_that_answer_is_known(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = await sent_with_files(plain, visitor)
    first, second = await visitor.send(page, after_s=2.0), await visitor.send(page, after_s=1.0)
    assert first.headers["location"] == second.headers["location"]
    assert len(plain.files) == len(plain.verdicts) == 1


@pytest.mark.anyio
async def test_after_a_500_the_files_come_along_again(site: Framework) -> None:
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)

    async def fails(_: object) -> tuple[int, str]:
        return 500, ""

    site.does = fails
    await visitor.send(page, after_s=2.0)
    site.does = site.takes
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert site.files == [("弓.png", BYTES)] * 2


@pytest.mark.anyio
async def test_a_correction_of_the_answer_has_the_files_too(site: Framework) -> None:
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)
    assert (await visitor.send(page, {"topic": "flutes"}, after_s=2.0)).status_code != 303  # the site refuses it
    assert (await visitor.send(page, {"topic": "bows"}, after_s=2.0)).status_code == 303
    assert site.files == [("弓.png", BYTES)]


@pytest.mark.anyio
async def test_a_page_that_asks_about_an_answer_names_the_files_too(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = await sent_with_files(plain, visitor)
    response = await visitor.send(page, after_s=86_401)
    assert is_asked(response)
    assert "弓.png" in response.text
    assert (await visitor.send(read_page(response), after_s=2.0)).status_code == 303
    assert plain.files == [("弓.png", BYTES)]
    assert sorted(inquiry.state for inquiry in await plain.inquiries()) == [
        State.DISCARDED,
        State.DISCARDED,
        State.DONE,
    ]


@pytest.mark.anyio
async def test_files_that_the_answer_brings_itself_win(site: Framework) -> None:
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)
    asked = await asked_one(site)
    await visitor.send(page, after_s=2.0, files=OTHER_FILE)
    assert site.files == [("other.png", b"\x89PNG other")]
    assert await became(site, asked) == (State.DISCARDED, "answered by")


@pytest.mark.anyio
async def test_where_the_answer_brings_other_files_only_what_was_asked_stays(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = await sent_with_files(plain, visitor)
    await visitor.send(page, after_s=2.0, files={"plan": ("plan.pdf", b"%PDF", "application/pdf")})
    assert len(plain.verdicts) == 1
    assert await asked_one(plain)


async def posted_with_an_empty_input(visitor: Visitor, data: Mapping[str, str]) -> httpx2.Response:
    """Post as browsers do where nobody chose a file (HTML standard, "constructing the entry list")."""
    parts = [f'name="{name}"\r\n\r\n{value}' for name, value in data.items()]
    parts.append('name="photo"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')
    body = "".join(f"--xyz\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + "--xyz--\r\n"
    headers = {"content-type": "multipart/form-data; boundary=xyz"}
    return await visitor.request("POST", "/contact", content=body.encode(), headers=headers)


@pytest.mark.anyio
async def test_an_input_left_empty_is_no_file_that_has_to_come_again(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    data = visitor.fill(await visitor.open())
    plain.clock.move(1.0)
    response = await posted_with_an_empty_input(visitor, data)
    assert is_asked(response)
    assert "<ul>" not in response.text
    asked = await asked_one(plain)
    assert (await visitor.send(read_page(response), after_s=2.0)).status_code == 303
    assert await became(plain, asked) == (State.DISCARDED, "answered by")


@pytest.mark.anyio
async def test_an_empty_input_of_the_answer_does_not_hide_the_kept_file(site: Framework) -> None:
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)
    asked = await asked_one(site)
    site.clock.move(2.0)
    assert (await posted_with_an_empty_input(visitor, visitor.fill(page))).status_code == 303
    assert site.files == [("弓.png", BYTES)]
    assert await became(site, asked) == (State.DISCARDED, "answered by")


@pytest.mark.anyio
async def test_a_correction_that_brings_the_files_at_last_replaces_what_was_asked(plain: StarletteSite) -> None:
    visitor = plain.visitor()
    page = await sent_with_files(plain, visitor)
    asked = await asked_one(plain)
    plain.store.fails("inquiries.get", StoreError("locked"))
    await visitor.send(page, after_s=2.0)
    plain.store.fails("inquiries.get", None)
    assert (await visitor.send(page, {"message": f"{MESSAGE} And strings?"}, after_s=9.0)).status_code == 303
    assert plain.files == [("弓.png", BYTES)]
    assert await became(plain, asked) == (State.DISCARDED, "answered by")


@pytest.mark.anyio
async def test_what_is_too_large_together_goes_on_without_the_files_and_the_asked_one_stays(tmp_path: Path) -> None:
    site = StarletteSite(tmp_path, setting={"body_limit": len(BYTES) + 1_900})
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)
    asked = await asked_one(site)
    assert (await visitor.send(page, {"message": f"{MESSAGE} {'Long. ' * 200}"}, after_s=2.0)).status_code == 303
    assert site.files == []
    await site.later(1_801)
    assert (await became(site, asked))[0] is State.HELD


@pytest.mark.anyio
async def test_where_the_store_cannot_be_read_the_click_goes_on_without_the_files_and_both_stay(
    plain: StarletteSite,
) -> None:
    visitor = plain.visitor()
    page = await sent_with_files(plain, visitor)
    asked = await asked_one(plain)
    plain.store.fails("inquiries.get", StoreError("locked"))
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert (len(plain.verdicts), plain.files) == (1, [])
    assert (await became(plain, asked))[0] is State.ASKED
    plain.store.fails("inquiries.get", None)
    again = await visitor.send(page, after_s=2.0)  # known all the same: files do not name a submission
    assert again.status_code == 303
    assert len(plain.verdicts) == 1


@pytest.mark.anyio
async def test_with_the_counters_down_no_file_comes_along_for_nobody_counts_how_often(
    plain: StarletteSite,
) -> None:
    visitor = plain.visitor()
    page = await sent_with_files(plain, visitor)
    plain.store.fails("counters", StoreError("gone"))
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert plain.files == []
    assert await asked_one(plain)


@pytest.mark.anyio
async def test_g27_a_replayed_answer_brings_no_file_along(plain: StarletteSite) -> None:
    page = await sent_with_files(plain, plain.visitor("1.2.3.4"))
    await plain.visitor("1.2.3.4").send(page, after_s=2.0)
    response = await plain.visitor("9.8.7.6").send(page, {"message": "I am somebody else."}, after_s=2.0)
    assert is_asked(response)
    assert "弓.png" not in response.text


@pytest.mark.anyio
async def test_a_released_answer_has_its_files(make: Make) -> None:
    site = make()
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)

    async def fails(_: object) -> tuple[int, str]:
        return 500, ""

    site.does = fails
    await visitor.send(page, after_s=2.0)
    site.does, site.files = site.takes, []
    (held,) = await site.inquiries(State.HELD)
    assert await site.warden.release(held.id)
    assert site.files == [("弓.png", BYTES)]


@pytest.mark.anyio
async def test_g32_names_of_files_are_not_displayed_either(plain: StarletteSite) -> None:
    foreign = plain.visitor(headers=FOREIGN)
    page = await plain.visitor().open()
    plain.clock.move(20)
    response = await foreign.post(foreign.fill(page) | {"_fw_token": ""}, files=FILE)
    assert is_asked(response)
    assert "弓" not in response.text
    await plain.visitor().send(read_page(response), after_s=2.0)
    assert plain.files == [("弓.png", BYTES)]


@pytest.mark.anyio
async def test_our_own_fields_are_cut_out_of_a_body_with_kept_files_too(tmp_path: Path) -> None:
    site = FastApiSite(tmp_path, strip=True)
    visitor = site.visitor()
    page = await sent_with_files(site, visitor)
    assert (await visitor.send(page, after_s=2.0)).status_code == 303
    assert site.files == [("弓.png", BYTES)]
    assert site.named == [{"name", "email", "topic", "message", "photo"}]


# ------------------------------------------------------------------ a site's own page, JSON clients
@pytest.mark.anyio
async def test_a_sites_own_page_asks_in_its_own_words_and_may_take_other_files(make: Make) -> None:
    def ask(page: AskPage) -> Answer:
        hidden = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in page.hidden.pairs)
        html = f"<form method='post'>{page.reason} {' '.join(page.files)}{hidden}{page.markup}</form>"
        return Answer(status=200, headers={"content-type": "text/html; charset=utf-8"}, body=html.encode())

    site = make(GuardedForm("contact", path="/contact", ask=ask))
    visitor = site.visitor()
    response = await quick(site, visitor, FILE)
    assert "One more click" not in response.text
    assert "弓.png" in response.text
    assert response.headers["cache-control"] == "no-store"
    assert (await visitor.send(read_page(response), after_s=2.0)).status_code == 303
    assert site.files == [("弓.png", BYTES)]


@pytest.mark.anyio
async def test_a_json_client_is_told_the_cause_and_answers_with_the_fresh_token(
    plain: StarletteSite, cause: Cause
) -> None:
    visitor = plain.visitor(headers={**BROWSER, "accept": "application/json"})
    foreign = FOREIGN | {"accept": "application/json"}
    page = await visitor.open()
    if cause is CAUSES["cross-site"]:
        plain.clock.move(20)
        stranger = plain.visitor(headers=foreign)
        response = await stranger.post(stranger.fill(page) | {"_fw_token": ""})
    else:
        response = await cause.provoke(plain, visitor)
    assert (response.status_code, response.headers["content-type"]) == (409, "application/problem+json")
    told = json.loads(response.text)
    assert told["type"].startswith("urn:formwarden:ask:")
    typed = {
        "name": "Taro",
        "email": ADDRESS,
        "message": MESSAGE,
        "_fw_token": told["token"],
        "_fw_form": page.marker,
    }
    plain.clock.move(2.0)
    answer = await visitor.post(typed | {"_fw_seen": evidence(told["token"])})
    assert answer.status_code == 303
