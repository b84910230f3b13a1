from pathlib import Path
from types import MappingProxyType

import pytest
from starlette.requests import Request

from formwarden import (
    Action,
    AutoReply,
    GuardedForm,
    Markup,
    Settings,
    SettingsError,
    StoreError,
    Submission,
    UnknownFormError,
    Warden,
)
from formwarden.mail.sender import SendResult, SendState
from formwarden.stores.ports import Decision, Staff, State
from tests.page.elements import Elements
from tests.sites import ADDRESS, BROWSER, DOMAIN, MESSAGE, READING_S, STAFF, URL, Site, contact, evidence

PLAIN: dict[str, object] = {"secret_keys": "k" * 40, "store_url": "memory://", "work": "cron"}


def filled(site: Site, **typed: str) -> Submission:
    """A person's submission, handed over by a handler of the site's own."""
    inputs = Elements(f"<form>{site.warden.markup('contact')}</form>").all("input")
    page = {str(each["name"]): each["value"] or "" for each in inputs if each["type"] != "checkbox"}
    site.clock.move(READING_S)
    usual = {"name": "Taro", "email": ADDRESS, "message": MESSAGE, "_fw_seen": evidence(page["_fw_token"])}
    return Submission("contact", page | usual | typed, peer="1.2.3.4", headers={**BROWSER, "host": DOMAIN})


# ------------------------------------------------------------------ construction
def test_wrong_settings_fail_at_construction_with_all_their_faults() -> None:
    with pytest.raises(SettingsError) as raised:
        Warden(GuardedForm("contact", reply=AutoReply()), settings=Settings.only(store_url="memory://"))
    told = str(raised.value)
    assert "FORMWARDEN_SECRET_KEYS" in told
    assert "FORMWARDEN_SITE_DOMAIN" in told


@pytest.mark.parametrize(
    "forms",
    [
        (GuardedForm("contact", path="/a"), GuardedForm("contact", path="/b")),
        (GuardedForm("contact", path="/a"), GuardedForm("order", path=("/b", "/a"))),
        (GuardedForm("contact", path=("/a", "/a")),),
    ],
)
def test_two_forms_have_neither_one_name_nor_one_path(forms: tuple[GuardedForm, ...]) -> None:
    with pytest.raises(ValueError, match="one name or one path"):
        Warden(*forms, settings=Settings.only(**PLAIN))


def test_making_one_touches_neither_disk_nor_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    values = PLAIN | {"store_url": f"sqlite:///{tmp_path}/fw.db", "smtp_url": "smtp://192.0.2.1"}
    warden = Warden(GuardedForm("contact"), settings=Settings.only(**values))
    assert isinstance(warden.markup("contact"), Markup)
    assert list(tmp_path.iterdir()) == []


def test_the_forms_cannot_be_changed_behind_its_back() -> None:
    warden = Warden(contact(path=()), settings=Settings.only(**PLAIN, site_domain=DOMAIN))
    assert isinstance(warden.forms, MappingProxyType)


@pytest.mark.anyio
async def test_an_unknown_form_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for call in (lambda: site.warden.markup("kontakt"), lambda: site.warden._form("kontakt")):  # noqa: SLF001 - the same, inside
        with pytest.raises(UnknownFormError, match=r"'kontakt'; this warden has: contact"):
            call()
    with pytest.raises(UnknownFormError):
        await site.warden.judge(Submission("kontakt", {}))


# ------------------------------------------------------------------ without the middleware
@pytest.mark.anyio
async def test_g21_judged_from_a_handler_accepted_is_done_at_once(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(filled(site))
    assert verdict.accepted
    assert (await site.inquiry()).state is State.DONE
    await site.warden.notify(verdict)
    assert (await site.warden.reply(verdict)).decision is Decision.SEND
    await site.later(1)
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])


@pytest.mark.anyio
async def test_a_request_of_starlette_is_read(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    body = b"email=taro%40gmail.com&message=Hello"
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "client": ("1.2.3.4", 5),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), (b"user-agent", b"curl")],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    submission = await Submission.from_request("contact", Request(scope, receive))
    verdict = await site.warden.judge(submission)
    assert verdict.fields["message"] == "Hello"
    assert verdict.client == bytes([1, 2, 3, 4, 32])


