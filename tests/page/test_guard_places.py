"""Where the script finds forms, in a real browser: inserted, cloned, in shadow trees, sent by hand, and as JSON."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from formwarden.facts import MarkerOutcome, ScriptFacts, TokenOutcome
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.effort import Effort
from formwarden.page.evidence import script_facts
from formwarden.page.header import read_header, render_header
from formwarden.page.markup import render
from formwarden.page.traps import Traps
from formwarden.submission import EVIDENCE_FIELD, TOKEN_FIELD, Fields
from formwarden.tokens import Tokens
from tests.page.served import Site, served

pytestmark = pytest.mark.browser
EPOCH: Final = 2958
DONE: Final = "the worker has ended"
WATCH: Final = (
    "const end = Worker.prototype.terminate;"
    f"Worker.prototype.terminate = function () {{ end.call(this); document.title = '{DONE}'; }}"
)
LEVEL: Final = 1  # the least work: it takes milliseconds
GUIDE: Final = Path(__file__).parents[2] / "docs" / "json-clients.md"
FIELDS: Final = '<label>Name <input name="name"></label><textarea name="message"></textarea><button>Send</button>'


class Desk:
    """A site of which every page has the script already, and a browser that looks at it."""

    def __init__(self, site: Site, page: Page, tokens: Tokens, traps: Traps, assets: Assets) -> None:
        self.site, self.page, self.tokens, self.traps, self.assets = site, page, tokens, traps, assets
        self.effort = Effort(tokens)
        self.guard = f'<script src="{assets.guard_script.url}" defer></script>'

    def form(self, *, token: str | None = None, at_once: bool = False, cacheable: bool = False) -> str:
        form = GuardedForm("contact", cacheable=cacheable)
        token = None if cacheable else token or self.tokens.issue("contact")
        markup = render(
            form,
            marker=self.tokens.mark("contact", EPOCH),
            token=token,
            traps=self.traps.of(form, epoch=EPOCH),
            assets=self.assets,
            language="en",
            challenge=self.effort.challenge("contact", token),
            at_once=at_once,
        )
        return f'<form method="post" action="/contact">{FIELDS}{markup}</form>'

    def header(self, token: str) -> str:
        return render_header(
            marker=self.tokens.mark("contact", EPOCH),
            token=token,
            traps=self.traps.of(GuardedForm("contact"), epoch=EPOCH),
            challenge=self.effort.challenge("contact", token),
        )

    def open(self, body: str, script: str = "", path: str = "/page") -> None:
        """Open a page whose own script runs after ours."""
        self.site.script("/own.js", script)
        self.site.page(path, f'<main></main>{body}{self.guard}<script src="/own.js" defer></script>')
        self.page.goto(self.site.url + path)

    def work_is_done(self) -> None:
        expect(self.page).to_have_title(DONE)

    def type(self, text: str = "Ada") -> None:
        self.page.get_by_label("Name").press_sequentially(text)

    def send(self) -> Fields:
        with self.page.expect_navigation():
            self.page.get_by_role("button").click()
        return self.site.posts[-1]

    def solved(self, fields: Fields) -> bool:
        token = fields.get(TOKEN_FIELD)
        outcome, read = self.tokens.read(token, "contact", stale_after_s=60)
        return self.effort.facts(outcome, read, token, seen(fields).answer).solved


def seen(fields: Fields) -> ScriptFacts:
    return script_facts(fields.get(EVIDENCE_FIELD), fields.get(TOKEN_FIELD))


@pytest.fixture
def desk(browser: Browser, tokens: Tokens, traps: Traps, assets: Assets) -> Iterator[Desk]:
    def fresh(marker: str) -> str | None:
        is_ours = tokens.read_marker(marker, "contact").outcome is MarkerOutcome.VALID
        return tokens.issue("contact", work=LEVEL) if is_ours else None

    with served(assets, fresh, lambda token: Effort(tokens).challenge("contact", token)) as site:
        context = browser.new_context()
        page = context.new_page()
        page.add_init_script(WATCH)
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield Desk(site, page, tokens, traps, assets)
        context.close()
        assert complaints == []


# ------------------------------------------------------------------ inserted forms
INSERTIONS: Final = {
    "innerHTML (htmx)": "html => { document.querySelector('main').innerHTML = html }",
    "outerHTML (htmx)": "html => { document.querySelector('main').outerHTML = html }",
    "a new body (Turbo Drive)": (
        "html => { const body = document.createElement('body'); body.innerHTML = html;"
        " document.body.replaceWith(body) }"
    ),
    "a template (web components)": (
        "html => { const template = document.createElement('template'); template.innerHTML = html;"
        " document.body.append(template.content.cloneNode(true)) }"
    ),
    "a fragment built off the page (SPA)": (
        "html => { const box = document.createElement('div'); box.insertAdjacentHTML('beforeend', html);"
        " const fragment = new DocumentFragment(); fragment.append(...box.childNodes);"
        " document.body.append(fragment) }"
    ),
    "a form that gets our fields later (hydration)": (
        "html => { const box = document.createElement('div'); box.innerHTML = html; const form = box.firstChild;"
        " const parts = [...form.childNodes]; form.replaceChildren(); document.body.append(box);"
        " parts.forEach(part => form.append(part)) }"
    ),
    "an open shadow tree": (
        "html => { document.querySelector('main').attachShadow({mode: 'open'}).innerHTML = html }"
    ),
}


@pytest.mark.parametrize("insertion", INSERTIONS.values(), ids=INSERTIONS)
def test_a_form_is_covered_however_it_is_inserted(desk: Desk, insertion: str) -> None:
    desk.open("")
    desk.page.evaluate(insertion, desk.form())
    desk.type()
    facts = seen(desk.send())
    assert (facts.bound, facts.keys, facts.inputs, facts.focused > 0) == (True, 3, 3, True)


def test_a_form_in_a_shadow_tree_that_a_script_submits_carries_evidence_too(desk: Desk) -> None:
    desk.open("")
    desk.page.evaluate(INSERTIONS["an open shadow tree"], desk.form())
    desk.type()
    with desk.page.expect_navigation():
        desk.page.evaluate("document.querySelector('main').shadowRoot.querySelector('form').submit()")
    facts = seen(desk.site.posts[-1])
    assert (facts.bound, facts.keys) == (True, 3)


def test_fields_that_a_framework_collects_by_hand_carry_evidence_too(desk: Desk) -> None:
    """As htmx 1 does: the button's own click, no "submit", no FormData of the form."""
    collect = """document.querySelector("button").addEventListener("click", (event) => {
      event.preventDefault();
      const body = new URLSearchParams([...event.target.form.elements].map((each) => [each.name, each.value]));
      fetch("/contact", { method: "POST", body }).then(() => { document.title = "sent"; });
    });"""
    desk.open(desk.form(), collect)
    desk.type()
    desk.page.get_by_role("button").click()
    expect(desk.page).to_have_title("sent")
    facts = seen(desk.site.posts[-1])
    assert (facts.bound, facts.keys) == (True, 3)


