"""The blocking twin, as handlers of Flask and Django call it: on their own thread, without a loop."""

import asyncio
import os
import smtplib
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from formwarden import Action, LateError, RunningLoopError, Submission
from formwarden.desk.rebuild import parsed
from formwarden.multipart import SentFile
from formwarden.scoring import Standing
from formwarden.stores.ports import Decision, OutcomeKind, Staff, State
from formwarden.submission import URLENCODED
from formwarden.sync import SyncWarden
from formwarden.twin import BackgroundLoop
from tests.page.elements import Elements
from tests.sites import ADDRESS, BROWSER, DOMAIN, MESSAGE, READING_S, STAFF, Site, contact, evidence
from tests.test_twin import SRC


def plain(tmp_path: Path, **settings: str) -> Site:
    """A site whose form's handler is not behind the middleware."""
    return Site(tmp_path, contact(path=()), settings=settings)


def posted(site: Site, **typed: str) -> dict[str, str]:
    """What a browser posts of the page that a template rendered."""
    inputs = Elements(f"<form>{site.warden.markup('contact')}</form>").all("input")
    page = {str(each["name"]): each["value"] or "" for each in inputs if each["type"] != "checkbox"}
    site.clock.move(READING_S)
    usual = {"name": "Taro", "email": ADDRESS, "message": MESSAGE, "_fw_seen": evidence(page["_fw_token"])}
    return page | usual | typed


def environ(**more: object) -> dict[str, object]:
    """A WSGI environment (PEP 3333), as Werkzeug and Django's META hold it."""
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in BROWSER.items()}
    plain: dict[str, object] = {
        "REQUEST_METHOD": "POST",
        "REMOTE_ADDR": "203.0.113.9",
        "HTTP_HOST": DOMAIN,
        "CONTENT_TYPE": URLENCODED,
        "CONTENT_LENGTH": "300",
        "wsgi.input": object(),
    }
    return plain | headers | more


def test_a_handler_judges_mails_the_staff_and_replies(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync = site.warden.sync
    verdict = sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    assert verdict.accepted
    assert verdict.fields.pairs == (("name", "Taro"), ("email", ADDRESS), ("message", MESSAGE))

    sync.notify(verdict)
    assert sync.preview(verdict).code == "OK"
    assert sync.reply(verdict).decision is Decision.SEND
    assert sync.work_once() >= 2
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])


def test_the_environment_tells_client_headers_and_host(tmp_path: Path) -> None:
    site = plain(tmp_path, trusted_proxies="10.0.0.1")
    near = environ(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="1.2.3.4")
    submission = Submission.from_environ("contact", near, posted(site).items())
    assert site.warden.client_at(submission.peer, submission.headers).ip is not None
    assert str(site.warden.client_at(submission.peer, submission.headers).ip) == "1.2.3.4"
    assert submission.host == DOMAIN
    assert submission.headers["sec-fetch-site"] == "same-origin"


def test_what_is_not_accepted_has_an_answer_for_any_framework(tmp_path: Path) -> None:
    site = plain(tmp_path)
    fields = posted(site) | {"_fw_token": ""}
    del fields["_fw_token"]
    verdict = site.warden.sync.judge(
        Submission.from_environ("contact", environ(), {**fields, "_fw_form": ""}.items())
    )
    assert verdict.action is Action.QUARANTINE
    answer = site.warden.answer(verdict)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/thanks")


def test_a_plain_function_needs_no_request_at_all(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission("contact", {"email": ADDRESS, "message": MESSAGE}, client="1.2.3.4"))
    assert verdict.action is Action.QUARANTINE  # it never had our page
    assert verdict.client is not None