@pytest.mark.anyio
async def test_a_verdict_that_is_not_accepted_has_an_answer(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(Submission("contact", {"message": MESSAGE}, client="1.2.3.4"))
    assert verdict.action is Action.QUARANTINE
    assert site.warden.answer(verdict).headers["location"].startswith("/thanks?receipt=")


@pytest.mark.anyio
async def test_what_a_verdict_says_of_itself_holds_nothing_typed(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(Submission("contact", {"name": "Taro", "email": ADDRESS, "message": MESSAGE}))
    for told in (verdict.explain(), repr(verdict.as_dict()), repr(verdict.fields)):
        for clear in ("Taro", "yamada", "violin"):
            assert clear not in told


# ------------------------------------------------------------------ mailing
@pytest.mark.anyio
async def test_g15_replying_twice_sends_once(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(filled(site))
    first, second = await site.warden.reply(verdict), await site.warden.reply(verdict)
    assert (first.decision, second.decision) == (Decision.SEND, Decision.SEND)
    for _ in range(5):
        await site.later(60)
    assert len(site.sender.to(ADDRESS)) == 1


@pytest.mark.anyio
async def test_g18_a_preview_reserves_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(filled(site))
    for _ in range(10):
        assert (await site.warden.preview(verdict)).code == "OK"
    assert await site.row(verdict.id) is None


@pytest.mark.anyio
async def test_g18_the_switch_stops_what_is_already_due(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(filled(site))
    await site.warden.reply(verdict)
    await site.warden.switch_replies(on=False)
    await site.later(5)
    assert site.sender.mails == []
    assert (
        await site.warden.preview(await site.warden.judge(filled(site, message="Another one, please.")))
    ).code == "AR_OFF"


@pytest.mark.anyio
async def test_a_relay_that_is_away_delays_the_staffs_mail_and_loses_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(filled(site))
    await site.warden.notify(verdict)
    site.sender.says = SendResult(state=SendState.NOT_SENT, text="connection refused")
    for _ in range(5):
        await site.later(60)
    assert (await site.inquiry()).staff is Staff.DUE
    site.sender.says = SendResult(state=SendState.TAKEN)
    await site.later(59)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]
    assert (await site.inquiry()).staff is Staff.SENT
    await site.later(3600)
    assert len(site.sender.mails) == 1


@pytest.mark.anyio
async def test_g17_a_permit_is_the_same_gate(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    verdict = await site.warden.judge(filled(site))
    async with site.warden.permit(verdict) as permit:
        assert permit.granted
    async with site.warden.permit(verdict) as again:
        assert (again.granted, again.code) == (False, "DUP_LINEAGE")


# ------------------------------------------------------------------ pages
def test_a_request_that_is_passed_tells_network_and_language(tmp_path: Path) -> None:
    site = Site(tmp_path)
    scope = {"type": "http", "path": "/", "client": ("1.2.3.4", 5), "headers": [(b"accept-language", b"ja")]}
    markup = site.warden.markup("contact", request=Request(scope))
    assert "何も入力しない" in markup


@pytest.mark.anyio
async def test_g30_no_link_is_made_from_request_headers(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    response = await visitor.send(await visitor.open(), headers={"host": "evil.example", "origin": URL})
    assert "evil" not in response.headers["location"]


@pytest.mark.anyio
async def test_the_thanks_page_of_a_body_that_is_gone_shows_the_receipt(tmp_path: Path) -> None:
    site = Site(tmp_path, settings={"receipt_minutes": 300})
    visitor = site.visitor()
    location = (await visitor.send(await visitor.open())).headers["location"]
    await site.later(1)
    await site.later(2 * 3600)
    assert (await site.inquiry()).body is None
    shown = await visitor.request("GET", location)
    assert site.verdicts[0].receipt in shown.text
    assert MESSAGE not in shown.text


# ------------------------------------------------------------------ running
@pytest.mark.anyio
async def test_closed_it_opens_again_by_itself(tmp_path: Path) -> None:
    site = Site(tmp_path, contact(path=()))
    await site.warden.open()
    await site.warden.open()
    await site.warden.aclose()
    await site.warden.aclose()
    assert (await site.warden.judge(filled(site))).recorded
    assert site.store.closed == 2


@pytest.mark.anyio
async def test_one_pass_of_the_work_survives_every_store_that_is_down(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for port in ("store", "counters", "inquiries", "ledger"):
        site.store.fails(port, StoreError("disk full"))
    assert await site.warden.work_once() == 0
    assert {fault.what for fault in site.warden.faults.all()} == {
        "work journal",
        "work outbox",
        "work staff",
        "work waiting",
        "work purge",
        "work growth",
        "work alarms",
        "work held",
        "work digest",
    }


@pytest.mark.anyio
async def test_a_done_inquirys_text_is_erased_an_hour_after_its_staff_mail_left(tmp_path: Path) -> None:
    site = Site(tmp_path)
    visitor = site.visitor()
    await visitor.send(await visitor.open())
    site.sender.says = SendResult(state=SendState.NOT_SENT, text="away")
    await site.later(7200)
    assert (await site.inquiry()).body is not None
    site.sender.says = SendResult(state=SendState.TAKEN)
    for _ in range(4):
        await site.later(1800)
    inquiry = await site.inquiry()
    assert (inquiry.body, inquiry.recipient) == (None, None)
