"""The blocking twin, as handlers of Flask and Django call it: on their own thread, without a loop."""

import asyncio
import os
import smtplib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from formwarden import Action, RunningLoopError, Submission
from formwarden.stores.ports import Decision, OutcomeKind, State
from formwarden.submission import URLENCODED
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
    assert site.warden.client_of(submission).ip is not None
    assert str(site.warden.client_of(submission).ip) == "1.2.3.4"
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