def test_g17_a_permit_grants_once_and_leaving_it_spends_the_slot(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync = site.warden.sync
    verdict = sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    with sync.permit(verdict) as permit:
        assert (permit.granted, permit.code) == (True, "OK")
    with sync.permit(verdict) as again:
        assert not again.granted


def test_g17_what_the_provider_has_against_us_closes_it_through_the_twin_too(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync = site.warden.sync
    verdict = sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    with pytest.raises(smtplib.SMTPDataError), sync.permit(verdict):
        raise smtplib.SMTPDataError(550, b"5.7.1 very low reputation of your domain")
    other = sync.judge(Submission.from_environ("contact", environ(), posted(site, email=f"x{ADDRESS}").items()))
    with sync.permit(other) as permit:
        assert (permit.granted, permit.code) == (False, "BREAKER_PROVIDER")


def test_g17_a_permits_refusal_is_settled_and_raised_again(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync = site.warden.sync
    verdict = sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    refused = smtplib.SMTPRecipientsRefused({ADDRESS: (550, b"5.1.1 no such user")})
    with pytest.raises(smtplib.SMTPRecipientsRefused), sync.permit(verdict):
        raise refused

    other = sync.judge(
        Submission.from_environ("contact", environ(), posted(site, message=f"{MESSAGE} Soon?").items())
    )
    result = sync.reply(other)
    assert result.decision is Decision.SUPPRESS
    assert OutcomeKind.HARD.value in result.code.lower()


def test_g19_work_of_a_site_without_lifespan_is_started_by_its_submissions(tmp_path: Path) -> None:
    site = plain(tmp_path, work="auto")
    sync = site.warden.sync
    verdict = sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    sync.notify(verdict)
    site.clock.move(5)
    sync.judge(Submission.from_environ("contact", environ(), posted(site, message="Another question.").items()))
    assert site.sender.sent.wait(10)  # by what the judging started on the loop of its own
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]
    sync.close()  # a clock that each sleep moves would keep the work going round without a pause


def test_the_reply_of_the_days_last_request_leaves_with_no_request_after_it(tmp_path: Path) -> None:
    site = plain(tmp_path, work="auto")
    sync = site.warden.sync
    verdict = sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    sync.reply(verdict)
    assert site.sender.sent.wait(10)
    assert [mail.recipient for mail in site.sender.mails] == [ADDRESS]
    sync.close()
    assert site.store.closed == 1


# ------------------------------------------------------------------ files
def test_files_are_kept_with_the_inquiry_as_they_were_sent(tmp_path: Path) -> None:
    site = plain(tmp_path)
    photo, plan = BytesIO(b"\x89PNG\r\n--"), b"<svg/>"
    files: list[SentFile] = [("photo", "bow 1.png", "image/png", photo), ("plan", "plan.svg", "image/svg+xml", plan)]
    sent = posted(site)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), sent.items(), files=files))
    assert [(each.field, each.filename, each.size) for each in verdict.uploads] == [
        ("photo", "bow 1.png", 8),
        ("plan", "plan.svg", 6),
    ]
    assert photo.read() == b"\x89PNG\r\n--"  # the handler reads it too
    body = parsed(asyncio.run(site.inquiry()))
    assert body.contents == (b"\x89PNG\r\n--", b"<svg/>")
    assert body.fields.pairs == tuple(sent.items())
    again = site.warden.sync.judge(Submission.from_environ("contact", environ(), sent.items(), files=files))
    assert again.repeated
    other = [("photo", "bow 1.png", "image/png", b"another photograph")]
    changed = site.warden.sync.judge(Submission.from_environ("contact", environ(), sent.items(), files=other))
    assert not changed.repeated


def test_a_file_input_that_was_left_empty_is_no_file(tmp_path: Path) -> None:
    site = plain(tmp_path)
    files = [("photo", "", "application/octet-stream", BytesIO())]
    submission = Submission.from_environ("contact", environ(), posted(site).items(), files=files)
    assert (submission.uploads, submission.content_type) == ((), URLENCODED)