def test_a_copy_of_a_page_that_was_sent_fetches_a_token_of_its_own(desk: Desk) -> None:
    """As Turbo keeps pages for the back button."""
    desk.open(desk.form(), "document.forms[0].addEventListener('submit', (event) => event.preventDefault());")
    old = desk.page.locator(f"[name={TOKEN_FIELD}]").input_value()
    desk.page.get_by_role("button").click()
    desk.page.evaluate("document.forms[0].replaceWith(document.forms[0].cloneNode(true))")
    with desk.page.expect_response("**/token?m=*"):
        desk.type("A")
    expect(desk.page.locator(f"[name={TOKEN_FIELD}]")).not_to_have_value(old)
    assert seen(desk.send()).bound


def test_a_page_out_of_a_cache_fetches_a_token_of_its_own(desk: Desk) -> None:
    desk.page.add_init_script(
        "Object.defineProperty(PerformanceResourceTiming.prototype, 'transferSize', {get: () => 0})"
    )
    desk.open(desk.form())
    old = desk.page.locator(f"[name={TOKEN_FIELD}]").input_value()
    with desk.page.expect_response("**/token?m=*"):
        desk.type("A")
    expect(desk.page.locator(f"[name={TOKEN_FIELD}]")).not_to_have_value(old)


def test_evidence_of_one_submission_is_worth_nothing_for_another(desk: Desk) -> None:
    desk.open(desk.form())
    desk.type()
    posted = desk.send()
    assert script_facts(posted[EVIDENCE_FIELD], desk.tokens.issue("contact")).bound is False


@pytest.mark.parametrize("kind", ["insertFromDrop", "insertReplacementText", "insertFromYank"])
def test_letters_that_come_many_at_once_count_as_pasted(desk: Desk, kind: str) -> None:
    desk.open(desk.form())
    desk.page.locator("textarea").evaluate(
        "(field, inputType) => field.dispatchEvent(new InputEvent('input', {bubbles: true, inputType}))", kind
    )
    assert seen(desk.send()).pastes == 1


# ------------------------------------------------------------------ work
def test_g34_work_is_done_in_a_worker_and_sent_with_the_evidence(desk: Desk) -> None:
    desk.open(desk.form(token=desk.tokens.issue("contact", work=LEVEL)))
    assert not desk.page.workers
    desk.type()
    desk.work_is_done()
    assert desk.solved(desk.send())


def test_g34_a_fetched_token_brings_its_work_with_it(desk: Desk) -> None:
    desk.open(desk.form(cacheable=True))
    desk.page.get_by_label("Name").focus()  # one interaction, and no other that could begin the work
    desk.work_is_done()
    assert desk.solved(desk.send())


