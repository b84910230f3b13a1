"""The fixtures, in suites as users write them, run by pytest itself."""

import sys

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
pytest_plugins = ["formwarden.testing.pytest_plugin"]
"""
SITE = """
import pytest
from formwarden import GuardedForm, Settings, Warden, WardenMiddleware, verdict_of
from formwarden.testing import FakeDNS

FORM = '''<form method="post" action="/contact">%s
<label>Your name <input name="name"></label>
<label>Mail <input name="email" type="email"></label>
<label>Message <textarea name="message"></textarea></label><button>Send</button></form>'''


@pytest.fixture
def warden(formwarden_clock, tmp_path):
    settings = Settings.only(
        secret_keys="k" * 40, site_domain="bow-makers.jp", staff_address="staff@bow-makers.jp",
        smtp_url="smtp://127.0.0.1:1", store_url="memory://", journal_path=str(tmp_path / "journal"), work="cron",
    )
    form = GuardedForm("contact", path="/contact")
    dns = FakeDNS({"shop.com": ["MX 10 mx.shop.com."], "mx.shop.com": ["A 192.175.48.1"]})
    return Warden(form, settings=settings, clock=formwarden_clock, resolver=dns)
"""
STARLETTE = """
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient


@pytest.fixture
def client(warden):
    async def show(request):
        return HTMLResponse(FORM % warden.markup("contact"))

    async def submit(request):
        verdict = verdict_of(request)
        return PlainTextResponse(f"{verdict.action} {verdict.score} {verdict.fields['message']}")

    routes = [Route("/contact", show), Route("/contact", submit, methods=["POST"])]
    app = Starlette(routes=routes, middleware=[Middleware(WardenMiddleware, warden=warden)])
    with TestClient(app) as client:
        yield client
"""
FASTAPI = """
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, PlainTextResponse
from fastapi.testclient import TestClient


@pytest.fixture
def client(warden):
    app = FastAPI()
    app.add_middleware(WardenMiddleware, warden=warden)

    @app.get("/contact")
    async def show():
        return HTMLResponse(FORM % warden.markup("contact"))

    @app.post("/contact")
    async def submit(request: Request, message: str = Form()):
        verdict = verdict_of(request)
        return PlainTextResponse(f"{verdict.action} {verdict.score} {message}")

    with TestClient(app) as client:
        yield client
"""
TESTS = """
def test_a_person_is_accepted(client, guarded):
    form = guarded(client, "contact", typed={"email": "taro@shop.com", "message": "Do you mend bows?"})
    answer = client.post("/contact", data=form)
    assert answer.text.startswith("accept ") and answer.text.endswith("Do you mend bows?"), answer.text


def test_a_bot_is_not(client):
    answer = client.post("/contact", data={"name": "x", "email": "taro@shop.com", "message": "Do you mend bows?"})
    assert not answer.text.startswith("accept")


def test_a_day_later_one_more_click_is_asked_for(client, guarded, formwarden_clock):
    form = guarded(client, "/contact", typed={"email": "taro@shop.com"})
    formwarden_clock.move(90_000)
    answer = client.post("/contact", data=form)
    assert not answer.text.startswith("accept")
    assert "One more click" in answer.text and form["message"].split()[0] in answer.text


def test_each_filling_is_another(client, guarded):
    assert guarded(client, "contact")["message"] != guarded(client, "contact")["message"]
"""


@pytest.mark.slow
@pytest.mark.parametrize("site", [STARLETTE, FASTAPI], ids=["starlette", "fastapi"])
def test_a_users_suite_has_guarded_and_the_clock(site: str, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(SITE + site + TESTS)
    result = pytester.runpytest_subprocess("-q", "-p", "no:randomly", "-p", "no:cacheprovider", timeout=60)
    result.assert_outcomes(passed=4)


def test_importing_formwarden_testing_needs_no_pytest(pytester: pytest.Pytester) -> None:
    code = "import sys, formwarden.testing, formwarden.testing.personas; assert 'pytest' not in sys.modules"
    result = pytester.run(sys.executable, "-c", code, timeout=60)
    assert result.ret == 0, result.stderr.str()
