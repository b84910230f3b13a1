"""The script, as a real browser runs it under a strict content policy."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from formwarden.facts import MarkerOutcome, ScriptFacts, TokenOutcome
from formwarden.forms import GuardedForm
from formwarden.page.assets import Assets
from formwarden.page.evidence import page_facts, script_facts
from formwarden.page.markup import Markup, render
from formwarden.page.traps import Traps
from formwarden.submission import EVIDENCE_FIELD, MARKER_FIELD, TOKEN_FIELD, Fields
from formwarden.tokens import Tokens
from tests.page.served import Site, served

pytestmark = pytest.mark.browser
EPOCH = 2958
FIELDS = (
    '<label>Name <input name="name"></label><label>Email <input name="email"></label>'
    '<label>Message <textarea name="message"></textarea></label><button>Send</button>'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A served site, a browser page, and the means to judge what was posted."""

    site: Site
    page: Page
    tokens: Tokens
    traps: Traps
    assets: Assets
    complaints: list[str]  # of the browser's console

    def markup(self, form: GuardedForm) -> Markup:
        return render(
            form,
            marker=self.tokens.mark(form.name, EPOCH),
            token=None if form.cacheable else self.tokens.issue(form.name),
            traps=self.traps.of(form, epoch=EPOCH),
            assets=self.assets,
            language="en",
        )

    def form(self, form: GuardedForm, attributes: str = "") -> str:
        return f'<form method="post" {attributes}>{FIELDS}{self.markup(form)}</form>'

    def open(self, path: str = "/contact") -> None:
        self.page.goto(self.site.url + path)
        assert self.page.evaluate("document[Symbol.for('formwarden')]")

    def send(self) -> Fields:
        """Press the button and return what arrived."""
        with self.page.expect_navigation():
            self.page.get_by_role("button").click()
        return self.site.posts[-1]


def seen(fields: Fields) -> ScriptFacts:
    return script_facts(fields.get(EVIDENCE_FIELD), fields.get(TOKEN_FIELD))


@pytest.fixture
def desk(browser: Browser, tokens: Tokens, traps: Traps, assets: Assets, form: GuardedForm) -> Iterator[Desk]:
    def fresh(marker: str) -> str | None:
        return (
            tokens.issue("contact") if tokens.read_marker(marker, "contact").outcome is MarkerOutcome.VALID else None
        )

    with served(assets, fresh) as site:
        context = browser.new_context()
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        desk = Desk(site=site, page=page, tokens=tokens, traps=traps, assets=assets, complaints=complaints)
        site.page("/contact", desk.form(form))
        yield desk
        context.close()
        assert complaints == []


def test_what_a_person_does_is_counted_and_bound_to_the_token(desk: Desk) -> None:
    desk.open()
    desk.page.get_by_label("Name").click()
    desk.page.keyboard.type("Ada")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type("ada@example.com")
    facts = seen(desk.send())
    assert (facts.present, facts.bound) == (True, True)
    assert facts.keys == len("Ada" + "ada@example.com") + 1
    assert facts.inputs == len("Ada" + "ada@example.com")
    assert facts.pointers == 2
    assert facts.focused == 3
    assert (facts.pastes, facts.autofilled, facts.traps_visible) == (0, frozenset(), False)


def test_a_browser_driven_by_a_program_says_so(desk: Desk) -> None:
    desk.open()
    driven = desk.page.evaluate("navigator.webdriver")
    assert seen(desk.send()).automated is driven is True


def test_an_ordinary_browser_does_not(desk: Desk) -> None:
    desk.page.add_init_script("Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})")
    desk.open()
    assert not seen(desk.send()).automated


def test_untouched_traps_come_back_empty_and_unseen(desk: Desk, form: GuardedForm) -> None:
    desk.open()
    posted = desk.send()
    facts = page_facts(
        posted, marker=MarkerOutcome.VALID, traps=desk.traps.of(form, epoch=EPOCH), script=seen(posted)
    )
    assert [(trap.present, trap.filled) for trap in facts.traps] == [(True, False), (False, False)]
    assert not seen(posted).traps_visible


def test_nobody_can_see_or_reach_the_traps(desk: Desk, form: GuardedForm) -> None:
    desk.open()
    with_traps = desk.page.screenshot()
    desk.page.locator(".fw-more").evaluate("box => box.remove()")
    assert desk.page.screenshot() == with_traps
    desk.open()
    names = {trap.name for trap in desk.traps.of(form, epoch=EPOCH)}
    reached = set()
    for _ in range(8):
        desk.page.keyboard.press("Tab")
        reached.add(desk.page.evaluate("document.activeElement.name ?? ''"))
    assert not reached & names
    assert {"name", "email", "message"} <= reached
    assert "empty" not in desk.page.locator("form").aria_snapshot()


def test_g35_traps_that_can_be_seen_are_reported(desk: Desk) -> None:
    desk.page.route("**/guard.*.css", lambda route: route.fulfill(status=200, content_type="text/css", body=""))
    desk.site.page("/contact", desk.form(GuardedForm("contact", cacheable=True)))
    desk.open()
    assert seen(desk.send()).traps_visible


