"""The script of docs/json-clients.md, as a real browser runs it beside ours."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from formwarden.facts import MarkerOutcome, TokenOutcome
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.evidence import page_facts, script_facts
from formwarden.page.header import read_header
from formwarden.page.markup import render
from formwarden.page.traps import Traps
from formwarden.submission import Fields
from formwarden.tokens import Tokens
from tests.page.served import served

PAGE = Path(__file__).parents[2] / "docs" / "json-clients.md"
EPOCH = 2958
SEND = """
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  sendAsJson(event.target).then((response) => { document.title = `sent ${response.status}`; });
});
"""


@pytest.mark.browser
def test_the_page_on_json_clients_sends_ours_beside_the_body(
    browser: Browser, tokens: Tokens, traps: Traps, form: GuardedForm, assets: Assets
) -> None:
    (script,) = re.findall(r"```js\n(async function sendAsJson.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    token, trapped = tokens.issue(form.name), traps.of(form, epoch=EPOCH)
    marker = tokens.mark(form.name, EPOCH)
    markup = render(form, marker=marker, token=token, traps=trapped, assets=assets, language="en")
    fields = '<input name="name"><input name="email" value="a@b"><textarea name="お問い合わせ">é</textarea>'
    with served(assets, lambda _: None) as site:
        site.script("/own.js", script + SEND)
        site.page("/contact", f'<form>{fields}{markup}<button>Send</button></form><script src="/own.js"></script>')
        page = browser.new_page()
        page.goto(site.url + "/contact")
        page.locator("[name=name]").press_sequentially("Taro")
        with page.expect_request(lambda request: request.method == "POST") as sent:
            page.get_by_role("button").click()
        expect(page).to_have_title("sent 200")  # not by a script: the page's policy forbids to evaluate one
        request = sent.value
        page.close()
    assert json.loads(request.post_data or "") == {"name": "Taro", "email": "a@b", "お問い合わせ": "é"}
    header = read_header(request.headers["formwarden"])
    assert tokens.read(header["_fw_token"], form.name, stale_after_s=60)[0] is TokenOutcome.FRESH
    script_seen = script_facts(header["_fw_seen"], token)
    assert (script_seen.bound, script_seen.keys >= 4) == (True, True)
    facts = page_facts(Fields(header), marker=MarkerOutcome.VALID, traps=trapped, script=script_seen)
    assert [(trap.present, trap.filled) for trap in facts.traps] == [(True, False), (False, False)]