@pytest.mark.anyio
async def test_a_body_that_the_framework_read_before_is_kept_with_its_files(tmp_path: Path) -> None:
    site, kept = plain(tmp_path), list[bytes]()

    async def endpoint(request: Request) -> Response:
        async with request.form():
            submission = await Submission.from_request("contact", request)
        await site.warden.judge(submission)
        return Response()

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="https://a.example") as client:
        await client.post("/", data=posted(site), files={"photo": ("bow.png", b"\x89PNG", "image/png")})
    kept += parsed(await site.inquiry()).contents
    assert kept == [b"\x89PNG"]


# ------------------------------------------------------------------ a second click
def test_a_second_click_says_so_and_mails_nobody_twice(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync, sent = site.warden.sync, posted(site)
    first = sync.judge(Submission.from_environ("contact", environ(), sent.items()))
    sync.notify(first)
    sync.reply(first)
    sync.work_once()
    again = sync.judge(Submission.from_environ("contact", environ(), sent.items()))
    assert (first.repeated, again.repeated) == (False, True)
    assert (again.id, again.action) == (first.id, Action.ACCEPT)
    sync.notify(again)
    assert sync.reply(again).decision is Decision.SEND  # what was decided the first time
    site.clock.move(60)
    sync.work_once()
    assert sorted(mail.recipient for mail in site.sender.mails) == sorted([STAFF, ADDRESS])


def test_what_a_handler_that_died_had_not_mailed_is_mailed_at_the_second_click(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync, sent = site.warden.sync, posted(site)
    sync.judge(Submission.from_environ("contact", environ(), sent.items()))
    sync.notify(sync.judge(Submission.from_environ("contact", environ(), sent.items())))
    sync.work_once()
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


def test_a_second_click_is_told_what_the_first_was(tmp_path: Path) -> None:
    site = plain(tmp_path)
    sync, sent = site.warden.sync, posted(site)
    site.clock.move(-READING_S + 1)
    first = sync.judge(Submission.from_environ("contact", environ(), sent.items()))
    site.clock.move(5)  # an impatient double click is not too young any more
    again = sync.judge(Submission.from_environ("contact", environ(), sent.items()))
    assert (first.action, again.action, again.repeated) == (Action.ASK, Action.ASK, True)
    assert site.warden.answer(again).status == site.warden.answer(first).status == 200


# ------------------------------------------------------------------ too late
class Stuck:
    """A twin whose loop does not come round, until `release` is set."""

    def __init__(self, site: Site) -> None:
        self.loop = BackgroundLoop()
        self.release = threading.Event()
        self.sync = SyncWarden(site.warden, loop=self.loop, deadline_s=0.02)
        self.stuck = threading.Event()
        self.loop.spawn(self._block())
        assert self.stuck.wait(5)

    async def _block(self) -> None:
        self.stuck.set()
        assert self.release.wait(10)

    def goes_on(self) -> None:
        """Let everything that was begun come to its end."""
        self.release.set()
        self.loop.run(asyncio.sleep(0))
        self.loop.run(everything_else())
        self.loop.close()


async def everything_else() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


def test_judging_that_is_late_fails_open_and_keeps_the_inquiry_behind_it(tmp_path: Path) -> None:
    site = plain(tmp_path)
    stuck = Stuck(site)
    verdict = stuck.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    assert (verdict.accepted, verdict.recorded, verdict.standing) == (True, False, Standing.DOUBTFUL)
    assert (verdict.fields["message"], verdict.score) == (MESSAGE, 0.0)
    assert site.warden.faults.of("judge") == 1
    assert asyncio.run(site.inquiries()) == ()
    assert site.warden.sync.reply(verdict).code == "LEDGER_DOWN"  # no machine answers it
    site.warden.sync.notify(verdict)
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]  # here and now

    stuck.goes_on()
    (kept,) = asyncio.run(site.inquiries())
    assert kept.state is State.DONE
    assert kept.staff is Staff.NONE  # so nobody is told twice


def test_g17_a_permit_that_is_late_is_not_granted_and_stays_so(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    stuck = Stuck(site)
    with stuck.sync.permit(verdict) as permit:
        assert not permit.granted
        stuck.goes_on()
        assert not permit.granted
    assert site.warden.faults.of("warden.sync") == 1


def test_a_reply_that_is_late_is_given_up_and_never_sent_behind_the_callers_back(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    stuck = Stuck(site)
    result = stuck.sync.reply(verdict)
    assert (result.decision, result.code) == (Decision.SUPPRESS, "LEDGER_DOWN")
    assert stuck.sync.preview(verdict).decision is Decision.SUPPRESS
    stuck.goes_on()
    assert asyncio.run(site.row(verdict.id)) is None
    site.warden.sync.work_once()
    assert site.sender.mails == []


def test_staff_mail_that_is_late_goes_on_by_itself(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    stuck = Stuck(site)
    stuck.sync.notify(verdict)
    assert site.warden.faults.of("warden.sync") == 1
    stuck.goes_on()
    site.warden.sync.work_once()
    assert [mail.recipient for mail in site.sender.mails] == [STAFF]


def test_g03_what_cannot_be_remembered_in_time_is_said_and_goes_on_by_itself(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    doubtful = replace(verdict, standing=Standing.DOUBTFUL)
    stuck = Stuck(site)
    with pytest.raises(LateError, match="goes on by itself"):
        stuck.sync.remember(ADDRESS)
    assert site.warden.sync.preview(doubtful).code == "HELD_SUSPECT"
    stuck.goes_on()
    assert site.warden.sync.preview(doubtful).code == "OK"


def test_g17_a_permit_that_cannot_be_settled_in_time_stays_spent(tmp_path: Path) -> None:
    site = plain(tmp_path)
    verdict = site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))
    twin, release, stuck = BackgroundLoop(), threading.Event(), threading.Event()

    async def block() -> None:
        stuck.set()
        assert release.wait(10)

    with SyncWarden(site.warden, loop=twin, deadline_s=0.5).permit(verdict) as permit:
        assert permit.granted
        twin.spawn(block())
        assert stuck.wait(5)
    assert site.warden.faults.of("warden.sync") == 1
    with site.warden.sync.permit(verdict) as again:
        assert not again.granted
    release.set()
    twin.close()


@pytest.mark.anyio
async def test_inside_a_loop_every_method_refuses_with_the_right_words(tmp_path: Path) -> None:
    site = plain(tmp_path)
    submission = Submission("contact", {"email": ADDRESS})
    verdict = await site.warden.judge(submission)
    sync = site.warden.sync
    calls = (
        lambda: sync.judge(submission),
        lambda: sync.notify(verdict),
        lambda: sync.reply(verdict),
        lambda: sync.preview(verdict),
        lambda: sync.permit(verdict).__enter__(),
        sync.work_once,
    )
    for call in calls:
        with pytest.raises(RunningLoopError, match="await"):
            call()


def test_an_accepted_one_is_done_at_once(tmp_path: Path) -> None:
    site = plain(tmp_path)
    site.warden.sync.judge(Submission.from_environ("contact", environ(), posted(site).items()))

    async def states() -> list[State]:
        return [inquiry.state for inquiry in await site.inquiries()]

    assert asyncio.run(states()) == [State.DONE]


def test_a_process_that_forked_judges_into_the_same_store(tmp_path: Path) -> None:
    program = """
        import os, sys
        from formwarden import GuardedForm, Settings, Submission, Warden
        settings = Settings.only(secret_keys="k" * 40, store_url=f"sqlite:///{sys.argv[1]}/fw.db", work="cron")
        warden = Warden(GuardedForm("contact"), settings=settings)

        def judge(text):
            return warden.sync.judge(Submission("contact", {"message": text * 9}, client="1.2.3.4"))

        assert judge("before the fork ").recorded
        child = os.fork()
        if child == 0:
            os._exit(0 if judge("in the child ").recorded else 1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        assert judge("after the fork ").recorded

        async def count():
            return len((await warden.overview()).rows)

        print(warden.sync._loop.run(count()))
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "3"