def test_a_form_in_a_hidden_part_of_the_page_has_no_visible_traps(desk: Desk) -> None:
    desk.open()
    with desk.page.expect_navigation():
        desk.page.evaluate("document.forms[0].hidden = true; document.forms[0].requestSubmit()")
    assert not seen(desk.site.posts[-1]).traps_visible


def test_values_set_the_way_password_managers_do_count_as_autofill(desk: Desk, form: GuardedForm) -> None:
    desk.open()
    text = desk.traps.of(form, epoch=EPOCH)[0].name
    for name in ("email", text):
        desk.page.locator(f"[name={name}]").evaluate(
            "field => { field.value = 'ada@example.com'; field.dispatchEvent(new Event('input', {bubbles: true})) }"
        )
    posted = desk.send()
    facts = page_facts(
        posted, marker=MarkerOutcome.VALID, traps=desk.traps.of(form, epoch=EPOCH), script=seen(posted)
    )
    assert seen(posted).autofilled == {"email", text}
    assert (facts.traps[0].filled, facts.traps[0].autofilled, facts.traps[0].echoes) == (True, True, True)


def test_ticking_a_box_is_no_autofill(desk: Desk) -> None:
    desk.site.page(
        "/contact", desk.form(GuardedForm("contact")).replace("<button", "<input type=checkbox name=ok><button")
    )
    desk.open()
    desk.page.locator("[name=ok]").check()
    facts = seen(desk.send())
    assert facts.autofilled == frozenset()
    assert facts.inputs == 1


def test_a_paste_is_counted(desk: Desk) -> None:
    desk.open()
    desk.page.get_by_label("Name").click()
    desk.page.keyboard.type("Ada")
    for keys in ("Control+A", "Control+C", "Tab", "Control+V"):
        desk.page.keyboard.press(keys)
    posted = desk.send()
    assert posted["email"] == "Ada"
    assert (seen(posted).pastes, seen(posted).autofilled) == (1, frozenset())


def test_text_from_an_input_method_or_a_voice_counts_as_input(desk: Desk) -> None:
    desk.open()
    desk.page.get_by_label("Message").focus()
    desk.page.keyboard.insert_text("お問い合わせ")
    facts = seen(desk.send())
    assert (facts.keys, facts.inputs, facts.autofilled) == (0, 1, frozenset())


def test_a_program_that_only_fires_events_has_pressed_nothing(desk: Desk) -> None:
    desk.open()
    with desk.page.expect_navigation():
        desk.page.get_by_label("Name").evaluate(
            "field => { for (const kind of ['keydown', 'pointerdown', 'paste'])"
            " field.dispatchEvent(new Event(kind, {bubbles: true})); field.form.requestSubmit() }"
        )
    facts = seen(desk.site.posts[-1])
    assert (facts.keys, facts.pointers, facts.pastes) == (0, 0, 0)


def test_evidence_holds_no_content(desk: Desk) -> None:
    desk.open()
    desk.page.get_by_label("Message").click()
    desk.page.keyboard.type("qwertz")
    assert "qwertz" not in desk.send()[EVIDENCE_FIELD]


def test_only_visible_seconds_are_counted(desk: Desk) -> None:
    desk.page.clock.install()
    desk.open()
    desk.page.clock.run_for(20_000)
    desk.page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    desk.page.clock.run_for(600_000)
    desk.page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: false});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    desk.page.clock.run_for(10_000)
    assert 29 <= seen(desk.send()).visible_s <= 40


def test_a_form_inserted_later_is_covered_from_its_insertion_on(desk: Desk, form: GuardedForm) -> None:
    desk.page.clock.install()
    desk.site.page("/later", f"<main></main>{desk.markup(GuardedForm('other'))}")
    desk.open("/later")
    desk.page.clock.run_for(300_000)
    desk.page.evaluate("html => { document.querySelector('main').innerHTML = html }", desk.form(form))
    desk.page.clock.run_for(30_000)
    desk.page.get_by_label("Name").click()
    desk.page.keyboard.type("Ada")
    facts = seen(desk.send())
    assert (facts.bound, facts.keys, facts.inputs) == (True, 3, 3)
    assert 29 <= facts.visible_s <= 60


def test_two_script_tags_on_one_page_fetch_one_token(desk: Desk) -> None:
    cached = desk.form(GuardedForm("contact", cacheable=True))
    desk.site.page("/two", cached + cached)
    desk.open("/two")
    desk.page.locator("[name=name]").first.press_sequentially("Ada")
    expect(desk.page.locator(f"[name={TOKEN_FIELD}]").first).not_to_have_value("")
    assert desk.page.locator(f"[name={TOKEN_FIELD}]").last.input_value() == ""
    assert len([request for request in desk.site.requests if "token?" in request]) == 1