def test_a_page_that_asks_again_begins_by_itself(desk: Desk) -> None:
    desk.open(desk.form(token=desk.tokens.issue("contact", work=LEVEL), at_once=True))
    desk.work_is_done()
    assert desk.solved(desk.send())


def test_g34_a_form_that_is_sent_before_the_work_is_done_is_sent_without(desk: Desk) -> None:
    desk.page.route("**/worker.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
    desk.open(desk.form(token=desk.tokens.issue("contact", work=LEVEL)))
    desk.type()
    posted = desk.send()
    assert (seen(posted).bound, seen(posted).keys, seen(posted).answer) == (True, 3, None)


@pytest.mark.parametrize(
    "without",
    [
        "window.Worker = undefined",
        "window.Worker = class { constructor() { throw new DOMException('no', 'SecurityError') } }",
    ],
    ids=["no workers", "a policy forbids it"],
)
def test_g34_where_no_worker_can_start_the_form_still_goes_out(desk: Desk, without: str) -> None:
    desk.page.add_init_script(without)
    desk.open(desk.form(token=desk.tokens.issue("contact", work=LEVEL)))
    desk.type()
    posted = desk.send()
    assert (seen(posted).bound, seen(posted).keys, seen(posted).answer) == (True, 3, None)


# ------------------------------------------------------------------ JSON
def sent_as_json(desk: Desk) -> tuple[dict[str, object], Fields]:
    with desk.page.expect_request(lambda request: request.method == "POST") as sent:
        desk.page.get_by_role("button").click()
    expect(desk.page).to_have_title("sent 200")
    return json.loads(sent.value.post_data or ""), read_header(sent.value.headers["formwarden"])


SNIPPETS: Final = re.findall(r"```js\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def snippet(name: str) -> str:
    (code,) = (each for each in SNIPPETS if f"function {name}(" in each)
    return str(code)


def test_the_guide_sends_a_page_without_our_markup_with_its_evidence_and_its_work(desk: Desk) -> None:
    own = snippet("sendFields") + (
        'document.querySelector("button").addEventListener("click", () =>'
        ' sendFields(document.querySelector("section"))'
        ".then((response) => { document.title = `sent ${response.status}`; }));"
    )
    token = desk.tokens.issue("contact", work=LEVEL)
    place = f"<section data-formwarden='{desk.header(token)}'>{FIELDS}</section>"
    desk.open(place, own)
    desk.type()
    desk.work_is_done()
    body, header = sent_as_json(desk)
    assert body == {"name": "Ada", "message": ""}
    assert header[TOKEN_FIELD] == token
    assert desk.solved(header)
    assert (seen(header).bound, seen(header).keys, seen(header).pointers > 0) == (True, 3, True)
    text, box = (trap.name for trap in desk.traps.of(GuardedForm("contact"), epoch=EPOCH))
    assert (header.get(text), header.get(box)) == ("", None)


def test_a_header_without_a_token_waits_for_one(desk: Desk) -> None:
    ask = "document.querySelector('button').addEventListener('click', async (event) => { event.preventDefault();"
    ask += " document.querySelector('main').textContent = await formwarden.header(document.forms[0]); });"
    desk.open(desk.form(cacheable=True), ask)
    desk.page.get_by_role("button").click()
    expect(desk.page.locator("main")).to_have_text(re.compile("^m="))
    header = read_header(desk.page.locator("main").inner_text())
    assert desk.tokens.read(header[TOKEN_FIELD], "contact", stale_after_s=60)[0] is TokenOutcome.FRESH
    assert seen(header).bound


def test_a_header_set_anew_by_the_page_counts_from_then_on(desk: Desk) -> None:
    """As after a 409: the answer's header takes the place of the first."""
    first, second = (desk.tokens.issue("contact") for _ in range(2))
    show = "document.querySelector('button').addEventListener('click', async () => {"
    show += " const place = document.querySelector('section');"
    show += " document.querySelector('main').textContent = await formwarden.header(place); });"
    desk.open(f"<section data-formwarden='{desk.header(first)}'>{FIELDS}</section>", show)
    desk.type()
    desk.page.locator("section").evaluate(
        "(place, header) => { place.dataset.formwarden = header }", desk.header(second)
    )
    desk.page.get_by_role("button").click()
    expect(desk.page.locator("main")).to_have_text(re.compile("^m="))
    header = read_header(desk.page.locator("main").inner_text())
    assert (header[TOKEN_FIELD], seen(header).bound, seen(header).keys) == (second, True, 3)


def test_a_place_that_is_none_of_ours_is_said_to_be_none(desk: Desk) -> None:
    own = "formwarden.header(document.body).catch((error) => { document.title = error.message; });"
    desk.open("", own)
    expect(desk.page).to_have_title("formwarden: neither our fields nor data-formwarden")