def test_two_forms_on_one_page_are_counted_apart_and_once(desk: Desk, form: GuardedForm) -> None:
    other = desk.form(GuardedForm("other"), 'id="second"')
    desk.site.page("/two", desk.form(form, 'id="first"') + other)
    desk.open("/two")
    desk.page.locator("#first [name=name]").press_sequentially("Ada")
    with desk.page.expect_navigation():
        desk.page.locator("#first button").click()
    assert seen(desk.site.posts[-1]).keys == 3
    desk.open("/two")
    desk.page.locator("#first [name=name]").press_sequentially("Ada")
    with desk.page.expect_navigation():
        desk.page.locator("#second button").click()
    assert seen(desk.site.posts[-1]).keys == 0


def test_a_form_that_a_script_submits_carries_evidence_too(desk: Desk) -> None:
    desk.open()
    desk.page.get_by_label("Name").press_sequentially("Ada")
    with desk.page.expect_navigation():  # a context closed in the middle of one may never come to an end
        desk.page.evaluate("document.forms[0].submit()")
    (posted,) = desk.site.posts
    assert len(posted.all(EVIDENCE_FIELD)) == 1
    assert (seen(posted).bound, seen(posted).keys) == (True, 3)


def test_fields_that_a_script_collects_carry_evidence_too(desk: Desk) -> None:
    desk.open()
    desk.page.get_by_label("Name").press_sequentially("Ada")
    data = "new URLSearchParams(new FormData(document.forms[0]))"
    desk.page.evaluate(f"fetch('/contact', {{method: 'POST', body: {data}}}).then(answer => answer.status)")
    (posted,) = desk.site.posts
    assert len(posted.all(EVIDENCE_FIELD)) == 1
    assert (seen(posted).bound, seen(posted).keys) == (True, 3)


def test_a_second_try_of_the_same_page_sends_one_evidence(desk: Desk) -> None:
    desk.open()
    desk.page.evaluate("document.forms[0].addEventListener('submit', event => event.preventDefault(), {once: true})")
    desk.page.get_by_role("button").click()
    desk.page.get_by_label("Name").press_sequentially("Ada")
    posted = desk.send()
    assert len(posted.all(EVIDENCE_FIELD)) == 1
    assert seen(posted).keys == 3


def test_a_cached_page_fetches_its_token_at_the_first_interaction(desk: Desk) -> None:
    desk.site.page("/contact", desk.form(GuardedForm("contact", cacheable=True)))
    desk.open()
    assert not [request for request in desk.site.requests if "token" in request]
    with desk.page.expect_response("**/token?m=*"):
        desk.page.get_by_label("Name").click()
    desk.page.keyboard.type("Ada")
    expect(desk.page.locator(f"[name={TOKEN_FIELD}]")).not_to_have_value("")
    posted = desk.send()
    assert desk.tokens.read(posted[TOKEN_FIELD], "contact", stale_after_s=60)[0] is TokenOutcome.FRESH
    assert seen(posted).bound
    assert len([request for request in desk.site.requests if "token?" in request]) == 1


def test_a_page_whose_token_cannot_be_had_is_sent_all_the_same(desk: Desk) -> None:
    desk.page.route("**/token?m=*", lambda route: route.abort())
    desk.site.page("/contact", desk.form(GuardedForm("contact", cacheable=True)))
    desk.open()
    desk.page.get_by_label("Name").press_sequentially("Ada")
    posted = desk.send()
    assert posted[TOKEN_FIELD] == ""
    assert (seen(posted).present, seen(posted).bound) == (True, False)
    assert any("ERR_FAILED" in complaint for complaint in desk.complaints)
    desk.complaints.clear()


def test_a_page_that_lay_open_for_long_fetches_a_fresh_token(desk: Desk) -> None:
    desk.page.clock.install()
    desk.open()
    old = desk.page.locator(f"[name={TOKEN_FIELD}]").input_value()
    desk.page.clock.fast_forward("13:00:00")
    with desk.page.expect_response("**/token?m=*"):
        desk.page.get_by_label("Name").click()
    expect(desk.page.locator(f"[name={TOKEN_FIELD}]")).not_to_have_value(old)
    posted = desk.send()
    assert posted[TOKEN_FIELD] != old
    assert seen(posted).bound


def test_a_page_brought_back_by_the_back_button_fetches_a_fresh_token(desk: Desk) -> None:
    desk.open()
    old = desk.page.locator(f"[name={TOKEN_FIELD}]").input_value()
    desk.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    with desk.page.expect_response("**/token?m=*"):
        desk.page.get_by_label("Name").click()
    expect(desk.page.locator(f"[name={TOKEN_FIELD}]")).not_to_have_value(old)


def test_without_scripts_the_form_works_and_says_nothing(desk: Desk, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(desk.site.url + "/contact")
    page.get_by_label("Name").fill("Ada")
    page.get_by_role("button").click()
    page.wait_for_url("**/contact")
    context.close()
    posted = desk.site.posts[-1]
    assert EVIDENCE_FIELD not in posted
    assert {MARKER_FIELD, TOKEN_FIELD} <= set(posted)
    assert not seen(posted).present
